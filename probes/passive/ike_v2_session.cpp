#include "probes/passive/ike_v2_session.h"

#include "probes/wire/ike_payloads.h"

#include <algorithm>

namespace tunnelwatch::passive {

using namespace std::chrono_literals;

namespace {

// How long a decision waits for what would contradict it. All below the second in which a verdict is due.
constexpr Duration kFirstChildDoubt = 400ms;  // an EAP round may follow
constexpr Duration kRekeyDoubt = 700ms;       // a retry with another group may follow, or the peer's own rekey collided
constexpr Duration kRefusalDoubt = 1500ms;    // an address update (MOBIKE) is a lone notify too, but the SA lives on
constexpr Duration kEapDoubt = 900ms;         // the client's AUTH may follow EAP-Success, which looks like EAP-Failure
constexpr Duration kDeleteDoubt = 700ms;      // a reauthentication may follow
// An INFORMATIONAL that refuses what IKE_AUTH brought follows it at once.
constexpr Duration kRefusalFollows = 3s;
// A rekeyed SA is deleted soon after its successor exists.
constexpr Duration kRekeyDeletes = 10s;
// The first word about a request that waits, before its sender repeats it: longer than an answer takes on any honest
// path.
constexpr Duration kFirstTell = 600ms;
constexpr Duration kTellEvery = 1s;
constexpr Duration kTellFor = 30s;
// A request that nobody repeats any more is not waited for.
constexpr Duration kForget = 300s;

constexpr std::size_t index(Side side) { return static_cast<std::size_t>(side); }

// A notify without data, or with the two to six bytes that error notifies carry (a group, an SPI).
constexpr std::size_t kLargestErrorNotify = kEmptyNotify + 8;

bool is_error(std::uint16_t notify) { return notify < 16384; }

}  // namespace

IkeV2Session::IkeV2Session(Side initiator, std::uint64_t spi_initiator, TimePoint now)
    : initiator_(initiator), spi_initiator_(spi_initiator), last_seen_(now) {}

IkeObservation IkeV2Session::make(IkeSight sight, Side by, const IkeInput& in) const {
  IkeObservation o;
  o.sight = sight;
  o.by = by;
  o.version = 2;
  o.exchange = in.message.header.exchange;
  o.port = in.from == by ? in.destination_port : in.source_port;
  o.length = in.message.header.length;
  o.at = in.at;
  o.since = in.at;
  return o;
}

IkeV2Session::Pending* IkeV2Session::find(Side by, std::uint32_t message_id) {
  for (auto& p : pending_) {
    if (p.by == by && p.message_id == message_id) return &p;
  }
  return nullptr;
}

void IkeV2Session::on_message(const IkeInput& in, IkeObservationSink& sink) {
  last_seen_ = in.at;
  const auto& h = in.message.header;
  const bool about_refusal =
      h.exchange == wire::ike_auth || (refusal_id_ && h.message_id == *refusal_id_ && h.is_response());
  if (!about_refusal) live_on(in.at, sink);
  if (h.spi_responder != 0) spi_responder_ = h.spi_responder;
  // A session that the capture joins later says at least that it lives.
  if (phase_ == SessionPhase::init && h.exchange != wire::ike_sa_init && h.exchange != wire::ike_session_resume) {
    midway_ = !answered_;
    const bool authenticating = h.exchange == wire::ike_auth || h.exchange == wire::ike_intermediate;
    phase_ = authenticating ? SessionPhase::authenticating : SessionPhase::established;
    if (!authenticating && midway_) sink.on_observation(make(IkeSight::ike_resumed_midway, in.from, in));
  }
  if (h.is_response()) {
    on_response(in, sink);
  } else {
    on_request(in, sink);
  }
}

void IkeV2Session::on_request(const IkeInput& in, IkeObservationSink& sink) {
  const auto& m = in.message;
  if (Pending* p = find(in.from, m.header.message_id); p != nullptr && p->exchange == m.header.exchange) {
    const bool changed_offer = m.header.exchange == wire::ike_sa_init && p->length != m.header.length;
    if (changed_offer) {
      *p = Pending{};
      p->by = in.from;
      p->message_id = m.header.message_id;
      p->exchange = m.header.exchange;
      p->length = m.header.length;
      p->port = in.destination_port;
      p->since = p->told = in.at;
      on_init_request(in, sink);
      return;
    }
    if (m.fragment > 1) return;  // the rest of a train that fragment 1 opened
    ++p->sends;
    tell_unanswered(*p, in.at, sink);
    return;
  }
  const auto& answered = highest_answered_[index(in.from)];
  if (answered && m.header.message_id <= *answered && m.header.exchange != wire::ike_sa_init)
    return;  // answered before
  // With a window of one a new request says that the one before was answered, also where that answer was not captured.
  for (std::size_t i = pending_.size(); i-- > 0;) {
    const bool overtaken =
        pending_[i].by == in.from && pending_[i].message_id < m.header.message_id && pending_[i].sends == 1;
    if (overtaken) pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (pending_.size() == kWindow) pending_.erase(pending_.begin());
  Pending p;
  p.by = in.from;
  p.message_id = m.header.message_id;
  p.exchange = m.header.exchange;
  p.first = m.first_inner;
  p.encrypted_bytes = m.encrypted_bytes;
  p.length = m.header.length;
  p.port = in.destination_port;
  p.fragmented = m.fragments > 1 || in.reassembled;
  p.since = p.told = in.at;
  pending_.push_back(p);
  switch (m.header.exchange) {
    case wire::ike_sa_init:
    case wire::ike_session_resume:
      on_init_request(in, sink);
      break;
    case wire::ike_auth:
      ++auth_rounds_;
      if (auth_rounds_ > 1) {  // EAP or a second authentication: what looked like the end was not
        deferred_.cancel(IkeSight::child_refused);
        deferred_.cancel(IkeSight::eap_refused);
        eap_ = eap_ || m.first_inner == wire::v2_eap;
        if (phase_ == SessionPhase::established) phase_ = SessionPhase::authenticating;
        children_ = 0;
        gave_child_ = false;
      }
      break;
    case wire::create_child_sa:
      child_attempt_at_[index(in.from)] = in.at;
      break;
    case wire::informational:
      on_informational_request(in, p, sink);
      break;
    default:
      break;
  }
}

void IkeV2Session::on_init_request(const IkeInput& in, IkeObservationSink& sink) {
  const auto* ke = in.message.find(wire::v2_ke);
  const auto group =
      ke != nullptr ? wire::parse_ke_group_v2(ke->body) : wire::Parsed<std::uint16_t>(wire::ParseError::truncated);
  if (asked_group_ && group && *group == *asked_group_) {
    auto o = make(IkeSight::group_retried, in.from, in);
    o.group = *asked_group_;
    sink.on_observation(o);
    asked_group_.reset();
    return;
  }
  auto o = make(IkeSight::negotiation_started, in.from, in);
  if (group) o.group = *group;
  sink.on_observation(o);
}

void IkeV2Session::on_response(const IkeInput& in, IkeObservationSink& sink) {
  const auto& m = in.message;
  const Side asker = other(in.from);
  // The fragments of one answer (RFC 7383) are one message: wait for the last of them.
  if (m.fragments > 1) {
    if (response_fragments_id_ != m.header.message_id || m.fragment == 1) {
      if (response_fragments_id_ != m.header.message_id) {
        response_fragments_seen_ = 0;
        response_fragments_bytes_ = 0;
        response_fragments_first_.reset();
      }
      response_fragments_id_ = m.header.message_id;
    }
    if (m.first_inner) response_fragments_first_ = m.first_inner;
    ++response_fragments_seen_;
    response_fragments_bytes_ += m.encrypted_bytes;
    if (response_fragments_seen_ < m.fragments) return;
  }
  const Pending* request = find(asker, m.header.message_id);
  const Pending copy = request != nullptr ? *request : Pending{};
  const Pending* asked = request != nullptr ? &copy : nullptr;
  auto& answered = highest_answered_[index(asker)];
  const bool repeated = request == nullptr && answered && m.header.message_id <= *answered;
  if (repeated && m.header.exchange != wire::ike_sa_init) return;
  if (request != nullptr) pending_.erase(pending_.begin() + (request - pending_.data()));
  if (m.header.exchange != wire::ike_sa_init) answered = std::max(answered.value_or(0), m.header.message_id);
  switch (m.header.exchange) {
    case wire::ike_sa_init:
    case wire::ike_session_resume:
      on_init_response(in, asked, sink);
      break;
    case wire::ike_auth:
      on_auth_response(in, asked, sink);
      break;
    case wire::create_child_sa:
      on_child_response(in, asked, sink);
      break;
    case wire::informational:
      on_informational_response(in, asked, sink);
      break;
    default:
      break;
  }
}

void IkeV2Session::on_init_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  const auto& m = in.message;
  if (const auto* sa = m.find(wire::v2_sa); sa != nullptr) {
    const auto proposals = wire::parse_sa_v2(sa->body);
    if (proposals && !proposals->empty()) suite_ = suite_lengths(proposals->front());
    answered_ = true;
    phase_ = SessionPhase::authenticating;
    sink.on_observation(make(IkeSight::init_answered, in.from, in));
    return;
  }
  if (request == nullptr) return;  // an answer to nothing that was seen proves nothing
  for (const auto& payload : m.payloads) {
    if (payload.type == wire::v2_notify) on_init_notify(in, payload, sink);
  }
}

void IkeV2Session::on_init_notify(const IkeInput& in, const wire::IkePayload& payload, IkeObservationSink& sink) {
  const auto notify = wire::parse_notify_v2(payload.body);
  if (!notify) return;
  auto o = make(IkeSight::clear_notify, in.from, in);
  o.notify = notify->type;
  switch (notify->type) {
    case 14:  // NO_PROPOSAL_CHOSEN; a responder that made itself an SPI before it looked has no configuration for us
      o.sight = in.message.header.spi_responder == 0 ? IkeSight::proposal_refused : IkeSight::connection_refused;
      phase_ = SessionPhase::failed;
      break;
    case 17: {  // INVALID_KE_PAYLOAD
      wire::ByteReader data(notify->data);
      o.sight = IkeSight::group_refused;
      o.group = data.u16();
      asked_group_ = o.group;
      break;
    }
    case 16390:
      o.sight = IkeSight::cookie_challenged;
      break;
    case 16407:
      o.sight = IkeSight::redirected;
      phase_ = SessionPhase::ended;
      break;
    case 5:
      o.sight = IkeSight::version_refused;
      phase_ = SessionPhase::failed;
      break;
    case 1:
      o.sight = IkeSight::critical_payload;
      phase_ = SessionPhase::failed;
      break;
    default:
      if (!is_error(notify->type)) return;
      phase_ = SessionPhase::failed;
      break;
  }
  sink.on_observation(o);
}

bool IkeV2Session::is_lone_notify(const IkeInput& in) const {
  if (in.message.first_inner != wire::v2_notify || in.message.fragments > 1) return false;
  const auto inside = plaintext_range(suite_, in.message.encrypted_bytes);
  return inside.least <= kLargestErrorNotify && (suite_ || in.message.encrypted_bytes <= 16 + 16 + 32);
}

// One empty notify and no more: what MOBIKE and NAT detection put behind their first notify does not fit.
bool IkeV2Session::is_smallest_notify(const IkeInput& in) const {
  if (!suite_ || in.message.first_inner != wire::v2_notify || in.message.fragments > 1) return false;
  const auto inside = plaintext_range(suite_, in.message.encrypted_bytes);
  return inside.most < kEmptyNotify + std::max<std::size_t>(suite_->block, 4);
}

void IkeV2Session::establish(const IkeInput& in, IkeObservationSink& sink) {
  phase_ = SessionPhase::established;
  established_at_ = in.at;
  sink.on_observation(make(IkeSight::ike_established, initiator_, in));
}

void IkeV2Session::on_auth_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  const auto& m = in.message;
  const auto first = m.fragments > 1 ? response_fragments_first_ : m.first_inner;
  const std::size_t bytes = m.fragments > 1 ? response_fragments_bytes_ : m.encrypted_bytes;
  if (!m.encrypted) {  // an error in clear: nothing protects it, so it proves little
    for (const auto& payload : m.payloads) {
      if (payload.type == wire::v2_notify) on_init_notify(in, payload, sink);
    }
    return;
  }
  if (phase_ == SessionPhase::failed) return;
  const auto inside = plaintext_range(suite_, bytes);
  if (first == wire::v2_eap) {
    eap_ = true;
    // EAP-Success and EAP-Failure are four bytes each: only what the client does next tells them apart.
    if (inside.least <= 8 && auth_rounds_ > 1) {
      auto o = make(IkeSight::eap_refused, in.from, in);
      o.certainty = Certainty::likely;
      deferred_.add(o, in.at + kEapDoubt);
    }
    return;
  }
  if (is_lone_notify(in)) {
    phase_ = SessionPhase::failed;
    auto o = make(eap_ ? IkeSight::eap_refused : IkeSight::auth_refused, in.from, in);
    o.certainty = suite_ ? Certainty::certain : Certainty::likely;
    if (request != nullptr) o.since = request->since;
    sink.on_observation(o);
    return;
  }
  establish(in, sink);
  judge_first_child(in, inside, sink);
}

