#include "probes/io/icmp_socket.h"

#include "probes/clock.h"
#include "probes/io/descriptor.h"
#include "probes/io/icmp_filter.h"
#include "probes/io/socket_message.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

namespace tunnelwatch::io {

namespace {

constexpr std::size_t kBatch = 16;         // messages a system call
constexpr std::size_t kMaxMessage = 9216;  // a jumbo frame
constexpr int kMaxBatches = 32;            // a drain()
constexpr int kReceiveBuffer = 4 << 20;

int set_int(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value); }

OpenError open_error(IpFamily family, const char* what, int error) {
  const std::string name = family == IpFamily::v4 ? "ICMP" : "ICMPv6";
  if (error == EPERM || error == EACCES) {
    return {error, "cannot open a raw " + name +
                       " socket: CAP_NET_RAW is missing (run as root, or give the service "
                       "AmbientCapabilities=CAP_NET_RAW)"};
  }
  return {error, "cannot " + std::string(what) + " a raw " + name + " socket: " + std::strerror(error)};
}

// Stamps of what we send come back through the error queue, numbered from 0 since this call. The stamp is the driver's
// hook in software; what a queueing discipline holds back is stamped later, and then not used.
void number_transmit_stamps(int fd) {
  set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, 0);
  set_int(
      fd, SOL_SOCKET, SO_TIMESTAMPING,
      SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
}

int configure(int fd, IpFamily family, std::uint16_t id) {
  std::vector<sock_filter> program = icmp_filter_program(family, id);
  const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
  // Filters first: nothing of others is in the buffer afterwards, but for what came in between.
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) != 0) return errno;
  if (set_icmp_types(fd, family) != 0) return errno;
  if (set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) != 0) return errno;
  if (set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1) != 0) return errno;
  number_transmit_stamps(fd);  // without it, send() estimates
  // Forcing needs CAP_NET_ADMIN; without it the kernel cuts the size to net.core.rmem_max.
  if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBuffer) != 0) set_int(fd, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  const bool v4 = family == IpFamily::v4;
  if (!v4 && set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) != 0) return errno;
  return 0;  // an IPv4 raw socket sees the TTL in the header
}

}  // namespace

class IcmpSocket::Impl {
 public:
  Impl(int fd, IpFamily family, Handler handler)
      : socket_(fd),
        family_(family),
        handler_(std::move(handler)),
        buffers_(kBatch * kMaxMessage),
        can_mark_(set_int(fd, SOL_SOCKET, SO_MARK, 0) == 0) {}

  bool drain();
  void send(const active::EchoActions& actions, std::vector<SentIcmp>& sent);
  const IcmpSocketCounters& counters() const { return counters_; }
  bool can_mark() const { return can_mark_; }

 private:
  void deliver(const mmsghdr& message, std::span<const std::uint8_t> bytes, const StampMapper& clock);
  void send_batch(const active::EchoActions& actions, std::span<const active::EchoPacket* const> batch,
                  std::vector<SentIcmp>& sent);
  bool prepare_run(const active::EchoPacket& first);
  void set_dont_fragment(bool on);
  void add_options(msghdr& header, const active::EchoPacket& packet) const;
  void refuse_run(std::span<const active::EchoPacket* const> run, std::vector<SentIcmp>& sent);
  void read_transmit_stamps(TimePoint before, std::span<SentIcmp> batch);
  void restart_transmit_stamps();
  int handle() const { return socket_.get(); }

  Descriptor socket_;
  IpFamily family_;
  Handler handler_;
  std::vector<std::uint8_t> buffers_;
  std::vector<const active::EchoPacket*> ours_;
  IcmpSocketCounters counters_;
  bool can_mark_;
  std::uint32_t mark_ = 0;
  StampClock receive_clock_;
  std::optional<bool> dont_fragment_;
  std::uint32_t next_key_ = 0;  // of the kernel's count of our sends
};

bool IcmpSocket::Impl::drain() {
  for (int round = 0; round < kMaxBatches; ++round) {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    std::array<sockaddr_storage, kBatch> from{};
    std::array<ControlBuffer, kBatch> control;
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts[i] = {buffers_.data() + i * kMaxMessage, kMaxMessage};
      messages[i].msg_hdr = {&from[i], sizeof from[i], &parts[i], 1, control[i].bytes, sizeof control[i].bytes, 0};
    }
    const int count = recvmmsg(handle(), messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) ++counters_.receive_errors;
      return false;
    }
    const StampMapper clock = receive_clock_.read();
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      deliver(messages[i], {buffers_.data() + i * kMaxMessage, messages[i].msg_len}, clock);
    }
    if (static_cast<std::size_t>(count) < kBatch) return false;
  }
  return true;
}

