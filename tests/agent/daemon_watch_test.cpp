#include "agent/daemon_watch.h"

#include "agent/log.h"
#include "agent/watch.h"
#include "probes/host/vici.h"
#include "tests/support/temporary_folder.h"

#include <array>
#include <filesystem>
#include <functional>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The IKE daemon's socket, with a daemon of the test's own behind it.
namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using boost::asio::local::stream_protocol;
using host::ViciSection;
using host::ViciType;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

ViciSection connection(const std::string& remote_ts) {
  ViciSection root;
  ViciSection& conn = root.add_section("tun");
  conn.lists["remote_addrs"] = {"198.51.100.20"};
  ViciSection& child = conn.add_section("children").add_section("net");
  child.values["mode"] = "TUNNEL";
  child.lists["local-ts"] = {"10.1.0.0/24"};
  child.lists["remote-ts"] = {remote_ts};
  return root;
}

// Confirms, streams its one connection, has no SAs.
class FakeCharon {
 public:
  FakeCharon(boost::asio::io_context& io, const std::string& path)
      : acceptor_(io, stream_protocol::endpoint(path)), socket_(io) {
    accept();
  }
  void stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    socket_.close(ignored);
  }
  void event(std::string_view name) { send(host::build_vici_packet(ViciType::event, name)); }
  void log(const std::string& text) {
    ViciSection message;
    message.values = {{"group", "IKE"},      {"level", "1"},          {"thread", "5"},
                      {"ikesa-name", "tun"}, {"ikesa-uniqueid", "3"}, {"msg", text}};
    send(host::build_vici_packet(ViciType::event, "log", message));
  }
  void garbage() { send({0, 0, 0, 1, 99}); }
  std::string remote_ts = "10.2.0.0/24";
  int asked = 0;
  bool logs = false;  // it was asked to
  bool counts = false;
  int rekeys = 0;
  int unknown_spis = 0;

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, stream_protocol::socket socket) {
      if (error) return;
      socket_ = std::move(socket);
      stream_ = {};
      read();
      accept();
    });
  }
  void read() {
    socket_.async_read_some(boost::asio::buffer(buffer_),
                            [this](const boost::system::error_code& error, std::size_t size) {
                              if (error) return;
                              stream_.feed({buffer_.data(), size});
                              while (const auto packet = stream_.next()) answer(*host::parse_vici_packet(*packet));
                              read();
                            });
  }
  void answer(const host::ViciPacket& packet) {
    if (packet.type == ViciType::event_register && packet.name == "log") logs = true;
    if (packet.type == ViciType::event_register) return send(host::build_vici_packet(ViciType::event_confirm, ""));
    if (packet.name == "list-conns") {
      ++asked;
      send(host::build_vici_packet(ViciType::event, "list-conn", connection(remote_ts)));
    }
    ViciSection answer;
    if (packet.name == "get-counters") answer = counters(packet.message.size() > 0);
    send(host::build_vici_packet(ViciType::command_response, "", answer));
  }
  ViciSection counters(bool of_each) const {
    ViciSection answer;
    if (!counts) return answer;
    auto& values = answer.add_section("counters").add_section(of_each ? "tun" : "").values;
    values["child-rekey"] = std::to_string(rekeys);
    values["invalid-spi"] = std::to_string(unknown_spis);
    return answer;
  }
  void send(const std::vector<std::uint8_t>& bytes) {
    boost::system::error_code ignored;
    boost::asio::write(socket_, boost::asio::buffer(bytes), ignored);
  }

  stream_protocol::acceptor acceptor_;
  stream_protocol::socket socket_;
  host::ViciStream stream_;
  std::array<std::uint8_t, 4096> buffer_{};
};

class DaemonWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    log::initialize(config::LogLevel::error);
    path = (folder / "charon.vici").string();
    config::Tunnel tunnel;
    tunnel.name = "cloud";
    tunnel.remote = {"198.51.100.20", IpAddress::parse("198.51.100.20")};
    tunnel.local_subnets = {*IpPrefix::parse("10.1.0.0/24")};
    tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24")};
    watch.configure({tunnel});
  }

  // The daemon's own clock is ahead of the pauses, so that nothing waits.
  void tick() {
    ahead += 3s;
    daemon.tick(std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()) + ahead);
  }
  template <typename Done>
  void run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    if (io.stopped()) io.restart();
    while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(10s);
    ASSERT_TRUE(done());
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
  std::string path;
  boost::asio::io_context io{1};
  Watch watch{{.discovery = {}, .loss = {}, .offline = false}};
  DaemonWatch daemon{io, watch};
  Duration ahead{};
};

TEST_F(DaemonWatchTest, WhatTheDaemonIsToldIsCompared) {
  FakeCharon charon(io, path);
  charon.remote_ts = "10.9.0.0/24";
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  EXPECT_THAT(active(), ElementsAre("policy_rules_not_mirrored"));
  // Something happens, and it is asked again.
  charon.remote_ts = "10.2.0.0/24";
  charon.event("child-updown");
  run_until([&] { return charon.asked == 2; });
  run_until([&] { return active().empty(); });
}

