#include "probes/io/unix_stream.h"

#include "probes/io/stream_connection.h"

#include <boost/asio/local/stream_protocol.hpp>

namespace tunnelwatch::io {

using boost::asio::local::stream_protocol;
namespace errc = boost::system::errc;

namespace {

constexpr std::size_t kLongestPath = 107;  // of sockaddr_un, with what ends it

}  // namespace

class UnixStream::Impl : public StreamConnection<stream_protocol> {
 public:
  using StreamConnection::StreamConnection;
};

UnixStream::UnixStream(boost::asio::io_context& io, const std::string& path, Handlers handlers)
    : impl_(std::make_shared<Impl>(
          io, kMaxUnsent,
          Impl::Handlers{std::move(handlers.on_open), std::move(handlers.on_bytes),
                         [closed = std::move(handlers.on_closed)](const Impl::Error& e) { closed(e.message()); }})) {
  if (path.empty()) {
    impl_->fail_soon(make_error_code(errc::no_such_file_or_directory));
  } else if (path.size() > kLongestPath) {
    impl_->fail_soon(make_error_code(errc::filename_too_long));
  } else {
    impl_->connect(stream_protocol::endpoint(path));
  }
}
UnixStream::~UnixStream() { impl_->stop(); }
bool UnixStream::send(std::span<const std::uint8_t> bytes) { return impl_->send(bytes); }

}  // namespace tunnelwatch::io
