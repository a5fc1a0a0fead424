#include "agent/analysis.h"
#include "tests/probes/wire/pcapng_builder.h"
#include "tests/support/ike_bytes.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Of a peer that begins to negotiate.
const Buffer kRequest = ethernet(ipv4(
    {.source = "198.51.100.20", .destination = "192.0.2.10"},
    udp(500, 500, bytes_of({.payloads = {sa_v2({}), ke_v2(14), {wire::v2_nonce, Buffer(32, 7)}}, .raw_body = {}}))));
constexpr std::uint64_t kThen = 1'700'000'000'000'000;  // microseconds

class AnalysisStatusTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const Buffer& bytes) {
    const std::string path = folder / name;
    std::ofstream(path, std::ios::binary)
        .write(static_cast<const char*>(static_cast<const void*>(bytes.data())),
               static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  boost::system::result<exporters::Report, std::string> analyze(const std::vector<std::string>& paths) {
    warnings.clear();
    return analyze_captures(paths, warnings);
  }

  TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  std::vector<std::string> warnings;
};

// Interfaces as several dumpcaps write them into one file: they differ in snap length, link type and clock.
PcapngBuilder capture() {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeSll2, 96).interface(kLinktypeEthernet).interface(kLinktypeUsb);
  return builder.enhanced({1, kThen, kRequest, {}, builder.flags(1)});
}
PcapngBuilder damaged() { return capture().raw(Buffer(100)); }
PcapngBuilder damaged_from_the_start() { return PcapngBuilder().section().enhanced({0, kThen, kRequest}); }
PcapngBuilder of_usb() { return PcapngBuilder().section().interface(kLinktypeUsb).enhanced({0, kThen, kRequest}); }
PcapngBuilder cut() { return capture().raw({6, 0, 0, 0, 200, 0, 0, 0, 1}); }
PcapngBuilder mixed() { return capture().enhanced({2, kThen, kRequest}); }

TEST_F(AnalysisStatusTest, APacketsDirectionTellsWhichEndIsOurs) {
  const auto report = analyze({write("two.pcapng", capture().file())});
  ASSERT_TRUE(report) << report.error();
  ASSERT_EQ(report->tunnels.size(), 1U);
  EXPECT_EQ(report->tunnels[0].local, "192.0.2.10");
  EXPECT_EQ(report->tunnels[0].remote, "198.51.100.20");
  EXPECT_EQ(report->generated.time_since_epoch(), std::chrono::microseconds(kThen));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(AnalysisStatusTest, WhatWasReadOfADamagedFileIsReportedWithAWarning) {
  const std::string path = write("damaged.pcapng", damaged().file());
  const auto report = analyze({path});
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->packets, 1U);
  EXPECT_EQ(report->tunnels.size(), 1U);
  EXPECT_THAT(warnings, ElementsAre(path + " could be read in part only: a pcapng block of an impossible length"));
}

TEST_F(AnalysisStatusTest, OneFileThatCannotBeReadIsAnErrorEvenBesideOthers) {
  const std::string path = write("bad.pcapng", damaged_from_the_start().file());
  const auto report = analyze({write("good.pcapng", capture().file()), path});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error(), path +
                                " is not a capture that can be read: a packet of an interface that the file does "
                                "not describe");
}

// Each time that the clock is set back moves what follows by as much: a file can ask for more years than there are.
TEST_F(AnalysisStatusTest, AClockThatJumpsBetweenCenturiesEndsNowhere) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeEthernet, 0, builder.resolution(0));
  for (int i = 0; i < 8; ++i) builder.enhanced({0, i % 2 == 0 ? 0U : 7'258'118'399U, kRequest});
  const auto report = analyze({write("centuries.pcapng", builder.file())});
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->packets, 8U);
  EXPECT_GE(report->generated.time_since_epoch(), std::chrono::seconds(7'258'118'399));
}

// The command itself: its status, and what it says beside the report.
TEST_F(AnalysisStatusTest, TheCommandNeverEndsWellInSilenceWhenAFileWasNotRead) {
  struct Row {
    std::string name;
    Buffer file;
    int status;
    std::string said;  // on standard error
  };
  for (const Row& row :
       {Row{"whole", capture().file(), 0, ""}, Row{"cut", cut().file(), 0, "ends in the middle of a packet"},
        Row{"damaged", damaged().file(), 0, "could be read in part only"},
        Row{"mixed", mixed().file(), 0, "1 packet of a link type that is not read (USB_LINUX)"},
        Row{"bad", damaged_from_the_start().file(), 2, "is not a capture that can be read"},
        Row{"usb", of_usb().file(), 2, "link type USB_LINUX is not read"},
        Row{"text", filler(300), 2, "unknown file format"}, Row{"empty", {}, 2, "is not a capture"}}) {
    SCOPED_TRACE(row.name);
    const std::string path = write(row.name, row.file);
    std::FILE* pipe = popen((TUNNELWATCH_BINARY " analyze " + path + " 2>&1 >/dev/null").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string said;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
    const int status = pclose(pipe);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), row.status);
    if (row.said.empty()) {
      EXPECT_EQ(said, "");
    } else {
      EXPECT_THAT(said, HasSubstr(row.said));
      EXPECT_THAT(said, HasSubstr(path));
      EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    }
  }
}

}  // namespace
}  // namespace tunnelwatch::agent
