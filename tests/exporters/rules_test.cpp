#include "exporters/prometheus/catalogue.h"

#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

namespace tunnelwatch::exporters {
namespace {

TEST(AlertRules, NameOnlyMetricsThatThereAre) {
  std::ifstream file(std::string(TUNNELWATCH_SOURCE_DIR) + "/exporters/prometheus/rules/tunnelwatch.yml");
  const std::string rules{std::istreambuf_iterator<char>(file), {}};
  std::set<std::string> known;
  for (const Metric& metric : metric_catalogue()) known.insert(std::string(metric.def.name));
  std::size_t found = 0;
  for (std::size_t at = rules.find("tunnelwatch_"); at != std::string::npos;
       at = rules.find("tunnelwatch_", at), ++found) {
    const std::size_t end = rules.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
    const std::string name = rules.substr(at, end - at);
    EXPECT_EQ(known.count(name), 1U) << name;
    at = end;
  }
  EXPECT_GT(found, 10U);
}

}  // namespace
}  // namespace tunnelwatch::exporters
