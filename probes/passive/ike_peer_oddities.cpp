#include "probes/passive/ike_peer.h"
#include "probes/wire/ike_names.h"

#include <algorithm>

// What is told of a message by itself, whatever negotiation it belongs to.
namespace tunnelwatch::passive {

namespace {

// The registries of both versions: RFC 2408 and 2409, IKEv2's from IKE_SA_INIT to IKE_FOLLOWUP_KE (RFC 9370). What
// stacks have for private use among themselves (AuthIP, for one) is theirs to know.
bool is_known_exchange(const wire::IkeHeader& h) {
  constexpr std::uint8_t kPrivateUse = 240;
  if (h.exchange >= kPrivateUse) return true;
  if (h.major() == 1) return (h.exchange >= 1 && h.exchange <= 6) || (h.exchange >= 32 && h.exchange <= 33);
  return h.exchange >= wire::ike_sa_init && h.exchange <= 44;
}

// Payload types that RFC 7296, 7383 and the registry name; others are skipped unless they are critical.
bool is_known_payload_v2(std::uint8_t type) { return type >= 33 && type <= 54; }

}  // namespace

// INVALID_SPI, INVALID_IKE_SPI and INVALID_COOKIE come outside any SA of the sender's.
void IkeTracker::Peer::tell_clear_notifies(const wire::IkeMessage& message, const wire::Datagram& d, Side from,
                                           TimePoint at) {
  const bool v1 = message.header.major() == 1;
  for (const auto& payload : message.payloads) {
    if (payload.type != (v1 ? std::uint8_t{wire::v1_notify} : std::uint8_t{wire::v2_notify})) continue;
    const auto notify = v1 ? wire::parse_notify_v1(payload.body) : wire::parse_notify_v2(payload.body);
    if (!notify || (notify->type != 4 && notify->type != 11)) continue;
    auto o = observe(IkeSight::clear_notify, from, d, at);
    o.notify = notify->type;
    o.exchange = message.header.exchange;
    o.certainty = Certainty::possible;
    on_observation(o);
  }
}

void IkeTracker::Peer::tell_malformed(wire::ParseError error, const wire::Datagram& d, Side from, TimePoint at) {
  ++owner_.counters_.malformed;
  auto o = observe(IkeSight::malformed, from, d, at);
  o.certainty = Certainty::likely;
  o.fault = error == wire::ParseError::bad_length ? IkeFault::length : IkeFault::message;
  if (const auto header = wire::parse_ike_header(d.payload); header && error == wire::ParseError::bad_version) {
    o.sight = IkeSight::version_odd;
    o.version = header->major();
  }
  on_observation(o);
}

void IkeTracker::Peer::tell_oddities(const wire::IkeMessage& message, const wire::Datagram& d, Side from,
                                     TimePoint at) {
  auto o = observe(IkeSight::malformed, from, d, at);
  o.exchange = message.header.exchange;
  o.certainty = Certainty::likely;
  if (message.payload_error || message.trailing) {
    ++owner_.counters_.malformed;
    o.fault = message.payload_error ? IkeFault::payload : IkeFault::length;
    on_observation(o);
  }
  o.fault = IkeFault::none;
  if (!is_known_exchange(message.header)) {
    o.sight = IkeSight::unknown_exchange;
    on_observation(o);
  }
  if (message.header.major() != 2) return;
  for (const auto& p : message.payloads) {
    if (!is_known_payload_v2(p.type)) {
      o.sight = p.critical ? IkeSight::critical_payload : IkeSight::uncritical_payload;
      on_observation(o);
    }
    if (p.type != wire::v2_sa || message.header.is_response()) continue;
    const auto proposals = wire::parse_sa_v2(p.body);
    if (!proposals) continue;
    const bool sm = std::any_of(proposals->begin(), proposals->end(), [](const wire::Proposal& proposal) {
      return std::any_of(proposal.transforms.begin(), proposal.transforms.end(), wire::is_sm_transform);
    });
    if (sm) {
      o.sight = IkeSight::sm_offered;
      on_observation(o);
    }
  }
}

}  // namespace tunnelwatch::passive
