#include "probes/passive/ike_v1_session.h"

#include <algorithm>

// What is encrypted behind phase 1: quick modes, and informational messages whose meaning shows by size and rhythm
// only. Nobody acknowledges a deletion; liveness (RFC 3706) is asked a second or more apart and answered in kind.
namespace tunnelwatch::passive {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAuthDoubt = 900ms;
constexpr Duration kGoesOn = 1400ms;        // some stacks begin quick mode a second behind phase 1
constexpr Duration kQuickDoubt = 500ms;     // quick mode 2 may still follow an informational that meant something else
constexpr Duration kQuickRefusal = 2s;      // a refusal comes this soon, or it is about something else
constexpr Duration kDeleteBurst = 200ms;    // between the deletes of a child and of its ISAKMP SA
constexpr Duration kDeletesSettle = 700ms;  // nothing more comes behind them
constexpr Duration kAloneSettles = 2s;      // behind a lone deletion of the ISAKMP SA

// Payloads inside an encrypted informational message, generic headers included (RFC 2408, RFC 3706).
constexpr std::size_t kHashHeader = 4;
constexpr std::size_t kLiveness = 32;  // a notify with both cookies and a sequence number
constexpr std::size_t kDeleteIsakmp = 28;
constexpr std::size_t kDeleteChild = 16;

}  // namespace

void IkeV1Session::on_informational(const IkeInput& in, IkeObservationSink& sink) {
  if (phase_ == SessionPhase::init || phase_ == SessionPhase::authenticating) {
    if (judge_phase1_informational(in, sink)) return;
  }
  if (phase_ != SessionPhase::established) return;
  Informational& theirs = open_[index(other(in.from))];
  if (theirs.questions > 0) {  // an answer to what the other side asked: both live
    theirs = Informational{};
    sink.on_observation(make(IkeSight::request_answered, in.from, in));
    return;
  }
  if (refuses_peer(in) || refuses_quick(in) || confirms_quick(in)) return;
  if (deferred_.has(IkeSight::xauth_refused)) {
    deferred_.advance(TimePoint::max(), sink);
    phase_ = SessionPhase::failed;
    return;
  }
  note_informational(in, sink);
}

// True where it belongs to a phase 1 that goes on, or ends with it.
bool IkeV1Session::judge_phase1_informational(const IkeInput& in, IkeObservationSink& sink) {
  const bool answers_auth = is_main() && waiting_ && waiting_->step == 5 && in.from != waiting_->by;
  const bool refuses_aggressive = !is_main() && waiting_ && waiting_->step == 2 && in.from == initiator_;
  if (answers_auth) {
    if (!answered_by_informational_) deferred_.add(refused_auth(in), in.at + kAuthDoubt);
    answered_by_informational_ = true;
    return true;
  }
  if (refuses_aggressive) {
    phase_ = SessionPhase::failed;
    sink.on_observation(refused_auth(in));
    return true;
  }
  if (mode_ != 0) return true;
  phase_ = SessionPhase::established;  // the capture joins a living SA
  midway_ = true;
  sink.on_observation(make(IkeSight::ike_resumed_midway, in.from, in));
  return false;
}

// Who was authenticated by message 6 goes on with quick mode or XAuth; a lone informational in their place says that he
// refuses the other's certificate or identity. After a reauthentication his children may live on from the SA before,
// and he says what becomes of them.
bool IkeV1Session::refuses_peer(const IkeInput& in) {
  const bool fresh = is_main() && established_at_ && in.at - *established_at_ < kGoesOn && !midway_;
  if (!fresh || in.sibling_lives || in.from != initiator_ || !quick_.empty() || transactions_ > 0 || children_ > 0)
    return false;
  auto o = refused_auth(in);
  o.certificate = true;
  o.exchange = wire::v1_identity_protection;
  deferred_.add(o, in.at + kGoesOn);
  return true;
}

