#include "probes/host/log_record.h"

#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

TEST(LogRecord, ALineIsALine) {
  for (const std::string line :
       {"Feb  5 10:00:00 gw charon: 05[IKE] giving up", "", "{not json", "{\"reason\":\"x\"}", "{\"MESSAGE\":7}",
        "{\"MESSAGE\":[1,-1]}", "{\"MESSAGE\":[256]}", "{\"MESSAGE\":\"a\"", "[\"MESSAGE\"]"}) {
    const auto record = open_log_record(line);
    EXPECT_EQ(record.text, line);
    EXPECT_FALSE(record.at);
    EXPECT_FALSE(record.own);
  }
}

TEST(LogRecord, AnEntryOfTheJournalIsOpened) {
  const auto record = open_log_record(
      R"({"__REALTIME_TIMESTAMP":"1738750000123456","SYSLOG_IDENTIFIER":"charon","MESSAGE":"05[IKE] giving up"})");
  EXPECT_EQ(record.text, "05[IKE] giving up");
  ASSERT_TRUE(record.at);
  EXPECT_EQ(record.at->time_since_epoch(), std::chrono::microseconds(1738750000123456));
  EXPECT_FALSE(record.own);
}

TEST(LogRecord, AMessageThatIsNoTextComesAsNumbers) {
  EXPECT_EQ(open_log_record(R"({"MESSAGE":[65,0,255]})").text, std::string("A\0\xff", 3));
}

TEST(LogRecord, OurOwnEntriesAreKnown) {
  EXPECT_TRUE(open_log_record(R"({"SYSLOG_IDENTIFIER":"tunnelwatch","MESSAGE":"x"})").own);
  EXPECT_FALSE(open_log_record(R"({"SYSLOG_IDENTIFIER":7,"MESSAGE":"x"})").own);
}

TEST(LogRecord, AStampThatIsNoneIsLeftOut) {
  for (const char* stamp : {"\"\"", "\"-1\"", "\"1x\"", "7", "\"99999999999999999999\"", "\"9000000000000000000\""}) {
    const auto record = open_log_record(std::string(R"({"MESSAGE":"x","__REALTIME_TIMESTAMP":)") + stamp + "}");
    EXPECT_EQ(record.text, "x") << stamp;
    EXPECT_FALSE(record.at) << stamp;
  }
}

}  // namespace
}  // namespace tunnelwatch::host
