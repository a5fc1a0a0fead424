#include "agent/analysis.h"
#include "tests/bench/traffic/frames.h"
#include "tests/bench/traffic/ike_life.h"
#include "tests/bench/traffic/pcap_writer.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Whole capture files, made by what the benchmark makes its own of.
namespace tunnelwatch::agent {
namespace {

using bench::Buffer;
using bench::IkeLife;
using bench::IkeMessage;
using Kind = IkeLife::Kind;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kBegin = 1'700'000'000 * kSecond;

class AnalysisTrafficTest : public testing::Test {
 protected:
  void add(std::uint32_t peer, const std::vector<IkeMessage>& messages) {
    for (const IkeMessage& m : messages) {
      for (Buffer& frame : bench::frames_of(peer, m, 0)) packets.emplace_back(m.at, std::move(frame));
    }
  }
  exporters::Report analyze() {
    std::stable_sort(packets.begin(), packets.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    {
      bench::PcapWriter file(path.c_str());
      for (const auto& [at, frame] : packets) file.add(at, frame);
    }
    std::vector<std::string> warnings;
    auto report = analyze_captures(std::vector{path}, warnings);
    EXPECT_TRUE(report) << report.error();
    EXPECT_THAT(warnings, testing::IsEmpty());
    return *report;
  }
  static std::vector<std::string> events(const exporters::TunnelReport& tunnel) {
    std::vector<std::string> names;
    for (const auto& e : tunnel.events) names.push_back(e.event);
    return names;
  }

  TemporaryFolder folder;
  std::string path = folder / "traffic.pcap";
  std::vector<std::pair<std::int64_t, Buffer>> packets;
};

// Between packets that lie close together time passes as it does between others: what waits for it is told then, and
// not at the end of the file. The first tunnel is taken down, and made again much later; the others' packets fill the
// time between.
TEST_F(AnalysisTrafficTest, TimePassesInAFullFile) {
  IkeLife life(1);
  add(0, life.conversation(Kind::healthy_v2, kBegin));
  const std::int64_t end = packets.back().first;
  add(0, life.negotiation(end + 30 * kSecond));
  for (std::int64_t at = kBegin; at < end + 40 * kSecond; at += kSecond / 20) {
    add(1, IkeLife(static_cast<std::uint64_t>(at)).conversation(Kind::no_proposal_v2, at));
  }
  const auto report = analyze();
  ASSERT_EQ(report.tunnels.size(), 2U);
  EXPECT_EQ(report.malformed, 0U);
  EXPECT_EQ(report.tunnels[0].state, "up");
  EXPECT_THAT(events(report.tunnels[0]), testing::Contains("ike_sa_deleted"));
}

TEST_F(AnalysisTrafficTest, EachKindOfConversationIsWhatItIsCalled) {
  const std::pair<Kind, const char*> kinds[] = {
      {Kind::healthy_v2, ""},
      {Kind::no_proposal_v2, "phase1_proposal_mismatch"},
      {Kind::refused_v2, "authentication_fail"},
      {Kind::silent_v2, "exchange_timeout"},
      {Kind::dead_peer_v2, "dpd_timeout"},
      {Kind::child_refused_v2, "phase2_proposal_or_pfs_mismatch"},
      {Kind::healthy_v1, ""},
      {Kind::no_proposal_v1, "phase1_proposal_mismatch"},
      {Kind::wrong_key_v1, "authentication_fail"},
  };
  for (std::uint32_t i = 0; i < std::size(kinds); ++i) add(i, IkeLife(i + 1).conversation(kinds[i].first, kBegin));
  const auto report = analyze();
  ASSERT_EQ(report.tunnels.size(), std::size(kinds));
  EXPECT_EQ(report.malformed, 0U);
  for (const auto& tunnel : report.tunnels) {
    SCOPED_TRACE(tunnel.remote);
    const auto peer = static_cast<std::size_t>(std::stoul(tunnel.remote.substr(tunnel.remote.rfind('.') + 1))) - 1;
    std::vector<std::string> causes;
    for (const auto& c : tunnel.causes) {
      if (c.severity != "notice" && c.cause != "peer_request") causes.push_back(c.cause);
    }
    if (*kinds[peer].second == '\0') {
      EXPECT_THAT(causes, testing::IsEmpty());
    } else {
      EXPECT_THAT(causes, testing::Contains(kinds[peer].second));
    }
  }
}

// Live, 512 peers that no configuration names are enough; whoever asks about a file asks about all that are in it.
TEST_F(AnalysisTrafficTest, AllPeersOfAFileAreTold) {
  constexpr std::uint32_t kPeers = 700;
  for (std::uint32_t peer = 0; peer < kPeers; ++peer) add(peer, IkeLife(peer).negotiation(kBegin + peer * 10'000'000));
  const auto report = analyze();
  EXPECT_EQ(report.tunnels.size(), kPeers);
  EXPECT_TRUE(std::all_of(report.tunnels.begin(), report.tunnels.end(), [](const auto& t) { return t.state == "up"; }));
}

}  // namespace
}  // namespace tunnelwatch::agent
