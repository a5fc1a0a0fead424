#pragma once

#include "probes/passive/ike_session.h"

namespace tunnelwatch::passive {

// One ISAKMP SA of IKEv1 seen from outside: main or aggressive mode, XAuth and mode config, quick modes, informational
// exchanges. Pure, like IkeV2Session. Version 1 never acknowledges an informational message and has no message numbers,
// so more is guessed here, and told with less certainty. Source: RFC 2408, 2409, 3706, 3947.
class IkeV1Session {
 public:
  IkeV1Session(Side initiator, std::uint64_t cookie_initiator, TimePoint now);

  void on_message(const IkeInput& in, IkeObservationSink& sink);
  void on_esp(TimePoint now, Side from, IkeObservationSink& sink);
  void advance(TimePoint now, IkeObservationSink& sink);
  // When advance() may next have something to tell if no message comes before; TimePoint::max(): never.
  TimePoint due() const;
  // No more messages will come: what waited for a contradiction is told.
  void finish(TimePoint, IkeObservationSink& sink) {
    for (const Side side : {Side::local, Side::remote}) judge_deletes(TimePoint::max(), side, sink);
    deferred_.cancel(IkeSight::xauth_refused);  // what would deny it takes its time
    deferred_.advance(TimePoint::max(), sink);
  }
  bool joined_midway() const { return midway_; }
  bool seems_to_stand() const { return false; }
  // A later ISAKMP SA with the same peer got further: what this one still waits for is not waited for any more.
  void supersede(TimePoint later_began) {
    forget_what_waits();
    if (phase_ != SessionPhase::established) {
      phase_ = SessionPhase::ended;
    } else if (established_at_ && *established_at_ < later_began) {
      leftover_ = succeeded_ = true;
    }
  }
  bool leftover() const { return leftover_; }
  // Children of an earlier ISAKMP SA with the same peer that is forgotten.
  void adopt(int children) { children_ += children; }

  SessionPhase phase() const { return phase_; }
  Side initiator() const { return initiator_; }
  std::uint64_t spi_initiator() const { return cookie_initiator_; }
  std::uint64_t spi_responder() const { return cookie_responder_; }
  TimePoint last_seen() const { return last_seen_; }
  int children() const { return children_; }
  bool half_open() const { return phase_ == SessionPhase::init; }

 private:
  struct Waiting {  // the message of phase 1 that waits for the other side
    Side by = Side::local;
    std::uint8_t step = 0;  // 1 to 6 of main mode, 1 to 3 of aggressive mode
    std::uint8_t exchange = 0;
    std::uint16_t sends = 0;
    std::uint16_t port = 0;
    std::uint32_t length = 0;
    bool fragmented = false;
    std::uint16_t overheard = 0;  // how often the other side repeated its own last message meanwhile
    TimePoint since{};
    TimePoint told{};
  };
  struct Quick {
    std::uint32_t message_id = 0;
    Side by = Side::local;
    std::uint8_t step = 1;
    std::uint16_t sends = 1;
    std::uint16_t port = 0;
    std::uint32_t length = 0;
    bool refused = false;    // an informational of the other side answered it
    bool commit = false;     // the responder will say when its side stands (RFC 2408 section 3.1)
    bool uncertain = false;  // the capture may have begun inside it: this may not be its first message
    TimePoint since{};
    TimePoint last{};
    TimePoint told{};
  };
  struct Informational {          // encrypted ones of a side since the other one was heard
    std::uint16_t questions = 0;  // that may ask for liveness
    std::uint16_t burst = 0;      // right behind each other: deletes
    bool may_end = false;         // the burst, or a lone one, may hold the deletion of the ISAKMP SA
    bool isakmp_only = false;     // ... and not of a child
    bool had_child = false;       // when it came
    bool deletes = false;         // a lone one that is too long or too short for anything but a deletion
    TimePoint since{};
    TimePoint last{};
    std::uint16_t port = 0;
    std::uint32_t length = 0;
  };

  void forget_what_waits();
  void on_phase1(const IkeInput& in, std::uint8_t step, IkeObservationSink& sink);
  void on_phase1_answer(const IkeInput& in, std::uint8_t step, IkeObservationSink& sink);
  void on_clear_informational(const IkeInput& in, IkeObservationSink& sink);
  void on_informational(const IkeInput& in, IkeObservationSink& sink);
  bool judge_phase1_informational(const IkeInput& in, IkeObservationSink& sink);
  bool refuses_peer(const IkeInput& in);
  bool refuses_quick(const IkeInput& in);
  bool confirms_quick(const IkeInput& in);
  void note_informational(const IkeInput& in, IkeObservationSink& sink);
  void judge_deletes(TimePoint now, Side side, IkeObservationSink& sink);
  // Whatever comes from a side, a packet of its traffic too, says that it lives: nothing that was asked waits for it.
  void heard(Side side) { open_[index(other(side))].questions = 0; }
  IkeObservation refused_auth(const IkeInput& in) const;
  void on_quick(const IkeInput& in, IkeObservationSink& sink);
  void on_transaction(const IkeInput& in, IkeObservationSink& sink);
  void establish(const IkeInput& in, IkeObservationSink& sink);
  std::uint8_t step_of(const IkeInput& in) const;
  bool is_main() const { return mode_ == wire::v1_identity_protection; }
  IkeObservation make(IkeSight sight, Side by, const IkeInput& in) const;
  IkeObservation unanswered(IkeSight sight, Side by, std::uint16_t sends, TimePoint since, TimePoint now) const;
  void tell_waiting(TimePoint now, IkeObservationSink& sink);

  Side initiator_;
  std::uint64_t cookie_initiator_;
  std::uint64_t cookie_responder_ = 0;
  std::uint8_t mode_ = 0;
  SessionPhase phase_ = SessionPhase::init;
  std::optional<SuiteLengths> suite_;
  std::optional<Waiting> waiting_;
  bool answered_by_informational_ = false;  // message 5, or aggressive message 3
  static constexpr std::size_t kQuickModes = 8;
  std::vector<Quick> quick_;  // at most kQuickModes
  Informational open_[2];     // by side
  Deferred deferred_;
  std::uint16_t transactions_ = 0;
  std::optional<std::uint32_t> transaction_id_;
  std::optional<Waiting> transaction_;
  bool midway_ = false;
  bool leftover_ = false;
  bool succeeded_ = false;  // a later ISAKMP SA stands
  TimePoint began_{};
  TimePoint deleted_at_{};
  Side deleted_by_ = Side::local;
  std::optional<TimePoint> esp_at_[2];  // by side that sent
  std::optional<TimePoint> established_at_;
  int children_ = 0;
  TimePoint last_seen_{};
};

}  // namespace tunnelwatch::passive
