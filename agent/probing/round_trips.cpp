#include "agent/probing/round_trips.h"

#include "probes/active/buckets.h"

#include <vector>

namespace tunnelwatch::agent {

namespace {

const std::vector<double>& bounds() {
  static const std::vector<double> of_all = active::geometric_bounds(50e-6, 4, RoundTrips::kBounds);
  return of_all;
}

}  // namespace

void RoundTrips::add(Duration rtt) {
  const double seconds = to_seconds(rtt);
  ++counts_[active::bucket_of(bounds(), seconds)];
  sum_ += seconds;
  any_ = true;
}

exporters::Histogram RoundTrips::report() const {
  if (!any_) return {};
  return {&bounds(), {counts_.begin(), counts_.end()}, sum_};
}

}  // namespace tunnelwatch::agent
