#include "exporters/json/report_json.h"

#include "tests/exporters/sample_report.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::exporters {
namespace {

namespace json = boost::json;

// A path as "tunnels.0.causes.0.first_seen".
const json::value& at_path(const json::value& root, std::string_view path) {
  const json::value* here = &root;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string key(path.substr(0, dot));
    here = here->is_array() ? &here->as_array().at(std::stoul(key)) : &here->as_object().at(key);
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return *here;
}

TEST(ReportJson, HasTheKeysOfTheContractWithTheirTypes) {
  const json::value root = json::parse(report_json(sample_report()));
  struct Row {
    const char* path;
    std::vector<json::kind> kinds;
  };
  using enum json::kind;
  const std::vector<json::kind> number = {int64, uint64};
  const Row rows[] = {
      {"files", {array}},
      {"packets", number},
      {"malformed", number},
      {"tunnels.0.name", {string}},
      {"tunnels.0.local", {string}},
      {"tunnels.0.remote", {string}},
      {"tunnels.0.ike_version", number},
      {"tunnels.0.state", {string}},
      {"tunnels.0.causes.0.cause", {string}},
      {"tunnels.0.causes.0.active", {bool_}},
      {"tunnels.0.causes.0.confidence", {string}},
      {"tunnels.0.causes.0.first_seen", {double_}},
      {"tunnels.0.causes.0.last_seen", {double_}},
      {"tunnels.0.causes.0.sections.0", {string}},
      {"tunnels.0.causes.0.evidence.0", {string}},
      {"tunnels.0.causes.0.alternatives.0", {string}},
      {"tunnels.0.causes.0.action", {string}},
      {"tunnels.0.causes.0.capture", {string}},
      {"tunnels.0.events.0.time", {double_}},
      {"tunnels.0.events.0.event", {string}},
      {"tunnels.0.nat.local", {bool_}},
      {"tunnels.0.nat.remote", {bool_}},
      {"tunnels.2.nat.remote", {null}},
      {"tunnels.0.offers.local.0", {string}},
      {"tunnels.0.offers.remote.0", {string}},
      {"tunnels.0.offers.differences.0", {string}},
      {"tunnels.0.esp.0.spi", {string}},
      {"tunnels.0.esp.0.direction", {string}},
      {"tunnels.0.esp.0.packets", number},
      {"tunnels.0.esp.0.lost", number},
      {"tunnels.0.esp.0.reordered", number},
      {"tunnels.0.esp.0.duplicates", number},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.path);
    EXPECT_THAT(row.kinds, testing::Contains(at_path(root, row.path).kind()));
  }
}

TEST(ReportJson, ValuesAreExact) {
  const json::value root = json::parse(report_json(sample_report()));
  EXPECT_EQ(at_path(root, "generated").as_double(), 1700000500.125);
  EXPECT_DOUBLE_EQ(at_path(root, "tunnels.0.causes.0.first_seen").as_double(), 1700000100.25);
  EXPECT_EQ(at_path(root, "tunnels.0.esp_totals.out.packets").as_uint64(), 18446744073709551615ULL);
  EXPECT_EQ(at_path(root, "tunnels.0.causes.0.title_zh").as_string(), "认证失败");
  EXPECT_EQ(at_path(root, "tunnels.1.causes.0.active").as_bool(), false);
  EXPECT_EQ(at_path(root, "tunnels.1.causes.0.cleared").as_double(), 1700000350);
  EXPECT_EQ(at_path(root, "echo.0.rtt.count").to_number<std::uint64_t>(), 97U);
  EXPECT_NEAR(at_path(root, "echo.0.rtt.median").as_double(), 0.001 + 0.009 * 48.5 / 90, 1e-12);
  EXPECT_EQ(at_path(root, "ike_probes.1.reachable").as_bool(), false);
  EXPECT_EQ(at_path(root, "tunnels.0.path_mtu.mtu").as_int64(), 1400);
  EXPECT_EQ(at_path(root, "tunnels.0.esp_reachability.verdict").as_string(), "unreachable");
  EXPECT_EQ(at_path(root, "tunnels.0.esp_reachability.by").as_string(), "trace");
  EXPECT_EQ(at_path(root, "tunnels.0.esp_reachability.hop").as_int64(), 3);
  EXPECT_EQ(at_path(root, "tunnels.0.esp_reachability.evidence.1.text_zh").as_string(), "ESP 在第 3 跳中断");
  EXPECT_EQ(at_path(root, "tunnels.1.esp_reachability.in_udp").as_bool(), true);
  EXPECT_TRUE(at_path(root, "tunnels.1.esp_reachability.hop").is_null());
  EXPECT_EQ(at_path(root, "tunnels.1.esp_reachability.evidence.1.beside").as_bool(), true);
  EXPECT_FALSE(at_path(root, "tunnels.2").as_object().contains("esp_reachability")) << "nobody has looked yet";
  EXPECT_EQ(at_path(root, "esp_probes.0.outcomes.refused").as_int64(), 3);
  EXPECT_EQ(at_path(root, "agent.esp_requests.answered").as_int64(), 11);
  EXPECT_EQ(at_path(root, "agent.probe_strays.ike.foreign").as_int64(), 7);
  EXPECT_EQ(at_path(root, "agent.probe_strays.esp.unmatched").as_int64(), 2);
  EXPECT_EQ(at_path(root, "agent.captures.1.error").as_string(), "no such device \"ppp0\"");
}

