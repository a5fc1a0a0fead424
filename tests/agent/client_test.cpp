#include "agent/diagnosis/kernel_evidence.h"
#include "agent/diagnosis/log_hit.h"
#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// An OpenVPN client on this machine, by its interface, its routes and the hosts inside: guide 3.2.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using host::KernelHop;
using host::KernelRoute;
using host::KernelView;
using test::TrafficScript;
using Host = TrafficScript::Host;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kWan = 3;
constexpr std::uint32_t kTun = 5;
const char* const kServer = "10.8.0.1";
const char* const kEcs = "10.2.0.1";

KernelRoute way(std::optional<IpAddress> gateway, std::uint32_t link) {
  return {*IpPrefix::parse("0.0.0.0/0"), true, {KernelHop{gateway, link}}};
}

config::Tunnel settings() {
  auto t = TrafficScript::tunnel();
  t.kind = config::TunnelKind::openvpn;
  t.local_subnets = {};
  t.tunnel_interface = "tun0";
  t.remote_tunnel_address = IpAddress::parse(kServer);
  t.inner_hosts = {{kEcs, IpAddress::parse(kEcs)}};
  return t;
}

// Connected, with the route that the server pushes.
KernelView connected() {
  KernelView v;
  v.complete = true;
  v.links = {{1, {"lo", true, false}}, {kWan, {"wan", true, true}}, {kTun, {"tun0", true, false}}};
  v.addresses = {{kWan, {TrafficScript::kLocal, 24}}};
  v.ways[TrafficScript::kRemote] = way(IpAddress::parse("192.0.2.1"), kWan);
  v.ways[*IpAddress::parse(kEcs)] = way(IpAddress::parse(kServer), kTun);
  return v;
}

struct ClientTest : testing::Test {
  void says(const KernelView& v) {
    diagnosis::judge_kernel(s.subject().evidence().facts(), s.subject().settings(), s.subject().remote(), v, s.now());
    s.watch().settle(s.now());
  }
  // Seconds [from, to) of the kernel's tables, and of a ping to the server and to the host behind it each.
  void seconds(int from, int to, const KernelView& v, bool server_answers = true, bool host_answers = true) {
    for (int second = from; second < to; ++second) {
      s.pass(1000 * second);
      says(v);
      s.pings(second, second + 1, {{kEcs, kEcs, host_answers}, {kServer, kServer, server_answers}});
    }
  }
  void logs(const std::string& line) {
    const auto hit = diagnosis::LogReader().read(line, s.now());
    ASSERT_TRUE(hit);
    EXPECT_TRUE(s.watch().on_log(*hit, s.now(), agent::Watch::LogTarget::any));
    s.watch().settle(s.now());
  }
  std::string state() { return std::string(agent::to_string(s.subject().state())); }
  TrafficScript s{settings(), false};
};

TEST_F(ClientTest, AClientThatIsConnectedIsUpWithoutIkeOrEsp) {
  EXPECT_EQ(state(), "unknown");
  seconds(1, 20, connected());
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(state(), "up");
}

TEST_F(ClientTest, WithoutItsInterfaceItIsDownAndNoRouteIsMissing) {
  auto v = connected();
  v.links.erase(kTun);
  v.ways[*IpAddress::parse(kEcs)] = way(IpAddress::parse("192.0.2.1"), kWan);
  seconds(1, 20, v, false, false);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_EQ(state(), "down");
  v.complete = false;
  seconds(20, 21, v, false, false);
  EXPECT_EQ(state(), "unknown");
}

