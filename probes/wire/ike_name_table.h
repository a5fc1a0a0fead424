#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

// How the registries' tables of names stand and are read; for the files that hold such tables.
namespace tunnelwatch::wire {

struct Name {
  std::uint16_t id;
  std::string_view name;
};

// A table is looked up by halves: one that is out of order does not compile.
template <std::size_t N>
consteval bool in_order(const Name (&table)[N]) {
  for (std::size_t i = 1; i < N; ++i) {
    if (table[i - 1].id >= table[i].id) return false;
  }
  return true;
}

// "PREFIX_id" where the table has no name.
inline std::string name_in(std::span<const Name> table, std::uint16_t id, std::string_view prefix) {
  const auto found =
      std::lower_bound(table.begin(), table.end(), id, [](const Name& n, std::uint16_t v) { return n.id < v; });
  if (found != table.end() && found->id == id) return std::string(found->name);
  return fmt::format("{}_{}", prefix, id);
}

inline std::string with_key(std::string name, std::uint16_t bits) {
  return bits == 0 ? name : fmt::format("{}-{}", name, bits);
}

}  // namespace tunnelwatch::wire
