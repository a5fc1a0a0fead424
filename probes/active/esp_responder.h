#pragma once

#include "config/ip_address.h"
#include "probes/time.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::active {

// What became of an ESP echo request to this machine. Enumerators are label values.
enum class EspRequestOutcome : std::uint8_t {
  answered,
  stranger,    // not one of the peers that are answered
  limited,     // more than its source, or all together, are answered
  malformed,   // no ESP echo request
  too_long,    // more than kMostBytes
  group,       // sent to a broadcast or multicast address, or from one
  send_error,  // our own kernel would not send the answer
};
inline constexpr std::uint8_t kEspRequestOutcomeCount = 7;
std::string_view to_string(EspRequestOutcome outcome);

// Answers ESP echo requests (wire/esp_echo.h): decides and counts, without I/O and clock. Single-threaded.
//
// An answer is never longer than its request and never answered itself. Of one source kPerSource a second are answered,
// of all together kInAll; the table of sources is bounded. Answers only the peers it was given, or anyone where told
// so.
class EspResponder {
 public:
  static constexpr std::uint32_t kPerSource = 5;  // a second, and as many at once
  static constexpr std::uint32_t kInAll = 100;    // likewise
  static constexpr std::size_t kMostSources = 1024;
  static constexpr std::size_t kMostBytes = 1500;

  void set_peers(std::vector<IpAddress> peers);
  void set_anyone(bool anyone) { anyone_ = anyone; }

  struct Request {
    std::span<const std::uint8_t> bytes;  // from the SPI on, untrusted
    IpAddress from;
    bool unicast = true;  // its destination is an address of this machine
  };
  // The answer's bytes, from the SPI on; nothing where there is none.
  std::optional<std::vector<std::uint8_t>> on_request(const Request& request, TimePoint now);
  // The last answer did not leave.
  void on_send_error();

  std::uint64_t count(EspRequestOutcome outcome) const { return counts_[static_cast<std::size_t>(outcome)]; }
  std::size_t sources() const { return sources_.size(); }

 private:
  // Holds `rate` tokens when full, which it is from `full_at` on.
  struct Bucket {
    TimePoint full_at{};
    bool take(std::uint32_t rate, TimePoint now);
    bool has(std::uint32_t rate, TimePoint now) const;
  };
  EspRequestOutcome judge(const Request& request, TimePoint now);
  bool admit(const IpAddress& from, TimePoint now);

  bool anyone_ = false;
  std::vector<IpAddress> peers_;  // sorted
  Bucket all_;
  std::unordered_map<IpAddress, Bucket, IpAddressHash> sources_;
  std::array<std::uint64_t, kEspRequestOutcomeCount> counts_{};
};

}  // namespace tunnelwatch::active
