#include "tests/probes/active/echo_model.h"

namespace tunnelwatch::active {
namespace {

const IpAddress kPeer4 = ip("198.51.100.20");
const IpAddress kPeer6 = ip("2001:db8:b::20");
const IpAddress kRouter4 = ip("203.0.113.1");
const IpAddress kRouter6 = ip("2001:db8:ffff::1");

struct IcmpEchoErrors : testing::Test {
  void start(const IpAddress& peer) {
    m.echo.add_target(7, peer, {.source = {}}, m.now);
    m.run_to_first_request();
    request = m.sent.at(0);
  }
  EchoModel m;
  Sent request;
};

TEST(IcmpEchoError, EachKindIsAReason) {
  struct Row {
    const char* name;
    bool v4;
    std::uint8_t type, code;
    RefusalReason reason;
  };
  const Row rows[] = {
      {"net unreachable", true, 3, 0, RefusalReason::network_unreachable},
      {"host unreachable", true, 3, 1, RefusalReason::host_unreachable},
      {"admin prohibited", true, 3, 13, RefusalReason::prohibited},
      {"fragmentation needed", true, 3, 4, RefusalReason::fragmentation_needed},
      {"time exceeded", true, 11, 0, RefusalReason::ttl_exceeded},
      {"parameter problem", true, 12, 0, RefusalReason::other_icmp},
      {"no route", false, 1, 0, RefusalReason::network_unreachable},
      {"prohibited", false, 1, 1, RefusalReason::prohibited},
      {"address unreachable", false, 1, 3, RefusalReason::host_unreachable},
      {"too big", false, 2, 0, RefusalReason::fragmentation_needed},
      {"hop limit", false, 3, 0, RefusalReason::ttl_exceeded},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EchoModel m;
    m.echo.add_target(7, row.v4 ? kPeer4 : kPeer6, {.source = {}}, m.now);
    m.run_to_first_request();
    const IpAddress router = row.v4 ? kRouter4 : kRouter6;
    m.receive(EchoModel::error_about(m.sent.at(0), row.type, row.code), router, m.now);
    ASSERT_EQ(m.seen.size(), 1U);
    EXPECT_EQ(m.seen[0].outcome, EchoOutcome::refused);
    EXPECT_EQ(m.seen[0].reason, row.reason);
    EXPECT_EQ(m.seen[0].from, router);
    EXPECT_FALSE(m.seen[0].after_loss);
    m.run_until(m.sent[0].at + 999ms);
    EXPECT_EQ(m.seen.size(), 1U) << "a refused request is not lost as well";
  }
}

// RFC 792 promises the IP header and 8 bytes. From there on each length must do; before, none may.
TEST_F(IcmpEchoErrors, AQuoteIsEnoughFromTheEighthByteOn) {
  for (const IpAddress& peer : {kPeer4, kPeer6}) {
    const std::size_t enough = 8U + (peer.is_v4() ? 20U : 40U) + 8U;
    m = EchoModel(11);
    start(peer);
    const auto whole = EchoModel::error_about(request, peer.is_v4() ? 3 : 1, 1);
    for (std::size_t n = 0; n <= whole.size(); ++n) {
      SCOPED_TRACE(peer.to_string() + " cut at " + std::to_string(n));
      EchoModel each(11);
      each.echo.add_target(7, peer, {.source = {}}, each.now);
      each.run_to_first_request();
      each.receive({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)}, peer, each.now);
      ASSERT_EQ(each.seen.size(), n >= enough ? 1U : 0U);
      ASSERT_EQ(each.echo.counters().malformed, n >= enough ? 0U : 1U);
    }
  }
}

TEST_F(IcmpEchoErrors, AShortQuoteMustNameAddressIdAndSequence) {
  struct Row {
    const char* name;
    std::size_t at;
    bool told;
    std::uint64_t EchoCounters::*counter;
  };
  const Row rows[] = {
      {"another destination", 8 + 19, false, &EchoCounters::unmatched},
      {"another id", 8 + 20 + 5, false, &EchoCounters::foreign},
      {"another sequence", 8 + 20 + 6, false, &EchoCounters::unmatched},
      {"another protocol", 8 + 9, false, &EchoCounters::foreign},
      {"not an echo request", 8 + 20, false, &EchoCounters::foreign},
      {"a later fragment", 8 + 7, false, &EchoCounters::foreign},
      {"another IP version", 8, false, &EchoCounters::malformed},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    m = EchoModel(5);
    start(kPeer4);
    auto bytes = EchoModel::error_about(request, 3, 1);
    bytes.resize(8 + 20 + 8);
    bytes[row.at] ^= 0x10;
    m.receive(bytes, kRouter4, m.now);
    EXPECT_TRUE(m.seen.empty());
    EXPECT_EQ(m.echo.counters().*row.counter, 1U);
  }
}

TEST_F(IcmpEchoErrors, AForgedNonceInALongQuoteIsForeign) {
  start(kPeer4);
  auto bytes = EchoModel::error_about(request, 3, 1);
  bytes[8 + 20 + 8] ^= 1;
  m.receive(bytes, kRouter4, m.now);
  EXPECT_TRUE(m.seen.empty());
  EXPECT_EQ(m.echo.counters().foreign, 1U);
}

TEST_F(IcmpEchoErrors, IpOptionsInTheQuoteAreSkipped) {
  start(kPeer4);
  auto bytes = EchoModel::error_about(request, 3, 1);
  bytes[8] = 0x47;
  bytes.insert(bytes.begin() + 28, 8, std::uint8_t{1});
  m.receive(bytes, kRouter4, m.now);
  EXPECT_EQ(m.count(EchoOutcome::refused), 1U);
}

TEST_F(IcmpEchoErrors, AFragmentHeaderInTheQuoteIsSkipped) {
  start(kPeer6);
  auto bytes = EchoModel::error_about(request, 2, 0);
  bytes[8 + 6] = 44;
  const std::uint8_t fragment[] = {58, 0, 0, 1, 0, 0, 0, 9};
  bytes.insert(bytes.begin() + 48, std::begin(fragment), std::end(fragment));
  m.receive(bytes, kRouter6, m.now);
  EXPECT_EQ(m.count(EchoOutcome::refused), 1U);
}

TEST_F(IcmpEchoErrors, AnErrorAfterTheLossSaysSo) {
  start(kPeer4);
  m.run_until(request.at + 3s);  // our own kernel gives up on a neighbour after 3 s
  m.seen.clear();
  m.receive(EchoModel::error_about(request, 3, 1), kRouter4, m.now);
  ASSERT_EQ(m.seen.size(), 1U);
  EXPECT_EQ(m.seen[0].outcome, EchoOutcome::refused);
  EXPECT_TRUE(m.seen[0].after_loss);
}

TEST_F(IcmpEchoErrors, OneMoreErrorAboutASettledRequestIsOnlyCounted) {
  start(kPeer4);
  m.receive(EchoModel::error_about(request, 3, 1), kRouter4, m.now);
  m.receive(EchoModel::error_about(request, 3, 1), kRouter4, m.now);
  EXPECT_EQ(m.seen.size(), 1U);
  EXPECT_EQ(m.echo.counters().repeated_errors, 1U);
}

TEST_F(IcmpEchoErrors, TwoTargetsWithOneAddressAreToldApart) {
  m.echo.add_target(7, kPeer4, {.source = {}}, m.now);
  m.echo.add_target(8, kPeer4, {.source = {}}, m.now);
  m.run_for(1s);
  ASSERT_EQ(m.sent.size(), 2U);
  for (const Sent& s : {m.sent[0], m.sent[1]}) {
    auto bytes = EchoModel::error_about(s, 3, 1);
    bytes.resize(8 + 20 + 8);
    m.receive(bytes, kRouter4, m.now);
    ASSERT_FALSE(m.seen.empty());
    EXPECT_EQ(m.seen.back().target, s.packet.target);
  }
}

TEST_F(IcmpEchoErrors, AnErrorForARemovedTargetIsUnmatched) {
  start(kPeer4);
  m.echo.remove_target(7);
  const auto whole = EchoModel::error_about(request, 3, 1);
  m.receive(whole, kRouter4, m.now);
  m.receive({whole.begin(), whole.begin() + 36}, kRouter4, m.now);
  EXPECT_TRUE(m.seen.empty());
  EXPECT_EQ(m.echo.counters().unmatched, 2U);
}

}  // namespace
}  // namespace tunnelwatch::active
