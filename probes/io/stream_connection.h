#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

// For the sources of probes/io only: brings in Asio.
namespace tunnelwatch::io {

// A connection of a stream protocol, from its beginning to its one end. Held by shared_ptr; after stop() nothing is
// told any more.
template <typename Protocol>
class StreamConnection : public std::enable_shared_from_this<StreamConnection<Protocol>> {
 public:
  using Error = boost::system::error_code;
  struct Handlers {
    std::function<void()> on_open;
    std::function<void(std::span<const std::uint8_t> bytes)> on_bytes;
    std::function<void(const Error& error)> on_closed;  // once, whether it was ever open or not
  };

  StreamConnection(boost::asio::io_context& io, std::size_t most_unsent, Handlers handlers)
      : socket_(io), most_unsent_(most_unsent), handlers_(std::move(handlers)) {}

  void connect(const typename Protocol::endpoint& to) {
    socket_.async_connect(to, [self = this->shared_from_this()](const Error& error) {
      if (self->stopped_) return;
      if (error) return self->fail(error);
      self->open_ = true;
      self->read();
      self->handlers_.on_open();
    });
  }
  // There is nothing to connect to. Told later, as every end is.
  void fail_soon(const Error& error) {
    boost::asio::post(socket_.get_executor(), [self = this->shared_from_this(), error] {
      if (!self->stopped_) self->fail(error);
    });
  }
  void stop() {
    stopped_ = true;
    Error ignored;
    socket_.close(ignored);
  }
  // False, and nothing is sent, where it is not open or the other end has not taken `most_unsent` bytes yet.
  bool send(std::span<const std::uint8_t> bytes) {
    if (!open_ || stopped_ || unsent_.size() + bytes.size() > most_unsent_) return false;
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
    if (sending_.empty()) write();
    return true;
  }

 private:
  void read() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [self = this->shared_from_this()](const Error& error, std::size_t size) {
                              if (self->stopped_) return;
                              if (error) return self->fail(error);
                              self->handlers_.on_bytes({self->buffer_.data(), size});
                              if (!self->stopped_) self->read();
                            });
  }
  void write() {
    sending_.swap(unsent_);
    if (sending_.empty()) return;
    boost::asio::async_write(socket_, boost::asio::buffer(sending_),
                             [self = this->shared_from_this()](const Error& error, std::size_t) {
                               self->sending_.clear();
                               if (self->stopped_) return;
                               if (error) return self->fail(error);
                               self->write();
                             });
  }
  void fail(const Error& error) {
    stop();
    handlers_.on_closed(error);
  }

  typename Protocol::socket socket_;
  std::size_t most_unsent_;
  Handlers handlers_;
  std::array<std::uint8_t, 16384> buffer_{};
  std::vector<std::uint8_t> sending_;
  std::vector<std::uint8_t> unsent_;
  bool open_ = false;
  bool stopped_ = false;
};

}  // namespace tunnelwatch::io
