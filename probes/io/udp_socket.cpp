#include "probes/io/udp_socket.h"

#include "probes/clock.h"
#include "probes/io/receive_loop.h"
#include "probes/io/socket_message.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kMaxDatagram = 65535;

OpenError open_error(const char* what, int error) {
  return {error, "cannot " + std::string(what) + " a UDP socket: " + std::strerror(error)};
}

int configure(int fd, IpFamily family) {
  const int on = 1;
  const bool v4 = family == IpFamily::v4;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) return errno;
  if (!v4 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) return errno;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  return setsockopt(fd, level, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on) == 0 ? 0 : errno;
}

int bind_to_address(int fd, const IpAddress& address) {
  const sockaddr_storage local = to_sockaddr(address, 0);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&local), sockaddr_size(address)) == 0 ? 0 : errno;
}

}  // namespace

class UdpSocket::Impl final : public Receiver, public std::enable_shared_from_this<UdpSocket::Impl> {
 public:
  Impl(boost::asio::io_context& io, int fd, IpFamily family, Handlers handlers)
      : Receiver(io, fd), family_(family), handlers_(std::move(handlers)), buffer_(kMaxDatagram) {}

  AfterDrain drain_some();
  Sent send(std::span<const std::uint8_t> bytes, const IpAddress& to, std::uint16_t port,
            const std::optional<IpAddress>& source);
  std::uint16_t local_port();
  const UdpSocketCounters& counters() const { return counters_; }

 private:
  Got read_one(int flags);
  void deliver(const msghdr& header, std::span<const std::uint8_t> bytes);
  void deliver_error(const msghdr& header);

  IpFamily family_;
  Handlers handlers_;
  std::vector<std::uint8_t> buffer_;
  UdpSocketCounters counters_;
  StampClock clock_;
};

AfterDrain UdpSocket::Impl::drain_some() {
  return drain([this] {
    const Got got = read_one(MSG_ERRQUEUE);
    return got == Got::something || stopped() ? got : read_one(0);
  });
}

Got UdpSocket::Impl::read_one(int flags) {
  sockaddr_storage from{};
  ControlBuffer control;
  iovec part{buffer_.data(), buffer_.size()};
  msghdr header{&from, sizeof from, &part, 1, control.bytes, sizeof control.bytes, 0};
  const ssize_t length = recvmsg(handle(), &header, MSG_DONTWAIT | flags);
  if (length < 0) {
    if (errno == EAGAIN) return Got::nothing;
    if (errno == EINTR) return Got::something;
    // With an error in the queue, reading gives its errno once; the queue itself says which datagram it was about.
    int error = 0;
    socklen_t size = sizeof error;
    const bool alive = getsockopt(handle(), SOL_SOCKET, SO_ERROR, &error, &size) == 0;
    if (alive && refusal_of_errno(errno) != RefusalReason::local_error) return Got::something;
    if (alive && (errno == ECONNREFUSED || errno == EPROTO || errno == ENOPROTOOPT)) return Got::something;
    ++counters_.receive_errors;
    return Got::failure;
  }
  if (flags != 0) {
    deliver_error(header);
  } else {
    deliver(header, {buffer_.data(), static_cast<std::size_t>(length)});
  }
  return Got::something;
}

void UdpSocket::Impl::deliver(const msghdr& header, std::span<const std::uint8_t> bytes) {
  ++counters_.received;
  const auto& name = *static_cast<const sockaddr_storage*>(header.msg_name);
  const auto from = from_sockaddr(name);
  if ((header.msg_flags & MSG_TRUNC) != 0 || !from) {
    ++counters_.truncated;
    return;
  }
  handlers_.on_datagram(
      {.bytes = bytes, .from = *from, .from_port = port_of(name), .received_at = received_at(header, clock_.read())});
}

void UdpSocket::Impl::deliver_error(const msghdr& header) {
  const auto error = icmp_error_of(header, family_);
  if (!error) return;
  const auto& name = *static_cast<const sockaddr_storage*>(header.msg_name);
  const auto to = from_sockaddr(name);
  if (!to) return;
  handlers_.on_error({.to = *to,
                      .port = port_of(name),
                      .reason = refusal_of_icmp(family_, error->icmp_type, error->icmp_code),
                      .icmp_type = error->icmp_type,
                      .icmp_code = error->icmp_code,
                      .offender = error->offender,
                      .received_at = received_at(header, clock_.read())});
}

UdpSocket::Sent UdpSocket::Impl::send(std::span<const std::uint8_t> bytes, const IpAddress& to, std::uint16_t port,
                                      const std::optional<IpAddress>& source) {
  sockaddr_storage name = to_sockaddr(to, port);
  ControlBuffer control;
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // only read
  msghdr header{&name, sockaddr_size(to), &part, 1, control.bytes, 0, 0};
  if (source) add_source(header, *source);
  if (header.msg_controllen == 0) header.msg_control = nullptr;
  int error = 0;
  TimePoint at{};
  // An error that is about an earlier datagram and was not read yet makes one send fail; the next one is our own.
  for (int attempt = 0; attempt < 2; ++attempt) {
    at = steady_now();
    error = sendmsg(handle(), &header, MSG_DONTWAIT) < 0 ? errno : 0;
    if (error == 0) return {at, RefusalReason::none};
  }
  return {at, refusal_of_errno(error)};
}

std::uint16_t UdpSocket::Impl::local_port() {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  if (getsockname(handle(), reinterpret_cast<sockaddr*>(&local), &size) != 0) return 0;
  return port_of(local);
}

boost::system::result<std::unique_ptr<UdpSocket>, OpenError> UdpSocket::open(boost::asio::io_context& io,
                                                                             IpFamily family,
                                                                             std::optional<IpAddress> bind_to,
                                                                             Handlers handlers) {
  const bool v4 = family == IpFamily::v4;
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return open_error("open", errno);
  static constexpr std::array<std::uint8_t, 16> any6{};
  const IpAddress any = v4 ? IpAddress::v4(std::uint32_t{0}) : IpAddress::v6(any6);
  int error = configure(fd, family);
  if (error == 0) error = bind_to_address(fd, bind_to.value_or(any));
  if (error != 0) {
    ::close(fd);
    return open_error(bind_to ? "bind" : "set up", error);
  }
  auto impl = std::make_shared<Impl>(io, fd, family, std::move(handlers));
  receive_loop(impl);
  return std::unique_ptr<UdpSocket>(new UdpSocket(std::move(impl)));
}

UdpSocket::UdpSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
UdpSocket::~UdpSocket() { impl_->stop(); }
UdpSocket::Sent UdpSocket::send(std::span<const std::uint8_t> bytes, const IpAddress& to, std::uint16_t port,
                                const std::optional<IpAddress>& source) {
  return impl_->send(bytes, to, port, source);
}
bool UdpSocket::drain() {
  const auto impl = impl_;  // a handler may destroy this object
  return impl->drain_some() == AfterDrain::more;
}
std::uint16_t UdpSocket::local_port() const { return impl_->local_port(); }
const UdpSocketCounters& UdpSocket::counters() const { return impl_->counters(); }

}  // namespace tunnelwatch::io
