#pragma once

#include "config/ip_address.h"
#include "probes/io/open_error.h"
#include "probes/time.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <boost/system/result.hpp>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::io {

// What comes back to a probe. `icmp`: echo replies and errors, whoever they are for, from the type byte on. `esp`:
// answers to the ESP echo of the drafts (SPI 8) and no other ESP, from the SPI on.
enum class RawProtocol : std::uint8_t { icmp, esp };

struct ReceivedRaw {
  std::span<const std::uint8_t> bytes;  // live for the call only
  IpAddress from;
  TimePoint received_at{};  // the kernel's stamp on the monotonic clock
};

// A raw socket of one family that only receives. For a probe of seconds: in a daemon's life IcmpSocket, which the
// kernel filters by id, costs less. Needs CAP_NET_RAW. Belongs to the thread of its io_context; destroying it stops it
// at once, also from within the handler.
class RawReceiver {
 public:
  using Handler = std::function<void(const ReceivedRaw&)>;
  static boost::system::result<std::unique_ptr<RawReceiver>, OpenError> open(boost::asio::io_context& io,
                                                                             IpFamily family, RawProtocol protocol,
                                                                             Handler on_message);
  ~RawReceiver();
  RawReceiver(const RawReceiver&) = delete;
  RawReceiver& operator=(const RawReceiver&) = delete;

  // Hands over what waits, up to a bound.
  void drain();

 private:
  class Impl;
  explicit RawReceiver(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tunnelwatch::io
