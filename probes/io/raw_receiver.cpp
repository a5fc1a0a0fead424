#include "probes/io/raw_receiver.h"

#include "probes/io/esp_filter.h"
#include "probes/io/icmp_filter.h"
#include "probes/io/raw_open_error.h"
#include "probes/io/receive_loop.h"
#include "probes/io/socket_message.h"
#include "probes/wire/esp_echo.h"

#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kMaxMessage = 9216;  // a jumbo frame; more of a longer one nobody needs

int configure(int fd, IpFamily family, RawProtocol protocol) {
  const int on = 1;
  const int filtered =
      protocol == RawProtocol::icmp ? set_icmp_types(fd, family) : set_esp_spi(fd, family, wire::kEspEchoReply);
  if (filtered != 0) return errno;
  return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0 ? 0 : errno;
}

}  // namespace

class RawReceiver::Impl final : public Receiver, public std::enable_shared_from_this<RawReceiver::Impl> {
 public:
  Impl(boost::asio::io_context& io, int fd, IpFamily family, Handler handler)
      : Receiver(io, fd), family_(family), handler_(std::move(handler)), buffer_(kMaxMessage) {}

  AfterDrain drain_some() {
    return drain([this] { return read_one(); });
  }

 private:
  Got read_one();
  void deliver(const msghdr& header, std::span<const std::uint8_t> bytes);

  IpFamily family_;
  Handler handler_;
  std::vector<std::uint8_t> buffer_;
};

Got RawReceiver::Impl::read_one() {
  sockaddr_storage from{};
  ControlBuffer control;
  iovec part{buffer_.data(), buffer_.size()};
  msghdr header{&from, sizeof from, &part, 1, control.bytes, sizeof control.bytes, 0};
  const ssize_t length = recvmsg(handle(), &header, MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN ? Got::nothing : errno == EINTR ? Got::something : Got::failure;
  deliver(header, {buffer_.data(), static_cast<std::size_t>(length)});
  return Got::something;
}

void RawReceiver::Impl::deliver(const msghdr& header, std::span<const std::uint8_t> bytes) {
  const auto from = from_sockaddr(*static_cast<const sockaddr_storage*>(header.msg_name));
  if (!from) return;
  const auto message = behind_ip_header(family_, bytes);
  if (!message) return;
  handler_({.bytes = *message, .from = *from, .received_at = received_at(header, StampMapper())});
}

boost::system::result<std::unique_ptr<RawReceiver>, OpenError> RawReceiver::open(boost::asio::io_context& io,
                                                                                 IpFamily family, RawProtocol protocol,
                                                                                 Handler on_message) {
  const bool v4 = family == IpFamily::v4;
  const bool icmp = protocol == RawProtocol::icmp;
  const int number = !icmp ? int{IPPROTO_ESP} : v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  const char* const name = !icmp ? "ESP" : v4 ? "ICMP" : "ICMPv6";
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, number);
  if (fd < 0) return raw_open_error(name, "open", errno);
  if (const int error = configure(fd, family, protocol); error != 0) {
    ::close(fd);
    return raw_open_error(name, "set up", error);
  }
  auto impl = std::make_shared<Impl>(io, fd, family, std::move(on_message));
  receive_loop(impl);
  return std::unique_ptr<RawReceiver>(new RawReceiver(std::move(impl)));
}

RawReceiver::RawReceiver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
RawReceiver::~RawReceiver() { impl_->stop(); }
void RawReceiver::drain() {
  const auto impl = impl_;  // the handler may destroy this object
  impl->drain_some();
}

}  // namespace tunnelwatch::io
