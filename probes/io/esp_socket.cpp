#include "probes/io/esp_socket.h"

#include "probes/clock.h"
#include "probes/io/esp_filter.h"
#include "probes/io/raw_open_error.h"
#include "probes/io/receive_loop.h"
#include "probes/io/socket_message.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kMaxPacket = 9216;  // a jumbo frame

int configure(int fd, IpFamily family, std::uint32_t spi) {
  const int on = 1;
  const bool v4 = family == IpFamily::v4;
  // The filter first: nothing else is in the buffer afterwards, but for what came in between.
  if (set_esp_spi(fd, family, spi) != 0) return errno;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) return errno;
  const int level = v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6};
  if (setsockopt(fd, level, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on) != 0) return errno;
  return setsockopt(fd, level, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof on) == 0 ? 0 : errno;
}

std::optional<IpAddress> unicast_destination(const msghdr& header, IpFamily family) {
  if (family == IpFamily::v4) {
    in_pktinfo info{};
    const void* const found = find_control(header, IPPROTO_IP, IP_PKTINFO, sizeof info);
    if (found == nullptr) return std::nullopt;
    std::memcpy(&info, found, sizeof info);
    // The local address differs from the destination where that is a broadcast or a group.
    if (info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr) return std::nullopt;
    return IpAddress::v4(ntohl(info.ipi_addr.s_addr));
  }
  in6_pktinfo info{};
  const void* const found = find_control(header, IPPROTO_IPV6, IPV6_PKTINFO, sizeof info);
  if (found == nullptr) return std::nullopt;
  std::memcpy(&info, found, sizeof info);
  if (info.ipi6_addr.s6_addr[0] == 0xff) return std::nullopt;
  return IpAddress::v6(std::span<const std::uint8_t, 16>(info.ipi6_addr.s6_addr));
}

}  // namespace

class EspSocket::Impl final : public Receiver, public std::enable_shared_from_this<EspSocket::Impl> {
 public:
  Impl(boost::asio::io_context& io, int fd, IpFamily family, Handlers handlers)
      : Receiver(io, fd), family_(family), handlers_(std::move(handlers)), buffer_(kMaxPacket) {}

  AfterDrain drain_some();
  Sent send(std::span<const std::uint8_t> esp, const IpAddress& to, const std::optional<IpAddress>& source);

 private:
  Got read_one(int flags);
  void deliver(const msghdr& header, std::span<const std::uint8_t> bytes);
  void deliver_error(const msghdr& header, std::span<const std::uint8_t> quoted);

  IpFamily family_;
  Handlers handlers_;
  std::vector<std::uint8_t> buffer_;
  StampClock clock_;
};

AfterDrain EspSocket::Impl::drain_some() {
  return drain([this] {
    const Got got = read_one(MSG_ERRQUEUE);
    return got == Got::something || stopped() ? got : read_one(0);
  });
}

Got EspSocket::Impl::read_one(int flags) {
  sockaddr_storage from{};
  ControlBuffer control;
  iovec part{buffer_.data(), buffer_.size()};
  msghdr header{&from, sizeof from, &part, 1, control.bytes, sizeof control.bytes, 0};
  const ssize_t length = recvmsg(handle(), &header, MSG_DONTWAIT | flags);
  if (length < 0) {
    if (errno == EAGAIN) return Got::nothing;
    if (errno == EINTR) return Got::something;
    // With an error in the queue, reading gives its errno once; the queue itself says which packet it was about.
    const bool of_queue = refusal_of_errno(errno) != RefusalReason::local_error || errno == ECONNREFUSED ||
                          errno == EPROTO || errno == ENOPROTOOPT;
    return of_queue ? Got::something : Got::failure;
  }
  const std::span<const std::uint8_t> bytes(buffer_.data(), static_cast<std::size_t>(length));
  if (flags != 0) {
    deliver_error(header, bytes);
  } else {
    deliver(header, bytes);
  }
  return Got::something;
}

void EspSocket::Impl::deliver(const msghdr& header, std::span<const std::uint8_t> bytes) {
  const auto from = from_sockaddr(*static_cast<const sockaddr_storage*>(header.msg_name));
  if ((header.msg_flags & MSG_TRUNC) != 0 || !from) return;
  const auto esp = behind_ip_header(family_, bytes);
  if (!esp) return;
  handlers_.on_packet({*esp, *from, unicast_destination(header, family_), received_at(header, clock_.read())});
}

void EspSocket::Impl::deliver_error(const msghdr& header, std::span<const std::uint8_t> quoted) {
  const auto error = icmp_error_of(header, family_);
  if (!error) return;
  const auto to = from_sockaddr(*static_cast<const sockaddr_storage*>(header.msg_name));
  if (!to) return;
  handlers_.on_error({.to = *to,
                      .offender = error->offender,
                      .reason = refusal_of_icmp(family_, error->icmp_type, error->icmp_code),
                      .icmp_type = error->icmp_type,
                      .icmp_code = error->icmp_code,
                      .quoted = quoted,
                      .received_at = received_at(header, clock_.read())});
}

EspSocket::Sent EspSocket::Impl::send(std::span<const std::uint8_t> esp, const IpAddress& to,
                                      const std::optional<IpAddress>& source) {
  sockaddr_storage name = to_sockaddr(to, 0);
  ControlBuffer control;
  iovec part{const_cast<std::uint8_t*>(esp.data()), esp.size()};  // only read
  msghdr header{&name, sockaddr_size(to), &part, 1, control.bytes, 0, 0};
  if (source) add_source(header, *source);
  if (header.msg_controllen == 0) header.msg_control = nullptr;
  int error = 0;
  TimePoint at{};
  // An error that is about an earlier packet and was not read yet makes one send fail; the next one is our own.
  for (int attempt = 0; attempt < 2; ++attempt) {
    at = steady_now();
    error = sendmsg(handle(), &header, MSG_DONTWAIT) < 0 ? errno : 0;
    if (error == 0) return {at, RefusalReason::none};
  }
  const bool bad_source = error == EINVAL && source;
  return {at, bad_source ? RefusalReason::no_address : refusal_of_errno(error)};
}

boost::system::result<std::unique_ptr<EspSocket>, OpenError> EspSocket::open(boost::asio::io_context& io,
                                                                             IpFamily family, std::uint32_t spi,
                                                                             Handlers handlers) {
  const int type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const int fd = ::socket(family == IpFamily::v4 ? AF_INET : AF_INET6, type, IPPROTO_ESP);
  if (fd < 0) return raw_open_error("ESP", "open", errno);
  if (const int error = configure(fd, family, spi); error != 0) {
    ::close(fd);
    return raw_open_error("ESP", "set up", error);
  }
  auto impl = std::make_shared<Impl>(io, fd, family, std::move(handlers));
  receive_loop(impl);
  return std::unique_ptr<EspSocket>(new EspSocket(std::move(impl)));
}

EspSocket::EspSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
EspSocket::~EspSocket() { impl_->stop(); }
EspSocket::Sent EspSocket::send(std::span<const std::uint8_t> esp, const IpAddress& to,
                                const std::optional<IpAddress>& source) {
  return impl_->send(esp, to, source);
}
void EspSocket::drain() {
  const auto impl = impl_;  // a handler may destroy this object
  impl->drain_some();
}

}  // namespace tunnelwatch::io
