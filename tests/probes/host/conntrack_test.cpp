#include "probes/host/conntrack.h"

#include "tests/support/recorded.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint32_t kSequence = 7;

// What a kernel 6.18 answered to both requests: two connections translated to 192.0.2.10, and two that are not.
std::vector<Buffer> recorded() { return test::recorded(TUNNELWATCH_SOURCE_DIR "/tests/data/conntrack/flows.bin"); }

struct Read {
  NetlinkAnswer answer;
  std::vector<TrackedFlow> flows;
};

Read read(wire::Bytes bytes, std::uint32_t sequence = kSequence) {
  Read r;
  r.answer = parse_conntrack(bytes, sequence, [&](const TrackedFlow& flow) { r.flows.push_back(flow); });
  return r;
}

TrackedFlow flow(const char* source, const char* destination, const char* answered_at) {
  return {*IpAddress::parse(source), *IpAddress::parse(destination), *IpAddress::parse(answered_at)};
}

TEST(Conntrack, RequestsAreForAllConnectionsOfAFamily) {
  EXPECT_EQ(build_conntrack_request(IpFamily::v4, 7),
            (Buffer{20, 0, 0, 0, 1, 1, 1, 3, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0}));
  EXPECT_EQ(build_conntrack_request(IpFamily::v6, 7)[16], 10);
}

TEST(Conntrack, ConnectionsAsTheKernelTellsThem) {
  std::vector<TrackedFlow> flows;
  int ended = 0;
  for (const Buffer& datagram : recorded()) {
    const Read r = read(datagram);
    EXPECT_FALSE(r.answer.malformed);
    EXPECT_EQ(r.answer.error, 0);
    ended += r.answer.ended ? 1 : 0;
    flows.insert(flows.end(), r.flows.begin(), r.flows.end());
  }
  EXPECT_EQ(ended, 2);
  const auto translated = flow("10.1.0.7", "10.2.0.7", "192.0.2.10");
  EXPECT_THAT(flows, UnorderedElementsAre(translated, translated, flow("10.1.0.7", "10.3.0.7", "10.1.0.7"),
                                          flow("fd01::7", "fd02::7", "fd01::7")));
  EXPECT_TRUE(translated.is_translated());
  EXPECT_EQ(std::count_if(flows.begin(), flows.end(), [](const auto& f) { return f.is_translated(); }), 2);
}

TEST(Conntrack, AnotherAnswerIsPassedOver) {
  const Read r = read(recorded().front(), 8);
  EXPECT_THAT(r.flows, IsEmpty());
  EXPECT_FALSE(r.answer.malformed);
  EXPECT_FALSE(r.answer.ended);
}

TEST(Conntrack, EveryCutIsHarmless) {
  const Buffer whole = recorded().front();
  const std::size_t all = read(whole).flows.size();
  ASSERT_GT(all, 0U);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Read r = read({whole.data(), size});
    EXPECT_LE(r.flows.size(), all);
    EXPECT_FALSE(r.answer.ended);
  }
}

// The head, then nfgenmsg, then attributes of the test's.
Buffer message(const Buffer& attributes) {
  Buffer m{static_cast<std::uint8_t>(20 + attributes.size()), 0, 0, 0, 0, 1, 2, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0};
  m.insert(m.end(), attributes.begin(), attributes.end());
  return m;
}

TEST(Conntrack, WhatDoesNotFitIsMalformed) {
  // A tuple that is longer than its message, addresses longer than their tuple, an attribute shorter than its head.
  for (const Buffer& attributes : {Buffer{40, 0, 1, 128}, Buffer{12, 0, 1, 128, 8, 0, 1, 128, 9, 0, 1, 0},
                                   Buffer{12, 0, 2, 128, 8, 0, 1, 128, 3, 0, 1, 0}, Buffer{2, 0, 1, 128}}) {
    const Read r = read(message(attributes));
    EXPECT_TRUE(r.answer.malformed);
    EXPECT_THAT(r.flows, IsEmpty());
  }
  Buffer too_short = message({});
  too_short.resize(18);
  too_short[0] = 18;
  EXPECT_TRUE(read(too_short).answer.malformed);
}

TEST(Conntrack, WithoutBothDirectionsItTellsNothing) {
  const Buffer began{20, 0, 1, 128, 16, 0, 1, 128, 8, 0, 1, 0, 10, 1, 0, 7, 8, 0, 2, 0, 10, 2, 0, 7};
  Buffer sizes = began;  // CTA_TUPLE_ORIG and CTA_TUPLE_IP with both addresses
  sizes[0] = 24;
  sizes[4] = 20;
  const Read one = read(message(sizes));
  EXPECT_FALSE(one.answer.malformed);
  EXPECT_EQ(one.answer.messages, 1U);
  EXPECT_THAT(one.flows, IsEmpty());
  Buffer both = sizes;
  Buffer reply = sizes;
  reply[2] = 2;
  both.insert(both.end(), reply.begin(), reply.end());
  EXPECT_THAT(read(message(both)).flows, ElementsAre(flow("10.1.0.7", "10.2.0.7", "10.2.0.7")));
  // An address of another size than its kind has is none.
  Buffer odd = both;
  odd[8] = 7;
  EXPECT_THAT(read(message(odd)).flows, IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch::host
