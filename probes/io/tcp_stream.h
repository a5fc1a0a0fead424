#pragma once

#include "config/ip_address.h"
#include "probes/observation.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// A TCP connection to a peer. Belongs to the thread of its io_context; destroying it closes it at once, and nothing is
// told any more.
class TcpStream {
 public:
  struct Handlers {
    std::function<void()> on_open;
    std::function<void(std::span<const std::uint8_t> bytes)> on_bytes;
    // Told once. `reason`: why it never opened or broke; none where the peer closed it in order.
    std::function<void(RefusalReason reason)> on_closed;
  };
  static constexpr std::size_t kMaxUnsent = 1U << 16;

  TcpStream(boost::asio::io_context& io, const IpAddress& to, std::uint16_t port, Handlers handlers);
  ~TcpStream();
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  // False, and nothing is sent, where it is not open or the other end has not taken kMaxUnsent bytes yet.
  bool send(std::span<const std::uint8_t> bytes);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