TEST(ReportJson, AnAnalysisOfFilesHasNoAgent) {
  Report report = sample_report();
  report.files = {"a.pcap"};
  EXPECT_FALSE(json::parse(report_json(report)).as_object().contains("agent"));
}

TEST(ReportJson, AnyTimeIsANumber) {
  for (const std::int64_t nanoseconds :
       {std::int64_t{0}, std::int64_t{9}, std::int64_t{2'000'000'000}, std::int64_t{1'750'000'000'000'000'001},
        std::numeric_limits<std::int64_t>::max()}) {
    Report report = sample_report();
    report.tunnels[0].events[0].time = WallTime{std::chrono::nanoseconds(nanoseconds)};
    const json::value root = json::parse(report_json(report));
    EXPECT_DOUBLE_EQ(at_path(root, "tunnels.0.events.0.time").as_double(), static_cast<double>(nanoseconds) / 1e9);
  }
}

TEST(ReportJson, HostileTextStaysJson) {
  Report report = sample_report();
  report.tunnels[0].events[0].detail = "\xff\"\\\n\x01\xED\xA0\x80";
  report.echo[0].rtt.sum = std::numeric_limits<double>::quiet_NaN();
  const json::value root = json::parse(report_json(report));  // refuses what is not UTF-8
  EXPECT_EQ(at_path(root, "tunnels.0.events.0.detail").as_string(),
            "\xEF\xBF\xBD\"\\\n\x01\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(at_path(root, "echo.0.rtt.sum").is_null());
}

TEST(ReportJson, EmptyReport) {
  EXPECT_TRUE(json::parse(report_json({})).as_object().at("tunnels").as_array().empty());
}

TEST(CausesJson, OneObjectACause) {
  const json::value root = json::parse(causes_json(sample_causes()));
  EXPECT_EQ(root.as_object().at("causes").as_array().size(), 2U);
  EXPECT_EQ(at_path(root, "causes.1.sections.1").as_string(), "3.1");
  EXPECT_EQ(at_path(root, "causes.0.guide_words").as_string(), "authentication fail");
}

TEST(CausesMarkdown, PipesAreEscaped) {
  auto causes = sample_causes();
  causes[0].title.en = "refused | not let in";
  causes[0].tests = {{"wire", "A.B"}, {"daemon", "C.D"}};
  EXPECT_EQ(
      causes_markdown(causes),
      "| cause | guide | in the guide's words | meaning | told by | shown by the test |\n|---|---|---|---|---|---|\n"
      "| `authentication_fail` | 1.1 | authentication fail | refused \\| not let in | daemon, wire, log | "
      "wire: A.B, daemon: C.D |\n"
      "| `link_flapping` | 2.4, 3.1 | the line flaps | the line flaps | log |  |\n");
}

}  // namespace
}  // namespace tunnelwatch::exporters
