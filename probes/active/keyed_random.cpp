#include "probes/active/keyed_random.h"

#include <bit>
#include <cstdint>
#include <random>

namespace tunnelwatch::active {

namespace {

// The four words of SipHash's state (Aumasson and Bernstein, 2012).
struct SipState {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void absorb(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

}  // namespace

std::uint64_t siphash(std::uint64_t key0, std::uint64_t key1, std::uint64_t word0, std::uint64_t word1) {
  SipState s{key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261,
             key1 ^ 0x7465646279746573};
  s.absorb(word0);
  s.absorb(word1);
  s.absorb(std::uint64_t{16} << 56);  // the message's length in the last byte
  s.c ^= 0xff;
  for (int i = 0; i < 4; ++i) s.round();
  return s.a ^ s.b ^ s.c ^ s.d;
}

KeyedRandom::KeyedRandom(std::uint64_t seed) : key0_(siphash(seed, 0, 0, 0)), key1_(siphash(seed, 1, 0, 0)) {}

std::uint64_t random_seed() {
  std::random_device device;  // getrandom(2) or RDRAND behind it
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace tunnelwatch::active
