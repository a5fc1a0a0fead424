#include "agent/diagnosis/esp_evidence.h"

#include "agent/diagnosis/wording.h"

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using passive::IkeObservation;
using passive::IkeSight;
using passive::Side;
using F = FactId;

namespace {

// ESP that leaves without any coming back, before it is a fact.
constexpr std::uint64_t kOneWayPackets = 3;
constexpr std::uint64_t kUnreturnedPackets = 2;  // beside inner hosts that fell silent
constexpr Duration kOneWayAtOnce = 300ms;        // where none ever came back
constexpr Duration kOneWayLater = 2s;            // where some did before
constexpr Duration kBothWays = 5s;
// Traffic that flowed up to the deletion of its ISAKMP SA and is still silent after this long ended with it.
constexpr Duration kFlowed = 2s;
constexpr Duration kStops = 1s;
constexpr Duration kOrphanSilence = 2s;

}  // namespace

void EspEvidence::on_packets(bool outbound, std::uint64_t packets, std::uint16_t remote_port, TimePoint at) {
  Direction& mine = outbound ? out_ : in_;
  Direction& opposite = outbound ? in_ : out_;
  if (mine.since_other == 0) mine.first_since = at;
  mine.since_other += packets;
  mine.last = at;
  opposite.since_other = 0;
  if (!outbound) {
    in_ever_ = true;
    isakmp_gone_.reset();
    if (!child_since_) child_since_ = at;  // the capture began behind the negotiation
    for (const F fact : {F::esp_one_way, F::esp_unreturned, F::esp_rejected, F::orphaned}) facts_.deny(fact, at);
    judge_port(remote_port, at);
    // A tunnel that stood before the capture began shows itself by its traffic.
    const bool both = out_.last && at - *out_.last < kBothWays;
    if (both && !facts_.is(F::child_up) && !facts_.is_not(F::child_up))
      facts_.affirm(F::child_up, at, Confidence::likely, {"ESP flows both ways", "ESP 双向均有流量"});
  }
  judge_return(at);
}

// A NAT in front of the peer that gives its flow another port: what we send to the old one is lost until both know.
void EspEvidence::judge_port(std::uint16_t port, TimePoint at) {
  if (port == 0 || port == remote_port_) return;
  if (remote_port_ != 0 && remote_port_ != 500) {
    facts_.affirm(F::port_changed, at, Confidence::likely, describe_port_change(remote_port_, port));
  }
  remote_port_ = port;
}

void EspEvidence::on_shared_spi(std::uint32_t spi, const IpAddress& other, TimePoint at) {
  facts_.affirm(F::spi_shared, at, Confidence::likely, describe_shared_spi(spi, other));
}

void EspEvidence::on_ike(const IkeObservation& o) {
  const bool answer = o.sight == IkeSight::request_answered || o.sight == IkeSight::init_answered ||
                      o.sight == IkeSight::ike_established || o.sight == IkeSight::child_rekeyed;
  if (answer || (o.by == Side::remote && o.sight == IkeSight::request_unanswered)) peer_spoke_ = o.at;
  switch (o.sight) {
    case IkeSight::ike_established:
      remote_port_ = 0;
      isakmp_gone_.reset();
      break;
    case IkeSight::child_established:
      child_since_ = o.at;
      in_ever_ = false;
      out_.since_other = in_.since_other = 0;
      isakmp_gone_.reset();
      break;
    case IkeSight::port_changed:
      facts_.affirm(F::port_changed, o.at, Confidence::likely, describe(o));
      break;
    case IkeSight::isakmp_deleted_alone:
      isakmp_gone_ = o.at;
      isakmp_gone_by_ = o.by;
      break;
    case IkeSight::ike_deleted:
    case IkeSight::child_deleted:
      child_since_.reset();
      break;
    default:
      break;
  }
  judge_return(o.at);
}

bool EspEvidence::waits() const {
  return isakmp_gone_ || (out_.since_other >= kUnreturnedPackets && out_.last && child_since_);
}

void EspEvidence::advance(TimePoint now) {
  judge_return(now);
  judge_orphans(now);
}

// Outbound ESP without any inbound is a fact only while the peer is known to live: else the whole path is suspect.
void EspEvidence::judge_return(TimePoint now) {
  if (out_.since_other < kUnreturnedPackets || !out_.last || !child_since_) return;
  const Duration over = *out_.last - out_.first_since;
  if (over >= kOneWayAtOnce) {
    facts_.affirm(F::esp_unreturned, now, Confidence::likely, describe_one_way(out_.since_other, over, in_ever_));
  }
  if (over < (in_ever_ ? kOneWayLater : kOneWayAtOnce) || out_.since_other < kOneWayPackets) return;
  // The peer's IKE spoke after the first ESP packet that went unanswered.
  if (!peer_spoke_ || *peer_spoke_ <= out_.first_since + (in_ever_ ? kOneWayAtOnce : Duration::zero())) return;
  const auto confidence = in_ever_ ? Confidence::possible : Confidence::likely;
  facts_.affirm(F::esp_one_way, now, confidence, describe_one_way(out_.since_other, over, in_ever_));
}

// IKEv1: some gateways drop the children with their ISAKMP SA, though nobody deleted them.
void EspEvidence::judge_orphans(TimePoint now) {
  if (!isakmp_gone_ || now - *isakmp_gone_ < kOrphanSilence) return;
  const bool flowed = in_.last && *isakmp_gone_ - *in_.last < kFlowed;
  const bool stopped = out_.last && *out_.last < *isakmp_gone_ + kStops;  // ours too: else the peer vanished
  if (flowed && stopped) facts_.affirm(F::orphaned, now, Confidence::likely, describe_orphans(isakmp_gone_by_));
  isakmp_gone_.reset();
}

}  // namespace tunnelwatch::diagnosis
