#include "exporters/prometheus/catalogue.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include <gtest/gtest.h>

namespace tunnelwatch::exporters {
namespace {

TEST(AlertRules, NameOnlyMetricsThatThereAre) {
  std::ifstream file(std::string(TUNNELWATCH_SOURCE_DIR) + "/exporters/prometheus/rules/tunnelwatch.yml");
  const std::string rules{std::istreambuf_iterator<char>(file), {}};
  std::set<std::string> known;
  for (const Metric& metric : metric_catalogue()) known.insert(std::string(metric.def.name));
  const std::regex name("tunnelwatch_[a-z_]+");
  std::size_t found = 0;
  for (std::sregex_iterator it(rules.begin(), rules.end(), name), end; it != end; ++it, ++found)
    EXPECT_TRUE(known.count(it->str()) == 1) << it->str();
  EXPECT_GT(found, 10U);
}

}  // namespace
}  // namespace tunnelwatch::exporters
