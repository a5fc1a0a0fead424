#pragma once

#include "exporters/prometheus/catalogue.h"

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::exporters {

using TextOut = std::function<void(std::string_view piece)>;

// Writes series straight into the Prometheus text format 0.0.4. A scrape of 1000 tunnels with 3000 echo targets is some
// 250,000 lines: building prometheus-cpp's families for it takes 40 ms and its TextSerializer 240 ms more, of the 20
// that a scrape may take. So metric_families() is for programs that want families, and the reference that tests hold
// this encoder against.
class TextEncoder final : public SeriesSink {
 public:
  // `out` takes pieces of some 16 KiB; the last one comes with the destructor.
  explicit TextEncoder(TextOut out) : out_(std::move(out)) {}
  ~TextEncoder() override { flush(); }
  TextEncoder(const TextEncoder&) = delete;
  TextEncoder& operator=(const TextEncoder&) = delete;

  void family(const MetricDef& def) override;
  void value(LabelValues labels, std::uint64_t value) override;
  void value(LabelValues labels, double value) override;
  void info(LabelValues labels, const std::vector<std::pair<std::string, std::string>>& more) override;
  void histogram(LabelValues labels, const Histogram& histogram) override;
  void summary(LabelValues labels, std::uint64_t count, double sum) override;

 private:
  void head();  // HELP and TYPE, before the first series of a family
  void begin(LabelValues values);
  void put(std::string_view text);
  template <typename Value>
  void end_line(Value value);
  template <typename Value>
  void single(LabelValues labels, Value value);
  template <typename Value>
  void suffixed(std::string_view suffix, Value value);
  void flush();
  const std::vector<std::string>& le_labels(const std::vector<double>& bounds);

  TextOut out_;
  std::array<char, 16384> chunk_;  // lines are made here, within the nearest cache
  std::size_t used_ = 0;
  const MetricDef* def_ = nullptr;
  bool headed_ = false;
  std::array<std::string, 5> label_starts_;         // `{tunnel="`, `",state="`
  std::string labels_;                              // of the series at hand: `{tunnel="a",state="up"`
  const std::vector<double>* le_bounds_ = nullptr;  // those that `le_` was made for
  std::vector<std::string> le_;                     // `le="0.005"} `, one more than bounds
};

}  // namespace tunnelwatch::exporters
