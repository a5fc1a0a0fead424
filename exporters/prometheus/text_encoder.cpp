#include "exporters/prometheus/text_encoder.h"

#include "exporters/text/printable.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

namespace tunnelwatch::exporters {
namespace {

constexpr std::size_t kDigits = 32;  // more than any integer or shortest double has

char* write_number(char* at, std::uint64_t value) { return std::to_chars(at, at + kDigits, value).ptr; }

char* write_number(char* at, double value) {
  if (std::isfinite(value)) return std::to_chars(at, at + kDigits, value).ptr;
  const std::string_view word = std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  return at + word.copy(at, kDigits);
}

std::string_view type_name(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Gauge:
      return "gauge";
    case prometheus::MetricType::Summary:
      return "summary";
    case prometheus::MetricType::Histogram:
      return "histogram";
    case prometheus::MetricType::Untyped:
      break;
  }
  return "untyped";
}

// Whether one of eight characters may want escaping or be no ASCII. Never wrong where it says no.
bool may_need_care(std::uint64_t eight) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t tops = 0x80 * ones;
  const auto has_zero = [](std::uint64_t v) { return (v - ones) & ~v; };
  return ((eight | (eight - 0x20 * ones) | has_zero(eight ^ ('"' * ones)) | has_zero(eight ^ ('\\' * ones))) & tops) !=
         0;
}

// This is asked of each label of each series: a character at a time it was a seventh of a scrape.
bool may_need_care(std::string_view value) {
  std::uint64_t eight = 0;
  for (; value.size() >= sizeof eight; value.remove_prefix(sizeof eight)) {
    std::memcpy(&eight, value.data(), sizeof eight);
    if (may_need_care(eight)) return true;
  }
  std::array<char, sizeof eight> rest;
  rest.fill('0');
  value.copy(rest.data(), value.size());
  std::memcpy(&eight, rest.data(), sizeof eight);
  return may_need_care(eight);
}

// A label's value must be UTF-8, or Prometheus refuses the whole scrape; quote, backslash and newline are escaped.
void append_label_value(std::string& out, std::string_view value) {
  if (!may_need_care(value)) {
    out += value;
    return;
  }
  for (const char c : valid_utf8(value)) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

}  // namespace

void TextEncoder::family(const MetricDef& def) {
  def_ = &def;
  headed_ = false;
  for (std::size_t i = 0; i < def.labels.size(); ++i) {
    label_starts_[i] = i == 0 ? "{" : "\",";
    label_starts_[i] += def.labels[i];
    label_starts_[i] += "=\"";
  }
}

void TextEncoder::head() {
  if (headed_) return;
  headed_ = true;
  for (const auto& [word, text] : {std::pair{std::string_view("# HELP "), def_->help},
                                   std::pair{std::string_view("# TYPE "), type_name(def_->type)}}) {
    for (const std::string_view part : {word, def_->name, std::string_view(" "), text, std::string_view("\n")})
      put(part);
  }
}

void TextEncoder::put(std::string_view text) {
  if (text.size() > chunk_.size() - used_) {
    flush();
    if (text.size() > chunk_.size()) {  // a label longer than a chunk
      out_(text);
      return;
    }
  }
  std::memcpy(chunk_.data() + used_, text.data(), text.size());
  used_ += text.size();
}

void TextEncoder::flush() {
  out_({chunk_.data(), used_});
  used_ = 0;
}

void TextEncoder::begin(LabelValues values) {
  head();
  labels_.clear();
  std::size_t i = 0;
  for (const std::string_view value : values) {
    labels_ += label_starts_[i++];
    append_label_value(labels_, value);
  }
  if (i > 0) labels_ += '"';
}

template <typename Value>
void TextEncoder::end_line(Value value) {
  if (chunk_.size() - used_ < kDigits + 1) flush();
  char* end = write_number(chunk_.data() + used_, value);
  *end++ = '\n';
  used_ = static_cast<std::size_t>(end - chunk_.data());
}

template <typename Value>
void TextEncoder::suffixed(std::string_view suffix, Value value) {
  put(def_->name);
  put(suffix);
  put(labels_);
  put(labels_.empty() ? " " : "} ");
  end_line(value);
}

template <typename Value>
void TextEncoder::single(LabelValues labels, Value value) {
  begin(labels);
  suffixed("", value);
}

void TextEncoder::value(LabelValues labels, std::uint64_t value) { single(labels, value); }
void TextEncoder::value(LabelValues labels, double value) { single(labels, value); }

void TextEncoder::info(LabelValues labels, const std::vector<std::pair<std::string, std::string>>& more) {
  begin(labels);
  for (const auto& [name, value] : more) {
    labels_ += labels_.empty() ? "{" : ",";
    labels_ += name;
    labels_ += "=\"";
    append_label_value(labels_, value);
    labels_ += '"';
  }
  suffixed("", std::uint64_t{1});
}

void TextEncoder::summary(LabelValues labels, std::uint64_t count, double sum) {
  begin(labels);
  suffixed("_count", count);
  suffixed("_sum", sum);
}

const std::vector<std::string>& TextEncoder::le_labels(const std::vector<double>& bounds) {
  if (le_bounds_ == &bounds) return le_;
  le_bounds_ = &bounds;
  le_.clear();
  for (const double bound : bounds) {
    std::array<char, kDigits> digits;
    le_.push_back("le=\"" + std::string(digits.data(), write_number(digits.data(), bound)) + "\"} ");
  }
  le_.emplace_back("le=\"+Inf\"} ");
  return le_;
}

void TextEncoder::histogram(LabelValues labels, const Histogram& histogram) {
  if (histogram.bounds == nullptr) return;
  begin(labels);
  const std::vector<std::string>& les = le_labels(*histogram.bounds);
  std::string start(def_->name);
  start += "_bucket";
  start += labels_.empty() ? "{" : labels_ + ',';
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < les.size(); ++i) {
    if (i < histogram.counts.size()) cumulative += histogram.counts[i];
    put(start);
    put(les[i]);
    end_line(cumulative);
  }
  suffixed("_count", cumulative);
  suffixed("_sum", histogram.sum);
}

}  // namespace tunnelwatch::exporters
