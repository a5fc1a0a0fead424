#include "probes/passive/ike_v2_session.h"
#include "probes/passive/ike_v2_times.h"

#include <algorithm>
#include <utility>

// An IKE SA that stands: its children, rekeys, liveness, deletions, and silences.
namespace tunnelwatch::passive {

void IkeV2Session::on_child_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  if (is_lone_notify(in)) return on_refused_child(in, request);
  const Side asker = other(in.from);
  forget_refused_children();
  if (midway_ && children_ == 0 && !child_gone_) ++children_;  // that were there before the capture began
  ++children_;
  const bool replaces = deferred_.has(IkeSight::child_deleted);
  deferred_.cancel(IkeSight::child_deleted);
  if (request != nullptr && request->first == wire::v2_notify) {
    child_rekey_at_ = in.at;
    rekeys_taken_[index(in.from)] = true;
    sink.on_observation(make(IkeSight::child_rekeyed, asker, in));
    return;
  }
  // A further child, a rekey by a stack that names the old SA later, or a new IKE SA: a deletion right behind tells.
  rekeys_cross_ = ike_rekey_at_ && in.at - *ike_rekey_at_ < kRekeysCross;
  ike_rekey_at_ = in.at;
  rekey_asked_unseen_ = request == nullptr;
  if (children_ > 1 || (midway_ && !child_gone_)) return;
  child_gone_ = false;
  sink.on_observation(make(replaces ? IkeSight::child_replaced : IkeSight::child_established, asker, in));
}

void IkeV2Session::forget_refused_children() {
  for (const IkeSight sight : {IkeSight::rekey_refused, IkeSight::rekey_unknown, IkeSight::child_refused})
    deferred_.cancel(sight);
}

void IkeV2Session::on_refused_child(const IkeInput& in, const Pending* request) {
  const auto inside = plaintext_range(suite_, in.message.encrypted_bytes);
  const bool rekeys = request != nullptr && request->first == wire::v2_notify;
  const bool not_found = rekeys && suite_ && suite_->block == 1 && inside.most == kChildNotFound;
  const auto sight = not_found                  ? IkeSight::rekey_unknown
                     : children_ > 0 || midway_ ? IkeSight::rekey_refused
                                                : IkeSight::child_refused;
  auto o = make(sight, in.from, in);
  // TEMPORARY_FAILURE answers a collision with a rekey or a deletion of the other side (RFC 7296 section 2.25), seen
  // here or about to begin. Who took such a rekey before does not refuse the proposal; of an SA whose beginning was not
  // captured nobody knows whether he did.
  const auto& theirs = child_attempt_at_[index(in.from)];
  const bool taken_before = rekeys && !not_found && (midway_ || rekeys_taken_[index(in.from)]);
  const bool collision = taken_before || (theirs && in.at - *theirs < 2s);
  o.certainty = collision ? Certainty::possible : Certainty::likely;
  deferred_.add(o, in.at + (collision ? 5 * kRekeyDoubt : kRekeyDoubt));
}

void IkeV2Session::on_informational_request(const IkeInput& in, const Pending& request, IkeObservationSink& sink) {
  // Who was authenticated says in his next message that he refuses the other: a lone notify, nothing else lives on.
  const bool fresh = established_at_ && in.at - *established_at_ < kRefusalFollows;
  if (fresh && phase_ == SessionPhase::established && in.from == initiator_ && !esp_seen_ && is_smallest_notify(in) &&
      auth_rounds_ > 0 && request.message_id == last_auth_id_ + 1) {
    deferred_.cancel(IkeSight::child_refused);
    auto o = make(IkeSight::auth_refused, in.from, in);
    o.certainty = Certainty::likely;
    o.certificate = true;  // a key that differs is found by who answers, not by who asks
    deferred_.add(o, in.at + kRefusalDoubt);
    refusal_id_ = request.message_id;
    return;
  }
  // The client's next message is no IKE_AUTH: it was refused. A gap in the numbers says that the capture lacks some.
  const bool ends_eap = in.from == initiator_ && request.message_id == last_auth_id_ + 1;
  if (phase_ == SessionPhase::authenticating && eap_ && ends_eap) {
    refusal_id_ = request.message_id;
    deferred_.cancel(IkeSight::eap_refused);
    phase_ = SessionPhase::failed;
    auto o = make(IkeSight::eap_refused, other(in.from), in);
    o.certainty = Certainty::likely;
    sink.on_observation(o);
  }
}

void IkeV2Session::on_informational_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink) {
  if (phase_ != SessionPhase::established && phase_ != SessionPhase::authenticating) return;
  if (request == nullptr || request->first != wire::v2_delete) return;
  // The deletion of an IKE SA is answered by an empty message, that of a child by the deletion of its other half.
  if (in.message.first_inner.value_or(0) == 0) {
    delete_id_ = request->message_id;
    on_ike_deleted(in, request->by, sink);
  } else {
    on_child_deleted(in, request->by, sink);
  }
}

void IkeV2Session::on_child_deleted(const IkeInput& in, Side by, IkeObservationSink& sink) {
  const auto recent = [&](const std::optional<TimePoint>& at) { return at && in.at - *at < kRekeyDeletes; };
  if (children_ > 0) --children_;
  if (recent(child_rekey_at_)) {
    child_rekey_at_.reset();
    return;
  }
  if (recent(ike_rekey_at_)) {
    ike_rekey_at_.reset();
    if (!rekey_asked_unseen_) sink.on_observation(make(IkeSight::child_replaced, by, in));
    return;
  }
  if (children_ > 0) return;
  child_gone_ = true;
  child_gone_at_ = in.at;
  auto o = make(IkeSight::child_deleted, by, in);
  if (midway_) o.certainty = Certainty::possible;
  deferred_.add(o, in.at + kDeleteDoubt);
}

void IkeV2Session::on_ike_deleted(const IkeInput& in, Side by, IkeObservationSink& sink) {
  const bool rekeyed = ike_rekey_at_ && in.at - *ike_rekey_at_ < kRekeyDeletes;
  phase_ = SessionPhase::ended;
  deleted_by_ = by;
  auto o = make(rekeyed ? IkeSight::ike_rekeyed : IkeSight::ike_deleted, by, in);
  if (rekeyed) {
    // What was refused under it meanwhile was refused because of that (TEMPORARY_FAILURE, RFC 7296 section 2.25), or
    // is asked for again under its successor.
    forget_refused_children();
    sink.on_observation(o);
  } else {
    sink.on_observation(make(IkeSight::ike_ended, by, in));
    deferred_.add(o, in.at + kDeleteDoubt);
  }
}

// An SA that was refused or deleted is never used again. A request that is not part of that says it was not; two
// children deleted at once, for one, are answered like an IKE SA (RFC 7296 section 1.4.1).
bool IkeV2Session::is_use_of_a_living_sa(const IkeInput& in) const {
  const auto& h = in.message.header;
  if (h.exchange == wire::ike_auth || h.exchange == wire::ike_sa_init) return false;
  if (refusal_id_) return !(h.is_response() && h.message_id == *refusal_id_);
  if (!delete_id_ || phase_ != SessionPhase::ended) return false;
  const bool of_child = h.message_id == *delete_id_ && in.message.first_inner == wire::v2_delete;  // answered late
  if (h.is_response()) return of_child;
  return in.message.first_inner.value_or(0) != wire::v2_delete &&
         !(in.from == deleted_by_ && h.message_id <= *delete_id_);
}

bool IkeV2Session::unused_since(TimePoint now) const {
  const auto completed = provisional_ ? std::optional(provisional_->established.at) : established_at_;
  return completed && now >= *completed && now - *completed < kAbandons && last_seen_ <= *completed && !esp_seen_;
}

void IkeV2Session::live_on(TimePoint now, IkeObservationSink& sink) {
  const bool ended = delete_id_ && phase_ == SessionPhase::ended;
  const bool refused = refusal_id_.has_value();
  if (!ended && !refused) return;
  refusal_id_.reset();
  delete_id_.reset();
  deferred_.cancel(IkeSight::auth_refused);
  deferred_.cancel(IkeSight::ike_deleted);
  if (phase_ != SessionPhase::failed && !ended) return;
  phase_ = SessionPhase::established;
  children_ = std::max(children_, 1);
  IkeObservation o;
  o.sight = IkeSight::ike_lives_on;
  o.by = initiator_;
  o.version = 2;
  o.at = o.since = now;
  sink.on_observation(o);
}

// Authenticated without being seen: fragments of IKE_AUTH are the first that a capture filtered by ports lacks. Who was
// not authenticated yet asks for nothing else, and the responder asks for nothing at all.
bool IkeV2Session::is_past_authentication(const IkeInput& in) const {
  const auto& h = in.message.header;
  if (phase_ != SessionPhase::authenticating) return false;
  if (h.exchange != wire::create_child_sa && h.exchange != wire::informational) return false;
  return h.exchange == wire::create_child_sa || in.from != initiator_ || h.message_id > last_auth_id_ + 1;
}

bool IkeV2Session::is_authenticated_unseen(TimePoint now, Side from) {
  const bool waits =
      std::any_of(pending_.begin(), pending_.end(), [](const Pending& p) { return p.exchange == wire::ike_auth; });
  if (phase_ != SessionPhase::authenticating || !negotiated_at_ || waits) return false;
  if (now - *negotiated_at_ < kAfterDeletion) return false;  // of an SA before
  esp_ways_[index(from)] = true;
  return esp_ways_[0] && esp_ways_[1];
}

