#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/passive/traffic_observation.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::diagnosis {

// By which interfaces a tunnel's outer packets leave and arrive, from what each capture sees of them: the way of both
// directions ought to be one and the same. Packets of both directions on several interfaces at once are the same ones,
// seen on a VLAN and on what carries it, or on a bond and its members.
class EgressEvidence {
 public:
  explicit EgressEvidence(Facts& facts) : facts_(facts) {}

  // `expected`: where the configuration says that they leave, if a capture looks there; else empty.
  void on_path(const passive::OuterPathSummary& path, std::string_view interface, std::string_view expected);
  void advance(TimePoint now);
  bool waits() const { return !paths_.empty(); }

 private:
  static constexpr std::size_t kMaxPaths = 16;

  struct Path {
    std::uint16_t id = 0;
    std::string interface;
    std::vector<TimePoint> out;  // one a second at most, while they are recent
    std::vector<TimePoint> in;
  };

  Path* path_of(const passive::OuterPathSummary& path, std::string_view interface);
  void judge_exit(const std::string& exit, TimePoint now);
  void judge(std::string_view expected, TimePoint now);

  Facts& facts_;
  std::vector<Path> paths_;
  std::string exit_;                 // the interface by which all of them leave
  std::vector<TimePoint> switches_;  // from one exit to another
};

}  // namespace tunnelwatch::diagnosis
