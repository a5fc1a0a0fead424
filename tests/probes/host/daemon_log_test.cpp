#include "probes/host/daemon_log.h"

#include "probes/host/vici_session.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Values = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> lines_of(Values values) {
  ViciSection log;
  log.values = std::move(values);
  std::vector<std::string> lines;
  add_log_lines(log, lines);
  return lines;
}

TEST(DaemonLog, ALineIsWrittenAsInAFile) {
  EXPECT_THAT(lines_of({{"group", "IKE"},
                        {"level", "1"},
                        {"thread", "7"},
                        {"ikesa-name", "tun"},
                        {"ikesa-uniqueid", "3"},
                        {"msg", "giving up after 5 retransmits"}}),
              ElementsAre("07[IKE] <tun|3> giving up after 5 retransmits"));
  EXPECT_THAT(lines_of({{"group", "NET"},
                        {"level", "0"},
                        {"thread", "16"},
                        {"ikesa-name", "(unnamed)"},
                        {"ikesa-uniqueid", "4"},
                        {"msg", "received packet"}}),
              ElementsAre("16[NET] <4> received packet"));
  EXPECT_THAT(lines_of({{"group", "DMN"}, {"level", "1"}, {"thread", "0"}, {"msg", "signal"}}),
              ElementsAre("00[DMN] signal"));
}

TEST(DaemonLog, SeveralLinesAreOneEach) {
  EXPECT_THAT(lines_of({{"group", "CFG"}, {"level", "1"}, {"thread", "100"}, {"msg", "one\n\ntwo\n"}}),
              ElementsAre("one", "two"));
  EXPECT_THAT(lines_of({{"level", "1"}, {"msg", std::string(1000, '\n') + "x"}}), SizeIs(testing::Le(64U)));
}

TEST(DaemonLog, WhatEachLineRepeatsIsShort) {
  const auto lines = lines_of({{"group", "IKE"},
                               {"level", "1"},
                               {"thread", "7"},
                               {"ikesa-name", std::string(60'000, 'x')},
                               {"ikesa-uniqueid", std::string(60'000, '1')},
                               {"msg", "one\ntwo"}});
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_LE(lines[1].size(), 150U);
}

TEST(DaemonLog, DetailsAreLeftOut) {
  for (const char* level : {"2", "4", "", "-1", "x"})
    EXPECT_THAT(lines_of({{"level", level}, {"msg", "x"}}), IsEmpty());
}

ViciSection message(const std::string& text) {
  ViciSection log;
  log.values = {{"group", "IKE"}, {"level", "1"}, {"thread", "1"}, {"msg", text}};
  return log;
}

TEST(ViciSession, TheLogIsRegisteredForWhereItIsWantedOnly) {
  for (const bool wanted : {false, true}) {
    ViciSession session;
    session.begin(wanted);
    std::vector<std::vector<std::uint8_t>> sent;
    for (int i = 0; i < (wanted ? 7 : 6); ++i) {
      sent.push_back(session.take_output());
      session.on_bytes(std::vector<std::uint8_t>{0, 0, 0, 1, 5});
    }
    const auto log = build_vici_packet(ViciType::event_register, "log");
    EXPECT_EQ(std::count(sent.begin(), sent.end(), log), wanted ? 1 : 0);
    EXPECT_EQ(session.take_output(), build_vici_packet(ViciType::command_request, "list-conns"));
  }
}

TEST(ViciSession, WhatItLogsIsTakenAtAnyTimeAndAsksForNothing) {
  ViciSession session;
  session.begin(true);
  session.take_output();
  session.on_bytes(build_vici_packet(ViciType::event, "log", message("one")));
  EXPECT_THAT(session.take_lines(), ElementsAre("01[IKE] one"));
  EXPECT_THAT(session.take_lines(), IsEmpty());
  EXPECT_THAT(session.take_output(), IsEmpty());
  for (std::size_t i = 0; i < 2 * ViciSession::kMaxLines; ++i)
    session.on_bytes(build_vici_packet(ViciType::event, "log", message("x")));
  EXPECT_THAT(session.take_lines(), SizeIs(ViciSession::kMaxLines));
  EXPECT_FALSE(session.failed());
}

}  // namespace
}  // namespace tunnelwatch::host
