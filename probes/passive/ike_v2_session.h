#pragma once

#include "probes/passive/ike_session.h"

namespace tunnelwatch::passive {

// One IKE SA of version 2 seen from outside, without keys: from IKE_SA_INIT (or from wherever the capture begins) to
// its deletion. Pure: fed with messages and the time, it tells its sink what was seen. Source: RFC 7296, 7383, 9242.
class IkeV2Session {
 public:
  // `initiator`: the side that sent, or by the flags must have sent, the first message of this SA.
  IkeV2Session(Side initiator, std::uint64_t spi_initiator, TimePoint now);

  void on_message(const IkeInput& in, IkeObservationSink& sink);
  void on_esp(TimePoint now, Side from, IkeObservationSink& sink);
  // Tells silences that grew and decisions that became due.
  void advance(TimePoint now, IkeObservationSink& sink);
  // When advance() may next have something to tell if no message comes before; TimePoint::max(): never.
  TimePoint due() const;
  // No more messages will come: what waited for a contradiction is told.
  void finish(IkeObservationSink& sink) { deferred_.advance(TimePoint::max(), sink); }

  // An IKE SA that a rekey of another one made, with its children; its suite is taken to be the same.
  void adopt(const std::optional<SuiteLengths>& suite) {
    suite_ = suite;
    phase_ = SessionPhase::established;
    children_ = 1;
    answered_ = true;
  }
  bool joined_midway() const { return midway_; }
  // A later IKE SA with the same peer got further: what this one still waits for is not waited for any more.
  void supersede() {
    pending_.clear();
    if (phase_ != SessionPhase::established) phase_ = SessionPhase::ended;
  }

  SessionPhase phase() const { return phase_; }
  Side initiator() const { return initiator_; }
  std::uint64_t spi_initiator() const { return spi_initiator_; }
  std::uint64_t spi_responder() const { return spi_responder_; }
  TimePoint last_seen() const { return last_seen_; }
  bool answered() const { return answered_; }
  int children() const { return children_; }
  const std::optional<SuiteLengths>& suite() const { return suite_; }
  // A CREATE_CHILD_SA that may have been the rekey of this IKE SA succeeded, so new SPIs may follow.
  bool may_be_rekeyed() const { return ike_rekey_at_.has_value(); }
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
    TimePoint told{};
  };

  void on_request(const IkeInput& in, IkeObservationSink& sink);
  void on_response(const IkeInput& in, IkeObservationSink& sink);
  void on_init_request(const IkeInput& in, IkeObservationSink& sink);
  void on_init_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_auth_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_child_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_informational_request(const IkeInput& in, const Pending& request, IkeObservationSink& sink);
  void on_informational_response(const IkeInput& in, const Pending* request, IkeObservationSink& sink);
  void on_init_notify(const IkeInput& in, const wire::IkePayload& payload, IkeObservationSink& sink);
  void on_deleted(const IkeInput& in, Side by, bool whole_ike_sa, IkeObservationSink& sink);
  void establish(const IkeInput& in, IkeObservationSink& sink);
  void judge_first_child(const IkeInput& in, const PlaintextRange& inside, IkeObservationSink& sink);
  bool is_lone_notify(const IkeInput& in) const;
  bool is_smallest_notify(const IkeInput& in) const;
  void live_on(TimePoint now, IkeObservationSink& sink);
  void tell_unanswered(Pending& p, TimePoint now, IkeObservationSink& sink);
  static TimePoint next_tell(const Pending& p);
  Pending* find(Side by, std::uint32_t message_id);
  IkeObservation make(IkeSight sight, Side by, const IkeInput& in) const;

  static constexpr std::size_t kWindow = 8;

  Side initiator_;
  std::uint64_t spi_initiator_;
  std::uint64_t spi_responder_ = 0;
  SessionPhase phase_ = SessionPhase::init;
  std::optional<SuiteLengths> suite_;
  std::vector<Pending> pending_;  // at most kWindow
  Deferred deferred_;
  std::optional<std::uint16_t> asked_group_;  // by INVALID_KE_PAYLOAD
  std::optional<TimePoint> established_at_;
  std::optional<TimePoint> ike_rekey_at_;  // a CREATE_CHILD_SA without REKEY_SA succeeded
  std::optional<TimePoint> child_rekey_at_;
  std::optional<TimePoint> child_attempt_at_[2];      // last CREATE_CHILD_SA by side
  std::optional<std::uint32_t> highest_answered_[2];  // message id by side
  std::size_t response_fragments_bytes_ = 0;
  std::uint32_t response_fragments_id_ = 0;
  std::uint16_t response_fragments_seen_ = 0;
  std::optional<std::uint8_t> response_fragments_first_;
  std::uint16_t auth_rounds_ = 0;
  bool eap_ = false;
  bool midway_ = false;
  bool answered_ = false;
  std::optional<std::uint32_t> refusal_id_;  // message id of what may have been a refusal by the initiator
  bool child_gone_ = false;
  bool esp_seen_ = false;
  bool gave_child_ = false;
  int children_ = 0;
  TimePoint last_seen_{};
};

}  // namespace tunnelwatch::passive
