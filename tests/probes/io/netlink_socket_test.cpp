#include "probes/io/netlink_socket.h"

#include "tests/probes/io/net_namespace.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The kernel's own answers, in a namespace of the test's.
namespace tunnelwatch::io {
namespace {

using host::KernelHop;
using host::NeighbourState;

IpAddress address(const char* text) { return *IpAddress::parse(text); }

class NetlinkSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    NetNamespace::run(
        "ip link add wan type veth peer name far && ip link set far up && ip link set wan up && ip addr add "
        "192.0.2.10/24 dev wan && "
        "ip addr add 2001:db8::10/64 dev wan nodad && ip route add default via 192.0.2.1 dev wan && "
        "ip route add blackhole 10.2.0.0/24 && ip route add unreachable 10.3.0.0/24 && ip route add prohibit "
        "10.4.0.0/24 && "
        "ip route add 10.9.0.0/24 dev wan table 220 && ip rule add pref 220 table 220 && "
        "ip neigh add 192.0.2.1 dev wan lladdr 02:00:00:00:00:01 nud permanent");
    auto opened = NetlinkSocket::open();
    ASSERT_TRUE(opened) << opened.error().sentence;
    socket = std::move(*opened);
  }
  NetNamespace space;
  std::unique_ptr<NetlinkSocket> socket;
};

TEST_F(NetlinkSocketTest, ReadsTheTables) {
  const auto view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  EXPECT_TRUE(view->complete);
  const auto wan = view->link_called("wan");
  ASSERT_NE(wan, 0U);
  EXPECT_TRUE(view->links.at(wan).up);
  EXPECT_THAT(view->addresses, testing::Contains(host::KernelAddress{wan, {address("192.0.2.10"), 24}}));
  EXPECT_THAT(view->addresses, testing::Contains(host::KernelAddress{wan, {address("2001:db8::10"), 64}}));
  EXPECT_THAT(view->routes, testing::Contains(host::KernelRoute{
                                *IpPrefix::parse("0.0.0.0/0"), true, {KernelHop{address("192.0.2.1"), wan}}}));
  EXPECT_THAT(view->routes, testing::Contains(host::KernelRoute{*IpPrefix::parse("10.2.0.0/24"), false, {}}));
  EXPECT_THAT(view->routes, testing::Contains(host::KernelRoute{
                                *IpPrefix::parse("10.9.0.0/24"), true, {KernelHop{std::nullopt, wan}}}))
      << "of every table";
  EXPECT_THAT(view->neighbours,
              testing::Contains(host::KernelNeighbour{wan, address("192.0.2.1"), NeighbourState::resolved}));
}

TEST_F(NetlinkSocketTest, TellsWaysAsTheKernelGoesThem) {
  auto view = socket->read();
  ASSERT_TRUE(view);
  const auto wan = view->link_called("wan");
  const std::vector<IpAddress> wanted{address("198.51.100.20"), address("192.0.2.77"),   address("10.2.0.1"),
                                      address("10.3.0.1"),      address("10.4.0.1"),     address("10.9.0.1"),
                                      address("192.0.2.10"),    address("2001:db8:1::1")};
  socket->add_ways(wanted, *view);
  ASSERT_EQ(view->ways.size(), wanted.size());
  EXPECT_THAT(view->ways[address("198.51.100.20")].hops, testing::ElementsAre(KernelHop{address("192.0.2.1"), wan}));
  EXPECT_THAT(view->ways[address("192.0.2.77")].hops, testing::ElementsAre(KernelHop{std::nullopt, wan}));
  for (const char* nowhere : {"10.2.0.1", "10.3.0.1", "10.4.0.1", "2001:db8:1::1"}) {
    EXPECT_THAT(view->ways[address(nowhere)].hops, testing::IsEmpty()) << nowhere;
  }
  EXPECT_THAT(view->ways[address("10.9.0.1")].hops, testing::ElementsAre(KernelHop{std::nullopt, wan}));
  EXPECT_FALSE(view->ways[address("192.0.2.10")].passes);
  EXPECT_FALSE(view->ways[address("192.0.2.10")].hops.empty()) << "its own address is not nowhere";
}

