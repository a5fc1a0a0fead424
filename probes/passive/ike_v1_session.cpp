#include "probes/passive/ike_v1_session.h"

#include "probes/wire/ike_payloads.h"

#include <algorithm>

namespace tunnelwatch::passive {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAuthDoubt = 900ms;   // message 5 may be repeated, which tells a bad key from a bad identity
constexpr Duration kQuickDoubt = 500ms;  // quick mode 2 may still follow an informational that meant something else
constexpr Duration kXauthDoubt = 3s;     // quick mode or mode config follows a good XAuth
constexpr Duration kInformationalAnswer = 700ms;
constexpr Duration kDeleteDoubt = 100ms;
constexpr Duration kDeleteBurst = 200ms;  // between the deletes of a child and of its ISAKMP SA
constexpr Duration kTellEvery = 1s;
constexpr Duration kTellFor = 30s;

constexpr std::size_t index(Side side) { return static_cast<std::size_t>(side); }

// Payloads inside an encrypted informational message, generic headers included (RFC 2408, RFC 3706).
constexpr std::size_t kHashHeader = 4;
constexpr std::size_t kLiveness = 32;  // a notify with both cookies and a sequence number
constexpr std::size_t kDeleteIsakmp = 28;
constexpr std::size_t kDeleteChild = 16;

}  // namespace

IkeV1Session::IkeV1Session(Side initiator, std::uint64_t cookie_initiator, TimePoint now)
    : initiator_(initiator), cookie_initiator_(cookie_initiator), last_seen_(now) {}

IkeObservation IkeV1Session::make(IkeSight sight, Side by, const IkeInput& in) const {
  IkeObservation o;
  o.sight = sight;
  o.by = by;
  o.version = 1;
  o.exchange = in.message.header.exchange;
  o.port = in.from == by ? in.destination_port : in.source_port;
  o.length = in.message.header.length;
  o.at = o.since = in.at;
  return o;
}

IkeObservation IkeV1Session::unanswered(IkeSight sight, Side by, std::uint16_t sends, TimePoint since,
                                        TimePoint now) const {
  IkeObservation o;
  o.sight = sight;
  o.by = by;
  o.version = 1;
  o.sends = sends;
  o.since = since;
  o.at = now;
  return o;
}

void IkeV1Session::on_message(const IkeInput& in, IkeObservationSink& sink) {
  last_seen_ = in.at;
  const auto& h = in.message.header;
  if (h.spi_responder != 0) cookie_responder_ = h.spi_responder;
  if (const auto* fragment = in.message.find(wire::v1_fragment); fragment != nullptr) {
    // Fragment id, number, flags: one message in several datagrams, told by its first one.
    wire::ByteReader r(fragment->body);
    r.skip(2);
    if (r.u8() != 1) return;
  }
  switch (h.exchange) {
    case wire::v1_identity_protection:
    case wire::v1_aggressive:
      if (mode_ == 0) mode_ = h.exchange;
      on_phase1(in, step_of(in), sink);
      break;
    case wire::v1_informational:
      if (in.message.encrypted) {
        on_informational(in, sink);
      } else {
        on_clear_informational(in, sink);
      }
      break;
    case wire::v1_quick:
      on_quick(in, sink);
      break;
    case wire::v1_transaction:
      on_transaction(in, sink);
      break;
    default:
      break;
  }
}

// Which message of the mode this is, by who sends it and what it carries in clear.
std::uint8_t IkeV1Session::step_of(const IkeInput& in) const {
  const bool by_initiator = in.from == initiator_;
  if (in.message.find(wire::v1_fragment) != nullptr) {
    // What is in fragments is not seen; only the messages with certificates are that long.
    if (in.message.header.exchange == wire::v1_aggressive) return by_initiator ? std::uint8_t{3} : std::uint8_t{2};
    return by_initiator ? std::uint8_t{5} : std::uint8_t{6};
  }
  if (in.message.header.exchange == wire::v1_aggressive) {
    if (!by_initiator) return 2;
    return in.message.find(wire::v1_sa) != nullptr ? 1 : 3;
  }
  if (in.message.encrypted) return by_initiator ? 5 : 6;
  if (in.message.find(wire::v1_sa) != nullptr) return by_initiator ? 1 : 2;
  return by_initiator ? 3 : 4;
}