// IDr, AUTH, SA, TSi and TSr is the least that brings a child. Without certificates AUTH is as long as the PRF's
// output; what cannot hold the rest carries a notify in its place.
void IkeV2Session::judge_first_child(const IkeInput& in, const PlaintextRange& inside, IkeObservationSink& sink) {
  const std::size_t prf = suite_ ? suite_->prf : 16;
  const std::size_t identity = eap_ ? 0 : kShortestId;  // the last EAP answer brings AUTH alone
  const std::size_t needed = identity + 8 + prf + kShortestChildSa + 2 * kShortestSelectors;
  if (inside.most >= needed) {
    gave_child_ = true;
    children_ = 1;
    sink.on_observation(make(IkeSight::child_established, in.from, in));
    return;
  }
  auto o = make(IkeSight::child_refused, in.from, in);
  o.certainty = suite_ ? Certainty::likely : Certainty::possible;
  deferred_.add(o, in.at + kFirstChildDoubt);
}

void IkeV2Session::on_child_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  const Side asker = other(in.from);
  if (is_lone_notify(in)) {
    auto o = make(children_ > 0 || midway_ ? IkeSight::rekey_refused : IkeSight::child_refused, in.from, in);
    // TEMPORARY_FAILURE answers a collision with a rekey or a deletion of the other side (RFC 7296 section 2.25).
    const auto& theirs = child_attempt_at_[index(in.from)];
    const bool collision = theirs && in.at - *theirs < 2s;
    o.certainty = collision ? Certainty::possible : Certainty::likely;
    deferred_.add(o, in.at + (collision ? 5 * kRekeyDoubt : kRekeyDoubt));
    return;
  }
  deferred_.cancel(IkeSight::rekey_refused);
  deferred_.cancel(IkeSight::child_refused);
  const bool rekeys_child = request != nullptr && request->first == wire::v2_notify;
  if (rekeys_child) {
    child_rekey_at_ = in.at;
    ++children_;
    sink.on_observation(make(IkeSight::child_rekeyed, asker, in));
  } else {
    ike_rekey_at_ = in.at;
    // Either a further child or a new IKE SA; a deletion of this one right behind tells.
    sink.on_observation(make(IkeSight::request_answered, in.from, in));
    if (children_ == 0 && (!midway_ || child_gone_)) {
      child_gone_ = false;
      children_ = 1;
      gave_child_ = true;
      sink.on_observation(make(IkeSight::child_established, asker, in));
    }
  }
}

