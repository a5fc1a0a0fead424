#pragma once

#include "config/ip_address.h"
#include "probes/io/open_error.h"
#include "probes/observation.h"
#include "probes/time.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <boost/system/result.hpp>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// An ESP packet from its SPI on. `bytes` live for the call only.
struct ReceivedEsp {
  std::span<const std::uint8_t> bytes;
  IpAddress from;
  std::optional<IpAddress> to;  // where the sender sent it; nothing where that is a group or a broadcast address
  TimePoint received_at{};      // the kernel's stamp on the monotonic clock
};

// An ICMP error about an ESP packet that left this machine, ours or another's, from the socket's error queue.
struct EspError {
  IpAddress to;  // where that packet went
  IpAddress offender;
  RefusalReason reason = RefusalReason::none;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  std::span<const std::uint8_t> quoted;  // of that packet, from the SPI on; live for the call only
  TimePoint received_at{};
};

// A raw socket of IP protocol 50 and one family. The kernel passes it packets with one SPI, and the errors about all.
// Where it has an ESP of its own, it copies each packet that arrives before it looks at the SPI: a socket costs the
// gateway something while it is open. Needs CAP_NET_RAW to open. Belongs to the thread of its io_context; destroying it
// stops it at once, also from within a handler.
class EspSocket {
 public:
  struct Handlers {
    std::function<void(const ReceivedEsp&)> on_packet;
    std::function<void(const EspError&)> on_error;
  };
  struct Sent {
    TimePoint at{};  // right before the system call
    RefusalReason error = RefusalReason::none;
  };
  static boost::system::result<std::unique_ptr<EspSocket>, OpenError> open(boost::asio::io_context& io, IpFamily family,
                                                                           std::uint32_t spi, Handlers handlers);
  ~EspSocket();
  EspSocket(const EspSocket&) = delete;
  EspSocket& operator=(const EspSocket&) = delete;

  // `esp`: from the SPI on. `source`: of this machine; unset: what the route says.
  Sent send(std::span<const std::uint8_t> esp, const IpAddress& to, const std::optional<IpAddress>& source);
  // Hands over what waits (errors and packets), up to a bound.
  void drain();

 private:
  class Impl;
  explicit EspSocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