void IkeV1Session::on_phase1(const IkeInput& in, std::uint8_t step, IkeObservationSink& sink) {
  if (phase_ == SessionPhase::established || phase_ == SessionPhase::ended) return;  // a late repetition
  if (waiting_ && waiting_->by == in.from && waiting_->step == step) {
    ++waiting_->sends;
    waiting_->port = in.destination_port;
    if (answered_by_informational_) {
      // The peer could not read message 5, so it repeats its complaint and we repeat the message: the keys differ.
      deferred_.cancel(IkeSight::auth_refused);
      auto o = make(IkeSight::auth_refused, other(in.from), in);
      o.sends = waiting_->sends;
      o.notify = 5;  // tells the repetition
      o.certainty = Certainty::certain;
      phase_ = SessionPhase::failed;
      sink.on_observation(o);
      return;
    }
    tell_waiting(in.at, sink);
    return;
  }
  if (waiting_ && waiting_->by == in.from && waiting_->step > step) return;
  if (waiting_ && waiting_->by != in.from && step < waiting_->step) return;  // a late repetition of the other side
  on_phase1_answer(in, step, sink);
  Waiting w;
  w.by = in.from;
  w.step = step;
  w.exchange = in.message.header.exchange;
  w.sends = 1;
  w.port = in.destination_port;
  w.length = in.message.header.length;
  w.fragmented = in.reassembled || in.message.find(wire::v1_fragment) != nullptr;
  w.since = w.told = in.at;
  waiting_ = w;
  answered_by_informational_ = false;
  const bool last = is_main() ? step == 6 : step == 3;
  if (last) establish(in, sink);
}

void IkeV1Session::on_phase1_answer(const IkeInput& in, std::uint8_t step, IkeObservationSink& sink) {
  if (step == 1) {
    sink.on_observation(make(IkeSight::negotiation_started, in.from, in));
    return;
  }
  if (step == 2) {
    if (const auto* sa = in.message.find(wire::v1_sa); sa != nullptr) {
      const auto transforms = wire::parse_sa_v1(sa->body);
      if (transforms && !transforms->empty()) suite_ = suite_lengths(transforms->front());
    }
    phase_ = SessionPhase::authenticating;
    sink.on_observation(make(IkeSight::init_answered, in.from, in));
  } else if (phase_ == SessionPhase::init) {
    phase_ = SessionPhase::authenticating;
  }
}

void IkeV1Session::establish(const IkeInput& in, IkeObservationSink& sink) {
  phase_ = SessionPhase::established;
  waiting_.reset();
  deferred_.cancel(IkeSight::auth_refused);
  sink.on_observation(make(IkeSight::ike_established, initiator_, in));
}

void IkeV1Session::on_clear_informational(const IkeInput& in, IkeObservationSink& sink) {
  const auto* payload = in.message.find(wire::v1_notify);
  if (payload == nullptr) {
    // Aggressive mode: who cannot verify message 2 says so, in clear or not, and never sends message 3.
    return;
  }
  const auto notify = wire::parse_notify_v1(payload->body);
  if (!notify || notify->type >= 16384) return;
  if (phase_ == SessionPhase::established) return;  // unprotected words against an established SA prove nothing
  auto o = make(IkeSight::clear_notify, in.from, in);
  o.notify = notify->type;
  const bool first_message = waiting_ && waiting_->step == 1;
  const bool aggressive_refused = !is_main() && waiting_ && waiting_->step == 2 && in.from == initiator_;
  if (notify->type == 14) {
    // strongSwan names the cookies where it looked at the proposal, and has none where it knows no such connection.
    o.sight = notify->spi_size == 0 && in.message.header.spi_responder == 0 ? IkeSight::connection_refused
                                                                            : IkeSight::proposal_refused;
  } else if (notify->type == 5) {
    o.sight = IkeSight::version_refused;
  } else if (aggressive_refused) {
    o.sight = IkeSight::auth_refused;
    o.certainty = Certainty::likely;
  } else if (notify->type == 24) {
    o.sight = first_message ? IkeSight::mode_refused : IkeSight::auth_refused;
    o.certainty = Certainty::likely;
  }
  phase_ = SessionPhase::failed;
  sink.on_observation(o);
}