void IkeV2Session::join(Side by, TimePoint now, IkeObservationSink& sink) {
  midway_ = true;
  phase_ = SessionPhase::established;
  deferred_.cancel(IkeSight::eap_refused);
  deferred_.cancel(IkeSight::auth_refused);
  std::erase_if(pending_, [](const Pending& p) { return p.exchange == wire::ike_auth; });
  IkeObservation o;
  o.sight = IkeSight::ike_resumed_midway;
  o.by = by;
  o.version = 2;
  o.at = o.since = now;
  sink.on_observation(o);
}

void IkeV2Session::on_esp(TimePoint now, Side from, bool alone, IkeObservationSink& sink) {
  esp_seen_ = true;
  esp_at_ = now;
  settle_authentication(now, /*traffic=*/true, sink);
  if (alone && is_authenticated_unseen(now, from)) join(from, now, sink);
  // Of children that were made unseen: what comes this long behind the last deletion belongs to one of them.
  const bool another = child_gone_ && children_ == 0 && from == Side::remote && now - child_gone_at_ > kAfterDeletion;
  if (another) child_gone_ = false;
  if (std::exchange(lack_told_, false) || another) {
    children_ = 1;
    IkeObservation o;
    o.sight = IkeSight::child_established;
    o.by = initiator_;
    o.version = 2;
    o.at = o.since = now;
    sink.on_observation(o);
  }
  if (refusal_id_) live_on(now, sink);
}

void IkeV2Session::tell_unanswered(Pending& p, TimePoint now, IkeObservationSink& sink) {
  p.told = now;
  if (p.deletes()) return;  // many an end forgets the SA and answers nothing: see tell_lone_deletion()
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

// A deletion that nobody answers is one all the same, where nothing follows on these SPIs: of the IKE SA or of a child.
bool IkeV2Session::tell_lone_deletion(const Pending& p, TimePoint now, IkeObservationSink& sink) {
  if (!p.deletes() || phase_ != SessionPhase::established) return false;
  if (now - p.since < kDeleteUnanswered || last_seen_ > p.last) return false;
  if (esp_at_ && *esp_at_ > p.since + kDeleteDoubt) return false;
  phase_ = SessionPhase::ended;
  deleted_by_ = p.by;
  delete_id_ = p.message_id;
  IkeObservation o;
  o.sight = IkeSight::ike_deleted;
  o.by = p.by;
  o.certainty = Certainty::likely;
  o.version = 2;
  o.exchange = p.exchange;
  o.port = p.port;
  o.length = p.length;
  o.at = o.since = p.since;
  sink.on_observation(o);
  return true;
}

void IkeV2Session::finish(TimePoint last, IkeObservationSink& sink) {
  for (const Pending& p : pending_) {
    if (tell_lone_deletion(p, TimePoint::max(), sink)) break;
  }
  deferred_.cancel(IkeSight::group_abandoned);  // the file ends before the retry
  if (phase_ == SessionPhase::authenticating && deferred_.due() > last) deferred_.cancel(IkeSight::auth_refused);
  // What a further round of EAP would deny is but possible where the file leaves that round no time.
  if (provisional_ && provisional_->child && last < provisional_->due)
    provisional_->child->certainty = std::min(provisional_->child->certainty, Certainty::possible);
  if (deferred_.due() > last) deferred_.cancel(IkeSight::eap_refused);
  settle_authentication(TimePoint::max(), /*traffic=*/false, sink);
  deferred_.advance(TimePoint::max(), sink);
}

void IkeV2Session::advance(TimePoint now, IkeObservationSink& sink) {
  if (provisional_ && now >= provisional_->due) settle_authentication(now, /*traffic=*/false, sink);
  const bool refusal_waits = deferred_.has(IkeSight::auth_refused);
  deferred_.advance(now, sink);
  if (refusal_waits && !deferred_.has(IkeSight::auth_refused)) phase_ = SessionPhase::failed;
  if (phase_ == SessionPhase::ended || phase_ == SessionPhase::failed) return;
  for (std::size_t i = pending_.size(); i-- > 0;) {
    Pending& p = pending_[i];
    if (tell_lone_deletion(p, now, sink)) return;
    if (now - p.since > kForget) {
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (now >= next_tell(p) && now - p.since < kTellFor) {
      tell_unanswered(p, now, sink);
    }
  }
}

TimePoint IkeV2Session::next_tell(const Pending& p) {
  return p.told + (p.told == p.since ? kFirstTell : tell_again_after(p.told - p.since));
}

TimePoint IkeV2Session::due() const {
  TimePoint first = deferred_.due();
  if (provisional_) first = std::min(first, provisional_->due);
  if (phase_ == SessionPhase::ended || phase_ == SessionPhase::failed) return first;
  for (const Pending& p : pending_) {
    const bool still_told = next_tell(p) - p.since < kTellFor;
    first = std::min(first, still_told ? next_tell(p) : p.since + kForget);
    if (p.first == wire::v2_delete) first = std::min(first, p.since + kDeleteUnanswered);
  }
  return first;
}

}  // namespace tunnelwatch::passive
