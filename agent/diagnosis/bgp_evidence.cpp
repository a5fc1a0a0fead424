#include "agent/diagnosis/bgp_evidence.h"

#include "agent/diagnosis/traffic_wording.h"
#include "probes/wire/bgp.h"

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using passive::BgpObservation;
using passive::BgpSight;
using passive::Side;
using F = FactId;

namespace {

constexpr Duration kAnswer = 1s;   // an OPEN that is in order is accepted within this
constexpr Duration kOver = 15min;  // longer than speakers wait between attempts: nobody speaks BGP here any more

constexpr std::size_t place_of(Side side) { return static_cast<std::size_t>(side); }

}  // namespace

void BgpEvidence::on_bgp(const BgpObservation& o, std::optional<Side> by) {
  last_ = o.at;
  switch (o.sight) {
    case BgpSight::open:
      if (by) speakers_[place_of(*by)] = {o, false};
      break;
    case BgpSight::accepted:
      on_accepted(o, by);
      break;
    case BgpSight::refused:
      accepted_by_.reset();
      if (o.code == wire::kBadPeerAs.code && o.subcode == wire::kBadPeerAs.subcode) {
        facts_.affirm(F::bgp_as_refused, o.at, Confidence::confirmed, describe_bgp_refusal(o));
      }
      break;
  }
  judge_opens(o.at);
}

// Both ends took the other's OPEN: whatever the configuration of this agent says, they agree.
void BgpEvidence::on_accepted(const BgpObservation& o, std::optional<Side> by) {
  if (by) speakers_[place_of(passive::other(*by))].accepted = true;
  if (accepted_by_ == o.other) facts_.deny(F::bgp_as_refused, o.at);
  accepted_by_ = o.speaker;
}

void BgpEvidence::judge_opens(TimePoint now) {
  bool told = false;
  bool known = false;
  for (const Side side : {Side::local, Side::remote}) {
    const Speaker& speaker = speakers_[place_of(side)];
    if (!speaker.open || expected_of(side) == 0) continue;
    known = true;
    const bool differs = speaker.open->as_number != expected_of(side);
    if (!differs || speaker.accepted || now - speaker.open->at < kAnswer) continue;
    told = true;
    facts_.affirm(F::bgp_as_differs, now, Confidence::likely,
                  describe_bgp_difference(*speaker.open, side, expected_of(side)));
  }
  // An OPEN that still may be accepted leaves things as they were.
  const auto open = [&](Side side) {
    return speakers_[place_of(side)].open && now - speakers_[place_of(side)].open->at < kAnswer;
  };
  if (known && !told && !open(Side::local) && !open(Side::remote)) facts_.deny(F::bgp_as_differs, now);
}

void BgpEvidence::advance(TimePoint now) {
  if (!last_) return;
  if (now - *last_ < kOver) return judge_opens(now);
  last_.reset();
  speakers_ = {};
  accepted_by_.reset();
  facts_.forget(F::bgp_as_refused);
  facts_.forget(F::bgp_as_differs);
}

}  // namespace tunnelwatch::diagnosis
