#include "probes/io/icmp_socket.h"

#include "probes/clock.h"
#include "tests/probes/io/net_namespace.h"

#include <algorithm>
#include <map>
#include <net/if.h>
#include <set>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;
using active::EchoParams;

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

// What the agent does with machine and sockets, in small.
class Pinger {
 public:
  Pinger() {
    for (const IpFamily family : {IpFamily::v4, IpFamily::v6}) {
      auto socket = IcmpSocket::open(family, echo.id(), [this](const ReceivedIcmp& m) {
        user_lag = std::max(user_lag, steady_now() - m.received_at);
        echo.on_message(m.bytes, m.from, m.ttl, m.received_at, out);
        take();
      });
      if (!socket) throw std::runtime_error(socket.error().sentence);
      sockets.push_back(std::move(*socket));
    }
  }
  // Until `requests` were sent and all of them are settled.
  void run_requests(std::size_t requests) {
    limit = requests;
    tick();
    const TimePoint give_up = steady_now() + 20s;
    while ((sent < limit || settled() < sent) && steady_now() < give_up) io.run_one_for(100ms);
    io.restart();
  }
  void run_for(Duration d) {
    tick();
    io.run_for(d);
    io.restart();
  }
  std::size_t settled() const {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [](const EchoObservation& o) {
      return o.outcome != EchoOutcome::late && o.outcome != EchoOutcome::duplicate && !o.after_loss;
    }));
  }
  std::size_t count(EchoOutcome outcome, RefusalReason reason = RefusalReason::none) const {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const EchoObservation& o) {
      return o.outcome == outcome && o.reason == reason;
    }));
  }

  boost::asio::io_context io;
  active::IcmpEcho echo{active::random_seed()};
  std::vector<std::unique_ptr<IcmpSocket>> sockets;
  std::vector<EchoObservation> seen;
  std::size_t sent = 0;
  Duration user_lag{};
  Duration patience = 10ms;  // from one drain() to the next, at most

 private:
  void take() {
    for (const EchoObservation& o : out.observations) {
      if (cut.count({o.target, o.sequence}) == 0) seen.push_back(o);
    }
    out.observations.clear();
  }
  void tick() {
    for (auto& socket : sockets) {
      while (socket->drain()) {
      }
    }
    echo.advance(steady_now(), out);
    while (out.packets.size() > limit - sent) {  // never sent, so that the machine will call them lost
      cut.insert({out.packets.back().target, out.packets.back().sequence});
      out.packets.pop_back();
    }
    std::vector<SentIcmp> results;
    for (auto& socket : sockets) socket->send(out, results);
    sent += results.size();
    out.packets.clear();
    for (const SentIcmp& r : results) {
      if (r.error == RefusalReason::none) {
        echo.on_sent(r.target, r.sequence, r.at);
      } else {
        echo.on_send_error(r.target, r.sequence, r.error, r.at, out);
      }
    }
    take();
    out.clear();
    if (const auto next = echo.next_deadline()) {
      const TimePoint at = std::min(*next, steady_now() + patience);
      timer.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(at));
      timer.async_wait([this](const boost::system::error_code& e) {
        if (!e) tick();
      });
    }
  }

  std::size_t limit = SIZE_MAX;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cut;
  active::EchoActions out;
  boost::asio::steady_timer timer{io};
};

struct IcmpSocketTest : testing::Test {
  NetNamespace net;
  static void rules(const std::string& body) { NetNamespace::feed("nft -f -", "table inet t {\n" + body + "\n}\n"); }
  void add_v6(int count) {
    std::string script;
    for (int i = 1; i <= count; ++i) script += "addr add fd00::" + std::to_string(i) + "/128 dev lo nodad\n";
    NetNamespace::feed("ip -6 -batch -", script);
  }
};

const EchoParams kFast{.interval = 250ms, .timeout = 1000ms, .source = {}};

