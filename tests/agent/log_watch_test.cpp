#include "agent/log_watch.h"

#include "agent/log.h"
#include "agent/watch.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Logs that are followed, from the file or the socket to the verdict.
namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class LogWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    log::initialize(config::LogLevel::error);
    config::Tunnel tunnel;
    tunnel.name = "cloud";
    tunnel.remote = {"198.51.100.20", IpAddress::parse("198.51.100.20")};
    watch.configure({tunnel});
  }

  std::string path(const std::string& name) const { return (folder / name).string(); }
  void add(const std::string& name, const std::string& text) { std::ofstream(path(name), std::ios::app) << text; }
  void follow(const std::vector<std::string>& files) {
    config::Logs settings;
    settings.files = files;
    logs.configure(settings);
  }
  void tick() {
    now += 100ms;
    logs.tick(now);
    watch.advance(now);
  }
  std::vector<std::string> active() const {
    std::vector<std::string> names;
    for (const auto* c : watch.tunnels().front()->verdict().ranked()) {
      if (c->active) names.emplace_back(to_string(c->cause));
    }
    return names;
  }

  TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  boost::asio::io_context io{1};
  Watch watch{{.discovery = {}, .loss = {}, .offline = false}};
  LogWatch logs{io, watch};
  TimePoint now = TimePoint{} + 1h;
};

TEST_F(LogWatchTest, NothingConfiguredIsNoSource) {
  tick();
  EXPECT_THAT(logs.sources(), IsEmpty());
}

TEST_F(LogWatchTest, ALineOfAFileBecomesACause) {
  add("charon.log", "05[IKE] <cloud|1> giving up after 5 retransmits\n");
  follow({path("charon.log")});
  tick();
  EXPECT_THAT(active(), IsEmpty()) << "history";
  add("charon.log",
      "05[IKE] <cloud|1> received NO_PROPOSAL_CHOSEN notify error\nnothing\n"
      "reason=route limit, peer 203.0.113.9\n");
  tick();
  EXPECT_THAT(active(), ElementsAre("phase1_proposal_mismatch"));
  EXPECT_THAT(logs.sources(), ElementsAre(Pair("log_file", true)));
  EXPECT_EQ(logs.count(LogLineOutcome::assigned), 1U);
  EXPECT_EQ(logs.count(LogLineOutcome::unassigned), 1U);
  EXPECT_EQ(logs.count(LogLineOutcome::ordinary), 1U);
}

TEST_F(LogWatchTest, AFileThatIsMissingIsADeadSourceAndNoCause) {
  add("a.log", "");
  follow({path("a.log"), path("b.log")});
  tick();
  EXPECT_THAT(logs.sources(), ElementsAre(Pair("log_file", false)));
  EXPECT_THAT(active(), IsEmpty());
  add("b.log", "reason=route limit\n");
  tick();
  EXPECT_THAT(logs.sources(), ElementsAre(Pair("log_file", true)));
  EXPECT_THAT(active(), ElementsAre("route_limit"));
}

TEST_F(LogWatchTest, AReloadKeepsThePlaceInWhatStays) {
  add("a.log", "");
  follow({path("a.log")});
  tick();
  add("a.log", "reason=route limit\n");
  follow({path("b.log"), path("a.log")});
  tick();
  EXPECT_THAT(active(), ElementsAre("route_limit"));
  logs.configure({});
  EXPECT_THAT(logs.sources(), IsEmpty());
}

TEST_F(LogWatchTest, AFloodIsBounded) {
  add("a.log", "");
  follow({path("a.log")});
  tick();
  std::string flood;
  for (int i = 0; i < 40'000; ++i) flood += "x\n";
  add("a.log", flood + "reason=route limit\n");
  for (int i = 0; i < 3; ++i) tick();
  const auto seen = logs.count(LogLineOutcome::ordinary);
  EXPECT_GE(seen, 20'000U);
  EXPECT_LE(seen, 22'000U);
  EXPECT_EQ(seen + logs.count(LogLineOutcome::dropped), 40'001U);
  for (int i = 0; i < 10; ++i) tick();
  add("a.log", "reason=route limit\n");
  tick();
  EXPECT_THAT(active(), ElementsAre("route_limit"));
}

TEST_F(LogWatchTest, SyslogOverUdp) {
  // A port that was free a moment ago.
  boost::asio::ip::udp::socket sender(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  boost::asio::ip::udp::socket probe(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const std::uint16_t port = probe.local_endpoint().port();
  probe.close();
  config::Logs settings;
  settings.syslog = config::ListenAddress{*IpAddress::parse("127.0.0.1"), port};
  logs.configure(settings);
  ASSERT_THAT(logs.sources(), ElementsAre(Pair("log_syslog", true)));
  sender.send_to(boost::asio::buffer(std::string("<188>Feb  5 10:00:00 gw %%01IKE/4/NEGO(l): dpd timeout")),
                 {boost::asio::ip::make_address("127.0.0.1"), port});
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (active().empty() && std::chrono::steady_clock::now() < end) io.run_one_for(10s);
  EXPECT_THAT(active(), ElementsAre("dpd_timeout"));
  // Its port is taken by another: told, and not fatal.
  LogWatch second(io, watch);
  second.configure(settings);
  EXPECT_THAT(second.sources(), ElementsAre(Pair("log_syslog", false)));
}

TEST_F(LogWatchTest, OurOwnLinesAreNoNews) {
  add("a.log", "");
  follow({path("a.log")});
  tick();
  add("a.log", R"({"SYSLOG_IDENTIFIER":"tunnelwatch","MESSAGE":"reason=route limit"})"
               "\n"
               "cause_raised tunnel=cloud cause=dpd_timeout evidence=\"07[IKE] giving up after 5 retransmits\"\n");
  tick();
  EXPECT_THAT(active(), IsEmpty());
}

TEST(LogLineOutcomes, ReadAsTheirEnumerators) {
  EXPECT_EQ(to_string(LogLineOutcome::ordinary), "ordinary");
  EXPECT_EQ(to_string(LogLineOutcome::dropped), "dropped");
}

}  // namespace
}  // namespace tunnelwatch::agent
