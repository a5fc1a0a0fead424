#include "probes/io/filter_socket.h"

#include "probes/io/proc_net.h"
#include "probes/io/queue_socket.h"
#include "tests/probes/io/net_namespace.h"
#include "tests/probes/io/without_capabilities.h"

#include <cerrno>
#include <net/if.h>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The kernel's own answers about its packet filter, its queues and its counters, in a namespace of the test's.
namespace tunnelwatch::io {
namespace {

using host::FilterVerdict;
using testing::IsEmpty;
using testing::SizeIs;

std::unique_ptr<FilterSocket> opened() {
  auto socket = FilterSocket::open();
  EXPECT_TRUE(socket) << socket.error().sentence;
  return socket ? std::move(*socket) : nullptr;
}

TEST(FilterSocket, ReadsRulesAndWhatTheyCount) {
  const NetNamespace space;
  const auto socket = opened();
  ASSERT_NE(socket, nullptr);
  auto view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  EXPECT_TRUE(view->complete);
  EXPECT_THAT(view->rules, IsEmpty());
  NetNamespace::feed("nft -f -",
                     "table ip t { chain out { type filter hook output priority 0\n"
                     "ip daddr 127.0.0.9 udp dport 7 accept\n"
                     "ip daddr 127.0.0.9 counter drop\n"
                     "}\n"
                     "}\n");
  NetNamespace::run("ping -q -c 1 -W 1 127.0.0.9 > /dev/null 2>&1 || true");
  view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  ASSERT_THAT(view->rules, SizeIs(2));
  EXPECT_EQ(view->rules[0].verdict, FilterVerdict::passes);
  EXPECT_TRUE(view->rules[0].narrower);
  EXPECT_EQ(view->rules[1].verdict, FilterVerdict::drops);
  EXPECT_EQ(view->rules[1].destination, IpPrefix::parse("127.0.0.9/32"));
  EXPECT_FALSE(view->rules[1].narrower);
  EXPECT_EQ(view->rules[1].packets, 1U);
  EXPECT_EQ(view->rules[1].chain, "out");
}

TEST(FilterSocket, ManyRulesAreReadToTheirEndOrToldAsIncomplete) {
  const NetNamespace space;
  std::string script = "table ip t { chain out {\n";
  for (int i = 0; i < 9000; ++i)
    script += "ip daddr 10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24 counter drop\n";
  NetNamespace::feed("nft -f -", script + "}\n}\n");
  const auto socket = opened();
  ASSERT_NE(socket, nullptr);
  auto view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  EXPECT_FALSE(view->complete);
  EXPECT_FALSE(view->rules.empty());
  view = socket->read();
  EXPECT_TRUE(view) << "once more: " << view.error().sentence;
}

TEST(FilterSocket, WithoutPermissionItSaysWhatItTakes) {
  const NetNamespace space;
  const WithoutCapabilities without;
  const auto socket = opened();
  ASSERT_NE(socket, nullptr);
  const auto view = socket->read();
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().error, EPERM);
  EXPECT_EQ(view.error().sentence,
            "cannot read the rules of nftables: Operation not permitted (it takes CAP_NET_ADMIN)");
}

TEST(QueueSocket, ReadsWhatAQueueDrops) {
  const NetNamespace space;
  NetNamespace::run(
      "ip link add wan type veth peer name far && ip link set far up && ip link set wan up && "
      "ip addr add 192.0.2.10/24 dev wan && tc qdisc add dev wan root tbf rate 8kbit burst 2kb limit 3kb");
  const WithoutCapabilities without;
  auto socket = QueueSocket::open();
  ASSERT_TRUE(socket) << socket.error().sentence;
  const auto before = (*socket)->read();
  ASSERT_TRUE(before) << before.error().sentence;
  const auto wan = ::if_nametoindex("wan");
  ASSERT_NE(wan, 0U);
  ASSERT_TRUE(before->contains(wan));
  EXPECT_EQ(before->at(wan).kind, "tbf");
  NetNamespace::run("ping -q -b -c 20 -i 0.002 -s 900 -W 1 192.0.2.255 > /dev/null 2>&1 || true");
  const auto after = (*socket)->read();
  ASSERT_TRUE(after);
  EXPECT_GT(after->at(wan).drops, before->at(wan).drops);
}

TEST(ProcNet, CountsOfThisNamespace) {
  const NetNamespace space;
  NetNamespace::run("sysctl -q -w net.ipv4.ip_forward=1");
  const auto counters = read_ip_counters();
  ASSERT_TRUE(counters);
  EXPECT_TRUE(counters->forwards);
  EXPECT_EQ(counters->reverse_path, 0U);
  NetNamespace::run("sysctl -q -w net.ipv4.ip_forward=0");
  EXPECT_FALSE(read_ip_counters()->forwards);
}

}  // namespace
}  // namespace tunnelwatch::io