TEST_F(IcmpSocketTest, TwoHundredTargetsOfEachFamilyAnswer) {
  add_v6(200);
  Pinger p;
  for (std::uint32_t i = 1; i <= 200; ++i) {
    p.echo.add_target(i, ip("127.0.1." + std::to_string(i)), kFast, steady_now());
    p.echo.add_target(1000 + i, ip("fd00::" + std::to_string(i)), kFast, steady_now());
  }
  p.run_requests(1600);
  EXPECT_EQ(p.sent, 1600U);
  EXPECT_EQ(p.count(EchoOutcome::reply), 1600U);
  EXPECT_EQ(p.seen.size(), 1600U) << "no duplicate, no loss, no refusal";
  std::map<std::uint32_t, int> per_target;
  for (const EchoObservation& o : p.seen) {
    ++per_target[o.target];
    EXPECT_EQ(o.from, o.target > 1000 ? ip("fd00::" + std::to_string(o.target - 1000))
                                      : ip("127.0.1." + std::to_string(o.target)));
    EXPECT_EQ(o.ttl, 64);
    EXPECT_GT(o.rtt, 0ns);
    EXPECT_LT(o.rtt, 500ms);
  }
  EXPECT_EQ(per_target.size(), 400U);
  EXPECT_EQ(p.echo.counters().foreign + p.echo.counters().malformed + p.echo.counters().unmatched, 0U);
  EXPECT_EQ(p.sockets[0]->counters().received + p.sockets[1]->counters().received, 1600U);
  for (const auto& socket : p.sockets) {
    EXPECT_GE(socket->counters().received, 780U);
    EXPECT_EQ(socket->counters().kernel_dropped, 0U);
    EXPECT_GE(socket->counters().transmit_stamps, 780U) << "loopback stamps what it sends";
  }
}

TEST_F(IcmpSocketTest, WhatIsReadLateCameWhenTheKernelSays) {
  Pinger p;
  p.patience = 10s;
  p.echo.add_target(1, ip("127.0.1.1"), kFast, steady_now());
  p.run_requests(3);
  ASSERT_EQ(p.count(EchoOutcome::reply), 3U);
  EXPECT_GE(p.user_lag, 200ms) << "read along with the next request";
  for (const EchoObservation& o : p.seen) EXPECT_LT(o.rtt, 200ms) << "the kernel says when it came";
}

TEST_F(IcmpSocketTest, LossIsCountedExactly) {
  rules(R"(
    chain in {
      type filter hook input priority 0;
      icmp type echo-request numgen inc mod 5 == 0 counter drop
    })");
  Pinger p;
  for (std::uint32_t i = 1; i <= 20; ++i) {
    p.echo.add_target(i, ip("127.0.1." + std::to_string(i)), {.interval = 100ms, .timeout = 500ms, .source = {}},
                      steady_now());
  }
  p.run_requests(500);
  EXPECT_EQ(p.count(EchoOutcome::lost), 100U);
  EXPECT_EQ(p.count(EchoOutcome::reply), 400U);
  EXPECT_THAT(NetNamespace::run("nft list table inet t"), testing::HasSubstr("packets 100 "));
}

