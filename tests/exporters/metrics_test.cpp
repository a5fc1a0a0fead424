#include "exporters/prometheus/catalogue.h"
#include "exporters/prometheus/metrics_text.h"
#include "exporters/prometheus/process.h"
#include "tests/exporters/sample_report.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

namespace tunnelwatch::exporters {
namespace {

using prometheus::MetricType;
using testing::HasSubstr;
using testing::Not;

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

TEST(Metrics, EqualTheGoldenText) {
  const std::string path = std::string(TUNNELWATCH_SOURCE_DIR) + "/tests/exporters/golden/metrics.txt";
  const std::string text = metrics_text(sample_report());
  if (std::getenv("TUNNELWATCH_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
  EXPECT_EQ(text, contents(path)) << "where the change is meant: run with TUNNELWATCH_WRITE_GOLDEN=1 and read the diff";
}

TEST(Metrics, NoSeriesTwice) {
  std::set<std::string> seen;
  for (const std::string& line : lines(metrics_text(sample_report())))
    EXPECT_TRUE(line[0] == '#' || seen.insert(line.substr(0, line.rfind(' '))).second) << line;
}

TEST(Metrics, LabelsAreEscapedWhereverItIsNeeded) {
  for (std::size_t size = 1; size <= 18; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const auto& [odd, escaped] : std::map<std::string, std::string>{
               {"\"", "\\\""}, {"\\", "\\\\"}, {"\n", "\\n"}, {"!", "!"}, {"#", "#"}, {" ", " "}, {"~", "~"}}) {
        Report report = sample_report();
        report.tunnels.resize(1);
        const std::string before(at, 'a'), after(size - at - 1, 'b');
        report.tunnels[0].name = before + odd + after;
        EXPECT_NE(metrics_text(report).find("{tunnel=\"" + before + escaped + after + "\""), std::string::npos)
            << report.tunnels[0].name;
      }
    }
  }
}

// prometheus-cpp writes numbers its own way, so they are compared as numbers.
TEST(Metrics, EqualThoseOfPrometheusCpp) {
  Report report = sample_report();
  report.tunnels[0].name = "quote\" slash\\ newline\n bad\xff";
  std::map<std::string, double> ours, theirs;
  const auto parse = [](const std::string& text, std::map<std::string, double>& out) {
    for (const std::string& line : lines(text)) {
      if (line[0] == '#') continue;
      const std::size_t space = line.rfind(' ');
      std::string series = line.substr(0, space);
      const std::size_t le = series.find("le=\"");
      if (le != std::string::npos) {
        const double bound = std::strtod(series.c_str() + le + 4, nullptr);
        series = series.substr(0, le) + std::to_string(bound);
      }
      if (series.size() > 2 && series.substr(series.size() - 2) == "{}") series.resize(series.size() - 2);
      out[series] = std::strtod(line.c_str() + space + 1, nullptr);
    }
  };
  parse(metrics_text(report), ours);
  parse(prometheus::TextSerializer().Serialize(metric_families(report)), theirs);
  ASSERT_EQ(ours.size(), theirs.size());
  for (auto a = ours.begin(), b = theirs.begin(); a != ours.end(); ++a, ++b) {
    EXPECT_EQ(a->first, b->first);
    EXPECT_DOUBLE_EQ(a->second, b->second) << a->first;
  }
  EXPECT_GT(ours.size(), 150U);
}

TEST(Metrics, EveryFamilyOfTheCatalogueHasSeriesInTheSample) {
  std::map<std::string, prometheus::MetricFamily> families;
  for (auto& family : metric_families(sample_report())) families[family.name] = family;
  for (const Metric& metric : metric_catalogue()) {
    const auto found = families.find(std::string(metric.def.name));
    ASSERT_NE(found, families.end()) << metric.def.name;
    EXPECT_EQ(found->second.type, metric.def.type);
    EXPECT_EQ(found->second.help, metric.def.help);
    for (const auto& series : found->second.metric) {
      std::vector<std::string_view> wanted;
      for (const std::string_view label : metric.def.labels)
        if (!label.empty()) wanted.push_back(label);
      std::vector<std::string_view> names;
      for (const auto& label : series.label) names.push_back(label.name);
      // An info has labels of the configuration behind its own.
      if (metric.def.name.ends_with("_target_info")) names.resize(std::min(names.size(), wanted.size()));
      EXPECT_EQ(names, wanted) << metric.def.name;
    }
  }
  EXPECT_EQ(families.size(), metric_catalogue().size());
}

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// Lower case words and numbers joined by single underscores, beginning with a letter.
bool is_snake_case(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && name.back() != '_' &&
         name.find("__") == std::string_view::npos && name.find_first_not_of(allowed) == std::string_view::npos;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

TEST(Metrics, NamesKeepTheConventions) {
  for (const Metric& metric : metric_catalogue()) {
    const MetricDef& def = metric.def;
    SCOPED_TRACE(def.name);
    EXPECT_TRUE(starts_with(def.name, "tunnelwatch_") || starts_with(def.name, "process_"));
    EXPECT_TRUE(is_snake_case(def.name));
    EXPECT_EQ(ends_with(def.name, "_total"), def.type == MetricType::Counter);
    const bool measures_time = def.type == MetricType::Histogram || def.type == MetricType::Summary;
    EXPECT_TRUE(!measures_time || ends_with(def.name, "_seconds"));
    for (const char* unit : {"_ms", "_us", "_milliseconds", "_percent", "_kb", "_minutes", "_bits"})
      EXPECT_FALSE(ends_with(def.name, unit));
    for (const char* derived : {"_count", "_sum", "_bucket"}) EXPECT_FALSE(ends_with(def.name, derived));
    EXPECT_FALSE(def.help.empty());
    EXPECT_EQ(def.help.back(), '.');
    EXPECT_EQ(def.help.find_first_of("\n\\"), std::string_view::npos);
    for (const std::string_view l : def.labels) EXPECT_TRUE(l.empty() || is_snake_case(l)) << l;
  }
}

TEST(Metrics, LabelsAreEscapedAndUtf8) {
  Report report;
  report.tunnels.resize(1);
  report.tunnels[0].name = "a\"b\\c\nd\xff{}认";
  EXPECT_THAT(metrics_text(report),
              HasSubstr("tunnelwatch_tunnel_faults{tunnel=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD{}认\"} 0\n"));
}

TEST(Metrics, CountersAreExactAboveTwoToThe53) {
  const std::string text = metrics_text(sample_report());
  EXPECT_THAT(text, HasSubstr("tunnelwatch_esp_bytes_total{tunnel=\"beijing\",direction=\"out\"} 9007199254740993\n"));
  EXPECT_THAT(text,
              HasSubstr("tunnelwatch_esp_packets_total{tunnel=\"beijing\",direction=\"out\"} 18446744073709551615\n"));
}

TEST(Metrics, ACauseListedTwiceIsToldOnce) {
  Report report = sample_report();
  report.tunnels[0].causes.push_back(report.tunnels[0].causes[0]);
  report.tunnels[0].causes.back().active = false;
  const std::string series = "tunnelwatch_cause_active{tunnel=\"beijing\",cause=\"authentication_fail\"} ";
  const std::string text = metrics_text(report);
  EXPECT_THAT(text, HasSubstr(series + "1\n"));
  EXPECT_THAT(text, Not(HasSubstr(series + "0\n")));
}

TEST(Metrics, TheOrderOfTheReportDoesNotMatter) {
  Report report = sample_report();
  std::reverse(report.tunnels.begin(), report.tunnels.end());
  std::reverse(report.echo.begin(), report.echo.end());
  std::reverse(report.ike_probes.begin(), report.ike_probes.end());
  EXPECT_EQ(metrics_text(report), metrics_text(sample_report()));
}

TEST(Metrics, LongLabelsCrossTheEncodersPieces) {
  Report report;
  report.tunnels.resize(40);
  for (std::size_t i = 0; i < 40; ++i) report.tunnels[i].name = std::to_string(i) + std::string(1000 * i, 'x');
  const std::string text = metrics_text(report);
  EXPECT_THAT(text, HasSubstr("tunnelwatch_tunnel_faults{tunnel=\"" + report.tunnels[39].name + "\"} 0\n"));
  std::size_t faults = 0;
  for (const std::string& line : lines(text)) faults += line.rfind("tunnelwatch_tunnel_faults{", 0) == 0;
  EXPECT_EQ(faults, 40U);
}

TEST(Metrics, PromtoolFindsNothing) {
  if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "promtool is not installed";
  const std::string path = testing::TempDir() + "/tunnelwatch_metrics_" + std::to_string(getpid()) + ".txt";
  std::ofstream(path) << metrics_text(sample_report());
  std::string said;
  std::FILE* pipe = popen(("promtool check metrics < " + path + " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  for (int c; (c = std::fgetc(pipe)) != EOF;) said += static_cast<char>(c);
  const int status = pclose(pipe);
  std::remove(path.c_str());
  EXPECT_EQ(said, "");
  EXPECT_EQ(status, 0);
}

TEST(Process, ReadsItself) {
  const ProcessReport p = read_process();
  EXPECT_GT(p.resident_bytes, 1000000U);
  EXPECT_GT(p.open_fds, 2U);
  EXPECT_GE(p.max_fds, p.open_fds);
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LT(p.start_time, now + 2);
  EXPECT_GT(p.start_time, now - 3600);
}

}  // namespace
}  // namespace tunnelwatch::exporters
