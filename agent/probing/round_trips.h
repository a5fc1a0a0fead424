#pragma once

#include "exporters/report.h"
#include "probes/time.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tunnelwatch::agent {

// Round trips of the probes of one tunnel's peer, as a histogram. A probe every ten seconds, or every minute, wants no
// finer buckets than by 4; by 2, as pings have them, they were a quarter of a scrape of many tunnels.
class RoundTrips {
 public:
  static constexpr std::size_t kBounds = 10;  // 50 us to 13 s

  void add(Duration rtt);
  // Without bounds, and so without series, while there was none.
  exporters::Histogram report() const;

 private:
  std::array<std::uint64_t, kBounds + 1> counts_{};
  double sum_ = 0;  // seconds
  bool any_ = false;
};

}  // namespace tunnelwatch::agent
