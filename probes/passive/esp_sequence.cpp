#include "probes/passive/esp_sequence.h"

#include <algorithm>

namespace tunnelwatch::passive {

namespace {

// Extended numbers start here, so that steps back below the first number seen stay positive.
constexpr std::uint64_t kBase = std::uint64_t{1} << 62;
constexpr std::uint64_t kCandidateStep = 64;  // packets that confirm each other lie as near as this
constexpr std::uint64_t kRestartDistance = 64;
constexpr std::uint32_t kRestartFirst = 16;  // a stream that restarts begins near 1
constexpr unsigned kPeakLife = 5;

}  // namespace

std::uint64_t EspSequence::highest() const {
  return highest_ >= kBase ? highest_ - kBase : static_cast<std::uint32_t>(highest_);
}

void EspSequence::start(std::uint32_t sequence, TimePoint now) {
  *this = EspSequence{};
  highest_ = kBase + sequence;
  settled_ = highest_;
  settle_next_ = highest_;
  mark(highest_);
  received_ = 1;
  in_sequence_ = 1;
  first_ = last_ = now;
}

void EspSequence::on_packet(std::uint32_t sequence, TimePoint now) {
  ++received_;
  // The nearest extended number with these low 32 bits: a wrap is a step of one, with or without ESN.
  const auto step = static_cast<std::int32_t>(sequence - static_cast<std::uint32_t>(highest_));
  const std::uint64_t extended = highest_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(step));
  constexpr auto kReach = static_cast<std::int32_t>(kWindow);
  if (step > kReach || step <= -kReach) return on_stranger(extended, now);
  last_ = now;
  if (step == 1 && candidate_count_ == 0) return on_next(extended);
  if (step > 0) return advance(extended);
  on_behind(extended, now);
}

// Nearly every packet is the next one: the number that it pushes out of the window shares its bit of the ring.
void EspSequence::on_next(std::uint64_t sequence) {
  const std::uint64_t leaving = sequence - kWindow;
  if (leaving > settled_) {
    lost_ += seen(leaving) ? 0U : 1U;
    settled_ = leaving;
  }
  mark(sequence);
  highest_ = sequence;
  if (in_sequence_ < kLiveAfter) ++in_sequence_;
}

void EspSequence::on_packet_after_gap(std::uint32_t sequence, TimePoint now) {
  forgive();
  const auto step = static_cast<std::int32_t>(sequence - static_cast<std::uint32_t>(highest_));
  if (step <= static_cast<std::int32_t>(kWindow)) {
    on_packet(sequence, now);
  } else {
    ++received_;
    drop_candidate();
    highest_ += static_cast<std::uint64_t>(step);
    ring_ = {};
    mark(highest_);
    last_ = now;
  }
  forgive();
}

void EspSequence::forgive() {
  settled_ = settle_next_ = highest_;
  pending_gap_ = 0;
}

void EspSequence::advance(std::uint64_t sequence) {
  if (candidate_count_ != 0) drop_candidate();
  if (in_sequence_ < kLiveAfter) ++in_sequence_;
  if (sequence - kWindow > settled_) settle_to(sequence - kWindow);
  for (std::uint64_t missing = highest_ + 1; missing < sequence; ++missing) unmark(missing);
  mark(sequence);
  highest_ = sequence;
}

void EspSequence::on_behind(std::uint64_t sequence, TimePoint now) {
  const bool is_copy = seen(sequence);
  const bool accounted_for = is_copy || sequence <= settled_;
  ++(is_copy ? duplicates_ : reordered_);
  mark(sequence);
  const bool from_the_start = candidate_count_ != 0 || static_cast<std::uint32_t>(sequence) <= kRestartFirst;
  if (!accounted_for || highest_ - sequence < kRestartDistance || !from_the_start) return drop_candidate();
  if (confirmed(sequence, /*is_counted=*/true)) move_to(sequence, now);
}

void EspSequence::on_stranger(std::uint64_t sequence, TimePoint now) {
  if (confirmed(sequence, /*is_counted=*/false)) move_to(sequence, now);
}

bool EspSequence::confirmed(std::uint64_t sequence, bool is_counted) {
  if (candidate_count_ != 0 && sequence == candidate_) return false;  // a tap that shows each packet twice
  const bool follows = candidate_count_ != 0 && sequence > candidate_ && sequence - candidate_ <= kCandidateStep;
  if (!follows) {
    drop_candidate();
    candidate_start_ = sequence;
    candidate_is_counted_ = is_counted;
  }
  candidate_ = sequence;
  return ++candidate_count_ >= kConfirmations;
}

void EspSequence::drop_candidate() {
  if (!candidate_is_counted_) out_of_window_ += candidate_count_;
  candidate_count_ = 0;
}

// The stream goes on elsewhere. Ahead, what was skipped is loss when time and rate allow for it and the stream does not
// come back at once; behind, the sender restarted, or the step ahead before was not the sender's.
void EspSequence::move_to(std::uint64_t sequence, TimePoint now) {
  ++jumps_;
  if (sequence > highest_) {
    const std::uint64_t base = std::max(highest_, peak_);
    const std::uint64_t gap = candidate_start_ > base ? candidate_start_ - base - 1 : 0;
    if (gap != 0 && plausible(gap, now)) {
      settle_to(highest_);
      pending_gap_ += gap;
      pending_is_old_ = false;
    }
  } else {
    pending_gap_ = 0;
    peak_ = std::max(peak_, highest_);
    peak_age_ = 0;
  }
  highest_ = settled_ = settle_next_ = sequence;
  ring_ = {};
  mark(sequence);
  candidate_count_ = 0;
  last_ = now;
}

// Could so many packets have been sent since the last one? Sixteen times the stream's mean rate, and a burst.
bool EspSequence::plausible(std::uint64_t gap, TimePoint now) const {
  constexpr double kBurst = 10'000;
  const double lifetime = std::max(1.0, to_seconds(last_ - first_));
  const double silence = std::max(0.0, to_seconds(now - last_));
  return static_cast<double>(gap) <= kBurst + 16.0 * silence * static_cast<double>(received_) / lifetime;
}

void EspSequence::settle_to(std::uint64_t target) {
  for (std::uint64_t s = settled_ + 1; s <= std::min(target, highest_); ++s) lost_ += seen(s) ? 0U : 1U;
  settled_ = std::max(settled_, target);
}

// The number that kConfirmations packets in the window have reached or passed: a lone packet ahead, perhaps forged,
// must not turn what has yet to come into loss.
std::uint64_t EspSequence::well_covered() const {
  unsigned found = 0;
  for (std::uint64_t s = highest_; s + kWindow > highest_ && s > settled_; --s) {
    if (seen(s) && ++found == kConfirmations) return s;
  }
  return settled_;
}

bool EspSequence::settle() {
  const bool again = settle_next_ != highest_ || pending_gap_ != 0;
  const std::uint64_t target = std::min(settle_next_, well_covered());
  if (target > settled_) settle_to(target);
  settle_next_ = highest_;
  if (pending_gap_ != 0 && pending_is_old_) {
    lost_ += pending_gap_;
    pending_gap_ = 0;
  }
  pending_is_old_ = pending_gap_ != 0;
  if (peak_ != 0 && ++peak_age_ > kPeakLife) peak_ = 0;
  return again;
}

void EspSequence::settle_all() {
  settle_to(highest_);
  lost_ += pending_gap_;
  pending_gap_ = 0;
}

}  // namespace tunnelwatch::passive
