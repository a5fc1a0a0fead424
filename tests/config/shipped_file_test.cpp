#include "config/document.h"
#include "config/key_list.h"
#include "tests/config/config_fixture.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using testing::lines;
using testing::read_source;

// In the shipped file prose is "# text" and what can be switched on is "#" before a line of YAML: "#tunnels:" or
// "#  - name: a".
std::string uncommented(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const bool prose = line.size() > 2 && line[1] == ' ' && line[2] != ' ';
    if (line.starts_with('#') && !prose) line.erase(0, 1);
    out += line + "\n";
  }
  return out;
}

void collect_paths(const Node& node, const std::string& path, std::vector<std::string>& paths) {
  for (const Node& item : node.items) {
    const auto inner = node.kind == Node::Kind::list ? path + "[]" : path_of_key(path, item.key);
    if (node.kind == Node::Kind::map) paths.push_back(inner);
    collect_paths(item, inner, paths);
  }
}

TEST(ShippedFile, EqualsTheDefaults) {
  const auto result = load_text(read_source("config/tunnelwatch.yaml"), "tunnelwatch.yaml");
  EXPECT_THAT(lines(result.errors), ::testing::IsEmpty());
  ASSERT_TRUE(result);
  EXPECT_EQ(*result.settings, Settings{});
}

TEST(ShippedFile, ItsExampleLoadsWhenUncommented) {
  const auto result = load_text(uncommented(read_source("config/tunnelwatch.yaml")), "tunnelwatch.yaml");
  EXPECT_THAT(lines(result.errors), ::testing::IsEmpty());
  EXPECT_THAT(lines(result.warnings), ::testing::IsEmpty());
  ASSERT_TRUE(result);
  ASSERT_EQ(result.settings->tunnels.size(), 2U);
  EXPECT_EQ(result.settings->tunnels[0].bandwidth.gateway, 200'000'000U);
}

TEST(ShippedFile, ShowsEveryKey) {
  const auto document = parse_document(uncommented(read_source("config/tunnelwatch.yaml")), "f");
  std::vector<std::string> shown;
  collect_paths(document.root, "", shown);
  for (const auto& key : list_keys()) {
    EXPECT_THAT(shown, ::testing::Contains(key.path)) << "config/tunnelwatch.yaml does not show it";
  }
}

}  // namespace
}  // namespace tunnelwatch::config
