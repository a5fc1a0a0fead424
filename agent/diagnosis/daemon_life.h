#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/host/daemon_view.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace tunnelwatch::diagnosis {

// Who deleted an IKE SA, by the daemon's log: "received DELETE for IKE_SA tun[3]", "sending DELETE for IKE_SA tun[3]".
struct DaemonDeletion {
  std::uint32_t sa = 0;
  bool by_peer = false;
};
std::optional<DaemonDeletion> deletion_of(std::string_view line);

// The deletions of late, by SA: the newest kMost.
class DaemonDeletions {
 public:
  static constexpr std::size_t kMost = 1024;
  void note(const DaemonDeletion& deletion);
  std::optional<bool> by_peer(std::uint32_t sa) const;  // nothing: it was not deleted

 private:
  std::map<std::uint32_t, bool> by_sa_;  // SAs are numbered upwards
};

// How the SAs of one tunnel come and go, by one view of the daemon after the other: an SA that somebody deletes is
// normal life where another stands or begins behind it, and so is an IPsec SA that takes over, unless it repeats.
class DaemonLife {
 public:
  void on_view(Facts& facts, const std::optional<IpAddress>& remote, const host::DaemonView& view,
               const DaemonDeletions& deletions, TimePoint now);
  // The daemon cannot be asked any more.
  void forget(Facts& facts);

 private:
  void judge_end(Facts& facts, const std::set<std::uint32_t>& established, bool any, const DaemonDeletions& deletions,
                 TimePoint now);
  void judge_children(Facts& facts, const std::set<std::uint32_t>& children, Duration life, TimePoint now);

  std::set<std::uint32_t> established_;  // of the last view
  std::set<std::uint32_t> children_;
  std::deque<TimePoint> replaced_;  // when a child took over
};

}  // namespace tunnelwatch::diagnosis