void IkeV1Session::on_informational(const IkeInput& in, IkeObservationSink& sink) {
  if (phase_ == SessionPhase::init || phase_ == SessionPhase::authenticating) {
    const bool answers_auth = is_main() && waiting_ && waiting_->step == 5 && in.from != waiting_->by;
    const bool refuses_aggressive = !is_main() && waiting_ && waiting_->step == 2 && in.from == initiator_;
    if (answers_auth) {
      if (!answered_by_informational_) {
        auto o = make(IkeSight::auth_refused, in.from, in);
        o.certainty = Certainty::likely;
        deferred_.add(o, in.at + kAuthDoubt);
      }
      answered_by_informational_ = true;
      return;
    }
    if (refuses_aggressive) {
      phase_ = SessionPhase::failed;
      auto o = make(IkeSight::auth_refused, in.from, in);
      o.certainty = Certainty::likely;
      sink.on_observation(o);
      return;
    }
    if (mode_ == 0) {  // the capture joins a living SA
      phase_ = SessionPhase::established;
      midway_ = true;
      sink.on_observation(make(IkeSight::ike_resumed_midway, in.from, in));
    }
  }
  if (phase_ != SessionPhase::established) return;
  // A quick mode that waits is what an informational of the other side most likely speaks of.
  for (auto& q : quick_) {
    if (q.step == 1 && q.by != in.from && !deferred_.has(IkeSight::child_refused)) {
      auto o = make(children_ > 0 ? IkeSight::rekey_refused : IkeSight::child_refused, in.from, in);
      o.certainty = Certainty::likely;
      deferred_.add(o, in.at + kQuickDoubt);
      return;
    }
  }
  if (deferred_.has(IkeSight::xauth_refused)) {
    deferred_.advance(in.at + kXauthDoubt, sink);
    phase_ = SessionPhase::failed;
    return;
  }
  Informational& theirs = open_[index(other(in.from))];
  if (theirs.count > 0) {  // an answer to what the other side asked: both live
    theirs = Informational{};
    sink.on_observation(make(IkeSight::request_answered, in.from, in));
    return;
  }
  const auto inside = plaintext_range_v1(suite_, in.message.encrypted_bytes);
  const std::size_t hash = kHashHeader + (suite_ ? suite_->prf : 20);
  const auto fits = [&](std::size_t payload) {
    return hash + payload >= inside.least && hash + payload <= inside.most;
  };
  Informational& mine = open_[index(in.from)];
  if (mine.count == 0) mine.since = in.at;
  const bool burst = mine.count > 0 && in.at - mine.last < kDeleteBurst;
  mine.deletes = mine.deletes || (burst && mine.may_be_delete && !mine.may_be_liveness);
  ++mine.count;
  mine.last = in.at;
  mine.port = in.destination_port;
  mine.length = in.message.header.length;
  mine.may_be_liveness = !suite_ || fits(kLiveness);
  mine.may_be_delete = !suite_ || fits(kDeleteIsakmp) || fits(kDeleteChild);
  const bool repeated = mine.count >= 2 && mine.may_be_liveness && !mine.deletes;
  if (repeated) {
    auto o = unanswered(IkeSight::request_unanswered, in.from, mine.count, mine.since, in.at);
    o.exchange = in.message.header.exchange;
    o.port = mine.port;
    o.length = mine.length;
    sink.on_observation(o);
  }
}

void IkeV1Session::on_quick(const IkeInput& in, IkeObservationSink& sink) {
  deferred_.cancel(IkeSight::xauth_refused);
  if (phase_ != SessionPhase::established) {
    if (phase_ == SessionPhase::init && mode_ == 0) {
      midway_ = true;
      sink.on_observation(make(IkeSight::ike_resumed_midway, in.from, in));
    }
    if (phase_ == SessionPhase::failed || phase_ == SessionPhase::ended) return;
    phase_ = SessionPhase::established;
    waiting_.reset();
  }
  const auto id = in.message.header.message_id;
  auto q = std::find_if(quick_.begin(), quick_.end(), [&](const Quick& x) { return x.message_id == id; });
  if (q == quick_.end()) {
    if (quick_.size() == kQuickModes) quick_.erase(quick_.begin());
    quick_.push_back({id, in.from, 1, 1, in.destination_port, in.message.header.length, in.at, in.at});
    return;
  }
  if (q->step == 1 && in.from == q->by) {
    ++q->sends;
    q->told = in.at;
    auto o = unanswered(IkeSight::child_unanswered, q->by, q->sends, q->since, in.at);
    o.port = q->port;
    o.exchange = wire::v1_quick;
    sink.on_observation(o);
    return;
  }
  if (q->step == 1) {
    q->step = 2;
    deferred_.cancel(IkeSight::child_refused);
    deferred_.cancel(IkeSight::rekey_refused);
    return;
  }
  if (q->step == 2 && in.from == q->by) {
    q->step = 3;
    ++children_;
    sink.on_observation(make(children_ > 1 ? IkeSight::child_rekeyed : IkeSight::child_established, q->by, in));
  }
}

