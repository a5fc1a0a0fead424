#include "probes/io/esp_socket.h"

#include "probes/active/esp_probe.h"
#include "probes/active/esp_responder.h"
#include "probes/wire/esp_echo.h"
#include "tests/probes/io/net_namespace.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;
using wire::kEspEchoReply;
using wire::kEspEchoRequest;

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

// One socket, and what came to it.
struct End {
  struct Packet {
    std::vector<std::uint8_t> bytes;
    IpAddress from;
    std::optional<IpAddress> to;
    TimePoint at;
  };
  struct Error {
    EspError error;
    std::vector<std::uint8_t> quoted;
  };
  End(boost::asio::io_context& io, IpFamily family, std::uint32_t spi) {
    auto opened =
        EspSocket::open(io, family, spi,
                        {.on_packet =
                             [this](const ReceivedEsp& r) {
                               packets.push_back({{r.bytes.begin(), r.bytes.end()}, r.from, r.to, r.received_at});
                             },
                         .on_error =
                             [this](const EspError& e) {
                               errors.push_back({e, {e.quoted.begin(), e.quoted.end()}});
                             }});
    if (!opened) throw std::runtime_error(opened.error().sentence);
    socket = std::move(*opened);
  }
  std::unique_ptr<EspSocket> socket;
  std::vector<Packet> packets;
  std::vector<Error> errors;
};

struct EspSocketTest : testing::Test {
  void run(std::chrono::milliseconds time = 60ms) {
    io.run_for(time);
    io.restart();
  }
  NetNamespace net;
  boost::asio::io_context io;
  const std::vector<std::uint8_t> request = wire::esp_echo_request(1, 2, 3, std::vector<std::uint8_t>{1, 2, 3, 4});
};

TEST_F(EspSocketTest, PacketsOfItsSpiArriveWithBothAddresses) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(address);
    End asks(io, ip(address).family(), kEspEchoReply), answers(io, ip(address).family(), kEspEchoRequest);
    const auto sent = asks.socket->send(request, ip(address), std::nullopt);
    ASSERT_EQ(sent.error, RefusalReason::none);
    run();
    ASSERT_EQ(answers.packets.size(), 1U);
    EXPECT_EQ(answers.packets[0].bytes, request);
    EXPECT_EQ(answers.packets[0].from, ip(address));
    EXPECT_EQ(answers.packets[0].to, ip(address));
    EXPECT_GE(answers.packets[0].at, sent.at - 1ms);
    EXPECT_LT(answers.packets[0].at, sent.at + 50ms);
    EXPECT_TRUE(asks.packets.empty()) << "its own request, of another SPI";
    EXPECT_TRUE(asks.errors.empty());
  }
}

TEST_F(EspSocketTest, TheSourceIsChosenAndARefusedOneIsTold) {
  End asks(io, IpFamily::v4, kEspEchoReply), answers(io, IpFamily::v4, kEspEchoRequest);
  EXPECT_EQ(asks.socket->send(request, ip("127.0.0.1"), ip("127.0.0.9")).error, RefusalReason::none);
  run();
  ASSERT_EQ(answers.packets.size(), 1U);
  EXPECT_EQ(answers.packets[0].from, ip("127.0.0.9"));
  EXPECT_NE(asks.socket->send(request, ip("127.0.0.1"), ip("192.0.2.77")).error, RefusalReason::none);
  EXPECT_EQ(asks.socket->send(request, ip("192.0.2.1"), std::nullopt).error, RefusalReason::no_route);
}