TEST_F(IcmpSocketTest, ARejectionIsAReason) {
  struct Row {
    const char* rule;
    const char* target;
    RefusalReason reason;
  };
  add_v6(9);
  const Row rows[] = {
      {"ip daddr 127.0.1.1 reject with icmp type net-unreachable", "127.0.1.1", RefusalReason::network_unreachable},
      {"ip daddr 127.0.1.2 reject with icmp type host-unreachable", "127.0.1.2", RefusalReason::host_unreachable},
      {"ip daddr 127.0.1.3 reject with icmp type admin-prohibited", "127.0.1.3", RefusalReason::prohibited},
      {"ip daddr 127.0.1.4 reject with icmp type port-unreachable", "127.0.1.4", RefusalReason::port_unreachable},
      {"ip6 daddr fd00::1 reject with icmpv6 type no-route", "fd00::1", RefusalReason::network_unreachable},
      {"ip6 daddr fd00::2 reject with icmpv6 type admin-prohibited", "fd00::2", RefusalReason::prohibited},
      {"ip6 daddr fd00::3 reject with icmpv6 type addr-unreachable", "fd00::3", RefusalReason::host_unreachable},
  };
  NetNamespace::run("sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
  // In an inet table each rule matches its own family only.
  std::string script = "chain in {\n type filter hook input priority 0;\n";
  for (const Row& row : rows) {
    const bool v4 = ip(row.target).is_v4();
    script += std::string(v4 ? "icmp type echo-request " : "icmpv6 type echo-request ") + row.rule + "\n";
  }
  rules(script + "}");
  Pinger p;
  std::uint32_t id = 0;
  for (const Row& row : rows) p.echo.add_target(id++, ip(row.target), kFast, steady_now());
  p.run_requests(std::size(rows));
  ASSERT_EQ(p.seen.size(), std::size(rows));
  for (const EchoObservation& o : p.seen) {
    SCOPED_TRACE(rows[o.target].rule);
    EXPECT_EQ(o.outcome, EchoOutcome::refused);
    EXPECT_EQ(o.reason, rows[o.target].reason) << to_string(o.reason);
  }
}

TEST_F(IcmpSocketTest, OurOwnKernelsRefusalsAreSendErrors) {
  rules(R"(
    chain out {
      type filter hook output priority 0;
      ip daddr 127.0.1.9 drop
    })");
  NetNamespace::run("ip link set lo mtu 1500");
  Pinger p;
  p.echo.add_target(1, ip("127.0.1.9"), kFast, steady_now());
  p.echo.add_target(2, ip("203.0.113.9"), kFast, steady_now());  // there is no route
  p.echo.add_target(3, ip("2001:db8::9"), kFast, steady_now());
  p.echo.add_target(4, ip("127.0.1.4"), {.interval = 250ms, .payload_bytes = 2000, .dont_fragment = true, .source = {}},
                    steady_now());
  p.echo.add_target(5, ip("127.0.1.5"), {.interval = 250ms, .payload_bytes = 2000, .source = {}}, steady_now());
  p.run_requests(5);
  std::map<std::uint32_t, EchoObservation> first;
  for (const EchoObservation& o : p.seen) first.emplace(o.target, o);
  ASSERT_EQ(first.size(), 5U);
  EXPECT_EQ(first[1].outcome, EchoOutcome::send_error);
  EXPECT_EQ(first[1].reason, RefusalReason::not_permitted);
  EXPECT_EQ(first[2].outcome, EchoOutcome::send_error);
  EXPECT_EQ(first[2].reason, RefusalReason::no_route);
  EXPECT_EQ(first[3].outcome, EchoOutcome::send_error);
  EXPECT_EQ(first[3].reason, RefusalReason::no_route);
  EXPECT_EQ(first[4].reason, RefusalReason::message_too_long) << "with the bit set it may not be cut";
  EXPECT_EQ(first[5].outcome, EchoOutcome::reply) << "without, it is";
}

TEST_F(IcmpSocketTest, ThePingsOfOthersNeverReachUs) {
  Pinger p;
  p.echo.add_target(1, ip("127.0.0.1"), kFast, steady_now());
  p.run_for(300ms);
  const auto before = p.sockets[0]->counters().received;
  NetNamespace::run("ping -c 50 -i 0.002 -q 127.0.0.1");
  NetNamespace::run("ping -c 50 -i 0.002 -q ::1");
  p.run_for(50ms);
  EXPECT_LE(p.sockets[0]->counters().received, before + 2);
  EXPECT_EQ(p.sockets[1]->counters().received, 0U);
  EXPECT_EQ(p.echo.counters().foreign, 0U);
}

TEST_F(IcmpSocketTest, TheChosenSourceIsUsed) {
  NetNamespace::run("ip addr add 192.0.2.10/32 dev lo");
  add_v6(2);
  rules(R"(
    chain in {
      type filter hook input priority 0;
      ip saddr 192.0.2.10 icmp type echo-request counter comment "four"
      ip6 saddr fd00::2 icmpv6 type echo-request counter comment "six"
    })");
  Pinger p;
  p.echo.add_target(1, ip("127.0.0.1"), {.interval = 100ms, .source = ip("192.0.2.10")}, steady_now());
  p.echo.add_target(2, ip("fd00::1"), {.interval = 100ms, .source = ip("fd00::2")}, steady_now());
  p.run_requests(6);
  EXPECT_EQ(p.count(EchoOutcome::reply), 6U);
  const std::string listed = NetNamespace::run("nft list table inet t");
  EXPECT_THAT(listed, testing::ContainsRegex("packets 3 .*four"));
  EXPECT_THAT(listed, testing::ContainsRegex("packets 3 .*six"));
}

// One socket serves targets of every class, mark and interface.
TEST_F(IcmpSocketTest, ClassMarkAndInterfaceAreThoseOfTheTarget) {
  NetNamespace::run(
      "ip link add one type veth peer name one-far && ip link set one-far up && ip addr add 192.0.2.1/24 dev one && ip "
      "link set one up");
  NetNamespace::run(
      "ip link add two type veth peer name two-far && ip link set two-far up && ip addr add 192.0.3.1/24 dev two && ip "
      "link set two up");
  NetNamespace::run("ip -6 addr add fd00:1::1/64 dev one nodad && ip -6 addr add fd00:2::1/64 dev two nodad");

  NetNamespace::run("ip route add 203.0.113.0/24 dev one && ip route add 203.0.113.0/24 dev two metric 9");
  NetNamespace::run("ip route add fd00:9::/64 dev one && ip route add fd00:9::/64 dev two metric 2000");
  rules(R"(
    chain out {
      type filter hook output priority 0;
      ip dscp 46 icmp type echo-request counter comment "dscp4"
      ip6 dscp 10 icmpv6 type echo-request counter comment "dscp6"
      meta mark 7 icmp type echo-request counter comment "mark4"
      meta mark 8 icmpv6 type echo-request counter comment "mark6"
      meta mark != 0 icmp type echo-request counter comment "marked"
      oifname two icmp type echo-request counter comment "two4"
      oifname two icmpv6 type echo-request counter comment "two6"
    })");
  const std::uint32_t two = if_nametoindex("two");
  ASSERT_NE(two, 0U);
  Pinger p;
  EXPECT_TRUE(p.sockets[0]->can_mark());
  add_v6(1);
  p.echo.add_target(1, ip("127.0.0.1"), {.interval = 100ms, .source = {}, .dscp = 46}, steady_now());
  p.echo.add_target(2, ip("fd00::1"), {.interval = 100ms, .source = {}, .dscp = 10}, steady_now());
  p.echo.add_target(3, ip("127.0.0.3"), {.interval = 100ms, .source = {}, .fwmark = 7}, steady_now());
  p.echo.add_target(4, ip("fd00::1"), {.interval = 100ms, .source = {}, .fwmark = 8}, steady_now());
  p.echo.add_target(5, ip("203.0.113.9"), {.interval = 100ms, .source = {}, .interface_index = two}, steady_now());
  p.echo.add_target(6, ip("fd00:9::9"), {.interval = 100ms, .source = {}, .interface_index = two}, steady_now());
  p.run_requests(12);
  const std::string listed = NetNamespace::run("nft list table inet t");
  for (const char* which : {"dscp4", "dscp6", "mark4", "mark6", "marked", "two4", "two6"}) {
    EXPECT_THAT(listed, testing::ContainsRegex("packets 2 .*" + std::string(which) + "\"")) << listed;
  }
}

TEST_F(IcmpSocketTest, AnInterfaceOrASourceThatIsNotThereIsASendError) {
  Pinger p;
  p.echo.add_target(1, ip("127.0.0.1"), {.interval = 100ms, .source = {}, .interface_index = 0x7fffffff}, steady_now());
  p.echo.add_target(2, ip("::1"), {.interval = 100ms, .source = ip("fd00::77")}, steady_now());
  p.run_requests(2);
  ASSERT_EQ(p.seen.size(), 2U);
  for (const EchoObservation& o : p.seen) {
    EXPECT_EQ(o.outcome, EchoOutcome::send_error);
    EXPECT_EQ(o.reason, o.target == 1 ? RefusalReason::no_interface : RefusalReason::no_address) << to_string(o.reason);
  }
}

TEST_F(IcmpSocketTest, WithoutTheCapabilityAMarkIsRefusedAndNothingElse) {
  // In a thread of its own: capabilities belong to threads.
  std::thread([&] {
    Pinger p;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    ASSERT_EQ(syscall(SYS_capset, &header, none), 0);
    p.echo.add_target(1, ip("127.0.0.1"), {.interval = 100ms, .source = {}, .fwmark = 7}, steady_now());
    p.echo.add_target(2, ip("127.0.0.1"), {.interval = 100ms, .source = {}}, steady_now());
    p.run_requests(4);
    EXPECT_EQ(p.count(EchoOutcome::send_error, RefusalReason::not_permitted), 2U);
    EXPECT_EQ(p.count(EchoOutcome::reply), 2U);
    boost::asio::io_context io;
  }).join();
}

TEST_F(IcmpSocketTest, TtlExceededOnTheWayIsToldWithTheRouter) {
  // Two hops in one machine: through a veth into the namespace of a router, which has a way on but no hop left. It
  // lives as long as its only process.
  NetNamespace::run(
      "ip link add va type veth peer name vb && ip addr add 192.0.2.10/24 dev va && ip link set va up && "
      "{ unshare -n sleep 8 > /dev/null 2>&1 & } && P=$! && sleep 0.2 && ip link set vb netns $P && "
      "nsenter -t $P -n sh -c 'ip addr add 192.0.2.1/24 dev vb && ip link set vb up && ip link set lo up && "
      "sysctl -qw net.ipv4.ip_forward=1 && ip route add 203.0.113.0/24 via 192.0.2.2' && "
      "ip route add default via 192.0.2.1");
  Pinger p;
  p.echo.add_target(1, ip("203.0.113.9"), {.interval = 100ms, .ttl = 1, .source = {}}, steady_now());
  p.run_requests(2);
  EXPECT_EQ(p.count(EchoOutcome::refused, RefusalReason::ttl_exceeded), 2U);
  for (const EchoObservation& o : p.seen) EXPECT_EQ(o.from, ip("192.0.2.1"));
}

// Reading is held up on purpose: the round trip must come from the kernel's stamp, not from when we got round to it.
TEST_F(IcmpSocketTest, TheRoundTripDoesNotGrowWithOurOwnDelay) {
  Pinger p;
  p.echo.add_target(1, ip("127.0.0.1"), {.interval = 100ms, .timeout = 1s, .source = {}}, steady_now());
  p.run_for(120ms);
  p.seen.clear();
  for (int i = 0; i < 10; ++i) {
    p.run_for(100ms);
    std::this_thread::sleep_for(60ms);  // whatever arrives meanwhile waits in the socket
  }
  p.run_for(100ms);
  std::vector<Duration> rtts;
  for (const EchoObservation& o : p.seen) {
    if (o.outcome == EchoOutcome::reply) rtts.push_back(o.rtt);
  }
  ASSERT_GE(rtts.size(), 8U);
  std::sort(rtts.begin(), rtts.end());
  EXPECT_LT(rtts[rtts.size() / 2], 5ms);
}

TEST_F(IcmpSocketTest, WithoutTheCapabilityTheErrorIsASentence) {
  // In a thread of its own: capabilities belong to threads.
  std::string sentence;
  std::thread([&] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    ASSERT_EQ(syscall(SYS_capset, &header, none), 0);
    const auto socket = IcmpSocket::open(IpFamily::v6, 1, [](const ReceivedIcmp&) {});
    ASSERT_FALSE(socket);
    sentence = socket.error().sentence;
  }).join();
  EXPECT_THAT(sentence, testing::HasSubstr("CAP_NET_RAW is missing"));
  EXPECT_THAT(sentence, testing::HasSubstr("ICMPv6"));
}

}  // namespace
}  // namespace tunnelwatch::io