TEST_F(NetlinkSocketTest, TellsTheRoutesBehindTheWays) {
  NetNamespace::run(
      "ip link add wan2 type veth peer name far2 && ip link set far2 up && ip link set wan2 up && "
      "ip addr add 192.0.3.10/24 dev wan2 && ip addr add 2001:db8:3::10/64 dev wan2 nodad && "
      "ip route add 198.51.100.0/24 nexthop via 192.0.2.1 dev wan nexthop via 192.0.3.1 dev wan2 && "
      "ip route add 2001:db8:b::/64 nexthop via 2001:db8::1 dev wan nexthop via 2001:db8:3::1 dev wan2");
  auto view = socket->read();
  ASSERT_TRUE(view);
  const auto wan = view->link_called("wan");
  const auto wan2 = view->link_called("wan2");
  const std::vector<IpAddress> wanted{address("198.51.100.20"), address("203.0.113.1"), address("10.2.0.1"),
                                      address("2001:db8:b::20")};
  socket->add_entries(wanted, *view);
  EXPECT_THAT(
      view->entries[address("198.51.100.20")].hops,
      testing::UnorderedElementsAre(KernelHop{address("192.0.2.1"), wan}, KernelHop{address("192.0.3.1"), wan2}));
  EXPECT_THAT(
      view->entries[address("2001:db8:b::20")].hops,
      testing::UnorderedElementsAre(KernelHop{address("2001:db8::1"), wan}, KernelHop{address("2001:db8:3::1"), wan2}));
  EXPECT_THAT(view->entries[address("203.0.113.1")].hops, testing::ElementsAre(KernelHop{address("192.0.2.1"), wan}));
  EXPECT_FALSE(view->entries.contains(address("10.2.0.1"))) << "nowhere";
}

TEST_F(NetlinkSocketTest, SaysThatSomethingChanged) {
  socket->changed();
  EXPECT_FALSE(socket->changed());
  for (const char* change :
       {"ip route add 10.5.0.0/24 dev wan", "ip addr add 192.0.2.11/24 dev wan", "ip link set wan down"}) {
    NetNamespace::run(change);
    EXPECT_TRUE(socket->changed()) << change;
    EXPECT_FALSE(socket->changed()) << change;
  }
}

// Its next packet comes sooner than the table is read.
TEST_F(NetlinkSocketTest, ANeighbourThatFailedAndIsAskedForAgainHasFailed) {
  const auto state = [this] {
    socket->changed();
    const auto view = socket->read();
    for (const auto& n : view->neighbours) {
      if (n.address == address("192.0.2.77")) return std::optional(n.state);
    }
    return std::optional<NeighbourState>();
  };
  NetNamespace::run("ip neigh add 192.0.2.77 dev wan nud incomplete");
  EXPECT_EQ(state(), NeighbourState::resolving);
  NetNamespace::run(
      "ip neigh replace 192.0.2.77 dev wan nud failed && ip neigh replace 192.0.2.77 dev wan nud incomplete");
  EXPECT_EQ(state(), NeighbourState::failed);
  EXPECT_EQ(state(), NeighbourState::failed) << "as long as nobody answered";
  NetNamespace::run("ip neigh replace 192.0.2.77 dev wan lladdr 02:00:00:00:00:02 nud reachable");
  EXPECT_EQ(state(), NeighbourState::resolved);
  NetNamespace::run("ip neigh replace 192.0.2.77 dev wan nud incomplete");
  EXPECT_EQ(state(), NeighbourState::resolving);
}

TEST_F(NetlinkSocketTest, ManyRoutesAreReadToTheirEndOrToldAsIncomplete) {
  std::string batch;
  for (int i = 0; i < 20'000; ++i) {
    batch += "route add 10." + std::to_string(100 + i / 256) + "." + std::to_string(i % 256) + ".0/24 dev wan\n";
  }
  NetNamespace::feed("ip -batch -", batch);
  const auto view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  EXPECT_FALSE(view->complete);
  EXPECT_EQ(view->routes.size(), host::KernelView::kMaxRoutes);
  auto again = socket->read();
  ASSERT_TRUE(again) << again.error().sentence;
  socket->add_ways(std::vector{address("198.51.100.20")}, *again);
  EXPECT_EQ(again->ways.size(), 1U);
}

}  // namespace
}  // namespace tunnelwatch::io