// A quick mode that waits is what an informational of the other side right behind it most likely speaks of.
bool IkeV1Session::refuses_quick(const IkeInput& in) {
  if (deferred_.has(IkeSight::child_refused) || deferred_.has(IkeSight::rekey_refused)) return false;
  for (Quick& q : quick_) {
    if (q.step != 1 || q.by == in.from || q.uncertain || in.at - q.last > kQuickRefusal) continue;
    q.refused = true;
    auto o = make(children_ > 0 ? IkeSight::rekey_refused : IkeSight::child_refused, in.from, in);
    o.exchange = wire::v1_quick;
    o.certainty = Certainty::likely;
    deferred_.add(o, in.at + kQuickDoubt);
    return true;
  }
  return false;
}

// CONNECTED: what the commit bit of quick mode asked to be waited for.
bool IkeV1Session::confirms_quick(const IkeInput& in) {
  const auto q = std::find_if(quick_.begin(), quick_.end(), [&](const Quick& x) {
    return x.commit && x.step == 3 && x.by != in.from && in.at - x.last < kQuickRefusal;
  });
  if (q == quick_.end()) return false;
  q->commit = false;
  return true;
}

void IkeV1Session::note_informational(const IkeInput& in, IkeObservationSink& sink) {
  const auto inside = plaintext_range_v1(suite_, in.message.encrypted_bytes);
  const std::size_t hash = kHashHeader + (suite_ ? suite_->prf : 20);
  const auto fits = [&](std::size_t payload) {
    return !suite_ || (hash + payload >= inside.least && hash + payload <= inside.most);
  };
  Informational& mine = open_[index(in.from)];
  const bool follows = mine.burst > 0 && in.at - mine.last < kDeleteBurst;
  mine.burst = follows ? static_cast<std::uint16_t>(mine.burst + 1) : std::uint16_t{1};
  mine.had_child = children_ > 0;
  mine.may_end = (follows && mine.may_end) || fits(kDeleteIsakmp);
  mine.deletes = !follows && suite_ && !fits(kLiveness) && (fits(kDeleteChild) || fits(kDeleteIsakmp));
  mine.isakmp_only = mine.deletes && !fits(kDeleteChild);
  mine.last = in.at;
  mine.port = in.destination_port;
  mine.length = in.message.header.length;
  if (follows) {
    mine.questions = 0;  // nobody asks for liveness twice at once
    return;
  }
  if (!fits(kLiveness)) return;
  if (mine.questions++ == 0) mine.since = in.at;
  if (mine.questions < 2) return;
  auto o = unanswered(IkeSight::request_unanswered, in.from, mine.questions, mine.since, in.at);
  o.exchange = in.message.header.exchange;
  o.port = mine.port;
  o.length = mine.length;
  sink.on_observation(o);
}

void IkeV1Session::judge_deletes(TimePoint now, Side side, IkeObservationSink& sink) {
  Informational& open = open_[index(side)];
  if (open.burst == 0 || phase_ != SessionPhase::established) return;
  const Duration since = now - open.last;
  const auto& traffic = esp_at_[index(side)];
  const bool flows = traffic && *traffic > open.last + kDeleteBurst;
  // A lone deletion where a later ISAKMP SA stands is of this one, whose children go on under that.
  if (succeeded_ && open.burst == 1) {
    if (since >= kDeletesSettle) open.burst = 0;
    return;
  }
  auto o = unanswered(IkeSight::ike_deleted, side, 0, open.last, open.last);
  o.certainty = Certainty::likely;
  if (open.burst >= 2 && since >= kDeletesSettle) {
    const bool ends = open.may_end && !flows;
    open = Informational{};
    if (!ends) return;
    phase_ = SessionPhase::ended;
    deleted_at_ = o.at;
    deleted_by_ = side;
    deferred_.add(o, now);
  } else if (open.burst == 1 && open.deletes && !open.isakmp_only && since >= kDeletesSettle) {
    open.burst = 0;
    const bool had_child = open.had_child && children_ > 0;
    if (had_child) --children_;
    if (flows || midway_ || !had_child || children_ > 0) return;
    o.sight = IkeSight::child_deleted;
    sink.on_observation(o);
  } else if (open.burst == 1 && open.isakmp_only && since >= kAloneSettles) {
    open.burst = 0;
    o.sight = IkeSight::isakmp_deleted_alone;
    o.certainty = Certainty::possible;
    if (last_seen_ <= open.last) sink.on_observation(o);
  } else if (open.burst == 1 && !open.deletes && since >= kDeletesSettle) {
    open.burst = 0;
  }
}

