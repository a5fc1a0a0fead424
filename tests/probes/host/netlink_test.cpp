#include "probes/host/netlink.h"

#include "tests/support/recorded.h"

#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint32_t kSequence = 7;

template <typename T>
Buffer bytes_of(const T& value) {
  Buffer out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

Buffer padded(Buffer bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

void append(Buffer& to, const Buffer& more) { to.insert(to.end(), more.begin(), more.end()); }

Buffer attribute(unsigned short type, const Buffer& value) {
  Buffer out = bytes_of(rtattr{static_cast<unsigned short>(sizeof(rtattr) + value.size()), type});
  append(out, value);
  return padded(out);
}
Buffer attribute(unsigned short type, const char* address) {
  const auto parsed = *IpAddress::parse(address);
  return attribute(type, Buffer(parsed.bytes().begin(), parsed.bytes().end()));
}
Buffer attribute(unsigned short type, std::uint32_t value) { return attribute(type, bytes_of(value)); }

Buffer message(unsigned short type, Buffer body, const std::vector<Buffer>& attributes = {},
               std::uint32_t sequence = kSequence, unsigned short flags = NLM_F_MULTI) {
  body = padded(body);
  for (const Buffer& a : attributes) append(body, a);
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + body.size());
  head.nlmsg_type = type;
  head.nlmsg_seq = sequence;
  head.nlmsg_flags = flags;
  Buffer out = bytes_of(head);
  append(out, body);
  return out;
}

Buffer done(std::int32_t error = 0) { return message(error == 0 ? NLMSG_DONE : NLMSG_ERROR, bytes_of(error)); }

Buffer link(int index, const char* name, unsigned flags) {
  ifinfomsg head{};
  head.ifi_index = index;
  head.ifi_flags = flags;
  Buffer text(name, name + std::strlen(name) + 1);
  return message(RTM_NEWLINK, bytes_of(head), {attribute(IFLA_MTU, 1500U), attribute(IFLA_IFNAME, text)});
}

rtmsg route_head(unsigned char family, unsigned char length, unsigned char type = RTN_UNICAST) {
  rtmsg head{};
  head.rtm_family = family;
  head.rtm_dst_len = length;
  head.rtm_type = type;
  return head;
}

KernelView parsed(const Buffer& bytes, NetlinkAnswer* answer = nullptr) {
  KernelView view;
  view.complete = true;
  const auto said = parse_netlink(bytes, kSequence, view);
  if (answer != nullptr) *answer = said;
  return view;
}

TEST(Netlink, LinksAndAddresses) {
  Buffer bytes = link(1, "lo", IFF_UP | IFF_LOOPBACK);
  append(bytes, link(3, "eth0", IFF_UP | IFF_BROADCAST));
  append(bytes, link(4, "ipsec0", IFF_POINTOPOINT | IFF_NOARP));
  ifaddrmsg address{};
  address.ifa_family = 2;
  address.ifa_prefixlen = 24;
  address.ifa_index = 3;
  append(bytes, message(RTM_NEWADDR, bytes_of(address),
                        {attribute(IFA_ADDRESS, "192.0.2.10"), attribute(IFA_LOCAL, "192.0.2.10")}));
  address.ifa_index = 4;
  address.ifa_prefixlen = 32;
  append(bytes, message(RTM_NEWADDR, bytes_of(address),
                        {attribute(IFA_ADDRESS, "169.254.70.1"), attribute(IFA_LOCAL, "169.254.70.2")}));
  address.ifa_family = 10;
  address.ifa_prefixlen = 64;
  append(bytes, message(RTM_NEWADDR, bytes_of(address), {attribute(IFA_ADDRESS, "2001:db8::10")}));
  append(bytes, done());
  NetlinkAnswer answer;
  const auto view = parsed(bytes, &answer);
  EXPECT_TRUE(answer.ended);
  EXPECT_EQ(answer.messages, 6U);
  EXPECT_EQ(view.links.at(3), (KernelLink{"eth0", true, true}));
  EXPECT_EQ(view.links.at(4), (KernelLink{"ipsec0", false, false}));
  EXPECT_EQ(view.link_called("eth0"), 3U);
  EXPECT_EQ(view.link_called("eth1"), 0U);
  EXPECT_THAT(view.addresses, ElementsAre(KernelAddress{3, {*IpAddress::parse("192.0.2.10"), 24}},
                                          KernelAddress{4, {*IpAddress::parse("169.254.70.2"), 32}},
                                          KernelAddress{4, {*IpAddress::parse("2001:db8::10"), 64}}));
  EXPECT_TRUE(view.complete);
}

TEST(Netlink, Routes) {
  Buffer bytes =
      message(RTM_NEWROUTE, bytes_of(route_head(2, 0)), {attribute(RTA_GATEWAY, "192.0.2.1"), attribute(RTA_OIF, 3U)});
  append(bytes,
         message(RTM_NEWROUTE, bytes_of(route_head(2, 24)), {attribute(RTA_DST, "10.2.0.0"), attribute(RTA_OIF, 4U)}));
  append(bytes, message(RTM_NEWROUTE, bytes_of(route_head(2, 16, RTN_BLACKHOLE)), {attribute(RTA_DST, "10.3.0.0")}));
  rtnexthop hop{};
  const Buffer gateway = attribute(RTA_GATEWAY, "192.0.2.1");
  hop.rtnh_len = static_cast<unsigned short>(sizeof hop + gateway.size());
  hop.rtnh_ifindex = 3;
  Buffer hops = bytes_of(hop);
  append(hops, gateway);
  hop.rtnh_len = sizeof hop;
  hop.rtnh_ifindex = 5;
  append(hops, bytes_of(hop));
  append(bytes, message(RTM_NEWROUTE, bytes_of(route_head(2, 0)), {attribute(RTA_MULTIPATH, hops)}));
  append(bytes, message(RTM_NEWROUTE, bytes_of(route_head(10, 32)),
                        {attribute(RTA_DST, "2001:db8::"), attribute(RTA_OIF, 3U)}));
  append(bytes, message(RTM_NEWROUTE, bytes_of(route_head(7, 0)), {attribute(RTA_OIF, 3U)}));  // no family of ours
  const auto view = parsed(bytes);
  ASSERT_EQ(view.routes.size(), 5U);
  EXPECT_EQ(view.routes[0], (KernelRoute{*IpPrefix::parse("0.0.0.0/0"), true, {{IpAddress::parse("192.0.2.1"), 3}}}));
  EXPECT_EQ(view.routes[1], (KernelRoute{*IpPrefix::parse("10.2.0.0/24"), true, {{std::nullopt, 4}}}));
  EXPECT_EQ(view.routes[2], (KernelRoute{*IpPrefix::parse("10.3.0.0/16"), false, {}}));
  EXPECT_THAT(view.routes[3].hops,
              ElementsAre(KernelHop{IpAddress::parse("192.0.2.1"), 3}, KernelHop{std::nullopt, 5}));
  EXPECT_EQ(view.routes[4].destination, *IpPrefix::parse("2001:db8::/32"));
}

TEST(Netlink, Neighbours) {
  Buffer bytes;
  for (const int state : {NUD_REACHABLE, NUD_STALE, NUD_PERMANENT, NUD_NOARP, NUD_INCOMPLETE, NUD_FAILED, NUD_NONE}) {
    ndmsg head{};
    head.ndm_family = 2;
    head.ndm_ifindex = 3;
    head.ndm_state = static_cast<unsigned short>(state);
    append(bytes, message(RTM_NEWNEIGH, bytes_of(head), {attribute(NDA_DST, "192.0.2.1")}));
  }
  std::vector<NeighbourState> states;
  for (const auto& n : parsed(bytes).neighbours) states.push_back(n.state);
  using enum NeighbourState;
  EXPECT_THAT(states, ElementsAre(resolved, resolved, resolved, resolved, resolving, failed));
}

TEST(Netlink, ErrorsAndOtherAnswers) {
  NetlinkAnswer answer;
  parsed(done(-101), &answer);
  EXPECT_TRUE(answer.ended);
  EXPECT_EQ(answer.error, 101);
  for (const std::int32_t odd : {std::numeric_limits<std::int32_t>::min(), -5000, 7}) {
    parsed(message(NLMSG_ERROR, bytes_of(odd)), &answer);
    EXPECT_EQ(answer.error, odd < 0 ? 4095 : 0);
  }
  parsed(message(NLMSG_ERROR, {}), &answer);
  EXPECT_TRUE(answer.ended);
  EXPECT_EQ(answer.error, 0);
  ifinfomsg head{};
  head.ifi_index = 3;
  const auto view = parsed(message(RTM_NEWLINK, bytes_of(head), {}, kSequence + 1), &answer);
  EXPECT_THAT(view.links, IsEmpty()) << "of another request";
  EXPECT_FALSE(answer.ended);
  EXPECT_FALSE(parsed(message(RTM_NEWLINK, bytes_of(head), {}, kSequence, NLM_F_DUMP_INTR)).complete);
}

TEST(Netlink, EveryCutIsHarmlessAndToldAsMalformed) {
  Buffer bytes = link(3, "eth0", IFF_UP);
  append(bytes,
         message(RTM_NEWROUTE, bytes_of(route_head(2, 24)), {attribute(RTA_DST, "10.2.0.0"), attribute(RTA_OIF, 4U)}));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    KernelView view;
    const auto answer = parse_netlink({bytes.data(), length}, kSequence, view);
    EXPECT_FALSE(answer.ended);
    EXPECT_LE(answer.messages, 1U) << length;
  }
  // Lengths that lie: of the message, of an attribute, of a hop.
  for (const std::size_t at : {std::size_t{0}, sizeof(nlmsghdr) + sizeof(ifinfomsg)}) {
    for (const std::uint8_t lie : {std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{0xff}}) {
      Buffer wrong = link(3, "eth0", IFF_UP);
      wrong[at] = lie;
      NetlinkAnswer answer;
      parsed(wrong, &answer);
      EXPECT_TRUE(answer.malformed) << at << " " << int{lie};
    }
  }
  rtnexthop hop{};
  hop.rtnh_len = 200;
  NetlinkAnswer answer;
  parsed(message(RTM_NEWROUTE, bytes_of(route_head(2, 0)), {attribute(RTA_MULTIPATH, bytes_of(hop))}), &answer);
  EXPECT_TRUE(answer.malformed);
}