void IkeV2Session::on_informational_request(const IkeInput& in, const Pending& request, IkeObservationSink& sink) {
  // Who was authenticated says in his next message that he refuses the other: a lone notify, nothing else lives on.
  const bool fresh = established_at_ && in.at - *established_at_ < kRefusalFollows;
  if (fresh && phase_ == SessionPhase::established && in.from == initiator_ && !esp_seen_ && is_smallest_notify(in) &&
      request.message_id == auth_rounds_ + 1U) {
    deferred_.cancel(IkeSight::child_refused);
    auto o = make(IkeSight::auth_refused, in.from, in);
    o.certainty = Certainty::likely;
    deferred_.add(o, in.at + kRefusalDoubt);
    refusal_id_ = request.message_id;
    return;
  }
  if (phase_ == SessionPhase::authenticating && eap_) {
    deferred_.cancel(IkeSight::eap_refused);
    phase_ = SessionPhase::failed;
    auto o = make(IkeSight::eap_refused, other(in.from), in);
    o.certainty = Certainty::likely;
    sink.on_observation(o);
  }
}

void IkeV2Session::on_informational_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  if (phase_ != SessionPhase::established && phase_ != SessionPhase::authenticating) return;
  if (request == nullptr || request->first != wire::v2_delete) {
    sink.on_observation(make(IkeSight::request_answered, in.from, in));
    return;
  }
  // The deletion of an IKE SA is answered by an empty message, that of a child by the deletion of its other half.
  const bool whole = in.message.first_inner.value_or(0) == 0;
  on_deleted(in, request->by, whole, sink);
}

