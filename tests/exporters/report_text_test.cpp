#include "exporters/text/report_text.h"

#include "exporters/text/printable.h"
#include "exporters/text/wrap.h"
#include "tests/exporters/sample_report.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::exporters {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Wrap, Table) {
  struct Row {
    const char* name;
    const char* text;
    std::size_t columns;
    const char* wrapped;
  };
  const Row rows[] = {
      {"short", "one two", 20, "L   one two\n"},
      {"empty", "", 20, "L   \n"},
      {"breaks at a space", "one two three four", 14, "L   one two\n    three four\n"},
      {"exact fit", "1234567890", 14, "L   1234567890\n"},
      {"long word", "123456789012345", 14, "L   1234567890\n    12345\n"},
      {"chinese", "认证失败认证失败", 14, "L   认证失败认\n    证失败\n"},
      {"mark stays with its character", "认证失败认\xEF\xBC\x8C证", 14, "L   认证失败\n    认\xEF\xBC\x8C证\n"},
      {"several spaces are one", "a   b", 20, "L   a b\n"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(wrapped("L", 4, row.text, row.columns), row.wrapped);
  }
}

TEST(ReportText, ReadsAsAPersonWouldWrite) {
  Report report = sample_report();
  report.tunnels.resize(1);
  report.echo.clear();
  EXPECT_THAT(report_text(report),
              StartsWith("1 tunnel: 1 down\n"
                         "\n"
                         "beijing  down for 6 min 40 s\n"
                         "  192.0.2.10 - 198.51.100.20 IKEv2\n"
                         "  ! authentication fail (likely, 1.1) authentication_fail\n"
                         "  because   IKE_AUTH was answered with a message of 80 bytes: too short for IDr\n"
                         "            and AUTH\n"
                         "            The peer says: <img src=x onerror=alert(1)>\xEF\xBF\xBD[31m\n"
                         "  do        Enter the same pre-shared key on both ends.\n"
                         "  or it is  config_id_mismatch\n"
                         "  packets   /var/lib/tunnelwatch/recordings/beijing-20231114T221500Z-authenticat\n"
                         "            ion_fail.pcap\n"));
}

TEST(ReportText, FitsItsColumnsInBothLanguages) {
  for (const Language language : {Language::en, Language::zh}) {
    for (const std::size_t columns : {40U, 80U, 120U}) {
      std::istringstream lines(report_text(sample_report(), {language, false, columns, 5}));
      for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), columns) << line;
    }
  }
}

TEST(ReportText, Chinese) {
  const std::string text = report_text(sample_report(), {Language::zh, false, 80, 5});
  EXPECT_THAT(text, HasSubstr("断开,已持续 6 min 40 s"));
  EXPECT_THAT(text, HasSubstr("! 认证失败 (很可能, 1.1)"));
  EXPECT_THAT(text, HasSubstr("两端配置相同的预共享密钥。"));
}

TEST(ReportText, ColoursOnlyWhenTold) {
  EXPECT_THAT(report_text(sample_report()), Not(HasSubstr("\x1b")));
  EXPECT_THAT(report_text(sample_report(), {Language::en, true, 80, 5}), HasSubstr("\x1b[1;31mdown\x1b[0m"));
}

TEST(ReportText, TellsWhetherEspGetsThroughAndHowMuchThePathCarries) {
  const std::string text = report_text(sample_report(), {Language::en, false, 120, 5});
  EXPECT_THAT(text, HasSubstr("  ESP path  unreachable: ESP ends at hop 3\n"
                              "            9 ESP packets left\n"
                              "  path MTU  1400 bytes; larger packets vanish without a word\n"));
  EXPECT_THAT(text, HasSubstr("  ESP path  reachable: ESP in UDP flows\n"
                              "            beside it, as the tunnel's ESP goes in UDP: protocol 50 refused\n"
                              "  path MTU  1500 bytes\n"));
  const std::string chinese = report_text(sample_report(), {Language::zh, false, 120, 5});
  EXPECT_THAT(chinese, HasSubstr("不可达: ESP 在第 3 跳中断"));
  EXPECT_THAT(chinese, HasSubstr("1400 字节;更大的报文被无声丢弃"));
}

TEST(ReportText, NothingOfAPeerControlsTheTerminal) {
  Report report = sample_report();
  const std::string bad = "\x1b]0;x\x07\r\n\xC2\x9B";
  TunnelReport& t = report.tunnels[0];
  t.name = t.local = t.remote = t.state = t.events[0].event = t.events[0].by = t.events[0].detail = bad;
  t.causes[0].cause = t.causes[0].confidence = t.causes[0].title.en = t.causes[0].action.en = bad;
  t.causes[0].sections = t.causes[0].alternatives = t.blind = t.offers.differences = {bad};
  t.esp_reach->evidence[0].text.en = t.esp_reach->evidence[1].text.en = bad;
  report.agent.config_error = report.agent.captures[1].error = report.agent.captures[1].interface = bad;
  report.agent.config_last_reload_successful = false;
  report.echo[1].tunnel = report.ike_probes[0].tunnel = bad;
  report.echo[1].target = report.echo[1].role = report.ike_probes[0].last_answer = bad;
  const std::string text = report_text(report);
  EXPECT_EQ(text.find_first_of("\x1b\x07\r"), std::string::npos);
  EXPECT_EQ(text.find("\xC2\x9B"), std::string::npos);
}

TEST(ReportText, TellsWhatIsWrongWithTheAgent) {
  const std::string live = report_text(sample_report());
  EXPECT_THAT(live, HasSubstr("No capture on ppp0: no such device \"ppp0\""));
  EXPECT_THAT(live, HasSubstr("This source does not work: icmp_v6"));
  Report files = sample_report();
  files.files = {"a.pcap"};
  EXPECT_THAT(report_text(files), Not(HasSubstr("ppp0")));
}

TEST(ReportText, NoTunnels) { EXPECT_EQ(report_text({}), "No tunnel was seen.\n"); }

}  // namespace
}  // namespace tunnelwatch::exporters
