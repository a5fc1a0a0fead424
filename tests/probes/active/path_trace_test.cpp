#include "probes/active/path_trace.h"

#include "probes/active/trace_findings.h"
#include "tests/probes/active/path_model.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

using namespace std::chrono_literals;
using Protocol = TraceProtocol;
using Outcome = TraceOutcome;
using Packet = PathModel::Packet;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
constexpr Duration kRtt = 20ms;

struct TraceTest : testing::Test {
  TraceTest() {
    model.routers = {ip("192.0.2.1"), ip("10.0.1.2"), ip("10.0.2.2"), ip("10.0.3.2")};
    model.peer = params.target = ip("198.51.100.20");
    params.source = ip("192.0.2.10");
    params.udp_500_ports = {40001};
    params.udp_4500_ports = {40002};
    params.large_size = 1500;
  }

  // Plays the trace to its end and gives its findings.
  std::vector<TraceFinding> run() {
    trace.emplace(1, params, now);
    struct Pending {
      TimePoint at;
      PathModel::Answer answer;
    };
    std::vector<Pending> pending;
    while (!trace->done()) {
      TimePoint next = *trace->next_deadline();
      const auto first =
          std::min_element(pending.begin(), pending.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
      if (first != pending.end() && first->at <= next) {
        now = first->at;
        const auto answer = first->answer;
        pending.erase(first);
        deliver(answer);
        continue;
      }
      now = std::max(now, next);
      std::vector<TracePacket> out;
      trace->advance(now, out);
      for (const TracePacket& p : out) {
        sent.push_back({p.bytes, now});
        trace->on_sent(p.probe, now);
        if (const auto answer = model.answer(p.bytes)) pending.push_back({now + kRtt, *answer});
      }
      if (sent.size() > PathTrace::kMostPackets) throw std::runtime_error("the trace does not end");
    }
    return compare_flows(trace->flows());
  }
  bool deliver(const PathModel::Answer& a) {
    switch (a.kind) {
      case PathModel::Answer::Kind::icmp:
        return trace->on_icmp(a.bytes, a.from, now);
      case PathModel::Answer::Kind::udp:
        return trace->on_udp(a.bytes, a.from, a.from_port, a.to_port, now);
      case PathModel::Answer::Kind::esp:
        return trace->on_esp(a.bytes, a.from, now);
    }
    return false;
  }
  TraceFinding of(const std::vector<TraceFinding>& findings, Protocol protocol) {
    return *std::find_if(findings.begin(), findings.end(), [&](const auto& f) { return f.protocol == protocol; });
  }
  const TraceFlow& flow(Protocol protocol) {
    return *std::find_if(trace->flows().begin(), trace->flows().end(),
                         [&](const auto& f) { return f.protocol == protocol; });
  }

  struct Sent {
    std::vector<std::uint8_t> bytes;
    TimePoint at;
  };
  PathTraceParams params;
  PathModel model;
  std::optional<PathTrace> trace;
  std::vector<Sent> sent;
  TimePoint now{1h};
};

bool is_esp(const Packet& p) { return p.ip.ip_protocol == kProtocolEsp; }
bool is_4500(const Packet& p) { return p.is_udp() && p.port == 4500; }
bool is_large(const Packet& p) { return p.bytes.size() > 1400; }
bool always(const Packet&) { return true; }

TEST_F(TraceTest, AHealthyPathIsToldHopByHop) {
  const TimePoint begun = now;
  const auto findings = run();
  ASSERT_EQ(findings.size(), 5U);
  for (const auto& f : findings) {
    SCOPED_TRACE(to_string(f.protocol));
    const bool esp = f.protocol == Protocol::esp;
    EXPECT_EQ(f.outcome, esp ? Outcome::to_target : Outcome::reached);
    EXPECT_EQ(f.hop, 5);
    EXPECT_EQ(f.last_hop, esp ? 4 : 5);
    EXPECT_EQ(f.witnesses, 0);
    const TraceFlow& told = flow(f.protocol);
    for (std::size_t hop = 1; hop <= 4; ++hop) {
      EXPECT_EQ(told.hops[hop - 1].from, model.routers[hop - 1]);
      EXPECT_EQ(told.hops[hop - 1].rtt, kRtt);
      EXPECT_EQ(told.hops[hop - 1].reason, RefusalReason::ttl_exceeded);
      EXPECT_EQ(told.hops[hop - 1].attempts, 1);
    }
    if (!esp) {
      EXPECT_EQ(told.hops[4].from, model.peer);
    }
  }
  EXPECT_LT(now - begun, 5s);
  EXPECT_EQ(trace->counters().foreign, 0U);
}

TEST_F(TraceTest, OneProtocolThatIsDroppedDiesBehindTheLastAnswer) {
  struct Row {
    const char* name;
    Protocol protocol;
    PathModel::Rule rule;
  };
  const Row rows[] = {{"ESP", Protocol::esp, is_esp},
                      {"UDP 4500", Protocol::udp_4500, is_4500},
                      {"large", Protocol::icmp_large, is_large}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    model.drops = {{2, row.rule}};
    const TimePoint begun = now;
    const auto findings = run();
    EXPECT_LT(now - begun, 5s);
    for (const auto& f : findings) {
      SCOPED_TRACE(to_string(f.protocol));
      if (f.protocol != row.protocol) {
        EXPECT_EQ(f.outcome, f.protocol == Protocol::esp ? Outcome::to_target : Outcome::reached);
        continue;
      }
      EXPECT_EQ(f.outcome, Outcome::dies);
      EXPECT_EQ(f.hop, 3);
      EXPECT_EQ(f.last_hop, 2);
      EXPECT_EQ(f.last.from, model.routers[1]);
      EXPECT_EQ(f.witnesses, 2);  // routers 3 and 4
    }
  }
}

TEST_F(TraceTest, ARouterThatAnswersNobodyIsSilentAndNoWitness) {
  model.mute = {{3, always}};
  for (const auto& f : run()) EXPECT_NE(f.outcome, Outcome::dies) << to_string(f.protocol);
  EXPECT_TRUE(flow(Protocol::esp).hops[2].silent);
  EXPECT_EQ(flow(Protocol::esp).hops[2].attempts, params.attempts);
}

TEST_F(TraceTest, ARouterThatOnlySometimesAnswersIsNoWitness) {
  // Router 4 answers ICMP alone, to which it gives no second thought; UDP 500 and 4500 are silent there and go on.
  model.mute = {{4, [](const Packet& p) { return p.is_udp() || is_esp(p); }}};
  const auto findings = run();
  EXPECT_EQ(of(findings, Protocol::udp_500).outcome, Outcome::reached);
  EXPECT_EQ(of(findings, Protocol::esp).outcome, Outcome::unknown);  // it may have passed, or not
}

TEST_F(TraceTest, EspWithoutAnyAnswerIsUnknown) {
  for (std::size_t hop = 1; hop <= 4; ++hop) model.mute[hop] = is_esp;
  const auto findings = run();
  EXPECT_EQ(of(findings, Protocol::esp).outcome, Outcome::unknown);
  EXPECT_EQ(of(findings, Protocol::esp).last_hop, 0);
  EXPECT_EQ(of(findings, Protocol::icmp).outcome, Outcome::reached);
}

TEST_F(TraceTest, UdpThatNobodyAnswersDiesAtOnceWhereOthersDoNot) {
  model.drops = {{1, is_4500}};
  model.mute = {{1, is_4500}};
  const auto& f = of(run(), Protocol::udp_4500);
  EXPECT_EQ(f.outcome, Outcome::dies);
  EXPECT_EQ(f.hop, 1);
}

TEST_F(TraceTest, ATargetThatIsSilentIsNotCalledABlockedPath) {
  model.peer_ignores = is_4500;
  const auto findings = run();
  const auto& f = of(findings, Protocol::udp_4500);
  EXPECT_EQ(f.outcome, Outcome::to_target);
  EXPECT_EQ(f.last_hop, 4);
  EXPECT_EQ(f.target_hop, 5);
}

TEST_F(TraceTest, ATargetThatIsSilentToAllLeavesEverythingUnknownBehindTheLastRouter) {
  model.peer_ignores = always;
  for (const auto& f : run()) {
    EXPECT_EQ(f.outcome, Outcome::unknown) << to_string(f.protocol);
    EXPECT_EQ(f.last_hop, 4);
  }
  EXPECT_EQ(flow(Protocol::icmp).hops.size(), 4U + PathTrace::kSilentHops);
}

TEST_F(TraceTest, ARejectionNamesWhoRejects) {
  model.rejects = {{2, {is_4500, std::uint8_t{13}}}};
  const auto& f = of(run(), Protocol::udp_4500);
  EXPECT_EQ(f.outcome, Outcome::rejected);
  EXPECT_EQ(f.hop, 3);
  EXPECT_EQ(f.last.from, model.routers[1]);
  EXPECT_EQ(f.last.reason, RefusalReason::prohibited);
  EXPECT_EQ(f.last.icmp_type, 3);
  EXPECT_EQ(f.last.icmp_code, 13);
}

TEST_F(TraceTest, ARouterThatRejectsOnlySometimesIsNotTakenForAFartherOne) {
  model.rejects = {{1, {always, std::uint8_t{0}}}};
  // Of the requests beyond it, router 1 rejects those of ICMP at once and those of UDP 500 from hop 4 on.
  model.drops = {{1, always}};
  model.rejects[1].first = [](const Packet& p) { return !p.is_udp() || p.port != 500 || p.ip.ttl >= 4; };
  const auto findings = run();
  EXPECT_EQ(of(findings, Protocol::icmp).hop, 2);
  EXPECT_EQ(of(findings, Protocol::udp_500).outcome, Outcome::rejected);
  EXPECT_EQ(of(findings, Protocol::udp_500).last_hop, 4);
  EXPECT_EQ(of(findings, Protocol::udp_500).hop, 2);
}

TEST_F(TraceTest, AnAnnouncedMtuIsNoFault) {
  model.mtus = {{3, std::uint16_t{1400}}};
  const auto& f = of(run(), Protocol::icmp_large);
  EXPECT_EQ(f.outcome, Outcome::too_big);
  EXPECT_EQ(f.last.from, model.routers[2]);
  EXPECT_EQ(f.last.mtu, 1400);
}

TEST_F(TraceTest, ARefusalByTheTargetItselfHasReachedIt) {
  model.peer_ignores = [](const Packet& p) { return p.is_udp(); };
  trace.emplace(1, params, now);
  std::vector<TracePacket> out;
  while (out.empty() || out.back().bytes[9] != kProtocolUdp) {
    trace->advance(now, out);
    now += 10ms;
  }
  Packet p{.ip = {}, .bytes = out.back().bytes};
  ASSERT_TRUE(deliver(model.error(p, model.peer, 3, 3, 0)));
  EXPECT_EQ(flow(Protocol::udp_500).reached, 1);
  EXPECT_EQ(flow(Protocol::udp_500).hops[0].reason, RefusalReason::port_unreachable);
}

TEST_F(TraceTest, FlowsKeepWhatRoutersShareLoadBy) {
  params.icmp_flows = 2;
  params.udp_500_ports = {40001, 40003};
  run();
  std::map<std::vector<std::uint8_t>, std::set<std::uint8_t>> ttls;  // first four bytes behind the IP header
  for (const auto& s : sent) {
    if (s.bytes[9] == kProtocolEsp) continue;
    // Ports; of ICMP type, code and checksum, then the id.
    const std::size_t length = s.bytes[9] == kProtocolIcmp ? 6 : 4;
    std::vector<std::uint8_t> key(s.bytes.begin() + 20, s.bytes.begin() + 20 + static_cast<std::ptrdiff_t>(length));
    key.push_back(s.bytes[9]);
    ttls[key].insert(s.bytes[8]);
  }
  EXPECT_EQ(ttls.size(), 2U + 1U + 2U + 1U);
  for (const auto& [key, seen] : ttls) EXPECT_EQ(seen.size(), 5U);
}

TEST_F(TraceTest, AFlowOfManyThatDiesIsToldAlone) {
  params.udp_4500_ports = {40002, 40004};
  model.drops = {{2, [](const Packet& p) { return is_4500(p) && p.ip.payload[1] == (40004 & 0xff); }}};
  const auto findings = run();
  for (const auto& f : findings) {
    if (f.protocol != Protocol::udp_4500) continue;
    EXPECT_EQ(f.outcome, f.flow == 1 ? Outcome::reached : Outcome::dies);
  }
}

TEST_F(TraceTest, RateAndNumberAreBounded) {
  params.udp_500_ports = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};  // more than kMostFlows
  params.interval = 10ms;
  model.peer_ignores = always;
  for (std::size_t hop = 1; hop <= 4; ++hop) model.mute[hop] = always;
  run();
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_GE(sent[i].at - sent[i - 1].at, 10ms);
  const std::size_t flows = 1 + PathTraceParams::kMostFlows + 1 + 1 + 1;
  EXPECT_EQ(trace->flows().size(), flows);
  EXPECT_EQ(sent.size(), flows * PathTrace::kSilentHops * params.attempts);
}

