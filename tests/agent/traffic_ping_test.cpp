#include "tests/support/traffic_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The peer's pings to this end's tunnel address: unanswered because the address is missing, or otherwise.
namespace tunnelwatch {
namespace {

using diagnosis::FactId;
using test::TrafficScript;
using From = TrafficScript::From;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const char* const kCause = "tunnel_interface_address_not_configured";
const IpAddress kHere = *IpAddress::parse("169.254.70.2");

class TrafficPing : public testing::Test {
 protected:
  static config::Tunnel with_address() {
    auto t = TrafficScript::tunnel();
    t.local_tunnel_address = kHere;
    t.tunnel_interface = "ipsec0";
    return t;
  }
  // One request every half second from `from_ms` on; those answered and those in a row that were not.
  void pings(int ms, std::uint64_t answered, std::uint64_t in_a_row, int row_since_ms = 0, bool inside = true) {
    s.pass(ms);
    passive::TunnelPingSummary p;
    p.tunnel = "cloud";
    p.interface = inside ? TrafficScript::kInside : TrafficScript::kWan;
    p.inside = inside;
    p.answered = answered;
    p.requests = answered + in_a_row;
    p.unanswered_in_a_row = in_a_row;
    p.from = *IpAddress::parse("169.254.70.1");
    p.row_since = TrafficScript::at(row_since_ms);
    p.last = s.now();
    s.watch().on_tunnel_pings(p);
    s.watch().settle(s.now());
  }
  TrafficScript s{with_address(), /*offline=*/false};
};

TEST_F(TrafficPing, SeveralUnansweredInARow) {
  pings(1000, 2, 0);
  pings(2000, 2, 2, 1500);
  EXPECT_THAT(s.active(), IsEmpty());
  pings(3100, 2, 4, 1500);
  EXPECT_THAT(s.active(), ElementsAre(kCause));
  EXPECT_EQ(s.confidence_of(kCause), "likely") << "this machine's addresses are not known";
  EXPECT_EQ(s.evidence_of(kCause),
            "the last 4 echo requests of 169.254.70.1 to the tunnel address 169.254.70.2 in 1.6 s were not answered "
            "here");
  pings(4000, 3, 0);
  EXPECT_THAT(s.active(), IsEmpty());
  EXPECT_THAT(s.cleared(), ElementsAre(kCause));
}

TEST_F(TrafficPing, AnAddressOnNoInterfaceIsSure) {
  s.watch().set_local_addresses({*IpAddress::parse("192.0.2.10")});
  pings(5000, 0, 8, 1000);
  EXPECT_EQ(s.confidence_of(kCause), "confirmed");
  EXPECT_THAT(s.evidence_of(kCause), HasSubstr("; the address is on no interface here"));
}

TEST_F(TrafficPing, AnAddressThatStandsHereIsFilteredRather) {
  s.watch().set_local_addresses({kHere});
  pings(5000, 0, 8, 1000);
  EXPECT_EQ(s.confidence_of(kCause), "possible");
  EXPECT_THAT(s.evidence_of(kCause), HasSubstr("a filter may drop them"));
}

TEST_F(TrafficPing, ABurstIsNoRow) {
  pings(1100, 0, 20, 1000);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(TrafficPing, DecryptedOnTheWanAnAnswerMayBeInOurEsp) {
  s.esp_flow(1000, From::remote, 3);
  s.esp_flow(1500, From::local, 3);
  pings(5000, 0, 8, 1200, /*inside=*/false);
  EXPECT_THAT(s.active(), IsEmpty());
  s.esp_flow(8000, From::local, 3);
  pings(9000, 0, 16, 1200, /*inside=*/false);
  EXPECT_THAT(s.active(), IsEmpty());
}

TEST_F(TrafficPing, DecryptedOnTheWanWhileNoEspOfOursLeaves) {
  s.esp_flow(1000, From::local, 3);
  pings(5000, 0, 8, 1200, /*inside=*/false);
  EXPECT_THAT(s.active(), ElementsAre(kCause));
  EXPECT_EQ(s.confidence_of(kCause), "possible");
}

TEST_F(TrafficPing, WhatNobodyAsksAnyMoreIsForgotten) {
  pings(5000, 0, 8, 1000);
  ASSERT_THAT(s.active(), ElementsAre(kCause));
  s.pass(64'000);
  EXPECT_THAT(s.active(), ElementsAre(kCause));
  s.pass(66'000);
  EXPECT_THAT(s.active(), IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch
