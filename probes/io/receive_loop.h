#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

// For the sources of probes/io only: brings in Asio.
namespace tunnelwatch::io {

// Waits on a descriptor and calls Owner::drain_some() each time it is readable. Owner is held by shared_ptr and has
// `descriptor()`, `backoff()`, `stopped()` and `drain_some()`, which returns what to do next.
enum class AfterDrain { wait, more, back_off };

inline constexpr std::chrono::milliseconds kReceiveBackoff{200};

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
