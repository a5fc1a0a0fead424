#pragma once

#include "exporters/report.h"

namespace tunnelwatch::exporters {

inline WallTime at(double seconds_since_epoch) {
  return WallTime(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds_since_epoch * 1e3) * 1'000'000));
}

inline const std::vector<double>& sample_bounds() {
  static const std::vector<double> bounds = {0.001, 0.01, 0.1, 1};
  return bounds;
}

inline const std::vector<double>& fine_bounds() {  // 20 bounds from 50 us, each twice the one before
  static const std::vector<double> bounds = [] {
    std::vector<double> out;
    for (double b = 50e-6; out.size() < 20; b *= 2) out.push_back(b);
    return out;
  }();
  return bounds;
}

// Two configured tunnels (one up with a past fault, one down with two causes, text of a peer that wants to be markup)
// and a discovered one.
Report sample_report();

// What a scrape of a large gateway holds: `tunnels` tunnels, `targets` echo targets, two IKE probes a tunnel.
Report large_report(std::size_t tunnels, std::size_t targets);

std::vector<CauseInfo> sample_causes();

}  // namespace tunnelwatch::exporters
