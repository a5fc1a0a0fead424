#include "probes/io/tcp_stream.h"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace tunnelwatch::io {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {

// What a connection's end says of the way: a reset is the peer's own port unreachable.
RefusalReason reason_of(const error_code& error) {
  if (error == boost::asio::error::eof) return RefusalReason::none;
  if (error == boost::asio::error::connection_refused || error == boost::asio::error::connection_reset)
    return RefusalReason::port_unreachable;
  if (error == boost::asio::error::timed_out) return RefusalReason::host_unreachable;
  return refusal_of_errno(error.value());
}

}  // namespace

class TcpStream::Impl : public std::enable_shared_from_this<TcpStream::Impl> {
 public:
  Impl(boost::asio::io_context& io, Handlers handlers) : socket_(io), handlers_(std::move(handlers)) {}

  void connect(const IpAddress& to, std::uint16_t port) {
    error_code invalid;
    const tcp::endpoint peer(boost::asio::ip::make_address(to.to_string(), invalid), port);
    socket_.async_connect(peer, [self = shared_from_this()](const error_code& error) {
      if (self->stopped_) return;
      if (error) return self->fail(error);
      self->open_ = true;
      self->read();
      self->handlers_.on_open();
    });
  }
  void stop() {
    stopped_ = true;
    error_code ignored;
    socket_.close(ignored);
  }
  bool send(std::span<const std::uint8_t> bytes) {
    if (!open_ || stopped_ || unsent_.size() + bytes.size() > kMaxUnsent) return false;
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
    if (sending_.empty()) write();
    return true;
  }

 private:
  void read() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [self = shared_from_this()](const error_code& error, std::size_t size) {
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
                             [self = shared_from_this()](const error_code& error, std::size_t) {
                               self->sending_.clear();
                               if (self->stopped_) return;
                               if (error) return self->fail(error);
                               self->write();
                             });
  }
  void fail(const error_code& error) {
    stop();
    handlers_.on_closed(reason_of(error));
  }

  tcp::socket socket_;
  Handlers handlers_;
  std::array<std::uint8_t, 4096> buffer_{};
  std::vector<std::uint8_t> sending_;
  std::vector<std::uint8_t> unsent_;
  bool open_ = false;
  bool stopped_ = false;
};

TcpStream::TcpStream(boost::asio::io_context& io, const IpAddress& to, std::uint16_t port, Handlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(handlers))) {
  impl_->connect(to, port);
}
TcpStream::~TcpStream() { impl_->stop(); }
bool TcpStream::send(std::span<const std::uint8_t> bytes) { return impl_->send(bytes); }

}  // namespace tunnelwatch::io