TEST_F(DaemonWatchTest, ADaemonThatIsNotThereIsNoCauseAndWaitedFor) {
  daemon.configure({path});
  io.run_for(20ms);
  EXPECT_FALSE(daemon.up());
  EXPECT_TRUE(daemon.wanted());
  EXPECT_THAT(active(), IsEmpty());
  FakeCharon charon(io, path);
  tick();
  run_until([&] { return daemon.up(); });
}

TEST_F(DaemonWatchTest, WhatADeadDaemonSaidIsForgotten) {
  std::optional<FakeCharon> charon(std::in_place, io, path);
  charon->remote_ts = "10.9.0.0/24";
  daemon.configure({path});
  run_until([&] { return !active().empty(); });
  charon->stop();
  run_until([&] { return !daemon.up(); });
  EXPECT_THAT(active(), IsEmpty());
}

TEST_F(DaemonWatchTest, WhoeverDoesNotSpeakViciIsLeftAlone) {
  FakeCharon charon(io, path);
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  charon.garbage();
  run_until([&] { return !daemon.up(); });
}

TEST_F(DaemonWatchTest, ItIsAskedNowAndThen) {
  FakeCharon charon(io, path);
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  ahead += 8s;
  tick();
  run_until([&] { return charon.asked == 2; });
}

// The tunnel is called cloud, the connection tun: by its peer it is known whose lines these are.
TEST_F(DaemonWatchTest, WhatItLogsIsTold) {
  FakeCharon charon(io, path);
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  EXPECT_TRUE(charon.logs);
  charon.log("no acceptable proposal found");
  run_until([&] { return !active().empty(); });
  EXPECT_THAT(active(), ElementsAre("phase2_proposal_or_pfs_mismatch"));
  exporters::Report report;
  daemon.report(report);
  EXPECT_THAT(report.agent.log_lines, Contains(Pair("assigned", 1U)));
}

TEST_F(DaemonWatchTest, ItsLogIsNotHeardWhereThatIsSwitchedOff) {
  FakeCharon charon(io, path);
  config::Daemon settings;
  settings.vici = path;
  settings.log = false;
  daemon.configure(settings);
  run_until([&] { return daemon.up(); });
  EXPECT_FALSE(charon.logs);
}

TEST_F(DaemonWatchTest, WhatItCountsIsReportedAndGoesOnBehindItsRestart) {
  FakeCharon charon(io, path);
  charon.counts = true;
  charon.rekeys = 7;
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  const auto told = [&] {
    exporters::Report report;
    report.tunnels.emplace_back().name = "cloud";
    report.tunnels.emplace_back().name = "stranger";
    daemon.report(report);
    return report;
  };
  EXPECT_THAT(told().agent.daemon_counts, Contains(Pair("child_rekey", 7U)));
  EXPECT_THAT(told().agent.daemon_counts, Contains(Pair("info_in_req", 0U)));
  EXPECT_THAT(told().tunnels[0].daemon_counts, ElementsAre(Pair("child_rekey", 7U)));
  EXPECT_THAT(told().tunnels[1].daemon_counts, IsEmpty());
  charon.rekeys = 2;
  charon.event("child-rekey");
  run_until([&] { return told().tunnels[0].daemon_counts.front().second == 9U; });
  charon.stop();
  run_until([&] { return !daemon.up(); });
  EXPECT_THAT(told().agent.daemon_counts, IsEmpty());
}

TEST_F(DaemonWatchTest, MessagesOfUnknownSasAreKnownAndNoCauseAlone) {
  FakeCharon charon(io, path);
  charon.counts = true;
  charon.unknown_spis = 5;
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  const auto& facts = std::as_const(*watch.tunnels().front()).evidence().facts();
  EXPECT_FALSE(facts.is(diagnosis::FactId::daemon_unknown_spis)) << "history";
  charon.unknown_spis = 8;
  charon.event("ike-updown");
  run_until([&] { return facts.is(diagnosis::FactId::daemon_unknown_spis); });
  EXPECT_EQ(facts[diagnosis::FactId::daemon_unknown_spis].evidence.en,
            "the IKE daemon counted 3 more messages of IKE SAs that it does not know");
  EXPECT_THAT(active(), IsEmpty());
}

TEST_F(DaemonWatchTest, SwitchedOffWhatItSaidIsForgotten) {
  FakeCharon charon(io, path);
  charon.remote_ts = "10.9.0.0/24";
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  ASSERT_THAT(active(), ElementsAre("policy_rules_not_mirrored"));
  daemon.configure({""});
  EXPECT_THAT(active(), IsEmpty());
}

TEST_F(DaemonWatchTest, SwitchedOffItIsNotAsked) {
  FakeCharon charon(io, path);
  daemon.configure({path});
  run_until([&] { return daemon.up(); });
  daemon.configure({""});
  EXPECT_FALSE(daemon.wanted());
  tick();
  io.run_for(20ms);
  EXPECT_EQ(charon.asked, 1);
}

}  // namespace
}  // namespace tunnelwatch::agent
