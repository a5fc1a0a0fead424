#include "probes/io/child_output.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

extern char** environ;

namespace tunnelwatch::io {

using namespace std::chrono_literals;

namespace {

constexpr auto kPause = 5s;
constexpr auto kRuns = 1s;  // what has not ended by then runs
constexpr std::size_t kMostSaid = 400;

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

struct Pipe {
  int ends[2] = {-1, -1};
  bool open() { return pipe2(ends, O_CLOEXEC) == 0; }
  void close_both() {
    for (int& end : ends) {
      if (end >= 0) ::close(end);
      end = -1;
    }
  }
};

}  // namespace

class ChildOutput::Impl : public std::enable_shared_from_this<ChildOutput::Impl> {
 public:
  Impl(boost::asio::io_context& io, std::vector<std::string> command, Handlers handlers)
      : output_(io), said_(io), timer_(io), command_(std::move(command)), handlers_(std::move(handlers)) {}

  void start();
  void stop();

 private:
  int spawn(Pipe& output, Pipe& said);
  void read();
  void read_said();
  void ended();
  void tell_end();
  void later(std::chrono::steady_clock::duration pause, void (Impl::*what)());
  void runs() { tell(""); }
  void tell(const std::string& error) {
    if (!stopped_) handlers_.on_state(error);
  }

  boost::asio::posix::stream_descriptor output_;
  boost::asio::posix::stream_descriptor said_;
  boost::asio::steady_timer timer_;
  std::vector<std::string> command_;
  Handlers handlers_;
  std::array<char, 16384> buffer_{};
  std::array<char, kMostSaid> said_buffer_{};
  std::string error_;
  pid_t child_ = -1;
  std::optional<int> status_;  // of the child that ended
  bool reads_said_ = false;
  bool stopped_ = false;
};

int ChildOutput::Impl::spawn(Pipe& output, Pipe& said) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, said.ends[1], STDERR_FILENO);
  std::vector<char*> words;
  for (std::string& word : command_) words.push_back(word.data());
  words.push_back(nullptr);
  const int error = posix_spawnp(&child_, words.front(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

void ChildOutput::Impl::start() {
  Pipe output;
  Pipe said;
  int error = output.open() && said.open() ? 0 : errno;
  if (error == 0) error = spawn(output, said);
  if (error != 0) {
    child_ = -1;
    output.close_both();
    said.close_both();
    tell(std::string(std::strerror(error)));
    return later(kPause, &Impl::start);
  }
  ::close(output.ends[1]);
  ::close(said.ends[1]);
  boost::system::error_code ignored;
  output_.assign(output.ends[0], ignored);
  said_.assign(said.ends[0], ignored);
  error_.clear();
  status_.reset();
  read();
  read_said();
  later(kRuns, &Impl::runs);
}

void ChildOutput::Impl::later(std::chrono::steady_clock::duration pause, void (Impl::*what)()) {
  timer_.expires_after(pause);
  timer_.async_wait([self = shared_from_this(), what](const boost::system::error_code& aborted) {
    if (!aborted && !self->stopped_) (self.get()->*what)();
  });
}

void ChildOutput::Impl::read() {
  output_.async_read_some(boost::asio::buffer(buffer_),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                            if (self->stopped_) return;
                            if (error) return self->ended();
                            self->handlers_.on_output({self->buffer_.data(), size});
                            if (!self->stopped_) self->read();
                          });
}

void ChildOutput::Impl::read_said() {
  reads_said_ = true;
  said_.async_read_some(boost::asio::buffer(said_buffer_),
                        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                          if (self->stopped_) return;
                          if (size != 0) self->error_.assign(self->said_buffer_.data(), size);
                          self->reads_said_ = !error && !self->status_;
                          if (self->reads_said_) return self->read_said();
                          if (self->status_) self->tell_end();
                        });
}

void ChildOutput::Impl::ended() {
  boost::system::error_code ignored;
  output_.close(ignored);
  // It has closed its output; one that lives on all the same is of no use.
  int status = 0;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, &status, 0);
  child_ = -1;
  status_ = status;
  if (!reads_said_) return tell_end();
  said_.cancel(ignored);  // what was read already is handed over first
}

void ChildOutput::Impl::tell_end() {
  // What it said last may still lie in the pipe.
  boost::system::error_code ignored;
  said_.non_blocking(true, ignored);
  const std::size_t size = said_.read_some(boost::asio::buffer(said_buffer_), ignored);
  if (size != 0) error_.assign(said_buffer_.data(), size);
  said_.close(ignored);
  while (!error_.empty() && (error_.back() == '\n' || error_.back() == ' ')) error_.pop_back();
  tell(command_.front() + " " + (error_.empty() ? ending_of(*status_) : "says: " + error_));
  later(kPause, &Impl::start);
}

void ChildOutput::Impl::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  timer_.cancel();
  output_.close(ignored);
  said_.close(ignored);
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);  // it only reads
  ::waitpid(child_, nullptr, 0);
  child_ = -1;
}

ChildOutput::ChildOutput(boost::asio::io_context& io, std::vector<std::string> command, Handlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(command), std::move(handlers))) {
  impl_->start();
}
ChildOutput::~ChildOutput() { impl_->stop(); }

}  // namespace tunnelwatch::io
