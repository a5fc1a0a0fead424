#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

// For the sources of probes/io only: brings in Asio.
namespace tunnelwatch::io {

enum class AfterDrain { wait, more, back_off };
// What one read of a descriptor gave.
enum class Got { something, nothing, failure };

// What a receiver that belongs to receive_loop() holds. Stopping it is for good.
class Receiver {
 public:
  Receiver(boost::asio::io_context& io, int fd) : descriptor_(io, fd), backoff_(io) {}

  boost::asio::posix::stream_descriptor& descriptor() { return descriptor_; }
  boost::asio::steady_timer& backoff() { return backoff_; }
  bool stopped() const { return stopped_; }
  void stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    backoff_.cancel();
  }

 protected:
  ~Receiver() = default;
  int handle() { return descriptor_.native_handle(); }

  // Reads until nothing is left, a bounded number of times, so that others on the io_context get their turn. What
  // `read` calls may call for more: it gets nothing, for the outer call goes on.
  template <typename Read>
  AfterDrain drain(Read read) {
    constexpr int kMost = 256;
    if (draining_) return AfterDrain::wait;
    draining_ = true;
    AfterDrain next = AfterDrain::more;
    for (int count = 0; count < kMost && next == AfterDrain::more && !stopped_; ++count) {
      const Got got = read();
      if (got == Got::nothing) next = AfterDrain::wait;
      if (got == Got::failure) next = AfterDrain::back_off;
    }
    draining_ = false;
    return next;
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer backoff_;
  bool stopped_ = false;
  bool draining_ = false;
};

inline constexpr std::chrono::milliseconds kReceiveBackoff{200};

// Waits on a descriptor and calls Owner::drain_some() each time it is readable. Owner is a Receiver, held by
// shared_ptr, and has `drain_some()`, which returns what to do next.
template <typename Owner>
void receive_loop(const std::shared_ptr<Owner>& owner) {
  // An error of our own is waited out, so that a dead socket never spins; operation_aborted ends the loop for good.
  const auto again = [owner](const boost::system::error_code& error) {
    if (error == boost::asio::error::operation_aborted || owner->stopped()) return;
    const AfterDrain next = error ? AfterDrain::back_off : owner->drain_some();
    if (owner->stopped()) return;
    if (next == AfterDrain::back_off) {
      owner->backoff().expires_after(kReceiveBackoff);
      owner->backoff().async_wait([owner](const boost::system::error_code& aborted) {
        if (!aborted && !owner->stopped()) receive_loop(owner);
      });
      return;
    }
    receive_loop(owner);  // what is left makes the descriptor readable at once; others get their turn in between
  };
  owner->descriptor().async_wait(boost::asio::posix::descriptor_base::wait_read, again);
}

}  // namespace tunnelwatch::io
