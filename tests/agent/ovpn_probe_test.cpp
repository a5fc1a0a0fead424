#include "agent/ovpn_probe.h"

#include "tests/probes/active/openvpn_server.h"

#include <array>
#include <functional>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;
using active::OpenVpnOutcome;
using boost::asio::ip::tcp;
using boost::asio::ip::udp;
using testing::SizeIs;

constexpr WallTime kFrom{std::chrono::seconds{1'700'000'000}};
constexpr WallTime kUntil{std::chrono::seconds{1'900'000'000}};
const auto kLoopback = boost::asio::ip::address_v4::loopback();

// Servers on loopback, each on a thread of its own until the client has gone.
struct OvpnProbeTest : testing::Test {
  OvpnSight ask(std::uint16_t port, const char* protocol, std::chrono::milliseconds timeout = 2000ms) {
    const auto profile = host::parse_ovpn_profile("remote 127.0.0.1 " + std::to_string(port) + " " + protocol + "\n");
    const auto sights = probe_ovpn(profile, {timeout});
    return sights.at(0);
  }
  test::OpenVpnServer server() {
    const test::TestAuthority authority("authority", kFrom, kUntil);
    const auto key = test::make_key();
    return {
        authority.issue({.name = "server", .not_before = kFrom, .not_after = kUntil}, key), key, authority.pem(), {}};
  }
  boost::asio::io_context io;
};

TEST_F(OvpnProbeTest, OverUdp) {
  udp::socket socket(io, udp::endpoint(kLoopback, 0));
  const auto port = socket.local_endpoint().port();
  auto peer = server();
  std::thread thread([&] {
    std::array<std::uint8_t, 4096> buffer{};
    while (peer.alert() == 0) {
      udp::endpoint from;
      boost::system::error_code error;
      const std::size_t size = socket.receive_from(boost::asio::buffer(buffer), from, 0, error);
      if (error || size == 1) return;
      for (const auto& packet : peer.answer({buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)})) {
        socket.send_to(boost::asio::buffer(packet), from);
      }
    }
  });
  const auto sight = ask(port, "udp");
  udp::socket(io, udp::v4()).send_to(boost::asio::buffer("", 1), udp::endpoint(kLoopback, port));  // ends the thread
  thread.join();
  EXPECT_EQ(sight.hello.outcome, OpenVpnOutcome::answered);
  EXPECT_THAT(sight.hello.tls.chain, SizeIs(1));
  EXPECT_GT(sight.hello.rtt, 0ns);
}

// `serve` is given the connection.
struct OvpnProbeTcpTest : OvpnProbeTest {
  OvpnSight ask_tcp(const std::function<void(tcp::socket&)>& serve) {
    tcp::acceptor acceptor(io, tcp::endpoint(kLoopback, 0));
    std::thread thread([&] {
      tcp::socket socket = acceptor.accept();
      serve(socket);
    });
    auto sight = ask(acceptor.local_endpoint().port(), "tcp", 500ms);
    thread.join();
    return sight;
  }
};

TEST_F(OvpnProbeTcpTest, PacketsHaveTheirLengthBeforeThem) {
  auto peer = server();
  const auto sight = ask_tcp([&](tcp::socket& socket) {
    boost::system::error_code error;
    while (!error) {
      std::array<std::uint8_t, 2> size{};
      boost::asio::read(socket, boost::asio::buffer(size), error);
      if (error) return;
      std::vector<std::uint8_t> packet(static_cast<std::size_t>(size[0] << 8 | size[1]));
      boost::asio::read(socket, boost::asio::buffer(packet), error);
      if (error) return;
      std::vector<std::uint8_t> out;
      for (const auto& answer : peer.answer(packet)) {
        out.push_back(static_cast<std::uint8_t>(answer.size() >> 8U));
        out.push_back(static_cast<std::uint8_t>(answer.size()));
        out.insert(out.end(), answer.begin(), answer.end());
      }
      for (const std::uint8_t byte : out)
        boost::asio::write(socket, boost::asio::buffer(&byte, 1), error);  // in pieces
    }
  });
  EXPECT_EQ(sight.hello.outcome, OpenVpnOutcome::answered);
  EXPECT_THAT(sight.hello.tls.chain, SizeIs(1));
}

TEST_F(OvpnProbeTcpTest, WhoClosesIsToldFromWhoIsSilentAndWhoSpeaksOtherwise) {
  const auto read_some = [](tcp::socket& socket) {
    std::array<char, 64> buffer{};
    boost::system::error_code error;
    socket.read_some(boost::asio::buffer(buffer), error);
    return error;
  };
  EXPECT_EQ(ask_tcp([&](tcp::socket& s) { read_some(s); }).hello.outcome, OpenVpnOutcome::closed);
  const auto silent = ask_tcp([&](tcp::socket& s) {
    while (!read_some(s)) {
    }
  });
  EXPECT_EQ(silent.hello.outcome, OpenVpnOutcome::silent);
  EXPECT_TRUE(silent.hello.opened);
  const auto http = ask_tcp([&](tcp::socket& s) {
    read_some(s);
    boost::asio::write(s, boost::asio::buffer("HTTP/1.1 400 Bad Request\r\n\r\n"));
    while (!read_some(s)) {
    }
  });
  EXPECT_EQ(http.hello.outcome, OpenVpnOutcome::garbage);
}

TEST_F(OvpnProbeTest, APortWithoutAServerIsRefused) {
  std::uint16_t free_port = 0;
  {
    const tcp::acceptor acceptor(io, tcp::endpoint(kLoopback, 0));
    free_port = acceptor.local_endpoint().port();
  }
  for (const char* protocol : {"tcp", "udp"}) {
    const auto sight = ask(free_port, protocol);
    EXPECT_EQ(sight.hello.outcome, OpenVpnOutcome::refused) << protocol;
    EXPECT_EQ(sight.hello.reason, RefusalReason::port_unreachable) << protocol;
  }
}

TEST_F(OvpnProbeTest, AProxyIsNotGonePast) {
  EXPECT_TRUE(probe_ovpn(host::parse_ovpn_profile("http-proxy p 8080\nremote 127.0.0.1 9 tcp\n"), {100ms}).empty());
}

}  // namespace
}  // namespace tunnelwatch::agent
