#include "agent/alert_watch.h"

#include "agent/log.h"
#include "agent/watch.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The socket of the IKE daemon's plugin error-notify, with a daemon of the test's own behind it.
namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using boost::asio::local::stream_protocol;
using testing::ElementsAre;
using testing::IsEmpty;

// What charon 5.9.8 told of another key, twice, and of other selectors.
std::vector<char> recorded() {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/error_notify/records.bin", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Tells whatever it is given to whoever listens.
class FakePlugin {
 public:
  FakePlugin(boost::asio::io_context& io, const std::string& path)
      : acceptor_(io, stream_protocol::endpoint(path)), socket_(io) {
    acceptor_.async_accept([this](const boost::system::error_code& error, stream_protocol::socket socket) {
      if (error) return;
      socket_ = std::move(socket);
      listened = true;
    });
  }
  void tell(const std::vector<char>& bytes) {
    boost::system::error_code ignored;
    boost::asio::write(socket_, boost::asio::buffer(bytes), ignored);
  }
  void hang_up() { socket_.close(); }
  bool listened = false;

 private:
  stream_protocol::acceptor acceptor_;
  stream_protocol::socket socket_;
};

class AlertWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    log::initialize(config::LogLevel::error);
    settings.error_notify = (folder / "charon.enfy").string();
    config::Tunnel tunnel;
    tunnel.name = "cloud";
    tunnel.remote = {"198.51.100.20", IpAddress::parse("198.51.100.20")};
    watch.configure({tunnel});
  }

  void tick() {
    ahead += 3s;
    alerts.tick(std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()) + ahead);
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
  std::uint64_t lines(std::string_view outcome) const {
    exporters::Report report;
    alerts.report(report);
    for (const auto& [name, count] : report.agent.log_lines) {
      if (name == outcome) return count;
    }
    return 0;
  }

  TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  config::Daemon settings;
  boost::asio::io_context io{1};
  Watch watch{{.discovery = {}, .loss = {}, .offline = false}};
  AlertWatch alerts{io, watch, [](std::string_view connection) { return connection == "tun"; }};
  Duration ahead{};
};

TEST_F(AlertWatchTest, WhatItReportsIsTold) {
  FakePlugin plugin(io, settings.error_notify);
  alerts.configure(settings);
  run_until([&] { return plugin.listened && alerts.up(); });
  plugin.tell(recorded());
  run_until([&] { return lines("assigned") == 5; });
  EXPECT_THAT(active(), ElementsAre("flow_or_peer_mismatch", "authentication_fail", "psk_mismatch"));
}

TEST_F(AlertWatchTest, ADaemonWithoutThePluginIsNoCauseAndWaitedFor) {
  alerts.configure(settings);
  io.run_for(20ms);
  EXPECT_TRUE(alerts.wanted());
  EXPECT_FALSE(alerts.up());
  EXPECT_THAT(active(), IsEmpty());
  FakePlugin plugin(io, settings.error_notify);
  tick();
  run_until([&] { return alerts.up(); });
}

TEST_F(AlertWatchTest, ADaemonThatHangsUpIsLookedForAgain) {
  std::optional<FakePlugin> plugin(std::in_place, io, settings.error_notify);
  alerts.configure(settings);
  run_until([&] { return plugin->listened && alerts.up(); });
  plugin->hang_up();
  run_until([&] { return !alerts.up(); });
  plugin.reset();
  std::filesystem::remove(settings.error_notify);
  FakePlugin another(io, settings.error_notify);
  tick();
  run_until([&] { return another.listened && alerts.up(); });
}

TEST_F(AlertWatchTest, WhoeverTellsSomethingElseIsLeftAlone) {
  FakePlugin plugin(io, settings.error_notify);
  alerts.configure(settings);
  run_until([&] { return plugin.listened && alerts.up(); });
  plugin.tell(std::vector<char>(1000, 'x'));
  run_until([&] { return !alerts.up(); });
  EXPECT_THAT(active(), IsEmpty());
}

TEST_F(AlertWatchTest, SwitchedOffItIsNotListenedTo) {
  settings.error_notify.clear();
  alerts.configure(settings);
  EXPECT_FALSE(alerts.wanted());
  tick();
  EXPECT_FALSE(alerts.up());
}

}  // namespace
}  // namespace tunnelwatch::agent