TEST_F(TraceTest, ShortQuotesAreMatchedByPortsAndNumber) {
  model.quoted_bytes = 8;
  model.drops = {{2, is_4500}};
  const auto findings = run();
  EXPECT_EQ(trace->counters().foreign, 0U);
  EXPECT_EQ(of(findings, Protocol::udp_4500).outcome, Outcome::dies);
  EXPECT_EQ(of(findings, Protocol::udp_4500).hop, 3);
  EXPECT_EQ(of(findings, Protocol::udp_500).outcome, Outcome::reached);
  EXPECT_EQ(of(findings, Protocol::esp).last_hop, 4);
}

TEST_F(TraceTest, AnAnswerToAnotherIsNotTaken) {
  trace.emplace(1, params, now);
  std::vector<TracePacket> out;
  for (int i = 0; i < 5; ++i, now += 10ms) trace->advance(now, out);
  ASSERT_EQ(out.size(), 5U);
  for (const TracePacket& packet : out) {
    SCOPED_TRACE(static_cast<int>(packet.bytes[9]));
    const auto forged = [&](std::size_t at) {
      Packet p{.ip = {}, .bytes = packet.bytes};
      p.bytes[at] = static_cast<std::uint8_t>(p.bytes[at] ^ 0x5a);
      return deliver(model.error(p, model.routers[0], 11, 0, 0));
    };
    EXPECT_FALSE(forged(19));  // another destination
    EXPECT_FALSE(forged(9));   // another protocol
    const bool esp = packet.bytes[9] == kProtocolEsp;
    EXPECT_FALSE(forged(packet.bytes[9] == kProtocolIcmp ? 25 : 21));  // another id, port, SPI
    if (esp) {                                                         // another nonce
      EXPECT_FALSE(forged(20 + 8 + 8));
    }
    if (packet.bytes[9] == kProtocolIcmp) {
      EXPECT_FALSE(forged(20 + 8));
    }
    if (packet.bytes[9] == kProtocolUdp) {
      EXPECT_FALSE(forged(20 + 8 + 4));
    }
  }
  for (const auto& f : trace->flows()) {
    for (const auto& h : f.hops) EXPECT_FALSE(h.answered);
  }
  Packet genuine{.ip = {}, .bytes = out[0].bytes};
  EXPECT_TRUE(deliver(model.error(genuine, model.routers[0], 11, 0, 0)));
}