void IcmpSocket::Impl::deliver(const mmsghdr& message, std::span<const std::uint8_t> bytes, const StampMapper& clock) {
  ++counters_.received;
  const msghdr& header = message.msg_hdr;
  if (const void* overflow = find_control(header, SOL_SOCKET, SO_RXQ_OVFL, sizeof(std::uint32_t))) {
    std::uint32_t dropped = 0;
    std::memcpy(&dropped, overflow, sizeof dropped);
    counters_.kernel_dropped = dropped;
  }
  const auto from = from_sockaddr(*static_cast<const sockaddr_storage*>(header.msg_name));
  if ((header.msg_flags & MSG_TRUNC) != 0 || !from) {
    ++counters_.truncated;
    return;
  }
  const auto icmp = behind_ip_header(family_, bytes);
  if (!icmp) {
    ++counters_.truncated;
    return;
  }
  ReceivedIcmp received{.bytes = *icmp, .from = *from, .received_at = received_at(header, clock)};
  if (family_ == IpFamily::v4) {
    received.ttl = bytes[8];
  } else if (const void* hops = find_control(header, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(int))) {
    int limit = 0;
    std::memcpy(&limit, hops, sizeof limit);
    received.ttl = static_cast<std::uint8_t>(limit);
  }
  handler_(received);
}

// What cannot be told with a packet, so that packets are sent in runs of the same kind. False: not permitted.
bool IcmpSocket::Impl::prepare_run(const active::EchoPacket& first) {
  set_dont_fragment(first.dont_fragment);
  if (first.fwmark == mark_) return true;
  if (set_int(handle(), SOL_SOCKET, SO_MARK, static_cast<int>(first.fwmark)) != 0) return false;
  mark_ = first.fwmark;
  return true;
}

void IcmpSocket::Impl::refuse_run(std::span<const active::EchoPacket* const> run, std::vector<SentIcmp>& sent) {
  const TimePoint now = steady_now();
  for (const active::EchoPacket* packet : run) {
    sent.push_back({packet->target, packet->sequence, now, RefusalReason::not_permitted});
  }
}

// With the bit set the path's cached MTU is ignored: each probe asks the path again.
void IcmpSocket::Impl::set_dont_fragment(bool on) {
  if (dont_fragment_ == on) return;
  dont_fragment_ = on;
  const int fd = handle();
  if (family_ == IpFamily::v4) {
    set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, on ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
  } else {
    set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, on ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
    set_int(fd, IPPROTO_IPV6, IPV6_DONTFRAG, on ? 1 : 0);
  }
}

void IcmpSocket::Impl::send(const active::EchoActions& actions, std::vector<SentIcmp>& sent) {
  ours_.clear();
  for (const active::EchoPacket& packet : actions.packets) {
    if (packet.to.family() == family_) ours_.push_back(&packet);
  }
  for (std::size_t first = 0; first < ours_.size();) {
    std::size_t last = first + 1;
    const active::EchoPacket& head = *ours_[first];
    const auto alike = [&](const active::EchoPacket& p) {
      return p.dont_fragment == head.dont_fragment && p.fwmark == head.fwmark;
    };
    while (last < ours_.size() && last - first < kBatch && alike(*ours_[last])) ++last;
    const auto run = std::span(ours_).subspan(first, last - first);
    if (prepare_run(head)) {
      send_batch(actions, run, sent);
    } else {
      refuse_run(run, sent);
    }
    first = last;
  }
}

// What each packet tells of itself. Its interface is one of them, so that one socket serves them all.
void IcmpSocket::Impl::add_options(msghdr& header, const active::EchoPacket& packet) const {
  const bool v4 = family_ == IpFamily::v4;
  const auto add = [&](int name4, int name6, int value) {
    add_control(header, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? name4 : name6, &value, sizeof value);
  };
  if (packet.source) {
    add_source(header, *packet.source, packet.interface_index);
  } else if (packet.interface_index != 0) {
    add_interface(header, family_, packet.interface_index);
  }
  if (packet.ttl != 0) add(IP_TTL, IPV6_HOPLIMIT, packet.ttl);
  if (packet.dscp != 0) add(IP_TOS, IPV6_TCLASS, packet.dscp << 2);
  if (header.msg_controllen == 0) header.msg_control = nullptr;
}

