#pragma once

#include "config/ip_address.h"
#include "probes/active/icmp_echo.h"
#include "probes/io/open_error.h"
#include "probes/observation.h"
#include "probes/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// One received ICMP or ICMPv6 message, from its type byte on. `bytes` live for the call only.
struct ReceivedIcmp {
  std::span<const std::uint8_t> bytes;
  IpAddress from;
  std::uint8_t ttl = 0;     // 0: not told
  TimePoint received_at{};  // the kernel's stamp on the monotonic clock
};

// What became of one packet of send(), in the order given.
struct SentIcmp {
  std::uint32_t target = 0;
  std::uint32_t sequence = 0;
  TimePoint at{};  // the kernel's stamp where the driver gave one at once, else its share of the system call's time
  RefusalReason error = RefusalReason::none;
};

struct IcmpSocketCounters {
  std::uint64_t transmit_stamps = 0;  // sends that the kernel stamped
  std::uint64_t received = 0;
  std::uint64_t truncated = 0;       // longer than we read; dropped
  std::uint64_t receive_errors = 0;  // of the socket itself
  std::uint64_t kernel_dropped = 0;  // the socket's buffer was full (SO_RXQ_OVFL)
};

// One raw socket for all targets of a family. A kernel filter passes only echo replies with our id and ICMP errors that
// quote an echo request with our id, so that the pings of others cost nothing. Needs CAP_NET_RAW to open. Belongs to
// one thread.
//
// Nothing wakes anybody when something comes in: the kernel's stamp tells when that was, so that the owner may read a
// few together, with drain().
class IcmpSocket {
 public:
  using Handler = std::function<void(const ReceivedIcmp&)>;

  static boost::system::result<std::unique_ptr<IcmpSocket>, OpenError> open(IpFamily family, std::uint16_t id,
                                                                            Handler on_message);
  ~IcmpSocket();
  IcmpSocket(const IcmpSocket&) = delete;
  IcmpSocket& operator=(const IcmpSocket&) = delete;

  // Sends those packets of `actions` that are of this family. `sent` gets one entry for each of them, in order. A
  // packet that is refused is not tried again and does not hold up the next one.
  void send(const active::EchoActions& actions, std::vector<SentIcmp>& sent);

  // Hands over what waits, up to a bound; true where more may wait. The owner calls it several times a second, and
  // before it decides that something is lost. The handler must not destroy the socket.
  bool drain();

  // Whether packets with a fwmark can be sent: that takes CAP_NET_ADMIN, or from Linux 5.17 on CAP_NET_RAW. Where not,
  // send() refuses them.
  bool can_mark() const;

  const IcmpSocketCounters& counters() const;

 private:
  class Impl;
  explicit IcmpSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