void IkeV1Session::on_quick(const IkeInput& in, IkeObservationSink& sink) {
  deferred_.cancel(IkeSight::xauth_refused);
  deferred_.cancel(IkeSight::auth_refused);
  if (phase_ != SessionPhase::established) {
    if (phase_ == SessionPhase::init && mode_ == 0) {
      midway_ = true;
      sink.on_observation(make(IkeSight::ike_resumed_midway, in.from, in));
    }
    if (phase_ == SessionPhase::ended) return;
    if (!midway_) {
      establish(in, sink);
    } else {
      phase_ = SessionPhase::established;
      waiting_.reset();
    }
  }
  for (Informational& open : open_) open.burst = 0;  // INITIAL-CONTACT, say: what follows shows that it ended nothing
  const auto id = in.message.header.message_id;
  const auto length = in.message.header.length;
  constexpr std::uint8_t kCommit = 0x02;
  const bool commit = (in.message.header.flags & kCommit) != 0;
  auto q = std::find_if(quick_.begin(), quick_.end(), [&](const Quick& x) { return x.message_id == id; });
  if (q == quick_.end()) {
    if (quick_.size() == kQuickModes) quick_.erase(quick_.begin());
    Quick fresh;
    fresh.message_id = id;
    fresh.by = in.from;
    fresh.sends = 1;
    fresh.port = in.destination_port;
    fresh.length = length;
    fresh.commit = commit;
    fresh.uncertain = midway_ && in.at - began_ < kQuickRefusal;
    fresh.since = fresh.last = fresh.told = in.at;
    quick_.push_back(fresh);
    return;
  }
  q->last = in.at;
  q->commit = q->commit || commit;
  if (q->step == 1 && in.from == q->by && length == q->length) {
    ++q->sends;
    q->told = in.at;
    auto o = unanswered(IkeSight::child_unanswered, q->by, q->sends, q->since, in.at);
    o.port = q->port;
    o.exchange = wire::v1_quick;
    if (!q->uncertain && !q->refused) sink.on_observation(o);
    return;
  }
  if (q->step == 1 && in.from != q->by) {
    q->step = 2;
    deferred_.cancel(IkeSight::child_refused);
    deferred_.cancel(IkeSight::rekey_refused);
    return;
  }
  if (q->step == 3 || in.from != q->by) return;
  q->step = 3;  // also where message 2 was not captured: another message of its sender's own
  ++children_;
  sink.on_observation(make(children_ > 1 ? IkeSight::child_rekeyed : IkeSight::child_established, q->by, in));
}

void IkeV1Session::on_esp(TimePoint now, Side from, IkeObservationSink&) {
  esp_at_[index(from)] = now;
  if (phase_ == SessionPhase::established) deferred_.cancel(IkeSight::auth_refused);
  heard(from);
  // Traffic both ways a while behind a quick mode that seems to wait: what answered it was not captured.
  const auto& back = esp_at_[index(other(from))];
  for (std::size_t i = quick_.size(); i-- > 0;) {
    const bool stale = now - quick_[i].last > kQuickRefusal && back && *back > quick_[i].last;
    if (quick_[i].step == 1 && stale) quick_.erase(quick_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace tunnelwatch::passive
