#pragma once

#include "probes/wire/byte_reader.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Datagrams as tests/kernel/run --record wrote them: each behind its length in four bytes of this machine's order.
namespace tunnelwatch::test {

inline std::vector<std::vector<std::uint8_t>> recorded(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> all((std::istreambuf_iterator<char>(file)), {});
  std::vector<std::vector<std::uint8_t>> datagrams;
  for (std::size_t at = 0; at + 4 <= all.size();) {
    std::uint32_t length = 0;
    std::memcpy(&length, all.data() + at, sizeof length);
    at += sizeof length;
    datagrams.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                           all.begin() + static_cast<std::ptrdiff_t>(at + length));
    at += length;
  }
  return datagrams;
}

}  // namespace tunnelwatch::test