TEST_F(TraceTest, AnEspEchoProvesThePath) {
  params.max_hops = 1;
  trace.emplace(1, params, now);
  std::vector<TracePacket> out;
  while (out.empty() || out.back().bytes[9] != kProtocolEsp) {
    trace->advance(now, out);
    now += 10ms;
  }
  std::vector<std::uint8_t> reply(out.back().bytes.begin() + 20, out.back().bytes.end());
  EXPECT_FALSE(trace->on_esp(reply, model.peer, now)) << "our own request, sent back";
  reply = wire::esp_echo_reply(*wire::parse_esp_echo(reply));
  std::fill_n(reply.begin() + 4, 4, std::uint8_t{0});  // some answer with their own sequence
  EXPECT_FALSE(trace->on_esp(reply, model.routers[0], now)) << "not the peer";
  auto forged = reply;
  forged.back() ^= 1U;
  EXPECT_FALSE(trace->on_esp(forged, model.peer, now)) << "another nonce";
  EXPECT_TRUE(trace->on_esp(reply, model.peer, now));
  EXPECT_EQ(of(compare_flows(trace->flows()), Protocol::esp).outcome, Outcome::reached);
}

TEST_F(TraceTest, WhatNeverLeftThisMachineIsTold) {
  trace.emplace(1, params, now);
  std::vector<TracePacket> out;
  trace->advance(now, out);
  trace->on_send_error(out[0].probe, RefusalReason::no_route);
  const auto findings = compare_flows(trace->flows());
  EXPECT_EQ(findings[0].outcome, Outcome::rejected);
  EXPECT_EQ(findings[0].last.from, params.source);
  EXPECT_EQ(findings[0].last.reason, RefusalReason::no_route);
}

