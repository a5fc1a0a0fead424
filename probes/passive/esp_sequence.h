#pragma once

#include "probes/time.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tunnelwatch::passive {

// Loss, reordering and duplicates of one stream from the clear sequence numbers (RFC 4303 sections 2.2 and 3.4.3), the
// 32 low bits of an extended one. A number is lost when it left the window of 1024, or when settle() was called twice
// since a later one came (a slow stream must not wait for 1024 packets). A step of more than the window, in either
// direction, is held back until four packets in a row go on there: one forged packet moves nothing.
class EspSequence {
 public:
  static constexpr std::uint64_t kWindow = 1024;
  static constexpr unsigned kConfirmations = 4;

  void start(std::uint32_t sequence, TimePoint now);
  void on_packet(std::uint32_t sequence, TimePoint now);
  // The first packets after the capture itself was blind: what is missing is no loss of the network's.
  void on_packet_after_gap(std::uint32_t sequence, TimePoint now);
  // Once a second: what is missing behind the highest of the last call, with four packets beyond it, is lost by now.
  // True while another call may bring more.
  bool settle();
  // At the end of a capture: nothing more will come.
  void settle_all();

  std::uint64_t highest() const;
  std::uint64_t lost() const { return lost_; }
  std::uint64_t reordered() const { return reordered_; }
  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t out_of_window() const { return out_of_window_; }
  std::uint64_t jumps() const { return jumps_; }
  bool live() const { return in_sequence_ >= kLiveAfter; }

 private:
  static constexpr unsigned kLiveAfter = 8;

  void on_next(std::uint64_t sequence);
  void advance(std::uint64_t sequence);
  void on_behind(std::uint64_t sequence, TimePoint now);
  void on_stranger(std::uint64_t sequence, TimePoint now);
  bool confirmed(std::uint64_t sequence, bool is_counted);
  void drop_candidate();
  void forgive();
  void move_to(std::uint64_t sequence, TimePoint now);
  bool plausible(std::uint64_t gap, TimePoint now) const;
  void settle_to(std::uint64_t target);
  std::uint64_t well_covered() const;
  bool seen(std::uint64_t sequence) const { return (ring_[(sequence >> 6) % kWords] >> (sequence & 63) & 1) != 0; }
  void mark(std::uint64_t sequence) { ring_[(sequence >> 6) % kWords] |= std::uint64_t{1} << (sequence & 63); }
  void unmark(std::uint64_t sequence) { ring_[(sequence >> 6) % kWords] &= ~(std::uint64_t{1} << (sequence & 63)); }

  static constexpr std::size_t kWords = kWindow / 64;
  std::uint64_t highest_ = 0;
  std::uint64_t settled_ = 0;      // up to here, every number is accounted for; never below highest_ - kWindow
  std::uint64_t settle_next_ = 0;  // the highest at the last settle()
  std::uint64_t received_ = 0;
  TimePoint first_{};
  TimePoint last_{};                   // of the last packet near the highest
  std::uint64_t candidate_start_ = 0;  // where the sequence may have moved to
  std::uint64_t candidate_ = 0;
  std::uint64_t peak_ = 0;         // the highest before a step back: what lies below it is no new loss
  std::uint64_t pending_gap_ = 0;  // of a confirmed long step ahead, lost unless the stream returns
  unsigned candidate_count_ = 0;
  unsigned in_sequence_ = 0;
  unsigned peak_age_ = 0;              // in calls of settle()
  bool candidate_is_counted_ = false;  // as duplicates or reordered, already
  bool pending_is_old_ = false;
  std::uint64_t lost_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t out_of_window_ = 0;
  std::uint64_t jumps_ = 0;
  std::array<std::uint64_t, kWords> ring_{};
};

}  // namespace tunnelwatch::passive