void IcmpSocket::Impl::send_batch(const active::EchoActions& actions, std::span<const active::EchoPacket* const> batch,
                                  std::vector<SentIcmp>& sent) {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  std::array<sockaddr_storage, kBatch> to;
  std::array<ControlBuffer, kBatch> control;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const active::EchoPacket& packet = *batch[i];
    to[i] = to_sockaddr(packet.to, 0);
    parts[i] = {const_cast<std::uint8_t*>(actions.bytes_of(packet).data()), packet.length};  // only read
    msghdr& header = messages[i].msg_hdr;
    header = {&to[i], sockaddr_size(packet.to), &parts[i], 1, control[i].bytes, 0, 0};
    add_options(header, packet);
  }
  for (std::size_t done = 0; done < batch.size();) {
    const auto left = static_cast<unsigned>(batch.size() - done);
    const TimePoint before = steady_now();
    const int count = sendmmsg(handle(), &messages[done], left, MSG_DONTWAIT);
    const int error = errno;
    if (count < 0 && error == EINTR) continue;
    if (count <= 0) {  // an error belongs to the first that was not taken
      const bool bad_source = count < 0 && error == EINVAL && batch[done]->source;
      const auto reason = bad_source ? RefusalReason::no_address : refusal_of_errno(count < 0 ? error : EAGAIN);
      sent.push_back({batch[done]->target, batch[done]->sequence, before, reason});
      ++done;
      restart_transmit_stamps();
      continue;
    }
    // The kernel takes them one by one: each gets its share of the call's time, until a stamp says better.
    const Duration share = (steady_now() - before) / count;
    const std::size_t first = sent.size();
    for (int i = 0; i < count; ++i, ++done) {
      sent.push_back({batch[done]->target, batch[done]->sequence, before + share * i, RefusalReason::none});
    }
    read_transmit_stamps(before, std::span(sent).subspan(first));
    next_key_ += static_cast<std::uint32_t>(count);
  }
}

// Whether a refused packet was counted by the kernel depends on where it was refused, so the count starts anew.
void IcmpSocket::Impl::restart_transmit_stamps() {
  read_transmit_stamps({}, {});
  number_transmit_stamps(handle());
  next_key_ = 0;
}

// Empties the error queue; stamps of the sends next_key_, next_key_ + 1, ... go into `batch`, where they are plausible.
void IcmpSocket::Impl::read_transmit_stamps(TimePoint before, std::span<SentIcmp> batch) {
  const bool v4 = family_ == IpFamily::v4;
  int count = kBatch;
  for (int round = 0; round < kMaxBatches && count == static_cast<int>(kBatch); ++round) {
    std::array<mmsghdr, kBatch> messages{};
    std::array<ControlBuffer, kBatch> control;
    for (std::size_t i = 0; i < kBatch; ++i) {
      messages[i].msg_hdr.msg_control = control[i].bytes;
      messages[i].msg_hdr.msg_controllen = sizeof control[i].bytes;
    }
    count = recvmmsg(handle(), messages.data(), kBatch, MSG_ERRQUEUE | MSG_DONTWAIT, nullptr);
    if (count <= 0 || batch.empty()) continue;
    const StampMapper clock;
    for (int i = 0; i < count; ++i) {
      const msghdr& header = messages[static_cast<std::size_t>(i)].msg_hdr;
      const void* stamp = find_control(header, SOL_SOCKET, SCM_TIMESTAMPING, sizeof(timespec));
      const void* about = find_control(header, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR,
                                       sizeof(sock_extended_err));
      if (stamp == nullptr || about == nullptr) continue;
      sock_extended_err error{};
      std::memcpy(&error, about, sizeof error);
      timespec wall{};
      std::memcpy(&wall, stamp, sizeof wall);
      const std::uint32_t index = error.ee_data - next_key_;
      const TimePoint at = clock.map(wall);
      if (error.ee_origin != SO_EE_ORIGIN_TIMESTAMPING || index >= batch.size()) continue;
      if (at < before || at > clock.now()) continue;
      batch[index].at = at;
      ++counters_.transmit_stamps;
    }
  }
}

boost::system::result<std::unique_ptr<IcmpSocket>, OpenError> IcmpSocket::open(IpFamily family, std::uint16_t id,
                                                                               Handler on_message) {
  const bool v4 = family == IpFamily::v4;
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          v4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6});
  if (fd < 0) return open_error(family, "open", errno);
  if (const int error = configure(fd, family, id); error != 0) {
    ::close(fd);
    return open_error(family, "set up", error);
  }
  return std::unique_ptr<IcmpSocket>(new IcmpSocket(std::make_unique<Impl>(fd, family, std::move(on_message))));
}

IcmpSocket::IcmpSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IcmpSocket::~IcmpSocket() = default;
void IcmpSocket::send(const active::EchoActions& actions, std::vector<SentIcmp>& sent) { impl_->send(actions, sent); }
bool IcmpSocket::drain() { return impl_->drain(); }
bool IcmpSocket::can_mark() const { return impl_->can_mark(); }
const IcmpSocketCounters& IcmpSocket::counters() const { return impl_->counters(); }

}  // namespace tunnelwatch::io
