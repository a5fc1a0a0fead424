#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

// The buckets of the histograms that are counted here: their upper bounds, ascending, and one bucket more for what is
// above all of them.
namespace tunnelwatch::active {

// `count` bounds of which each is `factor` times the one before.
inline std::vector<double> geometric_bounds(double first, double factor, std::size_t count) {
  std::vector<double> bounds(count, first);
  for (std::size_t i = 1; i < count; ++i) bounds[i] = bounds[i - 1] * factor;
  return bounds;
}

// The bucket that ends at `value` or is the first to end above it (Prometheus' le); bounds.size() above all.
inline std::size_t bucket_of(const std::vector<double>& bounds, double value) {
  return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
}

}  // namespace tunnelwatch::active