TEST_F(ClientTest, Row321ARouteThatIsMissing) {
  seconds(1, 5, connected());
  auto v = connected();
  v.ways[*IpAddress::parse(kEcs)] = {};
  seconds(5, 7, v, true, false);
  EXPECT_THAT(s.active(), IsEmpty()) << "it may be on its way";
  seconds(7, 10, v, true, false);
  EXPECT_THAT(s.active(), ElementsAre("client_route_missing"));
  v.ways[*IpAddress::parse(kEcs)] = way(IpAddress::parse("192.0.2.1"), kWan);
  seconds(10, 15, v, true, false);
  EXPECT_THAT(s.active(), ElementsAre("client_route_missing")) << "it leads past the tunnel";
  EXPECT_THAT(s.evidence_of("client_route_missing"), HasSubstr("wan"));
  seconds(15, 17, connected(), true, false);
  EXPECT_THAT(s.active(), IsEmpty()) << "the next echo tells whether the route was all";
  seconds(17, 20, connected(), true, false);
  EXPECT_THAT(s.active(), ElementsAre("client_ping_blocked")) << "it was not";
  seconds(20, 22, connected());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(ClientTest, Row321AHostThatIsSilentBehindAServerThatAnswers) {
  seconds(1, 6, connected());
  seconds(6, 10, connected(), true, false);
  EXPECT_THAT(s.active(), ElementsAre("client_ping_blocked"));
  EXPECT_EQ(state(), "up");
  seconds(10, 12, connected());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(ClientTest, ARefusalFromBeforeItWasConnectedExcusesNoHost) {
  seconds(1, 6, connected());
  for (int second = 6; second < 10; ++second) {
    s.pass(1000 * second);
    s.pings(second, second + 1, {{kEcs, kEcs, false, true, RefusalReason::network_unreachable}, {kServer, kServer}});
  }
  EXPECT_THAT(s.active(), ElementsAre("client_ping_blocked"));
}

TEST_F(ClientTest, AllSilentIsNoBlockedHost) {
  seconds(1, 6, connected());
  seconds(6, 16, connected(), false, false);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(ClientTest, Row322LossInsideIsTheClients) {
  seconds(1, 5, connected());
  s.echoes(FactId::gateway_loses, false);
  s.echoes(FactId::references_lose, false);
  s.echoes(FactId::inner_loses, true);
  EXPECT_THAT(s.active(), ElementsAre("client_loss"));
  s.echoes(FactId::inner_loses, false);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(ClientTest, WhatWasLostWhileItWasNotConnectedIsNoLoss) {
  seconds(1, 3, connected());
  active::EchoWindow lossy;
  lossy.sent = lossy.in_service = 100;
  lossy.lost = lossy.in_service_lost = 20;
  lossy.in_service_loss = {0.13, 0.29};
  lossy.last_reply = s.now();
  s.subject().evidence().on_inner_echo(kEcs, lossy, s.now(), true, true);
  EXPECT_FALSE(s.is(FactId::inner_loses)) << "its interface is fresh: the losses are older";
  s.pass(70'000);
  says(connected());
  s.subject().evidence().on_inner_echo(kEcs, lossy, s.now(), true, true);
  EXPECT_TRUE(s.is(FactId::inner_loses));
  s.subject().evidence().facts().affirm(FactId::inner_host_blocked, s.now(), diagnosis::Confidence::likely, {"x", "x"});
  s.subject().evidence().on_inner_echo(kEcs, lossy, s.now(), true, true);
  EXPECT_FALSE(s.is(FactId::inner_loses)) << "the host is kept from answering";
}

TEST_F(ClientTest, WhatItsLogSaysIsOverWhenItWorks) {
  seconds(1, 3, connected());
  auto gone = connected();
  gone.links.erase(kTun);
  seconds(3, 4, gone, false, false);
  logs("2025-02-05 10:00:00 AUTH: Received control message: AUTH_FAILED");
  EXPECT_THAT(s.active(), ElementsAre("client_auth_failed"));
  seconds(4, 10, gone, false, false);
  EXPECT_THAT(s.active(), ElementsAre("client_auth_failed"));
  s.subject().evidence().facts().deny(FactId::inner_silent, s.now());
  seconds(10, 20, connected());
  s.watch().advance(s.now());
  s.watch().settle(s.now());
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST(Client, ALogLineThatNamesNobodyIsTheClientsBesideOtherTunnels) {
  agent::Watch watch({.discovery = {}, .loss = {}, .offline = false});
  auto ipsec = TrafficScript::tunnel();
  ipsec.name = "ipsec";
  watch.configure({ipsec, settings()});
  const auto hit = diagnosis::LogReader().read("2025-02-05 10:00:00 TLS Error: TLS handshake failed",
                                               TimePoint{std::chrono::seconds{1}});
  ASSERT_TRUE(hit);
  EXPECT_TRUE(watch.on_log(*hit, TimePoint{std::chrono::seconds{1}}, agent::Watch::LogTarget::any));
  EXPECT_NE(watch.find("cloud")->evidence().facts().logged(diagnosis::Cause::client_tls_handshake_failed), nullptr);
  EXPECT_EQ(watch.find("ipsec")->evidence().facts().logged(diagnosis::Cause::client_tls_handshake_failed), nullptr);
}

}  // namespace
}  // namespace tunnelwatch
