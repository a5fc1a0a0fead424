#pragma once

#include "config/ip_address.h"
#include "probes/time.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::agent {

// What the names of the configuration stand for, without I/O: says which are to be looked up, and is told what came of
// it. A look-up that fails ends nothing: the address of before stays.
class NameWatch {
 public:
  // Names that are asked for from now on: begin_sync(), want() for each, end_sync(). One that stays keeps its address.
  void begin_sync();
  void want(const std::string& name);
  void end_sync();

  // Names whose look-up is due; each is looked up once until on_result() tells of it.
  std::vector<std::string> due(TimePoint now);
  // What a look-up gave, in the resolver's order; nothing: it failed. True where the name stands for another address
  // than before: one that is still among them stays, however the resolver turns its list.
  bool on_result(const std::string& name, const std::vector<IpAddress>& addresses, TimePoint now);

  std::optional<IpAddress> address_of(const std::string& name) const;

 private:
  struct Name {
    std::optional<IpAddress> address;
    std::optional<TimePoint> looked_up;
    bool looking = false;
    bool wanted = true;
  };
  std::map<std::string, Name> names_;
};

}  // namespace tunnelwatch::agent
