#include "probes/wire/pcapng_clock.h"

#include <algorithm>

namespace tunnelwatch::wire {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kEnd = 7'258'118'400 * kSecond;  // 2200: times and their differences fit Duration with room
constexpr unsigned kMostDecimal = 19;                    // 10^19 is the last power of ten in 64 bits
constexpr unsigned kMostBinary = 63;

constexpr std::uint64_t power_of_ten(unsigned exponent) {
  std::uint64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// seconds + fraction x 2^-shift in nanoseconds; kEnd for all that is later.
constexpr std::uint64_t from_binary(std::uint64_t ticks, unsigned shift) {
  const std::uint64_t seconds = ticks >> shift;
  if (seconds >= kEnd / kSecond) return kEnd;
  std::uint64_t fraction = ticks - (seconds << shift);
  // 2^34 x 10^9 is below 2^64: bits of less than a sixteenth of a nanosecond are let go first.
  constexpr unsigned kExact = 34;
  if (shift > kExact) {
    fraction >>= shift - kExact;
    shift = kExact;
  }
  return seconds * kSecond + (fraction * kSecond >> shift);
}

}  // namespace

void PcapngClock::set_resolution(std::uint8_t if_tsresol) noexcept {
  const unsigned exponent = if_tsresol & 0x7fU;
  if ((if_tsresol & 0x80U) != 0) {
    ticks_ = exponent <= kMostBinary ? Ticks::binary : Ticks::unusable;
    shift_ = static_cast<std::uint8_t>(exponent);
  } else if (exponent <= 9) {
    ticks_ = Ticks::multiples;
    factor_ = power_of_ten(9 - exponent);
  } else {
    ticks_ = exponent <= kMostDecimal ? Ticks::fractions : Ticks::unusable;
    factor_ = ticks_ == Ticks::fractions ? power_of_ten(exponent - 9) : 1;
  }
}

void PcapngClock::set_offset(std::uint64_t if_tsoffset) noexcept {
  // What is beyond leaves no time at all, as the limits do.
  constexpr auto kMost = static_cast<std::int64_t>(kEnd / kSecond);
  offset_ = std::clamp(static_cast<std::int64_t>(if_tsoffset), -kMost, kMost) * static_cast<std::int64_t>(kSecond);
}

std::uint64_t PcapngClock::since_epoch(std::uint64_t ticks) const noexcept {
  switch (ticks_) {
    case Ticks::multiples:
      return ticks < kEnd / factor_ ? ticks * factor_ : kEnd;
    case Ticks::fractions:
      return ticks / factor_;
    case Ticks::binary:
      return from_binary(ticks, shift_);
    case Ticks::unusable:
      break;
  }
  return kEnd;
}

std::optional<Duration> PcapngClock::at(std::uint64_t ticks) const noexcept {
  const std::uint64_t unmoved = since_epoch(ticks);
  if (unmoved >= kEnd) return std::nullopt;
  const auto nanoseconds = static_cast<std::int64_t>(unmoved);
  if (offset_ >= 0 ? nanoseconds >= static_cast<std::int64_t>(kEnd) - offset_ : nanoseconds < -offset_) {
    return std::nullopt;
  }
  return Duration{nanoseconds + offset_};
}

}  // namespace tunnelwatch::wire