void IkeV2Session::on_deleted(const IkeInput& in, Side by, bool whole_ike_sa, IkeObservationSink& sink) {
  if (!whole_ike_sa) {
    const bool rekeyed = child_rekey_at_ && in.at - *child_rekey_at_ < kRekeyDeletes;
    if (rekeyed) child_rekey_at_.reset();
    if (children_ > 0) --children_;
    if (!rekeyed && children_ == 0) {
      child_gone_ = true;
      auto o = make(IkeSight::child_deleted, by, in);
      if (midway_) o.certainty = Certainty::possible;
      sink.on_observation(o);
    }
    return;
  }
  const bool rekeyed = ike_rekey_at_ && in.at - *ike_rekey_at_ < kRekeyDeletes;
  phase_ = SessionPhase::ended;
  auto o = make(rekeyed ? IkeSight::ike_rekeyed : IkeSight::ike_deleted, by, in);
  if (rekeyed) {
    sink.on_observation(o);
  } else {
    sink.on_observation(make(IkeSight::ike_ended, by, in));
    deferred_.add(o, in.at + kDeleteDoubt);
  }
}

// An SA that was refused is never used again: whatever comes on its SPIs says that it was not.
void IkeV2Session::live_on(TimePoint now, IkeObservationSink& sink) {
  if (!refusal_id_) return;
  refusal_id_.reset();
  deferred_.cancel(IkeSight::auth_refused);
  if (phase_ != SessionPhase::failed) return;
  phase_ = SessionPhase::established;
  IkeObservation o;
  o.sight = IkeSight::ike_established;
  o.by = initiator_;
  o.version = 2;
  o.at = o.since = now;
  sink.on_observation(o);
}