// A kernel's own answer, see tests/kernel/record_tables.
TEST(Netlink, ARouteThatIsSharedOutHasAllItsNextHops) {
  const auto datagrams = test::recorded(TUNNELWATCH_SOURCE_DIR "/tests/data/netlink/shared_way.bin");
  ASSERT_EQ(datagrams.size(), 1U);
  const auto view = parsed(datagrams.front());
  ASSERT_EQ(view.routes.size(), 1U);
  const KernelRoute& route = view.routes.front();
  EXPECT_EQ(route.destination, *IpPrefix::parse("198.51.100.0/24"));
  EXPECT_TRUE(route.passes);
  EXPECT_THAT(route.hops,
              ElementsAre(KernelHop{IpAddress::parse("192.0.2.1"), 3}, KernelHop{IpAddress::parse("192.0.3.1"), 5}));
}

TEST(Netlink, ANextHopThatIsDeadIsNone) {
  const auto without_carrier = test::recorded(TUNNELWATCH_SOURCE_DIR "/tests/data/netlink/half_way.bin");
  ASSERT_EQ(without_carrier.size(), 1U);
  EXPECT_EQ(parsed(without_carrier.front()).routes.at(0).hops.size(), 2U) << "the kernel may use it all the same";
  Buffer hops;
  for (const int index : {3, 4}) {
    rtnexthop hop{};
    hop.rtnh_len = sizeof hop;
    hop.rtnh_ifindex = index;
    hop.rtnh_flags = index == 3 ? RTNH_F_DEAD : RTNH_F_LINKDOWN;
    append(hops, bytes_of(hop));
  }
  const auto view = parsed(message(RTM_NEWROUTE, bytes_of(route_head(2, 0)), {attribute(RTA_MULTIPATH, hops)}));
  ASSERT_EQ(view.routes.size(), 1U);
  EXPECT_THAT(view.routes.front().hops, ElementsAre(KernelHop{std::nullopt, 4}));
}

