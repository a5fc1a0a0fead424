#include "agent/path_words.h"

#include "agent/cli/probe_words.h"
#include "agent/cli/trace_table.h"
#include "tests/probes/active/path_model.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch {
namespace {

using namespace std::chrono_literals;
using active::PathModel;
using active::PathMtuOutcome;
using testing::ElementsAre;
using testing::HasSubstr;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
bool is_esp(const PathModel::Packet& p) { return p.ip.ip_protocol == active::kProtocolEsp; }
bool is_4500(const PathModel::Packet& p) { return p.is_udp() && p.port == 4500; }

// A trace over a path of two routers and the peer, each answering in a millisecond.
struct PathWords : testing::Test {
  PathWords() {
    model.routers = {ip("192.0.2.1"), ip("10.0.1.2"), ip("10.0.2.2")};
    model.peer = ip("198.51.100.20");
  }
  void run() {
    active::PathTraceParams params;
    params.source = ip("192.0.2.10");
    params.target = model.peer;
    params.udp_500_ports = {40001};
    params.udp_4500_ports = {40002};
    params.large_size = 1500;
    TimePoint now{1h};
    trace.emplace(1, params, now);
    while (!trace->done()) {
      now = std::max(now, *trace->next_deadline());
      std::vector<active::TracePacket> out;
      trace->advance(now, out);
      for (const auto& p : out) {
        const auto a = model.answer(p.bytes);
        if (!a) continue;
        if (a->kind == PathModel::Answer::Kind::udp) {
          trace->on_udp(a->bytes, a->from, a->from_port, a->to_port, now + 1ms);
        } else {
          trace->on_icmp(a->bytes, a->from, now + 1ms);
        }
      }
    }
    findings = active::compare_flows(trace->flows());
  }
  std::vector<std::string> told() { return agent::comparison_words(*trace, findings); }
  bool fault(PathMtuOutcome mtu = PathMtuOutcome::whole) {
    active::PathMtuResult result;
    result.outcome = mtu;
    return agent::path_has_fault(findings, result);
  }

