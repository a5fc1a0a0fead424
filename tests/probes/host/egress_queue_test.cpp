#include "probes/host/egress_queue.h"

#include "tests/support/recorded.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

// The queues of the interfaces as a kernel tells them, see tests/kernel/record_tables.
namespace tunnelwatch::host {
namespace {

using testing::IsEmpty;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint32_t kSequence = 7;

std::vector<Buffer> recorded() {
  auto datagrams = test::recorded(TUNNELWATCH_SOURCE_DIR "/tests/data/netlink/queues.bin");
  EXPECT_FALSE(datagrams.empty());
  return datagrams;
}

EgressQueues queues() {
  EgressQueues found;
  NetlinkAnswer last;
  for (const Buffer& datagram : recorded()) last = parse_queues(datagram, kSequence, found);
  EXPECT_TRUE(last.ended && last.error == 0 && !last.malformed);
  return found;
}

TEST(EgressQueue, TheOutermostOfEachInterface) {
  const auto found = queues();
  ASSERT_EQ(found.size(), 5U) << "that of arriving packets is none";
  EXPECT_EQ(found.at(3), (EgressQueue{"tbf", 2, 15, 2826}));
  EXPECT_EQ(found.at(5), (EgressQueue{"noqueue", 0, 0, 0}));
}

TEST(EgressQueue, EveryCutIsHarmless) {
  const Buffer whole = recorded().front();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EgressQueues found;
    const auto answer = parse_queues({whole.data(), length}, kSequence, found);
    EXPECT_LE(found.size(), answer.messages) << length;
  }
}

TEST(EgressQueue, WhatDoesNotCountIsNone) {
  Buffer bytes = recorded().front();
  for (std::size_t at = 0; at + 4 < bytes.size(); ++at) {  // TCA_STATS2 by another name
    if (bytes[at] == 0x30 && bytes[at + 1] == 0 && bytes[at + 2] == TCA_STATS2 && bytes[at + 3] == 0)
      bytes[at + 2] = 99;
  }
  EgressQueues found;
  parse_queues(bytes, kSequence, found);
  EXPECT_THAT(found, IsEmpty());
}

TEST(EgressQueue, LengthsThatLieAreMalformed) {
  Buffer bytes = recorded().front();
  EgressQueues found;
  bytes[sizeof(nlmsghdr) + sizeof(tcmsg)] = 3;
  EXPECT_TRUE(parse_queues(bytes, kSequence, found).malformed);
  EXPECT_THAT(found, IsEmpty());
  EXPECT_EQ(parse_queues(recorded().front(), kSequence + 1, found).messages, 0U);
  EXPECT_THAT(found, IsEmpty());
}

TEST(EgressQueue, Request) {
  const auto request = build_queues_request(9);
  nlmsghdr head{};
  ASSERT_EQ(request.size(), sizeof head + sizeof(tcmsg));
  std::memcpy(&head, request.data(), sizeof head);
  EXPECT_EQ(head.nlmsg_len, request.size());
  EXPECT_EQ(head.nlmsg_type, RTM_GETQDISC);
  EXPECT_EQ(head.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
}

}  // namespace
}  // namespace tunnelwatch::host