TEST_F(TraceTest, ALateAnswerIsStillAnAnswer) {
  trace.emplace(1, params, now);
  std::vector<TracePacket> out;
  trace->advance(now, out);
  for (int i = 0; i < 400; ++i, now += 10ms) {
    std::vector<TracePacket> more;
    trace->advance(now, more);
  }
  ASSERT_TRUE(trace->flows()[0].hops[0].silent);
  Packet p{.ip = {}, .bytes = out[0].bytes};
  EXPECT_TRUE(deliver(model.error(p, model.routers[0], 11, 0, 0)));
  EXPECT_TRUE(trace->flows()[0].hops[0].answered);
  EXPECT_FALSE(trace->flows()[0].hops[0].silent);
}

TEST_F(TraceTest, Ipv6IsTracedAlike) {
  model.routers = {ip("2001:db8:a::1"), ip("2001:db8:1::2"), ip("2001:db8:2::2")};
  model.peer = params.target = ip("2001:db8:b::20");
  params.source = ip("2001:db8:a::10");
  model.drops = {{1, is_esp}};
  const auto findings = run();
  EXPECT_EQ(of(findings, Protocol::icmp).outcome, Outcome::reached);
  EXPECT_EQ(of(findings, Protocol::udp_4500).outcome, Outcome::reached);
  EXPECT_EQ(of(findings, Protocol::esp).outcome, Outcome::dies);
  EXPECT_EQ(of(findings, Protocol::esp).hop, 2);
  EXPECT_EQ(trace->counters().foreign, 0U);
}

TEST_F(TraceTest, NoPrefixOfAnAnswerIsTakenForMore) {
  trace.emplace(1, params, now);
  std::vector<TracePacket> out;
  trace->advance(now, out);
  const auto reply = model.error({.ip = {}, .bytes = out[0].bytes}, model.routers[0], 11, 0, 0).bytes;
  for (std::size_t length = 0; length < 8 + 20 + 8; ++length) {
    EXPECT_FALSE(trace->on_icmp(std::span(reply).first(length), model.routers[0], now)) << length;
  }
  EXPECT_TRUE(trace->on_icmp(std::span(reply).first(8 + 20 + 8), model.routers[0], now));
}

}  // namespace
}  // namespace tunnelwatch::active
