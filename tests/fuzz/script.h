#pragma once

#include "tests/support/ike_bytes.h"

#include <vector>

// Scripts of Conversation that are whole lives of a tunnel, for fuzzing to begin with.
namespace tunnelwatch::fuzz {

struct NamedScript {
  const char* name;
  test::Buffer script;
};

std::vector<NamedScript> scripts();

}  // namespace tunnelwatch::fuzz
