#pragma once

#include "exporters/report.h"
#include "exporters/text/report_text.h"
#include "probes/passive/ike_tracker.h"
#include "probes/time.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tunnelwatch::agent {

enum class LineKind : std::uint8_t { out, in, note, raised, cleared, state };

struct TimelineOptions {
  exporters::Language language = exporters::Language::en;
  bool colour = false;
};

// Two ends that talk, as far as the timeline has to remember them.
struct TimelinePair {
  unsigned number = 0;
  passive::PeerKey key;
  bool ends_known = false;
  std::uint16_t port = 500;                    // of the peer, last seen
  std::array<std::uint64_t, 2> fingerprint{};  // of the last message, by side
  std::array<TimePoint, 2> silence_told{};     // the request whose silence was told, by side
  std::array<bool, 2> keepalive_told{};        // by side
  TimePoint last{};
};

// How a timeline's lines look: times, a header for each pair of ends, marks, colours. Text only.
//   -- 2026-11-24 UTC
//   -- 192.0.2.10 (this gateway) - 198.51.100.20 (the peer)
//   18:59:01.000     0.000 -> IKE_SA_INIT request ...
//                             = this gateway begins a negotiation in IKEv2
// A line without times belongs to the moment of the one above. Where there are several pairs each line has its pair's
// number, as its header has. Bounded: the pair heard least recently makes room and gets a new number if it comes back.
class TimelineLines {
 public:
  explicit TimelineLines(const TimelineOptions& options) : options_(options) {}

  // The pair of two addresses, its header written when it is new or when its ends turned out to be the other way round.
  TimelinePair& pair(const passive::PeerKey& key, bool ends_known, TimePoint at);
  void line(LineKind kind, const TimelinePair& pair, TimePoint at, const exporters::Text& text);
  // What was written since the last call.
  std::string take() { return std::exchange(out_, {}); }
  const std::string& in_language(const exporters::Text& text) const;
  std::size_t pairs() const { return pairs_.size(); }

 private:
  using Ends = std::pair<IpAddress, IpAddress>;  // the lower one first

  void header(const TimelinePair& pair, std::string_view remark);
  void date(TimePoint at);
  std::string times(TimePoint at);
  std::string coloured(std::string_view text, std::string_view code) const;
  void make_room();

  TimelineOptions options_;
  std::map<Ends, TimelinePair> pairs_;
  std::string out_;
  std::optional<TimePoint> first_;
  std::optional<std::int64_t> day_;
  TimePoint last_at_ = TimePoint::min();
  unsigned last_pair_ = 0;
  unsigned numbers_ = 0;
};

}  // namespace tunnelwatch::agent