TEST(Netlink, ListsAreBoundedAndSayThatTheyAreNotWhole) {
  Buffer one =
      message(RTM_NEWROUTE, bytes_of(route_head(2, 24)), {attribute(RTA_DST, "10.2.0.0"), attribute(RTA_OIF, 4U)});
  Buffer bytes;
  for (std::size_t i = 0; i <= KernelView::kMaxRoutes; ++i) append(bytes, one);
  const auto view = parsed(bytes);
  EXPECT_EQ(view.routes.size(), KernelView::kMaxRoutes);
  EXPECT_FALSE(view.complete);
}

TEST(Netlink, Requests) {
  for (const auto table : {KernelTable::links, KernelTable::addresses, KernelTable::routes, KernelTable::neighbours}) {
    const auto request = build_dump_request(table, 9);
    nlmsghdr head{};
    std::memcpy(&head, request.data(), sizeof head);
    EXPECT_EQ(head.nlmsg_len, request.size());
    EXPECT_EQ(head.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
    EXPECT_EQ(head.nlmsg_seq, 9U);
  }
  // A request for a way reads as a route to that address.
  for (const char* address : {"198.51.100.20", "2001:db8::20"}) {
    auto request = build_way_request(*IpAddress::parse(address), kSequence);
    const std::uint16_t type = RTM_NEWROUTE;
    std::memcpy(request.data() + 4, &type, sizeof type);
    const auto view = parsed(request);
    ASSERT_EQ(view.routes.size(), 1U);
    EXPECT_EQ(view.routes[0].destination, *IpPrefix::parse(address));
    const auto whole = build_way_request(*IpAddress::parse(address), kSequence, true);
    rtmsg head{};
    std::memcpy(&head, whole.data() + sizeof(nlmsghdr), sizeof head);
    EXPECT_EQ(head.rtm_flags, RTM_F_FIB_MATCH);
  }
}

}  // namespace
}  // namespace tunnelwatch::host
