#include "agent/daemon_watch.h"

#include "agent/log.h"
#include "agent/watch.h"
#include "probes/host/vici.h"

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
using testing::ElementsAre;
using testing::IsEmpty;

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
  void garbage() { send({0, 0, 0, 1, 99}); }
  std::string remote_ts = "10.2.0.0/24";
  int asked = 0;

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
    if (packet.type == ViciType::event_register) return send(host::build_vici_packet(ViciType::event_confirm, ""));
    if (packet.name == "list-conns") {
      ++asked;
      send(host::build_vici_packet(ViciType::event, "list-conn", connection(remote_ts)));
    }
    send(host::build_vici_packet(ViciType::command_response, ""));
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
    std::string pattern = (std::filesystem::temp_directory_path() / "vici_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    path = (folder / "charon.vici").string();
    config::Tunnel tunnel;
    tunnel.name = "cloud";
    tunnel.remote = {"198.51.100.20", IpAddress::parse("198.51.100.20")};
    tunnel.local_subnets = {*IpPrefix::parse("10.1.0.0/24")};
    tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24")};
    watch.configure({tunnel});
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

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

  std::filesystem::path folder;
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
