#pragma once

#include "config/ip_address.h"
#include "probes/io/open_error.h"
#include "probes/observation.h"
#include "probes/time.h"

#include <cstdint>
#include <memory>
#include <span>

#include <boost/system/result.hpp>

namespace tunnelwatch::io {

// Sends whole IP packets of one family whose header the caller wrote: TTL, DF and identification leave as they are.
// The path's cached MTU is ignored, so that each packet asks the path itself. Needs CAP_NET_RAW. Receives nothing.
class RawIpSender {
 public:
  struct Sent {
    TimePoint at{};  // right before the system call
    RefusalReason error = RefusalReason::none;
  };
  static boost::system::result<std::unique_ptr<RawIpSender>, OpenError> open(IpFamily family);
  ~RawIpSender();
  RawIpSender(const RawIpSender&) = delete;
  RawIpSender& operator=(const RawIpSender&) = delete;

  Sent send(std::span<const std::uint8_t> packet, const IpAddress& to);

 private:
  explicit RawIpSender(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace tunnelwatch::io
