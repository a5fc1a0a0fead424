#include "probes/io/syslog_listener.h"

#include "probes/host/syslog_framing.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <list>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tunnelwatch::io {

namespace {

using boost::asio::ip::tcp;
using boost::asio::ip::udp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kBackoff{200};

boost::asio::ip::address address_of(const IpAddress& address) {
  if (address.is_v4()) {
    boost::asio::ip::address_v4::bytes_type bytes{};
    std::copy_n(address.bytes().begin(), bytes.size(), bytes.begin());
    return boost::asio::ip::address_v4(bytes);
  }
  boost::asio::ip::address_v6::bytes_type bytes{};
  std::copy_n(address.bytes().begin(), bytes.size(), bytes.begin());
  return boost::asio::ip::address_v6(bytes);
}

}  // namespace

class SyslogListener::Impl : public std::enable_shared_from_this<SyslogListener::Impl> {
 public:
  Impl(boost::asio::io_context& io, OnLine on_line)
      : udp_(io), acceptor_(io), backoff_(io), on_line_(std::move(on_line)) {}

  error_code open(const config::ListenAddress& at);
  void begin() {
    receive();
    accept();
  }
  void stop();
  std::uint16_t udp_port() const { return udp_.local_endpoint().port(); }
  std::uint16_t tcp_port() const { return acceptor_.local_endpoint().port(); }
  std::size_t connections() const { return connections_.size(); }

 private:
  struct Connection {
    explicit Connection(tcp::socket accepted) : socket(std::move(accepted)) {}
    tcp::socket socket;
    host::SyslogFraming framing{kMaxMessage};
    std::array<char, 4096> buffer{};
    std::chrono::steady_clock::time_point heard = std::chrono::steady_clock::now();
  };

  void receive();
  void accept();
  void read(const std::shared_ptr<Connection>& connection);
  void make_room();
  void drop(const std::shared_ptr<Connection>& connection);
  void tell(std::string_view line) {
    if (!stopped_) on_line_(line);
  }

  udp::socket udp_;
  tcp::acceptor acceptor_;
  boost::asio::steady_timer backoff_;
  OnLine on_line_;
  udp::endpoint from_;
  std::array<char, kMaxMessage> datagram_{};
  std::list<std::shared_ptr<Connection>> connections_;
  bool stopped_ = false;
};

error_code SyslogListener::Impl::open(const config::ListenAddress& at) {
  error_code error;
  const auto address = address_of(at.address);
  const udp::endpoint datagrams(address, at.port);
  const tcp::endpoint streams(address, at.port);
  if (udp_.open(datagrams.protocol(), error); error) return error;
  if (udp_.bind(datagrams, error); error) return error;
  if (acceptor_.open(streams.protocol(), error); error) return error;
  if (acceptor_.set_option(tcp::acceptor::reuse_address(true), error); error) return error;
  if (acceptor_.bind(streams, error); error) return error;
  acceptor_.listen(16, error);
  return error;
}

void SyslogListener::Impl::receive() {
  udp_.async_receive_from(boost::asio::buffer(datagram_), from_,
                          [self = shared_from_this()](const error_code& error, std::size_t size) {
                            if (self->stopped_ || error == boost::asio::error::operation_aborted) return;
                            host::LineSplitter lines(kMaxMessage);
                            const auto tell = [&](std::string_view line) { self->tell(line); };
                            if (!error || error == boost::asio::error::message_size) {
                              lines.feed({self->datagram_.data(), size}, tell);
                              lines.finish(tell);
                            }
                            if (!self->stopped_) self->receive();
                          });
}

void SyslogListener::Impl::accept() {
  acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
    if (self->stopped_ || error == boost::asio::error::operation_aborted) return;
    if (error) {  // no more descriptors, most likely
      self->backoff_.expires_after(kBackoff);
      self->backoff_.async_wait([self](const error_code& aborted) {
        if (!aborted && !self->stopped_) self->accept();
      });
      return;
    }
    self->make_room();
    self->connections_.push_back(std::make_shared<Connection>(std::move(socket)));
    self->read(self->connections_.back());
    self->accept();
  });
}

void SyslogListener::Impl::make_room() {
  if (connections_.size() < kMaxConnections) return;
  const auto oldest = std::min_element(connections_.begin(), connections_.end(),
                                       [](const auto& a, const auto& b) { return a->heard < b->heard; });
  drop(std::shared_ptr(*oldest));
}

void SyslogListener::Impl::drop(const std::shared_ptr<Connection>& connection) {
  error_code ignored;
  connection->socket.close(ignored);
  connections_.remove(connection);
}

void SyslogListener::Impl::read(const std::shared_ptr<Connection>& connection) {
  connection->socket.async_read_some(
      boost::asio::buffer(connection->buffer),
      [self = shared_from_this(), connection](const error_code& error, std::size_t size) {
        if (self->stopped_ || !connection->socket.is_open()) return;
        const auto tell = [&](std::string_view line) { self->tell(line); };
        if (error) {
          connection->framing.finish(tell);
          return self->drop(connection);
        }
        connection->heard = std::chrono::steady_clock::now();
        connection->framing.feed({connection->buffer.data(), size}, tell);
        if (!self->stopped_) self->read(connection);
      });
}

void SyslogListener::Impl::stop() {
  stopped_ = true;
  error_code ignored;
  udp_.close(ignored);
  acceptor_.close(ignored);
  backoff_.cancel();
  for (const auto& connection : connections_) connection->socket.close(ignored);
  connections_.clear();
}

boost::system::result<std::unique_ptr<SyslogListener>, OpenError> SyslogListener::open(boost::asio::io_context& io,
                                                                                       const config::ListenAddress& at,
                                                                                       OnLine on_line) {
  auto impl = std::make_shared<Impl>(io, std::move(on_line));
  if (const auto error = impl->open(at); error) {
    return OpenError{error.value(), "cannot listen for syslog on " + at.address.to_string() + " port " +
                                        std::to_string(at.port) + ": " + error.message()};
  }
  impl->begin();
  return std::unique_ptr<SyslogListener>(new SyslogListener(std::move(impl)));
}

SyslogListener::SyslogListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
SyslogListener::~SyslogListener() { impl_->stop(); }
std::uint16_t SyslogListener::udp_port() const { return impl_->udp_port(); }
std::uint16_t SyslogListener::tcp_port() const { return impl_->tcp_port(); }
std::size_t SyslogListener::connections() const { return impl_->connections(); }

}  // namespace tunnelwatch::io
