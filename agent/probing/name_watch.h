#pragma once

#include "config/settings.h"
#include "probes/time.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::agent {

// What a name of the configuration stands for, and what its look-ups came to.
struct NameState {
  std::array<std::optional<IpAddress>, 3> addresses;  // in use, by config::AddressFamily
  std::uint64_t lookups = 0;                          // that ended
  std::uint64_t failures = 0;                         // of them
  std::uint64_t changes = 0;                          // of an address in use to another
  std::uint32_t failures_in_a_row = 0;
  std::string error;  // of the last look-up; empty: it gave an address
};

// The names of the configuration, without I/O: says which are to be looked up, and is told what came of it. A look-up
// that fails ends nothing: the address of before stays.
class NameWatch {
 public:
  // Names that are asked for from now on: begin_sync(), want() for each, end_sync(). One that stays keeps its address.
  void begin_sync();
  void want(const std::string& name);
  void end_sync();

  // Names whose look-up is due; each is looked up once until on_result() tells of it.
  std::vector<std::string> due(TimePoint now);
  // What a look-up gave, in the resolver's order; none: it failed, and `error` says why. True where the name stands for
  // another address than before: one that is still among them stays, however the resolver turns its list.
  bool on_result(const std::string& name, const std::vector<IpAddress>& addresses, const std::string& error,
                 TimePoint now);

  std::optional<IpAddress> address_of(const std::string& name,
                                      config::AddressFamily family = config::AddressFamily::any) const;
  // Null: not a name that is wanted.
  const NameState* find(const std::string& name) const;
  template <typename Visit>
  void visit(Visit&& visit) const {
    for (const auto& [text, name] : names_) visit(text, name.state);
  }

 private:
  struct Name {
    NameState state;
    std::optional<TimePoint> looked_up;
    bool looking = false;
    bool wanted = true;
  };
  static bool choose(NameState& state, config::AddressFamily family, const std::vector<IpAddress>& addresses);

  std::map<std::string, Name> names_;
};

}  // namespace tunnelwatch::agent
