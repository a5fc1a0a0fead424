#include "agent/diagnosis/evidence.h"

#include "agent/diagnosis/wording.h"

namespace tunnelwatch::diagnosis {

using F = FactId;

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::possible:
      return "possible";
    case Confidence::likely:
      return "likely";
    case Confidence::confirmed:
      return "confirmed";
  }
  return "possible";
}

void Evidence::on_ike(const passive::IkeObservation& o) {
  ike_.on_observation(o);
  esp_.on_ike(o);
  if (o.sight == passive::IkeSight::ike_established) names_.on_established(o.at);
}

void Evidence::on_esp(bool outbound, std::uint64_t packets, std::uint16_t remote_port, TimePoint at) {
  if (!outbound) ike_.on_inbound_esp(at);
  esp_.on_packets(outbound, packets, remote_port, at);
  if (!outbound) log_.on_inbound_esp(at);
}

void Evidence::on_fragments(const passive::FragmentEvent& event, bool from_peer) {
  switch (event.kind) {
    case passive::FragmentEventKind::completed:
      if (!from_peer) break;
      incomplete_trains_ = 0;
      facts_.deny(F::fragments_incomplete, event.last);
      break;
    case passive::FragmentEventKind::timed_out:
      // One may be the capture's own loss; a sender that tries again loses it again.
      if (from_peer && ++incomplete_trains_ >= 2)
        facts_.affirm(F::fragments_incomplete, event.last, Confidence::likely, describe_fragments(event, from_peer));
      break;
    case passive::FragmentEventKind::too_many:
    case passive::FragmentEventKind::overlapping:
      facts_.affirm(F::fragments_excessive, event.last, Confidence::likely, describe_fragments(event, from_peer));
      break;
  }
}

void Evidence::on_address(AddressOddity oddity, const IpAddress& seen, const IpAddress& expected, TimePoint at) {
  const auto confidence = oddity == AddressOddity::source_translated ? Confidence::confirmed : Confidence::likely;
  const auto fact = oddity == AddressOddity::source_translated ? F::source_translated
                    : oddity == AddressOddity::other_local     ? F::local_elsewhere
                                                               : F::peer_elsewhere;
  facts_.affirm(fact, at, confidence, describe_address(oddity, seen, expected));
}

void Evidence::on_ike_probe(const IkeProbeObservation& o) {
  if (o.outcome == IkeProbeOutcome::answered) esp_.on_peer_spoke(o.at);
  probes_.on_ike_probe(o);
}

void Evidence::advance(TimePoint now) {
  esp_.advance(now);
  log_.advance(now);
  names_.advance(now);
}

bool Evidence::waits() const { return esp_.waits() || log_.waits() || names_.waits(); }

bool Evidence::wants_probe() const {
  return probes_.wants_ike_probe() || facts_.is(F::init_unanswered) || facts_.is(F::auth_unanswered_4500) ||
         facts_.is(F::liveness_unanswered) || facts_.is(F::gateway_silent) || facts_.is(F::inner_silent) ||
         facts_.is(F::esp_unreturned) || facts_.is(F::ike_500_rejected) || facts_.is(F::peer_unreachable);
}

}  // namespace tunnelwatch::diagnosis
