#include "exporters/web/endpoints.h"
#include "exporters/web/session.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

// One connection of the HTTP server, over a socket pair, with a client that says anything: every request is answered
// with a whole response or the connection is closed, and no session outlives its client.
namespace {

using namespace tunnelwatch::exporters;
using tunnelwatch::fuzz::check;

class Owner final : public SessionOwner {
 public:
  void on_request(Session& session, const Request& request) override {
    ++answered;
    Reply reply;
    const auto target = parse_target({request.target().data(), request.target().size()});
    reply.status = !target ? 400 : find_endpoint(target->path) == nullptr ? 404 : 200;
    const auto accepts = request[boost::beast::http::field::accept_encoding];
    reply.body = accepts_gzip({accepts.data(), accepts.size()}) ? "with gzip\n" : "without\n";
    session.reply(std::move(reply));
  }
  void on_refused(Session&, unsigned status) override {
    check(status >= 400 && status < 500);
    ++answered;
  }
  void on_closed(Session&, std::string_view) override { ++closed; }

  unsigned answered = 0;
  unsigned closed = 0;
};

std::string read_all(int fd) {
  std::string said;
  char part[4096];
  for (ssize_t n = 0; (n = ::read(fd, part, sizeof part)) > 0;) said.append(part, static_cast<std::size_t>(n));
  return said;
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 60'000;  // what a socket pair holds without anybody who reads
  if (size > kMost) return 0;
  int ends[2];
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  check(::write(ends[0], data, size) == static_cast<ssize_t>(size));
  check(shutdown(ends[0], SHUT_WR) == 0);
  Owner owner;
  std::weak_ptr<Session> watched;
  {
    boost::asio::io_context io(1);
    ServerLimits limits;
    limits.header_bytes = 1024;
    boost::asio::ip::tcp::socket socket(io, boost::asio::ip::tcp::v4(), ends[1]);
    auto session = std::make_shared<Session>(std::move(socket), owner, limits);
    watched = session;
    session->start();
    session.reset();
    io.run();
  }
  check(owner.closed == 1 && watched.expired());
  const std::string said = read_all(ends[0]);
  ::close(ends[0]);
  check(said.empty() || said.starts_with("HTTP/1."));
  check(count(said, "HTTP/1.") == owner.answered);
  check(count(said, "Content-Length: ") == owner.answered);
  return 0;
}
