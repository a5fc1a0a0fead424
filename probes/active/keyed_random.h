#pragma once

#include <cstdint>

namespace tunnelwatch::active {

// SipHash-2-4 of two words under a 128-bit key: what a stranger who has not seen the packet cannot guess.
std::uint64_t siphash(std::uint64_t key0, std::uint64_t key1, std::uint64_t word0, std::uint64_t word1);

// Keyed numbers from one seed: a function (tag) and a stream (next). The same seed gives the same numbers, so that a
// test can follow them; the agent seeds it from the kernel's random source at start.
class KeyedRandom {
 public:
  explicit KeyedRandom(std::uint64_t seed);
  std::uint64_t tag(std::uint64_t a, std::uint64_t b) const { return siphash(key0_, key1_, a, b); }
  std::uint64_t next() { return siphash(key1_, key0_, ++drawn_, 0); }

 private:
  std::uint64_t key0_;
  std::uint64_t key1_;
  std::uint64_t drawn_ = 0;
};

// A seed from the machine's random source.
std::uint64_t random_seed();

}  // namespace tunnelwatch::active
