#include "probes/passive/ike_v1_session.h"

#include "probes/wire/ike_payloads.h"

#include <algorithm>

namespace tunnelwatch::passive {

using namespace std::chrono_literals;

namespace {

constexpr Duration kXauthDoubt = 3s;        // quick mode or mode config follows a good XAuth
constexpr Duration kDeletesSettle = 700ms;  // when deletes are judged first
// A message that comes this long behind the last one is of another life, or the capture's clock was set.
constexpr Duration kForget = 300s;

}  // namespace

IkeV1Session::IkeV1Session(Side initiator, std::uint64_t cookie_initiator, TimePoint now)
    : initiator_(initiator), cookie_initiator_(cookie_initiator), began_(now), last_seen_(now) {}

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

// By the size of what was asked, the method where it shows: a certificate does not fit into a small message.
IkeObservation IkeV1Session::refused_auth(const IkeInput& in) const {
  auto o = make(IkeSight::auth_refused, in.from, in);
  o.certainty = Certainty::likely;
  o.certificate = waiting_ && (waiting_->fragmented || waiting_->length > 600);
  if (waiting_) o.exchange = waiting_->exchange;
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

void IkeV1Session::forget_what_waits() {
  waiting_.reset();
  transaction_.reset();
  quick_.clear();
  open_[0] = open_[1] = Informational{};
}

void IkeV1Session::on_message(const IkeInput& in, IkeObservationSink& sink) {
  if (in.at - last_seen_ > kForget) forget_what_waits();
  last_seen_ = in.at;
  leftover_ = false;
  const auto& h = in.message.header;
  const bool phase1 = h.exchange == wire::v1_identity_protection || h.exchange == wire::v1_aggressive;
  const bool of_deleter = h.exchange == wire::v1_informational && in.from == deleted_by_ && in.at - deleted_at_ > 1s;
  if (phase_ == SessionPhase::ended && !phase1 && in.message.encrypted &&
      (h.exchange != wire::v1_informational || of_deleter)) {
    phase_ = SessionPhase::established;  // it had seemed deleted
    sink.on_observation(make(IkeSight::ike_lives_on, in.from, in));
  }
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
  if (midway_ && !established_at_ && children_ == 0) {
    // The capture joined inside phase 1: an informational message before this one was no sign of life.
    midway_ = false;
    phase_ = SessionPhase::authenticating;
    open_[0] = open_[1] = Informational{};
    answered_by_informational_ = true;
  }
  if (phase_ == SessionPhase::established || phase_ == SessionPhase::ended) return;  // a late repetition
  const bool goes_on = waiting_ && (in.from != waiting_->by ? step > waiting_->step : step > waiting_->step + 1);
  if (phase_ == SessionPhase::failed && !answered_by_informational_) {
    if (!goes_on) return;  // refused, whatever is repeated
    phase_ = SessionPhase::authenticating;
  }
  if (waiting_ && waiting_->by == in.from && waiting_->step == step) {
    ++waiting_->sends;
    waiting_->port = in.destination_port;
    if (answered_by_informational_) {
      // The peer could not read message 5, so it repeats its complaint and we repeat the message: the keys differ.
      deferred_.cancel(IkeSight::auth_refused);
      auto o = refused_auth(in);
      o.by = other(in.from);
      o.sends = waiting_->sends;
      o.certainty = Certainty::certain;
      phase_ = SessionPhase::failed;
      sink.on_observation(o);
      return;
    }
    tell_waiting(in.at, sink);
    return;
  }
  if (waiting_ && waiting_->by == in.from && waiting_->step > step) return;
  if (waiting_ && waiting_->by != in.from && step < waiting_->step) {  // a repetition of the other side
    ++waiting_->overheard;
    return;
  }
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
  established_at_ = in.at;
  waiting_.reset();
  deferred_.cancel(IkeSight::auth_refused);
  sink.on_observation(make(IkeSight::ike_established, initiator_, in));
}

void IkeV1Session::on_clear_informational(const IkeInput& in, IkeObservationSink& sink) {
  const auto* payload = in.message.find(wire::v1_notify);
  if (payload == nullptr) return;
  const auto notify = wire::parse_notify_v1(payload->body);
  if (!notify || notify->type >= 16384) return;
  auto o = make(IkeSight::clear_notify, in.from, in);
  o.notify = notify->type;
  if (phase_ == SessionPhase::established) {  // unprotected words against an established SA prove little
    o.certainty = Certainty::possible;
    if (notify->type == 4 || notify->type == 11) sink.on_observation(o);
    return;
  }
  if (!waiting_ || waiting_->by == in.from) return;  // it answers nothing that was seen
  o.exchange = waiting_->exchange;
  const bool first_message = waiting_->step == 1;
  const bool aggressive_refused = !is_main() && waiting_->step == 2 && in.from == initiator_;
  if (notify->type == 14 && in.from == initiator_) return;  // nobody refuses what he proposed
  if (notify->type == 14) {
    // strongSwan names the cookies where it looked at the proposal, and has none where it knows no such connection.
    const bool no_cookies = notify->spi_size == 0 && in.message.header.spi_responder == 0;
    o.sight = no_cookies ? IkeSight::connection_refused : IkeSight::proposal_refused;
  } else if (notify->type == 5) {
    o.sight = IkeSight::version_refused;
  } else if (aggressive_refused) {
    o = refused_auth(in);
  } else if (notify->type == 24) {
    o.sight = first_message ? IkeSight::mode_refused : IkeSight::auth_refused;
    o.certainty = Certainty::likely;
  }
  phase_ = SessionPhase::failed;
  sink.on_observation(o);
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
  deferred_.cancel(IkeSight::xauth_refused);
  deferred_.cancel(IkeSight::auth_refused);
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
  // The request for the password and the status are two exchanges; a good status is followed by mode config, a further
  // transaction, or by quick mode.
  if (transactions_ != 4) return;
  auto o = make(IkeSight::xauth_refused, other(initiator_), in);
  o.certainty = Certainty::likely;
  deferred_.add(o, in.at + kXauthDoubt);
}

void IkeV1Session::tell_waiting(TimePoint now, IkeObservationSink& sink) {
  Waiting& w = *waiting_;
  w.told = now;
  constexpr std::uint16_t kGivenUp = 3;
  if (w.exchange == wire::v1_aggressive && w.step == 2 && w.sends == kGivenUp) {
    // Message 2 proves the responder. Who got it, else he would repeat message 1, and does not go on, refuses it.
    auto refused = unanswered(IkeSight::auth_refused, initiator_, 0, w.since, now);
    refused.exchange = w.exchange;
    refused.length = w.length;
    refused.certainty = Certainty::possible;
    sink.on_observation(refused);
  }
  const bool authentication = is_main() ? w.step >= 5 : w.step >= 2;
  // Some stacks say nothing to a message that they cannot decrypt, and repeat their own: the keys differ, unless it did
  // not get there.
  constexpr std::uint16_t kDeaf = 2;
  if (is_main() && w.step == 5 && w.overheard >= kDeaf && w.sends >= kDeaf) {
    auto refused = unanswered(IkeSight::auth_refused, other(w.by), w.sends, w.since, now);
    refused.exchange = w.exchange;
    refused.length = w.length;
    refused.certainty = Certainty::likely;
    sink.on_observation(refused);
    return;
  }
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
  const auto is_due = [&](TimePoint told, TimePoint since) {
    return now - told >= tell_again_after(told - since) && now - since <= kTellFor;
  };
  if (waiting_ && !answered_by_informational_ && is_due(waiting_->told, waiting_->since)) {
    tell_waiting(now, sink);
  }
  for (auto& q : quick_) {
    if (q.step != 1 || q.uncertain || q.refused || !is_due(q.told, q.since) || deferred_.has(IkeSight::child_refused))
      continue;
    q.told = now;
    auto o = unanswered(IkeSight::child_unanswered, q.by, q.sends, q.since, now);
    o.port = q.port;
    o.exchange = wire::v1_quick;
    sink.on_observation(o);
  }
  for (const Side side : {Side::local, Side::remote}) judge_deletes(now, side, sink);
}

TimePoint IkeV1Session::due() const {
  TimePoint first = deferred_.due();
  if (phase_ == SessionPhase::ended || phase_ == SessionPhase::failed) return first;
  const auto tell = [&](TimePoint told, TimePoint since) {
    const TimePoint next = told + tell_again_after(told - since);
    if (next - since <= kTellFor) first = std::min(first, next);
  };
  if (waiting_ && !answered_by_informational_) tell(waiting_->told, waiting_->since);
  for (const Quick& q : quick_) {
    if (q.step == 1 && !q.uncertain && !q.refused) tell(q.told, q.since);
  }
  for (const Informational& open : open_) {
    if (open.burst > 0) first = std::min(first, open.last + kDeletesSettle);
  }
  return first;
}

}  // namespace tunnelwatch::passive
