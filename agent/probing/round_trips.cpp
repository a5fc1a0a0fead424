#include "agent/probing/round_trips.h"

#include <algorithm>
#include <vector>

namespace tunnelwatch::agent {

namespace {

const std::vector<double>& bounds_of(std::size_t count) {
  static const std::vector<double> bounds = [&] {
    std::vector<double> made(count);
    double bound = 50e-6;
    for (double& each : made) {
      each = bound;
      bound *= 4;
    }
    return made;
  }();
  return bounds;
}

}  // namespace

void RoundTrips::add(Duration rtt) {
  const std::vector<double>& bounds = bounds_of(kBounds);
  const double seconds = to_seconds(rtt);
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  sum_ += seconds;
  any_ = true;
}

exporters::Histogram RoundTrips::report() const {
  if (!any_) return {};
  return {&bounds_of(kBounds), {counts_.begin(), counts_.end()}, sum_};
}

}  // namespace tunnelwatch::agent
