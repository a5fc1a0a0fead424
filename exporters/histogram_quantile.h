#pragma once

#include "exporters/report.h"

#include <cstdint>
#include <optional>

namespace tunnelwatch::exporters {

std::uint64_t total_count(const Histogram& histogram);

// The quantile q (0 to 1) by linear interpolation within its bucket, as Prometheus's histogram_quantile() does: the
// highest bound where it falls above all of them. Nothing where nothing was counted.
std::optional<double> quantile(const Histogram& histogram, double q);

}  // namespace tunnelwatch::exporters
