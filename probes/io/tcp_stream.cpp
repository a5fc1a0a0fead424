#include "probes/io/tcp_stream.h"

#include "probes/io/stream_connection.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace tunnelwatch::io {

using boost::asio::ip::tcp;

namespace {

// What a connection's end says of the way: a reset is the peer's own port unreachable.
RefusalReason reason_of(const boost::system::error_code& error) {
  if (error == boost::asio::error::eof) return RefusalReason::none;
  if (error == boost::asio::error::connection_refused || error == boost::asio::error::connection_reset)
    return RefusalReason::port_unreachable;
  if (error == boost::asio::error::timed_out) return RefusalReason::host_unreachable;
  return refusal_of_errno(error.value());
}

}  // namespace

class TcpStream::Impl : public StreamConnection<tcp> {
 public:
  using StreamConnection::StreamConnection;
};

TcpStream::TcpStream(boost::asio::io_context& io, const IpAddress& to, std::uint16_t port, Handlers handlers)
    : impl_(std::make_shared<Impl>(
          io, kMaxUnsent,
          Impl::Handlers{std::move(handlers.on_open), std::move(handlers.on_bytes),
                         [closed = std::move(handlers.on_closed)](const Impl::Error& e) { closed(reason_of(e)); }})) {
  boost::system::error_code invalid;
  impl_->connect({boost::asio::ip::make_address(to.to_string(), invalid), port});
}
TcpStream::~TcpStream() { impl_->stop(); }
bool TcpStream::send(std::span<const std::uint8_t> bytes) { return impl_->send(bytes); }

}  // namespace tunnelwatch::io
