#pragma once

#include "exporters/report.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

namespace tunnelwatch::exporters {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// The whole report in the Prometheus text format: families by name, series by tunnel and target. Counters are exact
// integers. Names of tunnels must be unique, as must (tunnel, target, role) of the echo targets.
std::string metrics_text(const Report& report);

// The same in pieces, so that who compresses it never holds all of it.
void write_metrics(const Report& report, const std::function<void(std::string_view piece)>& out);

// The same as prometheus-cpp's families, for a Collectable or any of its serializers; slower (see TextEncoder).
// Families without series are left out.
std::vector<prometheus::MetricFamily> metric_families(const Report& report);

}  // namespace tunnelwatch::exporters