void IkeV1Session::on_transaction(const IkeInput& in, IkeObservationSink& sink) {
  const auto id = in.message.header.message_id;
  if (transaction_ && transaction_id_ == id && transaction_->by == in.from) {
    ++transaction_->sends;
    transaction_->told = in.at;
    auto o = unanswered(IkeSight::xauth_unanswered, in.from, transaction_->sends, transaction_->since, in.at);
    o.port = in.destination_port;
    o.exchange = wire::v1_transaction;
    sink.on_observation(o);
    return;
  }
  ++transactions_;
  if (transaction_ && transaction_id_ == id) {  // the answer
    transaction_.reset();
  } else {
    Waiting w;
    w.by = in.from;
    w.sends = 1;
    w.since = w.told = in.at;
    w.port = in.destination_port;
    transaction_ = w;
    transaction_id_ = id;
  }
  // The request for the password and the status are two exchanges; a good status is followed by quick mode.
  if (transactions_ >= 4) {
    auto o = make(IkeSight::xauth_refused, other(initiator_), in);
    o.certainty = Certainty::likely;
    deferred_.add(o, in.at + kXauthDoubt);
  }
}

void IkeV1Session::on_esp(TimePoint, Side from, IkeObservationSink&) {
  // Traffic from a side says that it lives, though not that its IKE does: an open question of the other side stays.
  static_cast<void>(from);
}

void IkeV1Session::tell_waiting(TimePoint now, IkeObservationSink& sink) {
  Waiting& w = *waiting_;
  w.told = now;
  const bool authentication = is_main() ? w.step >= 5 : w.step >= 2;
  auto o =
      unanswered(authentication ? IkeSight::auth_unanswered : IkeSight::init_unanswered, w.by, w.sends, w.since, now);
  o.exchange = w.exchange;
  o.port = w.port;
  o.length = w.length;
  o.fragmented = w.fragmented;
  sink.on_observation(o);
}

void IkeV1Session::advance(TimePoint now, IkeObservationSink& sink) {
  const bool xauth_due = deferred_.has(IkeSight::xauth_refused);
  const bool auth_due = deferred_.has(IkeSight::auth_refused);
  deferred_.advance(now, sink);
  if ((xauth_due && !deferred_.has(IkeSight::xauth_refused)) || (auth_due && !deferred_.has(IkeSight::auth_refused))) {
    phase_ = SessionPhase::failed;
  }
  if (phase_ == SessionPhase::ended || phase_ == SessionPhase::failed) return;
  if (waiting_ && !answered_by_informational_ && now - waiting_->told >= kTellEvery &&
      now - waiting_->since < kTellFor) {
    tell_waiting(now, sink);
  }
  for (auto& q : quick_) {
    if (q.step != 1 || now - q.told < kTellEvery || now - q.since > kTellFor || deferred_.has(IkeSight::child_refused))
      continue;
    q.told = now;
    auto o = unanswered(IkeSight::child_unanswered, q.by, q.sends, q.since, now);
    o.port = q.port;
    o.exchange = wire::v1_quick;
    sink.on_observation(o);
  }
  for (const Side side : {Side::local, Side::remote}) {
    Informational& open = open_[index(side)];
    if (open.count == 0 || now - open.last < kInformationalAnswer) continue;
    // Nobody answers a delete. A single one ends a child, often one that a quick mode replaced; two are the end.
    if (open.deletes) {
      phase_ = SessionPhase::ended;
      auto o = unanswered(IkeSight::ike_deleted, side, 0, open.since, open.last);
      o.certainty = Certainty::likely;
      deferred_.add(o, now + kDeleteDoubt);
      open = Informational{};
    } else if (!open.may_be_liveness) {
      open = Informational{};
    }
  }
}

TimePoint IkeV1Session::due() const {
  TimePoint first = deferred_.due();
  if (phase_ == SessionPhase::ended || phase_ == SessionPhase::failed) return first;
  const auto tell = [&](TimePoint told, TimePoint since) {
    if (told + kTellEvery - since <= kTellFor) first = std::min(first, told + kTellEvery);
  };
  if (waiting_ && !answered_by_informational_) tell(waiting_->told, waiting_->since);
  for (const Quick& q : quick_) {
    if (q.step == 1) tell(q.told, q.since);
  }
  for (const Informational& open : open_) {
    const bool judged = open.count > 0 && (open.deletes || !open.may_be_liveness);
    if (judged) first = std::min(first, open.last + kInformationalAnswer);
  }
  return first;
}

}  // namespace tunnelwatch::passive
