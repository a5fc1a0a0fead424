#include "probes/active/openvpn_hello.h"

#include "tests/probes/active/openvpn_server.h"

#include <algorithm>
#include <deque>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

using namespace std::chrono_literals;
using test::OpenVpnServer;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::OpenVpnOpcode;
using wire::OpenVpnWrap;

constexpr WallTime kFrom{std::chrono::seconds{1'700'000'000}};
constexpr WallTime kUntil{std::chrono::seconds{1'900'000'000}};
constexpr auto kOneWay = 10ms;

struct OpenVpnHelloTest : testing::Test {
  static wire::OpenVpnStaticKey static_key(std::uint8_t seed) {
    wire::OpenVpnStaticKey key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(seed + i * 7);
    return key;
  }
  void serve(OpenVpnServer::Options options) {
    params.wrap = options.wrap;
    server.emplace(certificate, key, authority.pem(), std::move(options));
  }
  // Runs to the end: what is sent arrives kOneWay later where `way` lets it, and so does each answer.
  using Way = std::function<bool(std::size_t number, bool to_server)>;
  OpenVpnHelloResult run(const Way& way = [](std::size_t, bool) { return true; }) {
    OpenVpnHello hello(params);
    OpenVpnHello::Packets out;
    hello.begin(now);
    hello.on_open(now, out);
    std::deque<std::pair<TimePoint, std::vector<std::uint8_t>>> arriving;  // at the client
    for (int i = 0; i < 10'000; ++i) {
      for (auto& packet : std::exchange(out, {})) {
        sent.push_back(packet);
        if (!way(sent.size(), true) || !server) continue;
        for (auto& answer : server->answer(packet)) {
          if (way(++answers, false)) arriving.emplace_back(now + 2 * kOneWay, std::move(answer));
        }
      }
      const auto deadline = hello.next_deadline();
      if (!deadline) break;
      if (!arriving.empty() && arriving.front().first <= *deadline) {
        now = std::max(now, arriving.front().first);
        const auto packet = std::move(arriving.front().second);
        arriving.pop_front();
        hello.on_packet(packet, now, out);
      } else {
        now = *deadline;
        hello.advance(now, out);
      }
    }
    return hello.result().value_or(OpenVpnHelloResult{});
  }

  test::TestAuthority authority{"authority", kFrom, kUntil};
  test::Key key = test::make_key();
  std::string certificate = authority.issue(
      {.name = "server", .not_before = kFrom, .not_after = kUntil, .extended_key_usage = "serverAuth"}, key);
  OpenVpnHelloParams params{.session = 0x1122334455667788, .wall_seconds = 1'800'000'000};
  std::optional<OpenVpnServer> server;
  std::vector<std::vector<std::uint8_t>> sent;
  std::size_t answers = 0;
  TimePoint now{1h};
};

TEST_F(OpenVpnHelloTest, AServerAnswersAndShowsItsCertificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    serve({.tls_version = version});
    const auto result = run();
    EXPECT_EQ(result.outcome, OpenVpnOutcome::answered);
    EXPECT_EQ(result.rtt, 2 * kOneWay);
    EXPECT_EQ(result.sent, 1U);
    ASSERT_THAT(result.tls.chain, SizeIs(1));
    EXPECT_TRUE(result.tls.asked_for_certificate);
    ASSERT_THAT(result.tls.authorities, SizeIs(1));
    const std::string name(result.tls.authorities[0].begin(), result.tls.authorities[0].end());
    EXPECT_NE(name.find("authority"), std::string::npos);
    EXPECT_NE(server->alert(), 0) << "the server is told that nothing more comes";
  }
}

TEST_F(OpenVpnHelloTest, AServerThatAsksForNoCertificateIsToldGoodBye) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    serve({.tls_version = version, .asks_for_certificate = false});
    const auto result = run();
    EXPECT_EQ(result.outcome, OpenVpnOutcome::answered);
    EXPECT_THAT(result.tls.chain, SizeIs(1));
    EXPECT_FALSE(result.tls.asked_for_certificate);
  }
}

TEST_F(OpenVpnHelloTest, WithTheKeyOfTheProfile) {
  const OpenVpnWrap wraps[] = {
      *OpenVpnWrap::tls_auth(static_key(1), "SHA256", 1U),
      *OpenVpnWrap::tls_auth(static_key(1), "SHA1", std::nullopt),
      OpenVpnWrap::tls_crypt(static_key(2)),
  };
  for (const auto& wrap : wraps) {
    serve({.wrap = wrap});
    const auto result = run();
    EXPECT_EQ(result.outcome, OpenVpnOutcome::answered);
    EXPECT_THAT(result.tls.chain, SizeIs(1));
  }
}

TEST_F(OpenVpnHelloTest, AnotherKeyOrNoneIsAnsweredWithSilence) {
  serve({.wrap = OpenVpnWrap::tls_crypt(static_key(2))});
  params.wrap = OpenVpnWrap::tls_crypt(static_key(3));
  EXPECT_EQ(run().outcome, OpenVpnOutcome::silent);
  params.wrap = OpenVpnWrap();
  EXPECT_EQ(run().outcome, OpenVpnOutcome::silent);
}

TEST_F(OpenVpnHelloTest, AClientsOwnKeyIsShownAgainWhereTheServerWantsIt) {
  for (const bool wants : {false, true}) {
    wire::OpenVpnClientKey client;
    client.key = static_key(4);
    client.wrapped.assign(300, 0x77);
    serve({.wrap = OpenVpnWrap::tls_crypt_v2(client), .asks_for_client_key = wants});
    server->wrapped_key = 300;
    const auto result = run();
    EXPECT_EQ(result.outcome, OpenVpnOutcome::answered);
    EXPECT_THAT(result.tls.chain, SizeIs(1));
    ASSERT_GE(server->opcodes.size(), 2U);
    EXPECT_EQ(server->opcodes[0], OpenVpnOpcode::hard_reset_client_v3);
    EXPECT_EQ(server->opcodes[1], wants ? OpenVpnOpcode::control_wkc : OpenVpnOpcode::control);
    for (const auto& packet : sent) EXPECT_LE(packet.size(), 1300U) << "fits every path";
    sent.clear();
  }
}

TEST_F(OpenVpnHelloTest, NobodyAnswers) {
  const auto result = run();
  EXPECT_EQ(result.outcome, OpenVpnOutcome::silent);
  EXPECT_EQ(result.sent, 3U) << "at 0, 1 and 3 s";
  EXPECT_EQ(now, TimePoint{1h} + params.timeout);
}

TEST_F(OpenVpnHelloTest, OverTcpNothingIsRepeated) {
  params.tcp = true;
  EXPECT_EQ(run().sent, 1U);
  EXPECT_EQ(now, TimePoint{1h} + params.timeout);
}

TEST_F(OpenVpnHelloTest, ALostResetIsRepeatedAndTheTimeIsTheRepetitions) {
  serve({});
  const auto result = run([](std::size_t number, bool to_server) { return !to_server || number != 1; });
  EXPECT_EQ(result.outcome, OpenVpnOutcome::answered);
  EXPECT_EQ(result.sent, 2U);
  EXPECT_EQ(result.rtt, 2 * kOneWay);
}

TEST_F(OpenVpnHelloTest, ALostPieceOfTheCertificateStillLeavesAnAnswer) {
  serve({});
  const auto result = run([](std::size_t number, bool to_server) { return to_server || number != 2; });
  EXPECT_EQ(result.outcome, OpenVpnOutcome::answered);
  EXPECT_THAT(result.tls.chain, IsEmpty()) << "this server repeats nothing";
  EXPECT_LE(now, TimePoint{1h} + 2 * params.timeout);
}

TEST_F(OpenVpnHelloTest, PiecesInAnyOrderMakeTheCertificate) {
  serve({});
  OpenVpnHello hello(params);
  OpenVpnHello::Packets out;
  hello.begin(now);
  hello.on_open(now, out);
  OpenVpnHello::Packets todo = std::exchange(out, {});
  for (int round = 0; round < 10 && !hello.result(); ++round) {
    OpenVpnHello::Packets replies;
    for (const auto& packet : todo) {
      for (auto& reply : server->answer(packet)) replies.push_back(std::move(reply));
    }
    std::reverse(replies.begin(), replies.end());
    for (const auto& reply : replies) {
      hello.on_packet(reply, now, out);
      hello.on_packet(reply, now, out);  // and twice
    }
    todo = std::exchange(out, {});
  }
  ASSERT_TRUE(hello.result());
  EXPECT_THAT(hello.result()->tls.chain, SizeIs(1));
}

TEST_F(OpenVpnHelloTest, WhatIsNoAnswerIsGarbage) {
  serve({});
  OpenVpnHello::Packets out;
  const auto reset = [&] {
    OpenVpnHello hello(params);
    out.clear();
    hello.begin(now);
    hello.on_open(now, out);
    return server->answer(out.at(0)).at(0);
  };
  struct Row {
    const char* name;
    std::vector<std::uint8_t> packet;
  };
  auto other_session = reset();
  other_session[10] ^= 1;  // of what it acknowledges: a byte of the list behind the head
  auto data = reset();
  data[0] = 6 << 3;
  auto client = reset();
  client[0] = 7 << 3;
  auto cut = reset();
  cut.resize(12);
  const std::string http = "HTTP/1.1 400 Bad Request\r\n";
  const Row rows[] = {{"acknowledges another", other_session},
                      {"of the data channel", data},
                      {"a client's", client},
                      {"cut", cut},
                      {"nothing", {}},
                      {"HTTP", {http.begin(), http.end()}}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    OpenVpnHello hello(params);
    out.clear();
    hello.begin(now);
    hello.on_open(now, out);
    hello.on_packet(row.packet, now, out);
    EXPECT_FALSE(hello.result()) << "the right answer may still come";
    hello.advance(now + params.timeout, out);
    ASSERT_TRUE(hello.result());
    EXPECT_EQ(hello.result()->outcome, OpenVpnOutcome::garbage);
    EXPECT_EQ(hello.result()->garbage, 1U);
  }
}

TEST_F(OpenVpnHelloTest, AFloodEndsIt) {
  OpenVpnHello hello(params);
  OpenVpnHello::Packets out;
  hello.begin(now);
  hello.on_open(now, out);
  int taken = 0;
  for (; taken < 100 && !hello.result(); ++taken) hello.on_packet(std::vector<std::uint8_t>(50, 0xff), now, out);
  EXPECT_EQ(taken, 16);
  EXPECT_THAT(out, SizeIs(1)) << "nothing is said to it";
}

TEST_F(OpenVpnHelloTest, TheEndOfTheTransport) {
  OpenVpnHello::Packets out;
  OpenVpnHello refused(params);
  refused.begin(now);
  EXPECT_EQ(refused.next_deadline(), now + params.timeout) << "for the connection";
  refused.on_refused(RefusalReason::port_unreachable);
  EXPECT_EQ(refused.result()->outcome, OpenVpnOutcome::refused);
  EXPECT_EQ(refused.result()->reason, RefusalReason::port_unreachable);
  EXPECT_FALSE(refused.result()->opened);
  EXPECT_FALSE(refused.next_deadline());

  OpenVpnHello closed(params);
  closed.begin(now);
  closed.on_open(now, out);
  closed.on_closed();
  EXPECT_EQ(closed.result()->outcome, OpenVpnOutcome::closed);

  serve({});
  OpenVpnHello late(params);
  out.clear();
  late.begin(now);
  late.on_open(now, out);
  const auto answer = server->answer(out.at(0)).at(0);
  late.on_packet(answer, now, out);
  late.on_refused(RefusalReason::port_unreachable);
  EXPECT_EQ(late.result()->outcome, OpenVpnOutcome::answered) << "it did answer";
}

}  // namespace
}  // namespace tunnelwatch::active
