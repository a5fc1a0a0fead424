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

namespace boost::asio {
class io_context;
}

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
  std::uint64_t receive_errors = 0;  // of the socket itself; the loop backs off
  std::uint64_t kernel_dropped = 0;  // the socket's buffer was full (SO_RXQ_OVFL)
};

// One raw socket for all targets of a family. A kernel filter passes only echo replies with our id and ICMP errors that
// quote an echo request with our id, so that the pings of others cost nothing. Needs CAP_NET_RAW to open. Belongs to
// the thread of its io_context; destroying it stops it at once, also from within the handler.
class IcmpSocket {
 public:
  using Handler = std::function<void(const ReceivedIcmp&)>;

  static boost::system::result<std::unique_ptr<IcmpSocket>, OpenError> open(boost::asio::io_context& io,
                                                                            IpFamily family, std::uint16_t id,
                                                                            Handler on_message);
  ~IcmpSocket();
  IcmpSocket(const IcmpSocket&) = delete;
  IcmpSocket& operator=(const IcmpSocket&) = delete;

  // Sends those packets of `actions` that are of this family. `sent` gets one entry for each of them, in order. A
  // packet that is refused is not tried again and does not hold up the next one.
  void send(const active::EchoActions& actions, std::vector<SentIcmp>& sent);

  // Hands over what waits, up to a bound; true where more may wait. The socket does so by itself where it wakes on
  // arrival; the owner calls it before it decides that something is lost.
  bool drain();

  // Whether what comes in wakes the io_context, as it does at first. Not: it waits for drain(), which an owner that
  // wakes many times a second anyway calls then. The kernel's stamps tell when it came.
  void wake_on_arrival(bool on);

  // Whether packets with a fwmark can be sent: that takes CAP_NET_ADMIN, or from Linux 5.17 on CAP_NET_RAW. Where not,
  // send() refuses them.
  bool can_mark() const;

  const IcmpSocketCounters& counters() const;

 private:
  class Impl;
  explicit IcmpSocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
