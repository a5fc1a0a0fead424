#pragma once

#include "agent/diagnosis/cause.h"
#include "config/ip_address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// What log text calls the causes. Pure functions of one line: no files, no clock, no state; any thread. Whoever follows
// a log hands each line here. Work per line is bounded by kMaxLogLine times the patterns that start with one letter.
namespace tunnelwatch::diagnosis {

inline constexpr std::size_t kMaxLogLine = 4096;  // bytes; what follows is not looked at

// Whose words a pattern is. Enumerators are label values.
enum class LogFamily : std::uint8_t {
  vendor,      // Huawei devices and the cloud's VPN log: the guide's words
  strongswan,  // charon
  libreswan,   // pluto
  openvpn,     // guide chapter 3
  routing,     // FRR, BIRD: BGP over the tunnel
};
inline constexpr std::size_t kLogFamilyCount = 5;
std::string_view to_string(LogFamily family);

struct LogPattern {
  LogFamily family{};
  Cause cause{};
  // Matched without case, at word boundaries. A blank or hyphen stands for any run of blanks, or one hyphen or
  // underscore; "*" for up to 256 bytes of anything. Static text.
  std::string_view words;
  bool vague = false;    // any other pattern of the same line wins
  bool stated = false;   // everyday words of the guide: only in a field that gives a reason
  bool repeats = false;  // once it is normal life
};

// All patterns: the guide's words (from the catalogue) first, then the daemons' texts.
std::span<const LogPattern> log_patterns();

struct LogMatch {
  Cause cause{};
  std::string_view words;         // of the pattern, or "ReasonCode=N" of the device's own table; static text
  std::optional<IpAddress> peer;  // the remote end, where the line names it
  LogFamily family{};
  bool vague = false;  // of the pattern
  bool repeats = false;
};

// The cause that a line states. The daemons' texts count wherever they stand. The guide's words are also everyday words
// ("peer request", "dpd timeout"), so they count only where a device states a reason:
//  - in a field whose name ends in "reason" (Reason=, OfflineReason=, "last-offline-reason :", "reason":"...");
//  - in a row of `display ike error-info` or `display ike offline-info` (peer, port, words, version, time);
//  - in a message of the device's IKE or IPsec module (%%01IKE/4/..., IPSEC-VPN/5/...:);
//  - as the whole message after a time stamp;
//  - words of three or more ("phase1 hard expiry") in a line that speaks of IKE, IPsec or VPN; two words there only as
//  a
//    field of their own at the end.
// What the guide says of configuration, paths and loss in words of its own counts in such fields and rows alone.
// Never in an echoed command or configuration (a prompt, CMDRECORD), nor before a number (counters, settings), nor in
// what this program itself has logged.
std::optional<LogMatch> match_line(std::string_view line);

}  // namespace tunnelwatch::diagnosis
