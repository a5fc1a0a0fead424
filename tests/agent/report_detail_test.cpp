#include "exporters/prometheus/metrics_text.h"
#include "tests/support/ike_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch {
namespace {

using exporters::Detail;
using test::IkeScript;
using test::RawMessage;
using From = IkeScript::From;

// A refused negotiation through a NAT, and ESP all the same: a cause with its texts, offers, events and streams.
void play(IkeScript& s) {
  RawMessage request;
  request.payloads = {test::sa_v2({}), test::ke_v2(14), {wire::v2_nonce, test::Buffer(32, 1)}};
  s.ike(0, From::local, request);
  RawMessage refusal;
  refusal.flags = 0x20;
  refusal.payloads = {test::notify_v2(14), test::notify_v2(16389, test::Buffer(20, 1))};
  s.ike(10, From::remote, refusal);
  s.ike(100, From::local, request);
  s.esp(120, From::local, 5);
}

exporters::Report report_of(IkeScript& s, Detail detail) {
  exporters::Report report;
  report.tunnels = s.watch().report(WallClock::of_capture_file(), detail);
  return report;
}

TEST(ReportDetail, NumbersAreAllThatMetricsTell) {
  IkeScript s;
  play(s);
  const auto all = report_of(s, Detail::all);
  ASSERT_EQ(all.tunnels.size(), 1U);
  EXPECT_EQ(exporters::metrics_text(report_of(s, Detail::numbers)), exporters::metrics_text(all));
  EXPECT_THAT(exporters::metrics_text(all), testing::HasSubstr("phase1_proposal_mismatch"));
  EXPECT_THAT(exporters::metrics_text(all), testing::HasSubstr("side=\"local\"} 1"));
}

TEST(ReportDetail, TextsAreLeftOutOfNumbers) {
  IkeScript s;
  play(s);
  const auto all = report_of(s, Detail::all).tunnels.front();
  EXPECT_FALSE(all.events.empty());
  EXPECT_FALSE(all.esp.empty());
  EXPECT_FALSE(all.offers.local.empty());
  EXPECT_FALSE(all.causes.front().evidence.empty());
  const auto numbers = report_of(s, Detail::numbers).tunnels.front();
  EXPECT_TRUE(numbers.events.empty());
  EXPECT_TRUE(numbers.esp.empty());
  EXPECT_TRUE(numbers.offers.local.empty());
  EXPECT_TRUE(numbers.causes.front().evidence.empty());
}

}  // namespace
}  // namespace tunnelwatch
