#include "exporters/histogram_quantile.h"

#include <numeric>

namespace tunnelwatch::exporters {

std::uint64_t total_count(const Histogram& histogram) {
  return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0});
}

std::optional<double> quantile(const Histogram& histogram, double q) {
  const std::uint64_t total = total_count(histogram);
  if (total == 0 || histogram.bounds == nullptr || histogram.bounds->empty()) return std::nullopt;
  const double rank = q * static_cast<double>(total);
  double below = 0;
  double lower = 0;
  for (std::size_t i = 0; i < histogram.bounds->size() && i < histogram.counts.size(); ++i) {
    const double upper = (*histogram.bounds)[i];
    const double here = static_cast<double>(histogram.counts[i]);
    if (here > 0 && below + here >= rank) return lower + (upper - lower) * ((rank - below) / here);
    below += here;
    lower = upper;
  }
  return lower;
}

}  // namespace tunnelwatch::exporters
