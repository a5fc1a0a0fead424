#include "probes/passive/ike_v2_session.h"

#include "probes/passive/ike_v2_times.h"
#include "probes/wire/ike_payloads.h"

#include <algorithm>

// The first exchange and the book of requests; what IKE_AUTH brings is in ike_v2_auth.cpp, what follows it in
// ike_v2_life.cpp.
namespace tunnelwatch::passive {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t kUsePpk = 16435;

bool is_error(std::uint16_t notify) { return notify < 16384; }

bool has_notify(const wire::IkeMessage& m, std::uint16_t type) {
  return std::any_of(m.payloads.begin(), m.payloads.end(), [&](const wire::IkePayload& payload) {
    if (payload.type != wire::v2_notify) return false;
    const auto notify = wire::parse_notify_v2(payload.body);
    return notify && notify->type == type;
  });
}

bool is_first_exchange(std::uint8_t exchange) {
  return exchange == wire::ike_sa_init || exchange == wire::ike_session_resume;
}

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

IkeV2Session::Pending IkeV2Session::pending_of(const IkeInput& in) const {
  const auto& m = in.message;
  Pending p;
  p.by = in.from;
  p.message_id = m.header.message_id;
  p.exchange = m.header.exchange;
  p.first = m.first_inner;
  p.encrypted_bytes = m.encrypted_bytes;
  p.length = m.header.length;
  p.port = in.destination_port;
  p.fragmented = m.fragments > 1 || in.reassembled;
  p.since = p.last = p.told = in.at;
  return p;
}

void IkeV2Session::on_message(const IkeInput& in, IkeObservationSink& sink) {
  last_seen_ = in.at;
  leftover_ = false;
  const auto& h = in.message.header;
  if (spi_changes(in, sink)) return;
  const bool aside = !in.message.encrypted && !is_first_exchange(h.exchange) && h.exchange != wire::ike_auth;
  if (aside) return on_clear_word(in, sink);
  if (is_use_of_a_living_sa(in)) live_on(in.at, sink);
  if (h.spi_responder != 0 && (h.is_response() || h.exchange != wire::ike_sa_init)) spi_responder_ = h.spi_responder;
  // A session that the capture joins later says at least that it lives.
  if (phase_ == SessionPhase::init && !is_first_exchange(h.exchange)) {
    midway_ = !answered_;
    const bool authenticating = h.exchange == wire::ike_auth || h.exchange == wire::ike_intermediate;
    phase_ = authenticating ? SessionPhase::authenticating : SessionPhase::established;
    if (!authenticating && midway_) sink.on_observation(make(IkeSight::ike_resumed_midway, in.from, in));
  }
  const bool behind_authentication = !is_first_exchange(h.exchange) && h.exchange != wire::ike_auth;
  if (behind_authentication && !h.is_response()) {
    // The SA is used, so that answer was the last one, and what it had no room for is missing.
    if (provisional_ && provisional_->child && suite_ && !answer_cut_)
      provisional_->child->certainty = std::max(provisional_->child->certainty, Certainty::likely);
    settle_authentication(in.at, /*traffic=*/false, sink);
    if (is_past_authentication(in)) join(in.from, in.at, sink);
  }
  if (h.is_response()) {
    on_response(in, sink);
  } else {
    on_request(in, sink);
  }
}

// One negotiation has one pair of SPIs. A responder that answers again under another one has lost its state, or two
// responders answer.
bool IkeV2Session::spi_changes(const IkeInput& in, IkeObservationSink& sink) {
  const auto& h = in.message.header;
  const bool changed = answered_ && h.spi_responder != 0 && spi_responder_ != 0 && h.spi_responder != spi_responder_;
  if (changed) sink.on_observation(make(IkeSight::spi_changed, in.from, in));
  return changed;
}

void IkeV2Session::on_repetition(const IkeInput& in, Pending& p, IkeObservationSink& sink) {
  const auto& m = in.message;
  const bool changed_offer = m.header.exchange == wire::ike_sa_init && p.length != m.header.length;
  if (changed_offer) {
    p = pending_of(in);
    on_init_request(in, sink);
    return;
  }
  if (m.fragments > 1) {
    auto& train = requests_[index(in.from)];
    const auto piece = train.add(m.header.message_id, m.fragment, m.fragments, m.encrypted_bytes, m.first_inner);
    p.first = train.first_inner();
    p.encrypted_bytes = train.bytes();
    if (piece != FragmentTrain::Piece::repeated || !train.began_with(m.fragment)) return;
  }
  if (in.at - p.since > kForget) {  // of another life, or the capture's clock was set
    p = pending_of(in);
    return;
  }
  ++p.sends;
  p.last = in.at;
  if (phase_ != SessionPhase::failed) tell_unanswered(p, in.at, sink);
}

void IkeV2Session::on_request(const IkeInput& in, IkeObservationSink& sink) {
  const auto& m = in.message;
  if (Pending* p = find(in.from, m.header.message_id); p != nullptr && p->exchange == m.header.exchange)
    return on_repetition(in, *p, sink);
  if (m.header.exchange != wire::ike_sa_init && answered_requests_[index(in.from)].contains(m.header.message_id))
    return;  // a late repetition
  // With a window of one a new request says that the one before was answered, also where that answer was not captured.
  for (std::size_t i = pending_.size(); i-- > 0;) {
    const bool overtaken = pending_[i].by == in.from && pending_[i].message_id < m.header.message_id;
    if (!overtaken) continue;
    if (pending_[i].sends > 1 && !is_first_exchange(pending_[i].exchange) && pending_[i].exchange != wire::ike_auth)
      sink.on_observation(make(IkeSight::request_answered, other(in.from), in));
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (pending_.size() == kWindow) pending_.erase(pending_.begin());
  pending_.push_back(pending_of(in));
  if (m.fragments > 1) {
    requests_[index(in.from)].add(m.header.message_id, m.fragment, m.fragments, m.encrypted_bytes, m.first_inner);
    if (m.fragments > FragmentTrain::kMost) {
      auto o = make(IkeSight::many_fragments, in.from, in);
      o.sends = m.fragments;
      sink.on_observation(o);
    }
  }
  const Pending request = pending_.back();
  const bool authenticates = m.header.exchange == wire::ike_auth || m.header.exchange == wire::ike_intermediate;
  if (authenticates) deferred_.cancel(IkeSight::auth_refused);
  switch (m.header.exchange) {
    case wire::ike_sa_init:
    case wire::ike_session_resume:
      return on_init_request(in, sink);
    case wire::ike_auth:
      return on_auth_request(in, sink);
    case wire::create_child_sa:
      deferred_.cancel(IkeSight::rekey_refused);  // another try at once: it was asked for another group
      child_attempt_at_[index(in.from)] = in.at;
      return;
    case wire::informational:
      return on_informational_request(in, request, sink);
    default:
      return;
  }
}

void IkeV2Session::on_init_request(const IkeInput& in, IkeObservationSink& sink) {
  offered_groups_.clear();
  if (const auto* sa = in.message.find(wire::v2_sa); sa != nullptr) {
    const auto proposals = wire::parse_sa_v2(sa->body);
    for (std::size_t i = 0; proposals && i < proposals->size(); ++i) {
      for (const auto& t : (*proposals)[i].transforms) {
        if (t.type == wire::transform_key_exchange && offered_groups_.size() < offered_groups_.capacity())
          offered_groups_.push_back(t.id);
      }
    }
  }
  ppk_asked_ = has_notify(in.message, kUsePpk);
  const auto* ke = in.message.find(wire::v2_ke);
  const auto group =
      ke != nullptr ? wire::parse_ke_group_v2(ke->body) : wire::Parsed<std::uint16_t>(wire::ParseError::truncated);
  auto o = make(IkeSight::negotiation_started, in.from, in);
  if (group) o.group = *group;
  if (asked_group_ && group && *group == *asked_group_) {
    o.sight = IkeSight::group_retried;
    asked_group_.reset();
    deferred_.cancel(IkeSight::group_abandoned);
    sink.on_observation(o);
  } else if (!started_) {
    sink.on_observation(o);
  }
  started_ = true;
  if (!group || offered_groups_.empty() || is_offered(*group)) return;
  o.sight = IkeSight::group_inconsistent;
  sink.on_observation(o);
}

bool IkeV2Session::is_offered(std::uint16_t group) const {
  // A list that is full may have gone on.
  return offered_groups_.size() == offered_groups_.capacity() ||
         std::find(offered_groups_.begin(), offered_groups_.end(), group) != offered_groups_.end();
}

void IkeV2Session::on_response(const IkeInput& in, IkeObservationSink& sink) {
  const auto& m = in.message;
  const Side asker = other(in.from);
  // The fragments of one answer (RFC 7383) are one message: wait for the last of them.
  if (m.fragments > 1) {
    const auto piece =
        responses_[index(in.from)].add(m.header.message_id, m.fragment, m.fragments, m.encrypted_bytes, m.first_inner);
    if (piece != FragmentTrain::Piece::completes) return;
  }
  const Pending* request = find(asker, m.header.message_id);
  const Pending copy = request != nullptr ? *request : Pending{};
  const Pending* asked = request != nullptr ? &copy : nullptr;
  auto& answered = answered_requests_[index(asker)];
  if (m.header.exchange != wire::ike_sa_init) {
    if (request == nullptr && answered.contains(m.header.message_id)) return;
    answered.add(m.header.message_id);
  }
  if (request != nullptr) pending_.erase(pending_.begin() + (request - pending_.data()));
  if (const auto& train = requests_[index(asker)]; m.header.exchange == wire::ike_auth && auth_rounds_ == 1 &&
                                                   asked != nullptr && asked->fragmented && train.total() > 1) {
    first_auth_bytes_ = train.bytes();
    first_auth_fragments_ = train.total();
  }
  const bool inside_sa = m.header.exchange == wire::create_child_sa || m.header.exchange == wire::informational;
  if (inside_sa) sink.on_observation(make(IkeSight::request_answered, in.from, in));
  if (inside_sa && phase_ == SessionPhase::established) judge_lack(in.at, sink);
  switch (m.header.exchange) {
    case wire::ike_sa_init:
    case wire::ike_session_resume:
      return on_init_response(in, asked, sink);
    case wire::ike_auth:
      return on_auth_response(in, asked, sink);
    case wire::create_child_sa:
      return on_child_response(in, asked, sink);
    case wire::informational:
      return on_informational_response(in, asked, sink);
    default:
      return;
  }
}

void IkeV2Session::on_init_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  const auto& m = in.message;
  if (phase_ != SessionPhase::init && phase_ != SessionPhase::failed) return;  // a late repetition
  const auto* sa = m.find(wire::v2_sa);
  // A resumed SA (RFC 5723) keeps the suite that was chosen before the capture began: unknown.
  const bool resumed = m.header.exchange == wire::ike_session_resume && m.find(wire::v2_nonce) != nullptr;
  if (sa != nullptr || resumed) return accept_offer(in, sa, sink);
  if (request == nullptr) return;  // an answer to nothing that was seen proves nothing
  for (const auto& payload : m.payloads) {
    if (payload.type == wire::v2_notify) on_init_notify(in, payload, sink);
  }
}

void IkeV2Session::accept_offer(const IkeInput& in, const wire::IkePayload* sa, IkeObservationSink& sink) {
  if (sa != nullptr) {
    const auto proposals = wire::parse_sa_v2(sa->body);
    if (proposals && !proposals->empty()) suite_ = suite_lengths(proposals->front());
  }
  constexpr std::uint16_t kChildlessSupported = 16418;
  childless_known_ = childless_known_ || has_notify(in.message, kChildlessSupported);
  answer_cut_ = in.message.cut;
  // Who must have a further key that the other end does not know of stops here (RFC 8784 section 3).
  if (ppk_asked_ && !answer_cut_ && !has_notify(in.message, kUsePpk)) {
    auto o = make(IkeSight::auth_refused, initiator_, in);
    o.certainty = Certainty::possible;
    deferred_.add(o, in.at + kPpkDoubt);
  }
  answered_ = true;
  negotiated_at_ = in.at;
  phase_ = SessionPhase::authenticating;
  asked_group_.reset();
  deferred_.cancel(IkeSight::group_abandoned);
  sink.on_observation(make(IkeSight::init_answered, in.from, in));
}

// Outside the protection of the SA: INVALID_IKE_SPI of a peer that lost it, or anybody's forgery. It changes nothing.
void IkeV2Session::on_clear_word(const IkeInput& in, IkeObservationSink& sink) {
  for (const auto& payload : in.message.payloads) {
    const auto notify = payload.type == wire::v2_notify ? wire::parse_notify_v2(payload.body)
                                                        : wire::Parsed<wire::IkeNotify>(wire::ParseError::truncated);
    if (!notify || !is_error(notify->type)) continue;
    auto o = make(IkeSight::clear_notify, in.from, in);
    o.notify = notify->type;
    o.certainty = Certainty::possible;
    sink.on_observation(o);
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
      o.offered = is_offered(o.group);
      asked_group_ = o.group;
      auto abandoned = o;
      abandoned.sight = IkeSight::group_abandoned;
      abandoned.by = initiator_;
      deferred_.add(abandoned, in.at + kGroupDoubt);
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
    case 24:
      o.sight = IkeSight::auth_refused;
      o.certainty = Certainty::likely;  // in clear: nothing protects it
      phase_ = SessionPhase::failed;
      break;
    default:
      if (!is_error(notify->type)) return;
      phase_ = SessionPhase::failed;
      break;
  }
  sink.on_observation(o);
}

}  // namespace tunnelwatch::passive