TEST_F(EspSocketTest, IcmpErrorsComeWithWhatTheyQuote) {
  struct Row {
    const char* to;
    const char* rule;
    RefusalReason reason;
  };
  const Row rows[] = {
      {"127.0.1.2", "ip daddr 127.0.1.2 reject with icmp type admin-prohibited", RefusalReason::prohibited},
      {"127.0.1.3", "ip daddr 127.0.1.3 reject with icmp type prot-unreachable", RefusalReason::protocol_unreachable},
      {"::1", "ip6 daddr ::1 reject with icmpv6 type admin-prohibited", RefusalReason::prohibited},
  };
  NetNamespace::run("sysctl -qw net.ipv4.icmp_ratelimit=0");
  std::string chain = "table inet t {\nchain in {\n type filter hook input priority 0;\n";
  for (const Row& row : rows) chain += std::string("meta l4proto esp ") + row.rule + "\n";
  NetNamespace::feed("nft -f -", chain + "}\n}\n");
  for (const Row& row : rows) {
    SCOPED_TRACE(row.to);
    End asks(io, ip(row.to).family(), kEspEchoReply);
    ASSERT_EQ(asks.socket->send(request, ip(row.to), std::nullopt).error, RefusalReason::none);
    run();
    ASSERT_EQ(asks.errors.size(), 1U);
    EXPECT_EQ(asks.errors[0].error.to, ip(row.to));
    EXPECT_EQ(asks.errors[0].error.reason, row.reason);
    EXPECT_EQ(asks.errors[0].error.offender, ip(row.to));
    ASSERT_GE(asks.errors[0].quoted.size(), request.size());
    EXPECT_TRUE(std::equal(request.begin(), request.end(), asks.errors[0].quoted.begin()));
    EXPECT_EQ(asks.socket->send(request, ip(row.to), std::nullopt).error, RefusalReason::none)
        << "an error that was read does not fail the next send";
  }
}

TEST_F(EspSocketTest, ABroadcastHasNoDestinationOfOurs) {
  NetNamespace::run(
      "ip link add near type veth peer name far && ip addr add 192.0.2.10/24 dev near && ip link set near up && "
      "ip link set far up");
  End answers(io, IpFamily::v4, kEspEchoRequest);
  NetNamespace::feed("python3 -",
                     "import socket\n"
                     "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 50)\n"
                     "s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
                     "s.sendto(bytes([0, 0, 0, 7, 0, 0, 0, 1]), ('127.255.255.255', 0))\n");
  run();
  ASSERT_EQ(answers.packets.size(), 1U);
  EXPECT_FALSE(answers.packets[0].to);
}

TEST_F(EspSocketTest, TheProbeAndTheResponderUnderstandEachOther) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(address);
    const IpAddress peer = ip(address);
    active::EspResponder responder;
    responder.set_peers({peer});
    active::EspProbe probe(7, {.interval = 60s, .timeout = 1s});
    active::EspProbeActions actions;
    std::unique_ptr<EspSocket> answering;
    answering = *EspSocket::open(
        io, peer.family(), kEspEchoRequest,
        {.on_packet =
             [&](const ReceivedEsp& r) {
               const auto answer = responder.on_request({r.bytes, r.from, r.to.has_value()}, r.received_at);
               if (answer) answering->send(*answer, r.from, r.to);
             },
         .on_error = [](const EspError&) {}});
    const auto asking = *EspSocket::open(
        io, peer.family(), kEspEchoReply,
        {.on_packet = [&](const ReceivedEsp& r) { probe.on_reply(r.bytes, r.from, r.received_at, actions); },
         .on_error = [](const EspError&) {}});
    probe.add_target(1, {peer, std::nullopt}, TimePoint{1h});
    probe.advance(*probe.next_deadline(), actions);
    ASSERT_EQ(actions.packets.size(), 1U);
    const auto sent = asking->send(actions.packets[0].bytes, peer, std::nullopt);
    ASSERT_EQ(sent.error, RefusalReason::none);
    probe.on_sent(actions.packets[0].probe, sent.at);
    run();
    ASSERT_EQ(actions.observations.size(), 1U);
    EXPECT_EQ(actions.observations[0].outcome, EspProbeOutcome::answered);
    EXPECT_LT(actions.observations[0].rtt, Duration{50ms});
    EXPECT_EQ(responder.count(active::EspRequestOutcome::answered), 1U);
  }
}

TEST_F(EspSocketTest, DestroyingItInAHandlerIsAllowed) {
  std::unique_ptr<EspSocket> socket;
  int calls = 0;
  socket = *EspSocket::open(io, IpFamily::v4, kEspEchoRequest,
                            {.on_packet =
                                 [&](const ReceivedEsp&) {
                                   ++calls;
                                   socket.reset();
                                 },
                             .on_error = [](const EspError&) {}});
  End asks(io, IpFamily::v4, kEspEchoReply);
  for (int i = 0; i < 3; ++i) asks.socket->send(request, ip("127.0.0.1"), std::nullopt);
  run();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace tunnelwatch::io
