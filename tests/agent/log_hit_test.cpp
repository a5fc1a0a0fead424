#include "agent/diagnosis/log_hit.h"

#include <gtest/gtest.h>

// Whose line it is, where the line does not say so.
namespace tunnelwatch::diagnosis {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow = TimePoint{} + 1h;

std::string peer_of(const std::optional<LogHit>& hit) { return hit && hit->peer ? hit->peer->to_string() : ""; }

TEST(LogHit, ALineThatNamesNoCauseIsNone) {
  LogReader reader;
  EXPECT_FALSE(reader.read("05[IKE] sending DPD request", kNow));
  EXPECT_FALSE(reader.read("", kNow));
}

TEST(LogHit, TheLineItselfIsHeardFirst) {
  LogReader reader;
  reader.read("05[NET] received packet: from 203.0.113.7[500] to 192.0.2.10[500] (80 bytes)", kNow);
  const auto hit =
      reader.read("05[IKE] no IKE config found for 192.0.2.10...198.51.100.20, sending NO_PROPOSAL_CHOSEN", kNow);
  EXPECT_EQ(peer_of(hit), "198.51.100.20");
}

TEST(LogHit, AThreadOfCharonSpeaksOfThePacketThatItGot) {
  LogReader reader;
  reader.read("Feb 5 10:00:00 gw charon[7]: 05[NET] received packet: from 198.51.100.20[500] to 192.0.2.10[500]", kNow);
  reader.read("Feb 5 10:00:00 gw charon[7]: 06[NET] received packet: from 203.0.113.7[500] to 192.0.2.10[500]", kNow);
  const std::string line = "Feb 5 10:00:00 gw charon[7]: 05[IKE] received NO_PROPOSAL_CHOSEN notify error";
  EXPECT_EQ(peer_of(reader.read(line, kNow + 1s)), "198.51.100.20");
  EXPECT_EQ(peer_of(reader.read(line, kNow + 3s)), "") << "by then it may be about another";
}

TEST(LogHit, ATimerOfThatThreadIsAboutSomebodyElse) {
  LogReader reader;
  reader.read("05[NET] received packet: from 198.51.100.20[500] to 192.0.2.10[500] (80 bytes)", kNow);
  EXPECT_EQ(peer_of(reader.read("05[IKE] giving up after 5 retransmits", kNow)), "");
  EXPECT_EQ(peer_of(reader.read("05[IKE] received TS_UNACCEPTABLE notify, no CHILD_SA built", kNow)), "198.51.100.20");
}

TEST(LogHit, AConnectionKeepsItsPeer) {
  LogReader reader;
  reader.read("10[IKE] <cloud|3> initiating IKE_SA cloud[3] to 198.51.100.20", kNow);
  auto hit = reader.read("11[IKE] <cloud|3> giving up after 5 retransmits", kNow + 2min);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->connection, "cloud");
  EXPECT_EQ(peer_of(hit), "198.51.100.20");
  hit = reader.read("11[IKE] <other|4> giving up after 5 retransmits", kNow);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->connection, "other");
  EXPECT_EQ(peer_of(hit), "");
}

TEST(LogHit, ConnectionsOfPluto) {
  LogReader reader;
  auto hit = reader.read("\"cloud\" #1: IKE_AUTH response rejected Child SA with TS_UNACCEPTABLE", kNow);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->connection, "cloud");
  hit = reader.read("\"cloud\"[2] 198.51.100.20 #3: no acceptable Oakley Transform", kNow);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->connection, "cloud");
  EXPECT_EQ(peer_of(hit), "198.51.100.20");
  hit = reader.read("{\"peer\":\"198.51.100.20\",\"reason\":\"invalid cookie\"}", kNow);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->connection, "") << "a key of JSON is no connection";
}

TEST(LogHit, TheNumberOfAnSaStandsForItsPeer) {
  LogReader reader;
  reader.read("05[NET] <7> received packet: from 198.51.100.20[500] to 192.0.2.10[500] (464 bytes)", kNow);
  const auto later = kNow + std::chrono::minutes(5);
  EXPECT_EQ(peer_of(reader.read("06[IKE] <7> received proposals unacceptable", later)), "198.51.100.20");
  EXPECT_EQ(peer_of(reader.read("06[IKE] <cloud|7> no acceptable proposal found", later)), "198.51.100.20");
  EXPECT_EQ(peer_of(reader.read("06[IKE] <8> received proposals unacceptable", later)), "");
  // Two peers of one connection, as a gateway for many has them.
  reader.know(9, "any", *IpAddress::parse("203.0.113.9"));
  reader.know(10, "any", *IpAddress::parse("203.0.113.10"));
  EXPECT_EQ(peer_of(reader.read("06[IKE] <any|9> no acceptable proposal found", later)), "203.0.113.9");
  EXPECT_EQ(peer_of(reader.read("06[IKE] <other|9> no acceptable proposal found", later)), "") << "of another age";
}

