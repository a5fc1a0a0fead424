#include "probes/io/socket_message.h"

#include <array>
#include <chrono>
#include <cstring>
#include <netinet/in.h>

#include <linux/errqueue.h>

namespace tunnelwatch::io {

namespace {

constexpr std::chrono::seconds kOldest{10};  // nothing waits longer in a buffer that is read on each wake-up

Duration read_clock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

}  // namespace

// Being taken off the processor between two readings would shift every stamp: the closest of a few pairs is kept.
StampMapper::StampMapper() {
  constexpr std::chrono::microseconds kCloseEnough{2};
  Duration best = Duration::max();
  for (int i = 0; i < 4 && best > kCloseEnough; ++i) {
    const Duration before = read_clock(CLOCK_MONOTONIC);
    const Duration wall = read_clock(CLOCK_REALTIME);
    const Duration apart = read_clock(CLOCK_MONOTONIC) - before;
    if (apart >= best) continue;
    best = apart;
    steady_ = TimePoint{before + apart / 2};
    wall_ = wall;
  }
}

TimePoint StampMapper::map(const timespec& stamp) const {
  const Duration at = std::chrono::seconds{stamp.tv_sec} + std::chrono::nanoseconds{stamp.tv_nsec};
  const Duration age = wall_ - at;
  if (stepped_) {
    const TimePoint after = steady_ - age;
    const TimePoint before{at - old_offset_};
    const auto plausible = [this](TimePoint t) { return t >= last_reading_ && t <= steady_; };
    if (plausible(after) == plausible(before)) return steady_;
    return plausible(after) ? after : before;
  }
  return age < Duration::zero() || age > kOldest ? steady_ : steady_ - age;
}

// Beyond what a clock is slewed: 500 parts in a million, for NTP.
StampMapper StampClock::after(StampMapper reading) {
  if (last_) {
    const Duration moved = std::chrono::abs(reading.offset() - last_->offset());
    reading.stepped_ = moved > std::chrono::milliseconds{1} + (reading.steady_ - last_->steady_) / 1000;
    reading.old_offset_ = last_->offset();
    reading.last_reading_ = last_->steady_;
  }
  last_ = reading;
  return reading;
}

TimePoint received_at(const msghdr& message, const StampMapper& clock) {
  const void* const found = find_control(message, SOL_SOCKET, SCM_TIMESTAMPNS, sizeof(timespec));
  if (found == nullptr) return clock.now();
  timespec stamp{};
  std::memcpy(&stamp, found, sizeof stamp);
  return clock.map(stamp);
}

std::optional<std::span<const std::uint8_t>> behind_ip_header(IpFamily family, std::span<const std::uint8_t> bytes) {
  if (family == IpFamily::v6) return bytes;
  const std::size_t header = bytes.empty() ? 0 : (bytes[0] & 0x0fU) * 4U;
  if (header < 20 || header > bytes.size()) return std::nullopt;
  return bytes.subspan(header);
}

std::optional<QueuedError> icmp_error_of(const msghdr& message, IpFamily family) {
  const bool v4 = family == IpFamily::v4;
  // The offender's address follows the error itself.
  sock_extended_err error{};
  sockaddr_storage offender{};
  const std::size_t offender_size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  const void* found = find_control(message, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR,
                                   sizeof error + offender_size);
  if (found == nullptr) return std::nullopt;
  std::memcpy(&error, found, sizeof error);
  std::memcpy(&offender, static_cast<const unsigned char*>(found) + sizeof error, offender_size);
  if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) return std::nullopt;
  return QueuedError{error.ee_type, error.ee_code, from_sockaddr(offender).value_or(IpAddress{})};
}

const void* find_control(const msghdr& message, int level, int type, std::size_t size) {
  auto* walk = const_cast<msghdr*>(&message);  // CMSG_NXTHDR asks for it and only reads
  for (cmsghdr* c = CMSG_FIRSTHDR(walk); c != nullptr; c = CMSG_NXTHDR(walk, c)) {
    if (c->cmsg_level == level && c->cmsg_type == type && c->cmsg_len >= CMSG_LEN(size)) return CMSG_DATA(c);
  }
  return nullptr;
}

sockaddr_storage to_sockaddr(const IpAddress& address, std::uint16_t port) {
  sockaddr_storage out{};
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data(), 4);
    std::memcpy(&out, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&out, &v6, sizeof v6);
  }
  return out;
}

socklen_t sockaddr_size(const IpAddress& address) {
  return address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

std::optional<IpAddress> from_sockaddr(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return IpAddress::v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    return IpAddress::v6(std::span<const std::uint8_t, 16>(v6.sin6_addr.s6_addr));
  }
  return std::nullopt;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  sockaddr_in v4{};  // the port is at the same place in both
  std::memcpy(&v4, &address, sizeof v4);
  return ntohs(v4.sin_port);
}

void add_control(msghdr& message, int level, int type, const void* data, std::size_t size) {
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(size);
  auto* at = static_cast<unsigned char*>(message.msg_control) + message.msg_controllen;
  std::memset(at, 0, CMSG_SPACE(size));
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + CMSG_LEN(0), data, size);
  message.msg_controllen += CMSG_SPACE(size);
}

void add_source(msghdr& message, const IpAddress& source, std::uint32_t interface_index) {
  if (source.is_v4()) {
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(interface_index);
    std::memcpy(&info.ipi_spec_dst, source.bytes().data(), 4);
    add_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
  } else {
    in6_pktinfo info{};
    info.ipi6_ifindex = interface_index;
    std::memcpy(&info.ipi6_addr, source.bytes().data(), 16);
    add_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
  }
}

void add_interface(msghdr& message, IpFamily family, std::uint32_t interface_index) {
  // The address that stands for none.
  const std::array<std::uint8_t, 16> none{};
  add_source(message, family == IpFamily::v4 ? IpAddress::v4(0) : IpAddress::v6(none), interface_index);
}

}  // namespace tunnelwatch::io
