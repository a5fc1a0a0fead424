#include "config/dump.h"
#include "config/echo_plan.h"
#include "tests/config/config_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::lines;

constexpr const char* kFull = R"(
probes:
  icmp: {interval: 2s, timeout: 700ms, burst: 2, rtt_buckets: [100us, 1ms, 1s]}
target_groups:
  - name: branches
    interval: 5s
    payload_bytes: 120
    dont_fragment: true
    burst: 5
    dscp: 46
    ttl: 64
    source: 192.0.2.10
    interface: eth0
    fwmark: 7
    family: 4
    labels: [kind=branch, site=none]
targets:
  - name: berlin
    host: branch.example.com
    group: branches
    timeout: 3s
    dont_fragment: false
    fwmark: 4294967295
    labels: ["site=Berlin Mitte"]
  - host: 192.0.2.99
)";

Settings loaded(const std::string& text) {
  const auto result = load_text(text, "f");
  EXPECT_THAT(lines(result.errors), ::testing::IsEmpty());
  return result.settings.value_or(Settings{});
}

TEST(Targets, ATargetGoesOverItsGroupAndThatOverTheDefaults) {
  const Settings s = loaded(kFull);
  ASSERT_EQ(s.targets.size(), 2U);
  EchoPlan expected;
  expected.interval = 5s;
  expected.timeout = 3s;
  expected.payload_bytes = 120;
  expected.dont_fragment = false;
  expected.burst = 5;
  expected.dscp = 46;
  expected.ttl = 64;
  expected.source = IpAddress::parse("192.0.2.10");
  expected.interface = "eth0";
  expected.fwmark = 4294967295;
  expected.family = AddressFamily::v4;
  expected.labels = {{"kind", "branch"}, {"site", "Berlin Mitte"}};
  EXPECT_EQ(plan_of(s, s.targets[0]), expected);
  EXPECT_EQ(s.targets[0].label(), "berlin");
}

TEST(Targets, WithoutAGroupTheDefaultsHold) {
  const Settings s = loaded(kFull);
  EchoPlan expected = plan_of(s.probes.icmp);
  EXPECT_EQ(expected.interval, 2s);
  EXPECT_EQ(expected.burst, 2);
  EXPECT_EQ(plan_of(s, s.targets[1]), expected);
  EXPECT_EQ(s.targets[1].label(), "192.0.2.99");
}

TEST(Targets, WhatIsDumpedLoadsAsItWas) {
  const Settings s = loaded(kFull);
  EXPECT_EQ(loaded(dump(s)), s) << dump(s);
}

TEST(Targets, BucketsAreDurations) { EXPECT_THAT(loaded(kFull).probes.icmp.rtt_buckets, ElementsAre(100us, 1ms, 1s)); }

struct Row {
  const char* name;
  const char* text;
  std::vector<std::string> errors;
  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
};

class TargetErrors : public ::testing::TestWithParam<Row> {};

TEST_P(TargetErrors, AreTold) {
  const auto result = load_text(GetParam().text, "f");
  EXPECT_EQ(lines(result.errors), GetParam().errors);
}

INSTANTIATE_TEST_SUITE_P(
    All, TargetErrors,
    ::testing::Values(
        Row{"no_host", "targets: [{name: a}]", {"f:1:11: targets[0].host: is missing"}},
        Row{"unknown_group",
            "targets: [{host: 192.0.2.1, group: x}]",
            {"f:1:36: targets[0].group: \"x\" is the name of no group"}},
        Row{"same_host_twice",
            "targets: [{host: 192.0.2.1}, {host: 192.0.2.1}]",
            {"f:1:30: targets[1]: \"192.0.2.1\" is the name of another target, at f:1:11"}},
        Row{"same_group_twice",
            "target_groups: [{name: a}, {name: a}]",
            {"f:1:28: target_groups[1]: \"a\" is the name of another group, at f:1:17"}},
        Row{"timeout_of_the_group",
            "target_groups: [{name: a, timeout: 3s}]\ntargets: [{host: 192.0.2.1, group: a, interval: 2s}]",
            {"f:2:49: targets[0].interval: the timeout must be shorter than the interval: 3s is not below 2s"}},
        Row{"family_of_the_source",
            "targets: [{host: 192.0.2.1, source: '2001:db8::1'}]",
            {"f:1:37: targets[0].source: is of another address family than host"}},
        Row{"family_of_the_host",
            "targets: [{host: 192.0.2.1, family: 6}]",
            {"f:1:18: targets[0].host: is of another address family than family says"}},
        Row{"label_twice",
            "targets: [{host: 192.0.2.1, labels: [a=b, a=c]}]",
            {"f:1:43: targets[0].labels[1]: a is given twice"}},
        Row{"label_that_is_taken",
            "targets: [{host: 192.0.2.1, labels: [role=x]}]",
            {"f:1:38: targets[0].labels[0]: role is a label that the metric has already"}},
        Row{"label_without_a_value",
            "targets: [{host: 192.0.2.1, labels: [site]}]",
            {"f:1:38: targets[0].labels[0]: \"site\" is not a label, such as site=berlin: a name of small letters, "
             "digits and \"_\", and a value"}},
        Row{"dscp", "targets: [{host: 192.0.2.1, dscp: 64}]", {"f:1:35: targets[0].dscp: must be from 0 to 63"}}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace tunnelwatch::config