  PathModel model;
  std::optional<active::PathTrace> trace;
  std::vector<active::TraceFinding> findings;
};

TEST_F(PathWords, AHealthyPathIsNoFault) {
  run();
  EXPECT_FALSE(fault());
  EXPECT_TRUE(fault(PathMtuOutcome::black_hole));
  EXPECT_FALSE(fault(PathMtuOutcome::announced));
  EXPECT_EQ(told()[0], "ICMP reaches the peer at hop 4 in 1.0 ms");
  EXPECT_THAT(told()[3], HasSubstr("ESP passes every router that answers, up to 10.0.2.2 at hop 3"));
  EXPECT_EQ(cli::trace_table(*trace),
            "hop  address        ICMP    UDP 500  UDP 4500  ESP     1500 bytes\n"
            "  1  192.0.2.1      1.0 ms  1.0 ms   1.0 ms    1.0 ms  1.0 ms\n"
            "  2  10.0.1.2       1.0 ms  1.0 ms   1.0 ms    1.0 ms  1.0 ms\n"
            "  3  10.0.2.2       1.0 ms  1.0 ms   1.0 ms    1.0 ms  1.0 ms\n"
            "  4  198.51.100.20  1.0 ms  1.0 ms   1.0 ms    *       1.0 ms\n");
}

TEST_F(PathWords, WhatDiesIsToldWithItsLastAnswerAndItsWitnesses) {
  model.drops = {{1, is_esp}};
  run();
  EXPECT_TRUE(fault());
  EXPECT_EQ(told()[3],
            "ESP dies at hop 2: the last answer is from 192.0.2.1 at hop 1; 2 routers behind that answer others, and "
            "ICMP, UDP 500, UDP 4500 and ICMP of 1500 bytes go on");
  EXPECT_THAT(cli::trace_table(*trace), HasSubstr("  2  10.0.1.2       1.0 ms  1.0 ms   1.0 ms    *       1.0 ms\n"));
}

TEST_F(PathWords, ARejectionAndASilentPeer) {
  model.rejects = {{2, {is_4500, std::uint8_t{13}}}};
  run();
  EXPECT_TRUE(fault());
  EXPECT_EQ(told()[2], "UDP 4500 is rejected at hop 3 by 10.0.1.2: administratively prohibited (ICMP 3/13)");
  EXPECT_THAT(cli::trace_table(*trace), HasSubstr("1.0 ms !"));
  model.rejects.clear();
  model.peer_ignores = is_4500;
  run();
  EXPECT_TRUE(fault());
  EXPECT_THAT(told()[2], HasSubstr("up to 10.0.2.2 at hop 3; the peer at hop 4 does not answer it"));
}

TEST_F(PathWords, APeerThatIgnoresPingsIsNoFault) {
  model.peer_ignores = [](const PathModel::Packet& p) { return p.ip.ip_protocol == active::kProtocolIcmp; };
  run();
  EXPECT_FALSE(fault(PathMtuOutcome::unknown));
}

TEST_F(PathWords, AnAnnouncedMtuIsNoFault) {
  model.mtus = {{2, std::uint16_t{1400}}};
  run();
  EXPECT_FALSE(fault(PathMtuOutcome::announced));
  EXPECT_EQ(told()[4], "ICMP of 1500 bytes is too big: 10.0.1.2 announces an MTU of 1400, as it should");
}

TEST(MtuWords, EachOutcomeHasItsSentence) {
  active::PathMtuResult r;
  EXPECT_EQ(agent::mtu_words(r), "");
  r.outcome = PathMtuOutcome::whole;
  r.mtu = 1500;
  EXPECT_EQ(agent::mtu_words(r), "path MTU 1500: all that the own link takes");
  r.outcome = PathMtuOutcome::black_hole;
  r.mtu = 1400;
  r.smallest_silent = 1401;
  EXPECT_EQ(agent::mtu_words(r),
            "path MTU 1400: pings of 1401 bytes and more vanish without a word while small ones are answered");
  r.outcome = PathMtuOutcome::announced;
  r.announced_by = ip("10.0.1.2");
  EXPECT_EQ(agent::mtu_words(r), "path MTU 1400: announced by 10.0.1.2, as it should be");
}

TEST(ProbeWords, SayWhatAnAnswerMeans) {
  IkeProbeObservation o{.port = 500,
                        .outcome = IkeProbeOutcome::answered,
                        .sent_version = 3,
                        .answer_version = 2,
                        .answer_notify = 5,
                        .rtt = 1500us,
                        .from = {}};
  EXPECT_EQ(
      cli::probe_line(o),
      "UDP 500   answered in 1.5 ms: an IKEv2 responder answers: INVALID_MAJOR_VERSION, as it should to version 3");
  o.answer_notify = 16390;
  EXPECT_THAT(cli::probe_meaning(o), HasSubstr("COOKIE, it is under load"));
  o.outcome = IkeProbeOutcome::refused;
  o.reason = RefusalReason::port_unreachable;
  o.from = ip("198.51.100.20");
  EXPECT_EQ(cli::probe_meaning(o), "no IKE listens on UDP 500 of 198.51.100.20");
  o.reason = RefusalReason::prohibited;
  EXPECT_EQ(cli::probe_json("peer", o.from, {o}),
            R"({"peer":"peer","address":"198.51.100.20","ports":[{"port":500,"outcome":"refused","sent_version":3,)"
            R"("reason":"prohibited","refused_by":"198.51.100.20",)"
            R"("meaning":"198.51.100.20 refuses UDP 500: prohibited"}]})");
}

TEST(ProbeWords, SayWhatEspGave) {
  cli::ProbedEsp esp{
      EspProbeObservation{
          .outcome = EspProbeOutcome::refused, .reason = RefusalReason::prohibited, .from = ip("203.0.113.1")},
      "unreachable", "a filter refuses it"};
  EXPECT_EQ(cli::esp_line(esp), "ESP       unreachable: a filter refuses it");
  EXPECT_TRUE(cli::is_esp_blocked(esp));
  EXPECT_EQ(
      cli::probe_json("peer", ip("198.51.100.20"), {}, esp),
      R"({"peer":"peer","address":"198.51.100.20","ports":[],"esp":{"protocol":50,"verdict":"unreachable",)"
      R"("outcome":"refused","reason":"prohibited","refused_by":"203.0.113.1","meaning":"a filter refuses it"}})");
  esp.observation->by_peer = true;
  EXPECT_FALSE(cli::is_esp_blocked(esp)) << "it may speak ESP in UDP";
  esp = {EspProbeObservation{.outcome = EspProbeOutcome::answered, .rtt = 1500us, .from = {}}, "reachable", "answered"};
  EXPECT_FALSE(cli::is_esp_blocked(esp));
  EXPECT_THAT(cli::probe_json("peer", ip("198.51.100.20"), {}, esp), HasSubstr(R"("outcome":"answered","rtt_ms":1.5)"));
  esp = {std::nullopt, "unknown", "CAP_NET_RAW is missing"};
  EXPECT_FALSE(cli::is_esp_blocked(esp));
  EXPECT_THAT(cli::probe_json("peer", ip("198.51.100.20"), {}, esp), HasSubstr(R"("outcome":"not_asked")"));
}

}  // namespace
}  // namespace tunnelwatch
