#pragma once

#include "probes/time.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::wire {

// How an interface of a pcapng file counts time: ticks since the epoch, of if_tsresol's length, moved by if_tsoffset.
// The default is the format's own: microseconds, not moved.
class PcapngClock {
 public:
  // The top bit chooses between negative powers of two and of ten, the others are the exponent.
  void set_resolution(std::uint8_t if_tsresol) noexcept;
  // Whole seconds, two's complement.
  void set_offset(std::uint64_t if_tsoffset) noexcept;

  // Nanoseconds since the epoch; nothing for what is no time that a packet can have: before 1970, from 2200 on, or by a
  // clock whose ticks are not to be counted (shorter than 10^-19 s or 2^-63 s).
  std::optional<Duration> at(std::uint64_t ticks) const noexcept;

 private:
  enum class Ticks : std::uint8_t { multiples, fractions, binary, unusable };

  std::uint64_t since_epoch(std::uint64_t ticks) const noexcept;

  Ticks ticks_ = Ticks::multiples;
  std::uint8_t shift_ = 0;        // binary: ticks of 2^-shift s
  std::uint64_t factor_ = 1'000;  // nanoseconds a tick, or ticks a nanosecond
  std::int64_t offset_ = 0;       // nanoseconds
};

}  // namespace tunnelwatch::wire
