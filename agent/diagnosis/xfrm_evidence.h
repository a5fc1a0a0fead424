#pragma once

#include "agent/diagnosis/fact.h"
#include "agent/diagnosis/xfrm_index.h"
#include "config/settings.h"
#include "probes/passive/packet_sink.h"

#include <optional>
#include <span>
#include <vector>

namespace tunnelwatch::diagnosis {

// What the kernel's IPsec policies and states say of a tunnel, against its configuration. A peer that neither is about
// may be served in user space: everything is unknown then. Returns how often a policy was compared, which is bounded:
// what is beyond that is unknown, too.
std::size_t judge_xfrm(Facts& facts, const config::Tunnel& tunnel, const std::optional<IpAddress>& remote,
                       const XfrmIndex& index, TimePoint now);

// The kernel cannot be asked any more.
void forget_xfrm(Facts& facts);

// What the peer sends, as it was captured, against the states: packets whose SPI the kernel does not know, while it
// counts such as dropped. Once a second or so. `dropped`: since the last call, `since`.
struct UnknownSpiLook {
  TimePoint since{};
  TimePoint now{};
  std::uint64_t dropped = 0;
};
void judge_unknown_spi(Facts& facts, std::span<const passive::EspStreamSummary> inbound, const XfrmIndex& index,
                       const UnknownSpiLook& look);

// States that ran out at their hard limit, until they have a successor.
class HardExpiries {
 public:
  static constexpr std::size_t kMax = 1024;      // the oldest make room
  static constexpr std::size_t kMaxBeside = 64;  // SAs of one direction; among more a successor is not told

  // `before`: the states as they were last read. What only reserved an SPI, or was not known, is nobody's SA.
  void on_expired(const host::XfrmState& expired, const host::XfrmView& before, TimePoint at);
  static constexpr std::chrono::hours kKept{1};  // and then it is history

  // Drops those that a state of `view` follows.
  void settle(const host::XfrmView& view, TimePoint now);
  void judge(Facts& facts, const std::optional<IpAddress>& remote) const;
  void clear() { expired_.clear(); }

 private:
  struct Expired {
    host::XfrmState state;
    TimePoint at{};
    std::vector<std::uint32_t> beside;  // SPIs of the same direction at that time: none of them is a successor
  };
  std::vector<Expired> expired_;
};

}  // namespace tunnelwatch::diagnosis
