#pragma once

#include "exporters/report.h"
#include "probes/active/echo_statistics.h"
#include "probes/active/trace_findings.h"
#include "probes/observation.h"
#include "probes/time.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::diagnosis {

// Whether ESP gets through between this gateway and the peer. Enumerators are label values.
enum class EspVerdict : std::uint8_t { unknown, reachable, unreachable };
inline constexpr std::uint8_t kEspVerdictCount = 3;
std::string_view to_string(EspVerdict verdict);

// Who says something about it. Enumerators are label values.
enum class EspWitness : std::uint8_t {
  traffic,      // the tunnel's own ESP on the wire
  inner_pings,  // a host behind the peer answers
  icmp_error,   // about the tunnel's own ESP
  esp_probe,    // our own packet of protocol 50
  trace,        // of protocol 50, beside others
};
inline constexpr std::uint8_t kEspWitnessCount = 5;
std::string_view to_string(EspWitness witness);

struct EspTestimony {
  EspWitness witness = EspWitness::traffic;
  EspVerdict says = EspVerdict::unknown;
  RefusalReason reason = RefusalReason::none;  // of an ICMP error, or of our own kernel
  std::uint8_t hop = 0;                        // where a trace ends; 0: none
  // About protocol 50, while the tunnel's own ESP goes in UDP: told, and decides nothing.
  bool beside = false;
  TimePoint at{};
  exporters::Text text;
};

// The verdict of three about one tunnel, from whoever can tell. Pure: what was seen, and now.
//
// Reachable: ESP, or ESP in UDP, of both directions within kWindow; a host behind the peer that answers a ping through
// the tunnel within it; or an ESP echo that is answered. Unreachable: an ICMP error about the tunnel's ESP or about our
// probe, or a trace in which ESP ends while other protocols go on. Silence is neither: peers need not answer, and
// what leaves without an answer may be lost on the way back. Where both are claimed, what was seen last counts, and
// traffic that flows counts more than any.
class EspReach {
 public:
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr std::chrono::seconds kFlowing{12};     // traffic of both directions: it works now
  static constexpr std::chrono::minutes kTraceLasts{15};  // a fault that is still there is traced again before
  static constexpr std::chrono::seconds kOneWay{3};       // ours without an answer for so long,
  static constexpr std::uint64_t kOneWayPackets = 3;      // and so many: traffic does not flow both ways any more
  static constexpr std::uint32_t kLostEchoes = 2;         // in a row, of a peer that answered before

  void on_packets(bool outbound, std::uint64_t packets, bool in_udp, TimePoint at);
  // How a host behind the peer takes our pings, whose source the tunnel carries.
  void on_inner_echo(std::string_view host, const active::EchoWindow& window);
  void on_icmp_error(RefusalReason reason, const IpAddress& from, bool from_peer, TimePoint at);
  void on_probe(const EspProbeObservation& o);
  void on_trace(std::span<const active::TraceFinding> findings, TimePoint at);
  // One end is behind NAT, or both: ESP goes in UDP before any of it was seen.
  void on_nat() {
    if (!in_udp_) in_udp_ = true;
  }
  // How often a peer that answers is asked: what it said holds until it is missed.
  void set_probe_interval(std::chrono::milliseconds interval) { probe_lasts_ = 3 * Duration(interval); }
  void forget_probes();

  // Judges; whether the verdict is another than before.
  bool update(TimePoint now);
  // As of the last update().
  EspVerdict verdict() const { return verdict_; }
  // Whose word it is; nothing while it is unknown.
  std::optional<EspWitness> by() const { return by_; }
  std::optional<TimePoint> since() const { return since_; }  // nothing before the first one
  // All that was said and still held then, also what decides nothing.
  std::vector<EspTestimony> testimony() const;
  // Whether the tunnel's ESP goes in UDP; nothing while it is not known.
  std::optional<bool> in_udp() const { return in_udp_; }
  // Nobody who is asked actively would add anything: traffic flows both ways.
  bool flows(TimePoint now) const;
  // The peer answered ESP echo and does not any more.
  bool lost_echo() const { return answered_ && silences_ >= kLostEchoes; }
  // It missed one, and the next would tell whether by chance.
  bool wants_probe() const { return answered_ && silences_ == 1; }

 private:
  struct Direction {
    std::uint64_t since_other = 0;  // packets since the other direction was last seen
    TimePoint first_since{};
    std::optional<TimePoint> last;
  };
  bool one_way() const;
  bool both_ways(TimePoint now) const;
  bool holds(const EspTestimony& t, TimePoint now) const;
  bool is_beside(EspWitness witness) const;
  std::optional<EspTestimony> traffic() const;
  std::optional<EspTestimony>& of(EspWitness witness) { return said_[static_cast<std::size_t>(witness)]; }
  const std::optional<EspTestimony>& of(EspWitness witness) const { return said_[static_cast<std::size_t>(witness)]; }

  Direction out_;
  Direction in_;
  std::optional<bool> in_udp_;
  Duration probe_lasts_ = std::chrono::minutes{3};
  bool answered_ = false;
  std::uint32_t silences_ = 0;                                      // in a row
  std::array<std::optional<EspTestimony>, kEspWitnessCount> said_;  // the newest of each but of traffic
  std::string inner_host_;                                          // that answered
  EspVerdict verdict_ = EspVerdict::unknown;
  std::optional<EspWitness> by_;
  std::optional<TimePoint> since_;
  TimePoint updated_{};
};

}  // namespace tunnelwatch::diagnosis
