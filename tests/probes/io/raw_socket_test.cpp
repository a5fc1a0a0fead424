#include "probes/active/probe_packet.h"
#include "probes/io/local_route.h"
#include "probes/io/raw_ip_sender.h"
#include "probes/io/raw_receiver.h"
#include "tests/probes/io/net_namespace.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

struct RawSocketTest : testing::Test {
  struct Message {
    std::vector<std::uint8_t> bytes;
    IpAddress from;
    TimePoint at;
  };
  std::unique_ptr<RawReceiver> receiver(IpFamily family, RawProtocol protocol) {
    auto opened = RawReceiver::open(io, family, protocol, [this](const ReceivedRaw& r) {
      received.push_back({{r.bytes.begin(), r.bytes.end()}, r.from, r.received_at});
    });
    if (!opened) throw std::runtime_error(opened.error().sentence);
    return std::move(*opened);
  }
  RawIpSender::Sent send(const std::vector<std::uint8_t>& packet, const IpAddress& to) {
    auto sender = RawIpSender::open(to.family());
    if (!sender) throw std::runtime_error(sender.error().sentence);
    const auto sent = (*sender)->send(packet, to);
    io.run_for(60ms);
    io.restart();
    return sent;
  }
  NetNamespace net;
  boost::asio::io_context io;
  std::vector<Message> received;
};

TEST_F(RawSocketTest, AnEchoRequestWithItsOwnHeaderIsAnswered) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(address);
    const bool v4 = ip(address).is_v4();
    received.clear();
    const auto r = receiver(ip(address).family(), RawProtocol::icmp);
    const active::ProbeHeader header{.from = ip(address),
                                     .to = ip(address),
                                     .ttl = 9,
                                     .protocol = v4 ? active::kProtocolIcmp : active::kProtocolIcmp6};
    const std::vector<std::uint8_t> payload(56, 7);
    const auto sent = send(active::echo_request(header, 0x4242, 3, 0x1234, payload), ip(address));
    EXPECT_EQ(sent.error, RefusalReason::none);
    ASSERT_EQ(received.size(), 1U);  // the reply; the request's type is filtered
    EXPECT_EQ(received[0].bytes[0], v4 ? 0 : 129);
    EXPECT_EQ(received[0].bytes[4], 0x42);
    EXPECT_EQ(received[0].from, ip(address));
    EXPECT_GE(received[0].at, sent.at - 1ms);
    EXPECT_LT(received[0].at, sent.at + 50ms);
  }
}

TEST_F(RawSocketTest, AUdpProbeToAClosedPortIsQuotedWithItsIdentification) {
  NetNamespace::run("sysctl -qw net.ipv4.icmp_ratelimit=0");
  const auto r = receiver(IpFamily::v4, RawProtocol::icmp);
  const active::ProbeHeader header{
      .from = ip("127.0.0.1"), .to = ip("127.0.1.1"), .protocol = active::kProtocolUdp, .id = 0x6789};
  const std::vector<std::uint8_t> payload{1, 2, 3};
  send(active::udp_datagram(header, 40000, 500, payload), header.to);
  ASSERT_EQ(received.size(), 1U);
  const auto& b = received[0].bytes;
  ASSERT_GE(b.size(), 8U + 20U + 8U);
  EXPECT_EQ(b[0], 3);
  EXPECT_EQ(b[1], 3);
  EXPECT_EQ(b[8 + 4] << 8 | b[8 + 5], 0x6789);
}

TEST_F(RawSocketTest, OfEspOnlyTheEchosAnswerIsSeen) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(address);
    received.clear();
    const auto r = receiver(ip(address).family(), RawProtocol::esp);
    const active::ProbeHeader header{.from = ip(address), .to = ip(address), .protocol = active::kProtocolEsp};
    send(active::ip_packet(header, std::vector<std::uint8_t>{0, 0, 0, 7, 0, 0, 0, 1, 9}), header.to);
    EXPECT_TRUE(received.empty());
    send(active::ip_packet(header, std::vector<std::uint8_t>{0, 0, 0, 8, 0, 0, 0, 1, 9}), header.to);
    ASSERT_EQ(received.size(), 1U);
    EXPECT_EQ(received[0].bytes, (std::vector<std::uint8_t>{0, 0, 0, 8, 0, 0, 0, 1, 9}));
  }
}

TEST_F(RawSocketTest, MoreThanTheLinkTakesIsRefusedHere) {
  NetNamespace::run("ip link set lo mtu 1400");
  const active::ProbeHeader header{.from = ip("127.0.0.1"), .to = ip("127.0.0.1"), .dont_fragment = true};
  EXPECT_EQ(send(active::echo_request(header, 1, 1, 1, std::vector<std::uint8_t>(1372)), header.to).error,
            RefusalReason::none);
  EXPECT_EQ(send(active::echo_request(header, 1, 1, 1, std::vector<std::uint8_t>(1373)), header.to).error,
            RefusalReason::message_too_long);
}

TEST_F(RawSocketTest, TheRouteNamesSourceInterfaceAndMtu) {
  NetNamespace::run(
      "ip link add near type veth peer name far && ip addr add 192.0.2.10/24 dev near && ip link set near mtu 1400 up");
  const auto route = route_to(ip("192.0.2.77"), std::nullopt);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->source, ip("192.0.2.10"));
  EXPECT_EQ(route->interface, "near");
  EXPECT_EQ(route->mtu, 1400);
  EXPECT_FALSE(route_to(ip("198.51.100.1"), std::nullopt));
  EXPECT_FALSE(route_to(ip("192.0.2.77"), ip("203.0.113.5")));
}

}  // namespace
}  // namespace tunnelwatch::io
