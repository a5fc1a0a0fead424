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

struct ReceivedUdp {
  std::span<const std::uint8_t> bytes;
  IpAddress from;
  std::uint16_t from_port = 0;
  TimePoint received_at{};  // the kernel's stamp on the monotonic clock
};

// An ICMP error about a datagram of ours (RFC 1122 4.1.3.3), from the socket's error queue.
struct UdpError {
  IpAddress to;  // where that datagram went
  std::uint16_t port = 0;
  RefusalReason reason = RefusalReason::none;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  IpAddress offender;  // may be this machine, which gives up on a neighbour after 3 s
  TimePoint received_at{};
};

struct UdpSocketCounters {
  std::uint64_t received = 0;
  std::uint64_t truncated = 0;
  std::uint64_t receive_errors = 0;
};

// A non-blocking UDP socket of one family on an ephemeral port, with ICMP errors as values. One for each class of
// remote port, so that destination address and port name the request that an error is about. Belongs to the thread of
// its io_context; destroying it stops it at once, also from within a handler.
class UdpSocket {
 public:
  struct Handlers {
    std::function<void(const ReceivedUdp&)> on_datagram;
    std::function<void(const UdpError&)> on_error;
  };
  struct Sent {
    TimePoint at{};  // right before the system call
    RefusalReason error = RefusalReason::none;
  };

  // Errors of our own kernel come back from send(), not through on_error.
  // `bind_to`: the one source address of all datagrams; unset: any, and send() may choose.
  static boost::system::result<std::unique_ptr<UdpSocket>, OpenError> open(boost::asio::io_context& io, IpFamily family,
                                                                           std::optional<IpAddress> bind_to,
                                                                           Handlers handlers);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  Sent send(std::span<const std::uint8_t> bytes, const IpAddress& to, std::uint16_t port,
            const std::optional<IpAddress>& source = std::nullopt);
  // Hands over what waits (errors and datagrams), up to a bound; true where more may wait.
  bool drain();

  std::uint16_t local_port() const;
  const UdpSocketCounters& counters() const;

 private:
  class Impl;
  explicit UdpSocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
