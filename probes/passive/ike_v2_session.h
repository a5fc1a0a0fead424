#pragma once

#include "probes/passive/fragment_train.h"
#include "probes/passive/ike_session.h"

#include <memory>

namespace tunnelwatch::passive {

// One IKE SA of version 2 seen from outside, without keys: from IKE_SA_INIT (or from wherever the capture begins) to
// its deletion. Pure: fed with messages and the time, it tells its sink what was seen. Source: RFC 7296, 7383, 9242.
class IkeV2Session {
 public:
  // `initiator`: the side that sent, or by the flags must have sent, the first message of this SA.
  IkeV2Session(Side initiator, std::uint64_t spi_initiator, TimePoint now);

  void on_message(const IkeInput& in, IkeObservationSink& sink);
  // `alone`: no other SA with this peer stands, so the traffic is of this one's children.
  void on_esp(TimePoint now, Side from, bool alone, IkeObservationSink& sink);
  // Tells silences that grew and decisions that became due.
  void advance(TimePoint now, IkeObservationSink& sink);
  // When advance() may next have something to tell if no message comes before; TimePoint::max(): never.
  TimePoint due() const;
  // No more messages will come: what waited for a contradiction is told.
  void finish(TimePoint last, IkeObservationSink& sink);

  // What a rekey hands on.
  struct Heritage {
    std::optional<SuiteLengths> suite;
    bool rekeys_taken[2] = {};  // by side that took a child's
  };
  Heritage heritage() const { return {suite_, {midway_ || rekeys_taken_[0], midway_ || rekeys_taken_[1]}}; }

  // An IKE SA that a rekey of another one made, with its children; its suite is taken to be the same.
  void adopt(const Heritage& before, TimePoint at) {
    suite_ = before.suite;
    for (const std::size_t side : {0U, 1U}) rekeys_taken_[side] = rekeys_taken_[side] || before.rekeys_taken[side];
    established_at_ = at;
    phase_ = SessionPhase::established;
    children_ = 1;
    answered_ = true;
  }
  bool joined_midway() const { return midway_; }
  // What answered IKE_AUTH brings a child by its length; for a moment a further round may still follow.
  bool seems_to_stand() const {
    return provisional_ && provisional_->child && provisional_->child->sight == IkeSight::child_established;
  }
  // A later IKE SA with the same peer got further: what this one still waits for is not waited for any more. Where it
  // stood before the later one began, it may be a leftover that nobody deletes: until it speaks again it counts as one.
  void supersede(TimePoint later_began) {
    pending_.clear();
    deferred_.cancel(IkeSight::group_abandoned);
    if (phase_ != SessionPhase::established && !provisional_) {
      phase_ = SessionPhase::ended;
    } else if (established_at_ && *established_at_ < later_began) {
      leftover_ = true;
    }
  }
  bool leftover() const { return leftover_; }
  // Completed a moment ago, and nothing has followed on it.
  bool unused_since(TimePoint now) const;
  // The group that was asked for is answered in another SA's first message.
  void forget_group() { deferred_.cancel(IkeSight::group_abandoned); }

  SessionPhase phase() const { return phase_; }
  Side initiator() const { return initiator_; }
  std::uint64_t spi_initiator() const { return spi_initiator_; }
  std::uint64_t spi_responder() const { return spi_responder_; }
  TimePoint last_seen() const { return last_seen_; }
  bool answered() const { return answered_; }
  // The last one counts until its deletion is told.
  int children() const { return children_ == 0 && deferred_.has(IkeSight::child_deleted) ? 1 : children_; }
  // A CREATE_CHILD_SA that may have been the rekey of this IKE SA succeeded, so new SPIs may follow.
  const std::optional<TimePoint>& may_be_rekeyed_at() const { return ike_rekey_at_; }
  // Two of them at once: both ends rekeyed, and one of the two successors is redundant.
  bool rekeys_cross() const { return rekeys_cross_; }
  bool half_open() const { return phase_ == SessionPhase::init; }

 private:
  // A request without its response yet.
  struct Pending {
    Side by = Side::local;
    std::uint32_t message_id = 0;
    std::uint8_t exchange = 0;
    std::optional<std::uint8_t> first;
    std::size_t encrypted_bytes = 0;
    std::uint32_t length = 0;
    std::uint16_t sends = 1;
    std::uint16_t port = 0;  // destination
    bool fragmented = false;
    TimePoint since{};
    TimePoint last{};  // sent
    TimePoint told{};
    bool deletes() const { return exchange == wire::informational && first == wire::v2_delete; }
  };
  // An IKE_AUTH answer that ends the authentication, unless another round follows.
  struct Provisional {
    IkeObservation established;
    std::optional<IkeObservation> child;  // established or refused
    TimePoint due;
  };
  using Groups = boost::container::static_vector<std::uint16_t, 24>;

