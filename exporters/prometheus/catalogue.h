#pragma once

#include "exporters/report.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_type.h>

// Every metric once: its name, type, help, labels and where in a Report its series come from.
namespace tunnelwatch::exporters {

struct MetricDef {
  prometheus::MetricType type = prometheus::MetricType::Gauge;
  std::string_view name;
  std::string_view help;                     // one line: no newline, no backslash
  std::array<std::string_view, 5> labels{};  // empty: not used
};

// What a metric's series are written to. Label values stand in the order of MetricDef::labels. Counters and gauges come
// as `value`, summaries have no quantiles.
class SeriesSink {
 public:
  using LabelValues = std::initializer_list<std::string_view>;
  virtual ~SeriesSink() = default;
  virtual void family(const MetricDef& def) = 0;
  virtual void value(LabelValues labels, std::uint64_t value) = 0;
  virtual void value(LabelValues labels, double value) = 0;
  // A gauge of 1 that has labels of the configuration beside its own.
  virtual void info(LabelValues labels, const std::vector<std::pair<std::string, std::string>>& more) = 0;
  virtual void histogram(LabelValues labels, const Histogram& histogram) = 0;
  virtual void summary(LabelValues labels, std::uint64_t count, double sum) = 0;
};

// A Report with its lists in the order in which series are told: by name.
struct OrderedReport {
  explicit OrderedReport(const Report& report);  // keeps pointers into it
  const Report& report;
  std::vector<const TunnelReport*> tunnels;
  std::vector<const EchoReport*> echo;
  std::vector<const IkeProbeReport*> ike_probes;
  std::vector<const EspProbeReport*> esp_probes;
};

struct Metric {
  MetricDef def;
  void (*tell)(const OrderedReport& report, SeriesSink& out) = nullptr;
};

// Sorted by name.
std::span<const Metric> metric_catalogue();

}  // namespace tunnelwatch::exporters
