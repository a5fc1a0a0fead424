#include "exporters/prometheus/metrics_text.h"

#include "exporters/prometheus/catalogue.h"
#include "exporters/prometheus/text_encoder.h"
#include "exporters/text/printable.h"

#include <cstdint>
#include <limits>
#include <sys/mman.h>

namespace tunnelwatch::exporters {
namespace {

class FamilyBuilder final : public SeriesSink {
 public:
  void family(const MetricDef& def) override { def_ = &def, begun_ = false; }
  void value(LabelValues labels, std::uint64_t value) override { this->value(labels, static_cast<double>(value)); }
  void value(LabelValues labels, double value) override {
    prometheus::ClientMetric& metric = add(labels);
    (def_->type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }
  void info(LabelValues labels, const std::vector<std::pair<std::string, std::string>>& more) override {
    prometheus::ClientMetric& metric = add(labels);
    for (const auto& [name, value] : more) metric.label.push_back({name, valid_utf8(value)});
    metric.gauge.value = 1;
  }
  void histogram(LabelValues labels, const Histogram& histogram) override {
    if (histogram.bounds == nullptr) return;
    prometheus::ClientMetric::Histogram& out = add(labels).histogram;
    for (std::size_t i = 0; i <= histogram.bounds->size(); ++i) {
      if (i < histogram.counts.size()) out.sample_count += histogram.counts[i];
      const bool last = i == histogram.bounds->size();
      out.bucket.push_back({out.sample_count, last ? std::numeric_limits<double>::infinity() : (*histogram.bounds)[i]});
    }
    out.sample_sum = histogram.sum;
  }
  void summary(LabelValues labels, std::uint64_t count, double sum) override {
    prometheus::ClientMetric::Summary& out = add(labels).summary;
    out.sample_count = count;
    out.sample_sum = sum;
  }

  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  prometheus::ClientMetric& add(LabelValues labels) {
    if (!begun_) families_.push_back({std::string(def_->name), std::string(def_->help), def_->type, {}});
    begun_ = true;
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    std::size_t i = 0;
    for (const std::string_view label : labels)
      metric.label.push_back({std::string(def_->labels[i++]), valid_utf8(label)});
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
  const MetricDef* def_ = nullptr;
  bool begun_ = false;
};

void tell_all(const Report& report, SeriesSink& out) {
  const OrderedReport ordered(report);
  for (const Metric& metric : metric_catalogue()) {
    out.family(metric.def);
    metric.tell(ordered, out);
  }
}

// Enough for the usual labels: growing a text of many megabytes copies all of it.
std::size_t expected_size(const Report& report) {
  return 16384 + report.tunnels.size() * 8192 +
         (report.echo.size() + report.ike_probes.size() + report.esp_probes.size()) * 6144;
}

// A fault of a page costs more than filling it: a large text asks for large pages.
void ask_for_large_pages(std::string& text) {
  constexpr std::size_t page = 2U << 20;
  if (text.capacity() < 2 * page) return;
  const std::size_t skipped = page - reinterpret_cast<std::uintptr_t>(text.data()) % page;
  madvise(text.data() + skipped, (text.capacity() - skipped) / page * page, MADV_HUGEPAGE);  // a wish; may fail
}

}  // namespace

std::string metrics_text(const Report& report) {
  std::string out;
  out.reserve(expected_size(report));
  ask_for_large_pages(out);
  write_metrics(report, [&](std::string_view piece) { out += piece; });
  return out;
}

void write_metrics(const Report& report, const std::function<void(std::string_view piece)>& out) {
  TextEncoder encoder(out);
  tell_all(report, encoder);
}

std::vector<prometheus::MetricFamily> metric_families(const Report& report) {
  FamilyBuilder builder;
  tell_all(report, builder);
  return builder.take();
}

}  // namespace tunnelwatch::exporters