  void on_request(const IkeInput& in, IkeObservationSink& sink);
  void on_response(const IkeInput& in, IkeObservationSink& sink);
  void on_init_request(const IkeInput& in, IkeObservationSink& sink);
  void on_init_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_auth_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_child_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_informational_request(const IkeInput& in, const Pending& request, IkeObservationSink& sink);
  void on_informational_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_init_notify(const IkeInput& in, const wire::IkePayload& payload, IkeObservationSink& sink);
  void on_clear_word(const IkeInput& in, IkeObservationSink& sink);
  void on_repetition(const IkeInput& in, Pending& pending, IkeObservationSink& sink);
  void on_auth_request(const IkeInput& in, IkeObservationSink& sink);
  void on_refused_child(const IkeInput& in, const Pending* request);
  void forget_refused_children();
  void accept_offer(const IkeInput& in, const wire::IkePayload* sa, IkeObservationSink& sink);
  bool spi_changes(const IkeInput& in, IkeObservationSink& sink);
  bool refuses_authentication(const IkeInput& in, const PlaintextRange& inside) const;
  bool is_childless() const;
  bool had_certificate(const Pending* request) const;
  bool is_offered(std::uint16_t group) const;
  Pending pending_of(const IkeInput& in) const;
  void on_child_deleted(const IkeInput& in, Side by, IkeObservationSink& sink);
  void on_ike_deleted(const IkeInput& in, Side by, IkeObservationSink& sink);
  void judge_answer(const IkeInput& in, const PlaintextRange& inside);
  bool lacks_a_child(const IkeInput& answer) const;
  std::size_t plaintext_of(std::size_t encrypted_bytes, std::uint16_t fragments) const;
  void judge_lack(TimePoint now, IkeObservationSink& sink);
  void settle_authentication(TimePoint now, bool traffic, IkeObservationSink& sink);
  bool is_past_authentication(const IkeInput& in) const;
  bool is_authenticated_unseen(TimePoint now, Side from);
  void join(Side by, TimePoint now, IkeObservationSink& sink);
  bool is_use_of_a_living_sa(const IkeInput& in) const;
  bool is_lone_notify(const IkeInput& in) const;
  bool is_smallest_notify(const IkeInput& in) const;
  void live_on(TimePoint now, IkeObservationSink& sink);
  bool tell_lone_deletion(const Pending& pending, TimePoint now, IkeObservationSink& sink);
  void tell_unanswered(Pending& p, TimePoint now, IkeObservationSink& sink);
  static TimePoint next_tell(const Pending& p);
  Pending* find(Side by, std::uint32_t message_id);
  IkeObservation make(IkeSight sight, Side by, const IkeInput& in) const;

  static constexpr std::size_t kWindow = 8;

  // What every message of an SA that stands asks for comes first and together: with a thousand peers an SA is far from
  // the cache whenever it is spoken of.
  Side initiator_;
  SessionPhase phase_ = SessionPhase::init;
  bool answered_ = false;
  bool midway_ = false;
  bool leftover_ = false;
  bool eap_ = false;
  bool child_gone_ = false;
  bool esp_seen_ = false;
  bool esp_ways_[2] = {false, false};  // by side that sent, well behind the first answer
  bool rekeys_cross_ = false;
  bool rekey_asked_unseen_ = false;  // its request was not captured, or later: it may have been a rekey
  bool rekeys_taken_[2] = {};        // by side that took one of a child, under the SAs before too
  bool lack_told_ = false;
  Side deleted_by_ = Side::local;
  int children_ = 0;
  std::uint64_t spi_initiator_;
  std::uint64_t spi_responder_ = 0;
  TimePoint last_seen_{};
  std::vector<Pending> pending_;  // at most kWindow
  Deferred deferred_;
  std::unique_ptr<Provisional> provisional_;
  std::unique_ptr<IkeObservation> lack_;     // of a child in an answer with a certificate, until traffic denies it
  AnsweredRequests answered_requests_[2];    // by side that asked
  std::optional<std::uint32_t> refusal_id_;  // message id of what may have been a refusal by the initiator
  std::optional<std::uint32_t> delete_id_;   // message id of the deletion that ended it
  std::optional<TimePoint> ike_rekey_at_;    // a CREATE_CHILD_SA without REKEY_SA succeeded
  std::optional<TimePoint> established_at_;
  std::optional<TimePoint> esp_at_;
  // Rekeys and deletions.
  std::optional<TimePoint> child_rekey_at_;
  std::optional<TimePoint> child_attempt_at_[2];  // last CREATE_CHILD_SA by side
  TimePoint child_gone_at_{};
  // The negotiation.
  bool started_ = false;
  bool childless_known_ = false;  // the responder can do without a first child (RFC 6023)
  bool answer_cut_ = false;       // the first answer was not captured whole: what it announces is not known
  bool ppk_asked_ = false;        // the initiator offers a key beside (RFC 8784)
  std::optional<SuiteLengths> suite_;
  std::optional<std::uint16_t> asked_group_;  // by INVALID_KE_PAYLOAD
  std::optional<TimePoint> negotiated_at_;    // when the first answer came
  std::uint16_t auth_rounds_ = 0;
  std::uint16_t first_auth_fragments_ = 1;
  std::uint32_t last_auth_id_ = 0;
  std::size_t first_auth_bytes_ = 0;  // the encrypted part of the first request, 0 where it was not seen
  Groups offered_groups_;             // of the initiator's last first message
  FragmentTrain requests_[2];         // by side that sends
  FragmentTrain responses_[2];
};

}  // namespace tunnelwatch::passive
