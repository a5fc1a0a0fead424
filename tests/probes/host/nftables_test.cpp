#include "probes/host/nftables.h"

#include "tests/support/recorded.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

// Rules of nftables as a kernel tells them: the datagrams are those that tests/kernel/record_tables got for its RULES.
namespace tunnelwatch::host {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint32_t kSequence = 7;

std::vector<Buffer> recorded() {
  auto datagrams = test::recorded(TUNNELWATCH_SOURCE_DIR "/tests/data/netlink/rules.bin");
  EXPECT_FALSE(datagrams.empty());
  return datagrams;
}

FilterView view() {
  FilterView v;
  v.complete = true;
  NetlinkAnswer last;
  for (const Buffer& datagram : recorded()) last = parse_rules(datagram, kSequence, v);
  EXPECT_TRUE(last.ended && last.error == 0 && !last.malformed);
  EXPECT_TRUE(v.complete);
  return v;
}

TEST(Nftables, RulesInTheirOrder) {
  const auto v = view();
  ASSERT_THAT(v.rules, SizeIs(11));
  using enum FilterVerdict;
  struct Row {
    const char* what;
    FilterVerdict verdict;
    const char* source;
    const char* destination;
    bool narrower;
    std::optional<std::uint64_t> packets;
  };
  const Row rows[] = {
      {"what belongs to a connection", passes, "", "", true, std::nullopt},
      {"a pair of subnets", drops, "10.1.0.0/24", "10.2.0.0/24", false, 0},
      {"a mask, a host, and a port", drops, "10.1.0.0/20", "10.2.0.7/32", true, 0},
      {"a counter before the last match", drops, "10.1.0.5/32", "10.2.0.0/16", false, std::nullopt},
      {"all but a subnet", drops, "", "", true, 0},
      {"a set", drops, "", "", true, 0},
      {"a jump", leads_on, "", "10.9.0.0/16", false, 0},
      {"everything", drops, "", "", false, 0},
      {"IPv6, in a table of both", drops, "fd01::/64", "fd02::/33", false, 9},
      {"a mark that is set on the way", drops, "", "10.2.0.0/23", false, 4},
      {"a port alone", passes, "", "", true, std::nullopt},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    SCOPED_TRACE(rows[i].what);
    const FilterRule& rule = v.rules[i];
    EXPECT_EQ(rule.verdict, rows[i].verdict);
    EXPECT_EQ(rule.source ? rule.source->to_string() : "", rows[i].source);
    EXPECT_EQ(rule.destination ? rule.destination->to_string() : "", rows[i].destination);
    EXPECT_EQ(rule.narrower, rows[i].narrower);
    EXPECT_EQ(rule.packets, rows[i].packets);
  }
  EXPECT_EQ(v.rules[1].family, NFPROTO_IPV4);
  EXPECT_EQ(v.rules[1].table, "forwarded");
  EXPECT_EQ(v.rules[1].chain, "forward");
  EXPECT_NE(v.rules[1].handle, 0U);
  EXPECT_NE(v.rules[1].handle, v.rules[2].handle);
  EXPECT_EQ(v.rules[8].family, NFPROTO_INET);
  EXPECT_EQ(v.rules[8].table, "both");
}

TEST(Nftables, EveryCutIsHarmless) {
  for (const Buffer& whole : recorded()) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      FilterView v;
      const auto answer = parse_rules(cut, kSequence, v);
      EXPECT_LE(v.rules.size(), answer.messages) << length;
    }
  }
}

// Wherever a byte is another: an address is one of the family's length, and a name one that fits.
TEST(Nftables, EveryWrongByteIsHarmless) {
  for (const Buffer& whole : recorded()) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const std::uint8_t wrong : {std::uint8_t{0}, std::uint8_t{0xff}}) {
        Buffer bytes = whole;
        bytes[at] = wrong;
        FilterView v;
        parse_rules(bytes, kSequence, v);
        EXPECT_LE(v.rules.size(), 12U) << at;
      }
    }
  }
}

TEST(Nftables, AnAttributeThatLiesIsMalformed) {
  Buffer bytes = recorded().front();
  FilterView v;
  const std::size_t attribute = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  bytes[attribute] = 2;
  EXPECT_TRUE(parse_rules(bytes, kSequence, v).malformed);
  EXPECT_THAT(v.rules, IsEmpty());
}

TEST(Nftables, OtherSequencesArePassedOver) {
  FilterView v;
  EXPECT_EQ(parse_rules(recorded().front(), kSequence + 1, v).messages, 0U);
  EXPECT_THAT(v.rules, IsEmpty());
}

TEST(Nftables, TheListIsBoundedAndSaysThatItIsNotWhole) {
  FilterView v;
  v.complete = true;
  while (v.complete && v.rules.size() <= FilterView::kMaxRules) {
    for (const Buffer& datagram : recorded()) parse_rules(datagram, kSequence, v);
  }
  EXPECT_THAT(v.rules, SizeIs(FilterView::kMaxRules));
  EXPECT_FALSE(v.complete);
}

TEST(Nftables, Request) {
  const auto request = build_rules_request(9);
  nlmsghdr head{};
  ASSERT_EQ(request.size(), sizeof head + sizeof(nfgenmsg));
  std::memcpy(&head, request.data(), sizeof head);
  EXPECT_EQ(head.nlmsg_len, request.size());
  EXPECT_EQ(head.nlmsg_type, 10 << 8 | 7);  // nf_tables, NFT_MSG_GETRULE
  EXPECT_EQ(head.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
  EXPECT_EQ(head.nlmsg_seq, 9U);
}

}  // namespace
}  // namespace tunnelwatch::host