TEST(LogHit, WhatIsShownIsPrintableAndShort) {
  LogReader reader;
  const auto hit =
      reader.read(std::string("07[IKE] giving up after 5 retransmits\x1b[31m\0\xff", 43) + std::string(300, 'x'), kNow);
  ASSERT_TRUE(hit);
  EXPECT_LE(hit->line.size(), kMaxShownLine);
  EXPECT_TRUE(hit->line.ends_with("..."));
  EXPECT_EQ(hit->line.find('\x1b'), std::string::npos);
  EXPECT_EQ(hit->line.find('\xff'), std::string::npos);
  EXPECT_EQ(hit->line.find('\0'), std::string::npos);
  const auto cut = reader.read("07[IKE] giving up after 5 retransmits " + std::string(150, 'x') +
                                   "\xe5\x8e\x9f\xe5\x9b\xa0\xe5\x8e\x9f\xe5\x9b\xa0" + std::string(100, 'y'),
                               kNow);
  ASSERT_TRUE(cut);
  EXPECT_LE(cut->line.size(), kMaxShownLine);
}

TEST(LogHit, MemoryIsBounded) {
  LogReader reader;
  for (int i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    reader.read("10[IKE] <c" + n + "|3> initiating IKE_SA c" + n + "[3] to 198.51.100.20", kNow);
  }
  EXPECT_EQ(peer_of(reader.read("11[IKE] <c9999|3> giving up after 5 retransmits", kNow)), "198.51.100.20");
  EXPECT_EQ(peer_of(reader.read("11[IKE] <c0|3> giving up after 5 retransmits", kNow)), "");
}

// Lines of openvpn 2.6.
TEST(LogReader, AnOpenVpnNegotiationThatRunsOutIsASilentServerOrOneThatRefuses) {
  const char* const kOut[] = {
      "2025-02-05 10:00:04 TLS Error: TLS key negotiation failed to occur within 3 seconds (check your network "
      "connectivity)",
      "2025-02-05 10:00:04 TLS Error: TLS handshake failed"};
  const auto read = [](LogReader& log, const char* line) {
    const auto hit = log.read(line, TimePoint{});
    return hit ? std::string(to_string(hit->match.cause)) : "";
  };
  LogReader log;
  EXPECT_EQ(read(log, kOut[0]), "client_cannot_reach_server") << "nothing is known of the attempt";
  EXPECT_EQ(read(log, kOut[1]), "client_tls_handshake_failed");
  EXPECT_EQ(read(log, "2025-02-05 10:00:01 UDPv4 link remote: [AF_INET]198.51.100.20:1194"), "");
  for (const char* line : kOut) EXPECT_EQ(read(log, line), "client_cannot_reach_server");
  EXPECT_EQ(read(log, "2025-02-05 10:00:05 UDPv4 link remote: [AF_INET]198.51.100.20:1194"), "");
  EXPECT_EQ(read(log, "2025-02-05 10:00:05 TLS: Initial packet from [AF_INET]198.51.100.20:1194, sid=1 2"), "");
  for (const char* line : kOut) EXPECT_EQ(read(log, line), "client_tls_handshake_failed");
  EXPECT_EQ(read(log, "2025-02-05 10:00:08 VERIFY EKU ERROR"), "server_cert_without_eku");
  EXPECT_EQ(read(log, kOut[1]), "server_cert_without_eku") << "of which it is the consequence";
  EXPECT_EQ(read(log, "2025-02-05 10:00:09 AUTH: Received control message: AUTH_FAILED"), "client_auth_failed");
  EXPECT_EQ(read(log, "2025-02-05 10:00:10 UDPv4 link remote: [AF_INET]198.51.100.20:1194"), "");
  for (const char* line : kOut) EXPECT_EQ(read(log, line), "client_cannot_reach_server") << "the next attempt";
}

TEST(LogReader, ACertificateThatCannotBeDecodedIsNotMissing) {
  LogReader log;
  const auto read = [&](const char* line) {
    const auto hit = log.read(line, TimePoint{});
    return hit ? std::string(to_string(hit->match.cause)) : "";
  };
  EXPECT_EQ(read("2026-11-25 08:46:40 OpenSSL: error:068000A8:asn1 encoding routines::wrong tag:"),
            "client_cert_key_mismatch");
  EXPECT_EQ(read("2026-11-25 08:46:40 Cannot load inline certificate file"), "client_cert_key_mismatch");
  EXPECT_EQ(read("2026-11-25 08:46:40 Exiting due to fatal error"), "");
  EXPECT_EQ(read("2026-11-25 08:47:00 OpenSSL: error:0480006C:PEM routines::no start line:Expecting: CERTIFICATE"), "");
  EXPECT_EQ(read("2026-11-25 08:47:00 Cannot load inline certificate file"), "client_ca_missing");
}

}  // namespace
}  // namespace tunnelwatch::diagnosis
