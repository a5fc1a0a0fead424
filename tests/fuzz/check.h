#pragma once

#include "probes/wire/byte_reader.h"

#include <cstdio>
#include <cstdlib>
#include <functional>

// What a fuzz target asserts: on in every build, and the end of the run where it does not hold.
namespace tunnelwatch::fuzz {

inline void check(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: does not hold\n", file, line);
  std::abort();
}

// Views of a parser lie in what it was given.
inline void must_lie_inside(wire::Bytes view, wire::Bytes input) {
  if (view.empty()) return;
  const std::less<const std::uint8_t*> before;
  check(!before(view.data(), input.data()) && !before(input.data() + input.size(), view.data() + view.size()));
}

}  // namespace tunnelwatch::fuzz
