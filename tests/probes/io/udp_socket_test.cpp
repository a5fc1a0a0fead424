#include "probes/io/udp_socket.h"

#include "tests/probes/io/net_namespace.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

struct End {
  End(boost::asio::io_context& io, IpFamily family, std::optional<IpAddress> bind_to = std::nullopt) {
    auto opened = UdpSocket::open(io, family, bind_to,
                                  {.on_datagram =
                                       [this](const ReceivedUdp& d) {
                                         bytes.assign(d.bytes.begin(), d.bytes.end());
                                         datagrams.push_back(d);
                                       },
                                   .on_error = [this](const UdpError& e) { errors.push_back(e); }});
    if (!opened) throw std::runtime_error(opened.error().sentence);
    socket = std::move(*opened);
  }
  std::unique_ptr<UdpSocket> socket;
  std::vector<std::uint8_t> bytes;
  std::vector<ReceivedUdp> datagrams;
  std::vector<UdpError> errors;
};

struct UdpSocketTest : testing::Test {
  NetNamespace net;
  boost::asio::io_context io;
  const std::vector<std::uint8_t> payload{1, 2, 3, 4, 5};
};

TEST_F(UdpSocketTest, DatagramsArriveWithTheirSourceAndStamp) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(address);
    End a(io, ip(address).family()), b(io, ip(address).family());
    const auto sent = a.socket->send(payload, ip(address), b.socket->local_port());
    ASSERT_EQ(sent.error, RefusalReason::none);
    io.run_for(100ms);
    io.restart();
    ASSERT_EQ(b.datagrams.size(), 1U);
    EXPECT_EQ(b.bytes, payload);
    EXPECT_EQ(b.datagrams[0].from, ip(address));
    EXPECT_EQ(b.datagrams[0].from_port, a.socket->local_port());
    EXPECT_GE(b.datagrams[0].received_at, sent.at - 1ms);
    EXPECT_LT(b.datagrams[0].received_at, sent.at + 50ms);
    EXPECT_TRUE(a.errors.empty());
  }
}

TEST_F(UdpSocketTest, IcmpErrorsComeWithDestinationReasonAndOffender) {
  struct Row {
    const char* rule;
    const char* to;
    RefusalReason reason;
    std::uint8_t type, code;
  };
  const Row rows[] = {
      {"", "127.0.1.1", RefusalReason::port_unreachable, 3, 3},
      {"", "::1", RefusalReason::port_unreachable, 1, 4},
      {"ip daddr 127.0.1.2 reject with icmp type admin-prohibited", "127.0.1.2", RefusalReason::prohibited, 3, 13},
      {"ip daddr 127.0.1.3 reject with icmp type host-unreachable", "127.0.1.3", RefusalReason::host_unreachable, 3, 1},
  };
  NetNamespace::run("sysctl -qw net.ipv4.icmp_ratelimit=0");
  std::string chain = "table inet t {\nchain in {\n type filter hook input priority 0;\n";
  for (const Row& row : rows) chain += row.rule[0] == 0 ? "" : std::string("udp dport 500 ") + row.rule + "\n";
  NetNamespace::feed("nft -f -", chain + "}\n}\n");
  End v4(io, IpFamily::v4), v6(io, IpFamily::v6);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.to);
    End& end = ip(row.to).is_v4() ? v4 : v6;
    end.errors.clear();
    EXPECT_EQ(end.socket->send(payload, ip(row.to), 500).error, RefusalReason::none);
    io.run_for(50ms);
    io.restart();
    ASSERT_EQ(end.errors.size(), 1U);
    const UdpError& e = end.errors[0];
    EXPECT_EQ(e.to, ip(row.to));
    EXPECT_EQ(e.port, 500);
    EXPECT_EQ(e.reason, row.reason);
    EXPECT_EQ(e.icmp_type, row.type);
    EXPECT_EQ(e.icmp_code, row.code);
    EXPECT_EQ(e.offender, ip(row.to));
    EXPECT_EQ(end.socket->counters().receive_errors, 0U);
  }
}

TEST_F(UdpSocketTest, ABacklogOfErrorsNeverFailsTheNextSend) {
  End end(io, IpFamily::v4);
  NetNamespace::run(
      "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=10000");
  for (int i = 1; i <= 50; ++i) {
    ASSERT_EQ(end.socket->send(payload, ip("127.0.2." + std::to_string(i)), 500).error, RefusalReason::none);
  }
  io.run_for(100ms);
  EXPECT_EQ(end.errors.size(), 50U);
}

TEST_F(UdpSocketTest, OurOwnKernelsRefusalsComeFromSend) {
  End v4(io, IpFamily::v4), v6(io, IpFamily::v6);
  EXPECT_EQ(v4.socket->send(payload, ip("203.0.113.1"), 500).error, RefusalReason::no_route);
  EXPECT_EQ(v6.socket->send(payload, ip("2001:db8::1"), 500).error, RefusalReason::no_route);
  io.run_for(20ms);
  EXPECT_TRUE(v4.errors.empty());
  EXPECT_TRUE(v6.errors.empty());
}

TEST_F(UdpSocketTest, TheSourceCanBeBoundOrChosen) {
  End receiver(io, IpFamily::v4);
  End bound(io, IpFamily::v4, ip("127.0.3.1"));
  End any(io, IpFamily::v4);
  bound.socket->send(payload, ip("127.0.0.1"), receiver.socket->local_port());
  any.socket->send(payload, ip("127.0.0.1"), receiver.socket->local_port(), ip("127.0.3.2"));
  io.run_for(50ms);
  ASSERT_EQ(receiver.datagrams.size(), 2U);
  EXPECT_EQ(receiver.datagrams[0].from, ip("127.0.3.1"));
  EXPECT_EQ(receiver.datagrams[1].from, ip("127.0.3.2"));
}

TEST_F(UdpSocketTest, BindingToAnAddressThatIsNotOursIsASentence) {
  const auto socket = UdpSocket::open(io, IpFamily::v4, ip("203.0.113.1"), {});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().error, EADDRNOTAVAIL);
  EXPECT_NE(socket.error().sentence.find("cannot bind"), std::string::npos);
}

}  // namespace
}  // namespace tunnelwatch::io
