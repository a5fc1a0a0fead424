#include "agent/analysis.h"

#include "tests/probes/wire/frame_builder.h"
#include "tests/support/ike_bytes.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>
#include <zlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Whole files through everything that `analyze` does but for printing.
namespace tunnelwatch::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AnalysisTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder / name).string(); }
  TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
};

void put_le(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

struct Packet {
  int milliseconds;
  test::Buffer ip;
};

// A pcap of raw IP, as bytes.
std::string pcap_of(const std::vector<Packet>& packets) {
  std::string out;
  put_le(out, 0xa1b2c3d4, 4);
  put_le(out, 2, 2);
  put_le(out, 4, 2);
  put_le(out, 0, 4);
  put_le(out, 0, 4);
  put_le(out, 65535, 4);
  put_le(out, 101, 4);
  for (const Packet& p : packets) {
    put_le(out, 1'700'000'000U + static_cast<std::uint32_t>(p.milliseconds / 1000), 4);
    put_le(out, static_cast<std::uint32_t>(p.milliseconds % 1000) * 1000, 4);
    put_le(out, static_cast<std::uint32_t>(p.ip.size()), 4);
    put_le(out, static_cast<std::uint32_t>(p.ip.size()), 4);
    out.append(p.ip.begin(), p.ip.end());
  }
  return out;
}

std::string write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string write_gzip(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return path;
}

Packet init(int milliseconds) {
  test::RawMessage m;
  m.payloads = {test::sa_v2({}), test::ke_v2(14), {wire::v2_nonce, test::Buffer(32, 1)}};
  return {milliseconds, test::ipv4({}, test::udp(500, 500, test::bytes_of(m)))};
}

TEST_F(AnalysisTest, OneConversationOverManyFilesInAnyOrder) {
  const std::vector<std::string> paths{write(path("b.pcap"), pcap_of({init(4000)})),
                                       write_gzip(path("a.pcap.gz"), pcap_of({init(0)})),
                                       write(path("c.pcap"), pcap_of({init(11'200), init(24'100)}))};
  std::vector<std::string> warnings;
  std::string story;
  AnalysisOptions options;
  options.timeline = TimelineOptions{};
  options.write = [&](std::string_view lines) { story += lines; };
  const auto report = analyze_captures(paths, warnings, options);
  ASSERT_TRUE(report) << report.error();
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(report->packets, 4U);
  ASSERT_EQ(report->tunnels.size(), 1U);
  EXPECT_EQ(report->tunnels[0].state, "negotiating");
  EXPECT_FALSE(report->tunnels[0].causes.empty());
  EXPECT_THAT(story, HasSubstr("= no answer for 4.0 s; sent again, 2 times by now\n"));
  EXPECT_THAT(story, HasSubstr("= no answer for 24.1 s; sent again, 4 times by now\n"));
}

TEST_F(AnalysisTest, TheReportIsTheSameWithAndWithoutATimeline) {
  const std::vector<std::string> paths{write(path("a.pcap"), pcap_of({init(0), init(1000), init(3000)}))};
  std::vector<std::string> warnings;
  AnalysisOptions options;
  options.timeline = TimelineOptions{};
  options.write = [](std::string_view) {};
  const auto with = analyze_captures(paths, warnings, options);
  const auto without = analyze_captures(paths, warnings);
  ASSERT_TRUE(with && without);
  ASSERT_EQ(with->tunnels.size(), without->tunnels.size());
  std::vector<std::string> causes[2];
  for (const auto& c : with->tunnels[0].causes) causes[0].push_back(c.cause);
  for (const auto& c : without->tunnels[0].causes) causes[1].push_back(c.cause);
  EXPECT_EQ(causes[0], causes[1]);
  EXPECT_EQ(with->tunnels[0].events.size(), without->tunnels[0].events.size());
}

// ESP that never pauses must not keep a silence from being told: time passes between packets, however close they are.
TEST_F(AnalysisTest, TimePassesWhilePacketsFlow) {
  std::vector<Packet> packets{init(0)};
  for (int i = 1; i < 400; ++i) {
    test::Ipv4 header;
    header.protocol = 50;
    packets.push_back({i * 10, test::ipv4(header, test::esp(4096, static_cast<std::uint32_t>(i)))});
  }
  const std::vector<std::string> paths{write(path("a.pcap"), pcap_of(packets))};
  std::vector<std::string> warnings;
  std::string story;
  AnalysisOptions options;
  options.timeline = TimelineOptions{};
  options.write = [&](std::string_view lines) { story += lines; };
  ASSERT_TRUE(analyze_captures(paths, warnings, options));
  EXPECT_THAT(story, HasSubstr("= no answer for 2."));
}

std::vector<std::string> active(const exporters::TunnelReport& tunnel) {
  std::vector<std::string> names;
  for (const auto& c : tunnel.causes) {
    if (c.active) names.push_back(c.cause);
  }
  return names;
}

// 1,700,000,000 is 2023-11-14 22:13:20 UTC.
TEST_F(AnalysisTest, LogsBesideACapture) {
  const std::vector<std::string> paths{write(path("a.pcap"), pcap_of({init(0), init(4000), init(12'000)}))};
  AnalysisOptions options;
  options.logs = {write_gzip(path("gateway.log"),
                             "2023-11-14T22:13:30Z reason=route limit, peer 198.51.100.20\n"
                             "2023-11-14T22:13:31Z charon: 05[IKE] sending DPD request\n"),
                  write(path("cloud.log"), "2023-11-14T22:13:32Z reason=exchange timeout, peer=198.51.100.20")};
  std::vector<std::string> warnings;
  const auto report = analyze_captures(paths, warnings, options);
  ASSERT_TRUE(report) << report.error();
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(report->files.size(), 3U);
  ASSERT_EQ(report->tunnels.size(), 1U);
  EXPECT_THAT(active(report->tunnels[0]), ElementsAre("exchange_timeout", "route_limit"));
  const auto& joined = report->tunnels[0].causes[0];
  EXPECT_EQ(joined.confidence, "confirmed");
  ASSERT_EQ(joined.evidence.size(), 2U);
  EXPECT_THAT(joined.evidence[1].en, HasSubstr("2023-11-14T22:13:32Z"));
  EXPECT_EQ(report->tunnels[0].causes[1].first_seen.time_since_epoch(), std::chrono::seconds(1'700'000'010));
}

TEST_F(AnalysisTest, ALineWithoutATimeOrAPeerIsOfTheOnlyTunnel) {
  const std::vector<std::string> paths{write(path("a.pcap"), pcap_of({init(0), init(1000)}))};
  AnalysisOptions options;
  options.logs = {write(path("a.log"), "reason=route limit\n")};
  std::vector<std::string> warnings;
  const auto report = analyze_captures(paths, warnings, options);
  ASSERT_TRUE(report);
  ASSERT_EQ(report->tunnels.size(), 1U);
  EXPECT_THAT(active(report->tunnels[0]), ElementsAre("route_limit"));
}

TEST_F(AnalysisTest, LogsAlone) {
  AnalysisOptions options;
  options.logs = {write(path("a.log"),
                        "2023-11-14T20:00:00Z reason=dpd timeout, peer=198.51.100.20\n"
                        "2023-11-14T22:13:30Z reason=route limit, peer=198.51.100.20\n"
                        "2023-11-14T22:13:31Z reason=invalid cookie, peer=203.0.113.9\n"
                        "2023-11-14T22:13:32Z reason=peer request\n"
                        "2023-11-14T22:13:33Z nothing else happened\n")};
  std::vector<std::string> warnings;
  const auto report = analyze_captures({}, warnings, options);
  ASSERT_TRUE(report);
  EXPECT_THAT(warnings, ElementsAre("one line of the logs names peer_request, and not whose it is"));
  ASSERT_EQ(report->tunnels.size(), 2U);
  EXPECT_EQ(report->tunnels[0].remote, "198.51.100.20");
  EXPECT_THAT(active(report->tunnels[0]), ElementsAre("route_limit")) << "the other is two hours old";
  EXPECT_EQ(report->tunnels[0].causes.size(), 2U);
  EXPECT_THAT(active(report->tunnels[1]), ElementsAre("invalid_cookie"));
}

TEST_F(AnalysisTest, ALogThatNamesNobodyIsOfSomebodyAllTheSame) {
  AnalysisOptions options;
  options.logs = {write(path("client.log"), "[Feb 05, 2025, 10:00:00] Cannot load inline certificate file\n")};
  std::vector<std::string> warnings;
  const auto report = analyze_captures({}, warnings, options);
  ASSERT_TRUE(report);
  ASSERT_EQ(report->tunnels.size(), 1U);
  EXPECT_EQ(report->tunnels[0].name, "log");
  EXPECT_EQ(report->tunnels[0].remote, "");
  EXPECT_THAT(active(report->tunnels[0]), ElementsAre("client_ca_missing"));
}

TEST_F(AnalysisTest, ALogThatCannotBeReadIsToldAndOneOfAnythingIsHarmless) {
  AnalysisOptions options;
  options.logs = {path("none.log")};
  std::vector<std::string> warnings;
  const auto missing = analyze_captures({}, warnings, options);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error(), HasSubstr("none.log: No such file"));

  std::string anything(1 << 20, '\0');
  for (std::size_t i = 0; i < anything.size(); ++i) anything[i] = static_cast<char>(i * i >> 3);
  options.logs = {write(path("a.bin"), anything), write(path("empty.log"), "")};
  const auto report = analyze_captures({}, warnings, options);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->tunnels.empty());
}

TEST_F(AnalysisTest, ProgressIsToldWhereTheSizeIsKnown) {
  std::vector<Packet> packets;
  for (int i = 0; i < 40'000; ++i) packets.push_back({i / 10, test::ipv4({}, test::udp(9, 9, test::Buffer(8)))});
  const std::vector<std::string> paths{write(path("a.pcap"), pcap_of(packets))};
  std::vector<std::string> warnings;
  std::vector<std::uint64_t> read;
  AnalysisOptions options;
  options.on_progress = [&](std::uint64_t bytes, std::uint64_t total) {
    EXPECT_EQ(total, std::filesystem::file_size(paths[0]));
    read.push_back(bytes);
  };
  ASSERT_TRUE(analyze_captures(paths, warnings, options));
  ASSERT_EQ(read.size(), 2U);
  EXPECT_LT(read[0], read[1]);
}

TEST_F(AnalysisTest, NoProgressOfAPipe) {
  std::vector<Packet> packets;
  for (int i = 0; i < 20'000; ++i) packets.push_back({i / 10, test::ipv4({}, test::udp(9, 9, test::Buffer(8)))});
  std::FILE* pipe = popen(("cat " + write(path("a.pcap"), pcap_of(packets))).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  const std::vector<std::string> paths{"/dev/fd/" + std::to_string(fileno(pipe))};
  std::vector<std::string> warnings;
  AnalysisOptions options;
  options.on_progress = [](std::uint64_t, std::uint64_t) { FAIL() << "how much there is, nobody knows"; };
  const auto report = analyze_captures(paths, warnings, options);
  pclose(pipe);
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->packets, 20'000U);
}

TEST_F(AnalysisTest, WhatCannotBeReadIsOneSentence) {
  std::vector<std::string> warnings;
  const std::vector<std::string> missing{path("none.pcap")};
  const auto report = analyze_captures(missing, warnings);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error(), HasSubstr("none.pcap"));
  std::string cut = pcap_of({init(0), init(1000)});
  cut.resize(cut.size() - 10);
  const std::vector<std::string> paths{write(path("cut.pcap"), cut)};
  ASSERT_TRUE(analyze_captures(paths, warnings));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("ends in the middle of a packet")));
}

}  // namespace
}  // namespace tunnelwatch::agent