void IkeV2Session::on_esp(TimePoint now, Side, IkeObservationSink& sink) {
  esp_seen_ = true;
  if (established_at_ && now > *established_at_) live_on(now, sink);
  if (!deferred_.has(IkeSight::child_refused) || !established_at_ || now < *established_at_) return;
  deferred_.cancel(IkeSight::child_refused);
  children_ = std::max(children_, 1);
  IkeObservation o;
  o.sight = IkeSight::child_established;
  o.by = initiator_;
  o.version = 2;
  o.at = o.since = now;
  sink.on_observation(o);
}

void IkeV2Session::tell_unanswered(Pending& p, TimePoint now, IkeObservationSink& sink) {
  p.told = now;
  IkeObservation o;
  o.by = p.by;
  o.version = 2;
  o.exchange = p.exchange;
  o.sends = p.sends;
  o.port = p.port;
  o.length = p.length;
  o.fragmented = p.fragmented;
  o.at = now;
  o.since = p.since;
  switch (p.exchange) {
    case wire::ike_sa_init:
    case wire::ike_session_resume:
      o.sight = IkeSight::init_unanswered;
      break;
    case wire::ike_intermediate:
    case wire::ike_auth:
      o.sight = auth_rounds_ > 1 && eap_ ? IkeSight::eap_unanswered : IkeSight::auth_unanswered;
      break;
    default:
      o.sight = IkeSight::request_unanswered;
      break;
  }
  sink.on_observation(o);
}

void IkeV2Session::advance(TimePoint now, IkeObservationSink& sink) {
  const bool refusal_waits = deferred_.has(IkeSight::auth_refused);
  deferred_.advance(now, sink);
  if (refusal_waits && !deferred_.has(IkeSight::auth_refused)) phase_ = SessionPhase::failed;
  if (phase_ == SessionPhase::ended || phase_ == SessionPhase::failed) return;
  for (std::size_t i = pending_.size(); i-- > 0;) {
    Pending& p = pending_[i];
    if (now - p.since > kForget) {
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (now >= next_tell(p) && now - p.since < kTellFor) {
      tell_unanswered(p, now, sink);
    }
  }
}

TimePoint IkeV2Session::next_tell(const Pending& p) { return p.told + (p.told == p.since ? kFirstTell : kTellEvery); }

TimePoint IkeV2Session::due() const {
  TimePoint first = deferred_.due();
  if (phase_ == SessionPhase::ended || phase_ == SessionPhase::failed) return first;
  for (const Pending& p : pending_) {
    const bool still_told = next_tell(p) - p.since < kTellFor;
    first = std::min(first, still_told ? next_tell(p) : p.since + kForget);
  }
  return first;
}

}  // namespace tunnelwatch::passive
