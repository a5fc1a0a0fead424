#include "agent/diagnosis/rules.h"
#include "exporters/prometheus/catalogue.h"

#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

// README's tables are those of the code. A test that fails prints what belongs between the markers.
namespace tunnelwatch {
namespace {

std::string between(const std::string& name) {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/README.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const std::string begin = "<!-- " + name + " -->\n";
  const std::string end = "<!-- end of " + name + " -->";
  const auto from = all.find(begin);
  const auto to = all.find(end);
  if (from == std::string::npos || to == std::string::npos) return "no markers";
  return all.substr(from + begin.size(), to - from - begin.size());
}

TEST(Readme, ListsEveryMetric) {
  std::string expected = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const auto& metric : exporters::metric_catalogue()) {
    const auto& d = metric.def;
    std::string labels;
    for (const auto l : d.labels) {
      if (l.empty()) continue;
      if (!labels.empty()) labels += ", ";
      labels += l;
    }
    const char* type = "gauge";
    if (d.type == prometheus::MetricType::Counter) type = "counter";
    if (d.type == prometheus::MetricType::Histogram) type = "histogram";
    if (d.type == prometheus::MetricType::Summary) type = "summary";
    expected += "| `" + std::string(d.name) + "` | " + type + " | " + labels + " | " + std::string(d.help) + " |\n";
  }
  EXPECT_EQ(between("metrics"), expected);
}

TEST(Readme, ListsTheCausesThatRulesCanRaise) {
  std::set<diagnosis::Cause> raised;
  for (const auto& rule : diagnosis::rules()) raised.insert(rule.cause);
  std::string expected = "| cause | in the guide | meaning |\n|---|---|---|\n";
  for (const auto& row : diagnosis::catalogue()) {
    if (!raised.contains(row.cause)) continue;
    expected += "| `" + std::string(to_string(row.cause)) + "` | " + std::string(row.words) + " | " +
                std::string(row.title.en) + " |\n";
  }
  EXPECT_EQ(between("causes"), expected);
}

}  // namespace
}  // namespace tunnelwatch
