#pragma once

#include "agent/diagnosis/log_patterns.h"

#include <span>
#include <string_view>

// The tables behind log_patterns.cpp. Nobody else includes this.
namespace tunnelwatch::diagnosis::detail {

// Other words of devices for rows of the guide, judged by the same rules as the guide's own.
std::span<const LogPattern> vendor_variants();
std::span<const LogPattern> daemon_patterns();

// ReasonCode of a device's "IPSec tunnel negotiation fails" message.
struct ReasonCode {
  unsigned code;
  Cause cause;
  std::string_view words;
};
std::span<const ReasonCode> negotiation_reason_codes();

}  // namespace tunnelwatch::diagnosis::detail
