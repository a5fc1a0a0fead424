#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// A connection to a Unix stream socket. Belongs to the thread of its io_context; destroying it closes it at once, and
// nothing is told any more.
class UnixStream {
 public:
  struct Handlers {
    std::function<void()> on_open;
    std::function<void(std::span<const std::uint8_t> bytes)> on_bytes;
    std::function<void(const std::string& reason)> on_closed;  // told once, whether it was ever open or not
  };
  static constexpr std::size_t kMaxUnsent = 1U << 20;

  UnixStream(boost::asio::io_context& io, const std::string& path, Handlers handlers);
  ~UnixStream();
  UnixStream(const UnixStream&) = delete;
  UnixStream& operator=(const UnixStream&) = delete;

  // False, and nothing is sent, where it is not open or the other end has not taken kMaxUnsent bytes yet.
  bool send(std::span<const std::uint8_t> bytes);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
