#include "probes/io/unix_stream.h"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace tunnelwatch::io {

using boost::asio::local::stream_protocol;
using boost::system::error_code;

class UnixStream::Impl : public std::enable_shared_from_this<UnixStream::Impl> {
 public:
  Impl(boost::asio::io_context& io, Handlers handlers) : socket_(io), handlers_(std::move(handlers)) {}

  void connect(const std::string& path) {
    if (path.empty() || path.size() > kLongestPath) {
      boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->fail("no path of a socket"); });
      return;
    }
    socket_.async_connect(stream_protocol::endpoint(path), [self = shared_from_this()](const error_code& error) {
      if (self->stopped_) return;
      if (error) return self->fail(error.message());
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
  bool send(std::vector<std::uint8_t> bytes) {
    if (!open_ || stopped_ || unsent_.size() + bytes.size() > kMaxUnsent) return false;
    unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
    if (sending_.empty()) write();
    return true;
  }

 private:
  static constexpr std::size_t kLongestPath = 107;

  void read() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [self = shared_from_this()](const error_code& error, std::size_t size) {
                              if (self->stopped_) return;
                              if (error) return self->fail(error.message());
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
                               if (error) return self->fail(error.message());
                               self->write();
                             });
  }
  void fail(const std::string& reason) {
    if (stopped_) return;
    stop();
    handlers_.on_closed(reason);
  }

  stream_protocol::socket socket_;
  Handlers handlers_;
  std::array<std::uint8_t, 16384> buffer_{};
  std::vector<std::uint8_t> sending_;
  std::vector<std::uint8_t> unsent_;
  bool open_ = false;
  bool stopped_ = false;
};

UnixStream::UnixStream(boost::asio::io_context& io, const std::string& path, Handlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(handlers))) {
  impl_->connect(path);
}
UnixStream::~UnixStream() { impl_->stop(); }
bool UnixStream::send(std::vector<std::uint8_t> bytes) { return impl_->send(std::move(bytes)); }

}  // namespace tunnelwatch::io
