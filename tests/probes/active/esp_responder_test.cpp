#include "probes/active/esp_responder.h"

#include "probes/wire/esp_echo.h"

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

using namespace std::chrono_literals;
using Outcome = EspRequestOutcome;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

struct EspResponderTest : testing::Test {
  EspResponderTest() { responder.set_peers({ip("198.51.100.20"), ip("192.0.2.7"), ip("2001:db8::7")}); }
  bool answers(const IpAddress& from, std::vector<std::uint8_t> bytes, bool unicast = true) {
    const auto answer = responder.on_request({bytes, from, unicast}, now);
    if (answer) {
      EXPECT_LE(answer->size(), bytes.size());
    }
    return answer.has_value();
  }
  bool answers(const IpAddress& from) { return answers(from, request); }
  std::uint64_t count(Outcome o) const { return responder.count(o); }

  TimePoint now{1h};
  EspResponder responder;
  const std::vector<std::uint8_t> data{1, 2, 3};
  const std::vector<std::uint8_t> request = wire::esp_echo_request(9, 1, 2, data);
};

TEST_F(EspResponderTest, PeersAreAnsweredWithTheirOwnWords) {
  for (const char* peer : {"198.51.100.20", "2001:db8::7"}) {
    const auto answer = responder.on_request({request, ip(peer), true}, now);
    ASSERT_TRUE(answer);
    const auto echo = wire::parse_esp_echo(*answer);
    ASSERT_TRUE(echo);
    EXPECT_TRUE(echo->reply);
    EXPECT_EQ(echo->number, 2);
    EXPECT_EQ(std::vector<std::uint8_t>(echo->data.begin(), echo->data.end()), data);
  }
  EXPECT_EQ(count(Outcome::answered), 2U);
}

TEST_F(EspResponderTest, StrangersAreNotAnsweredUnlessAnyoneIs) {
  EXPECT_FALSE(answers(ip("203.0.113.9")));
  EXPECT_EQ(count(Outcome::stranger), 1U);
  responder.set_anyone(true);
  EXPECT_TRUE(answers(ip("203.0.113.9")));
  responder.set_anyone(false);
  responder.set_peers({});
  EXPECT_FALSE(answers(ip("198.51.100.20"))) << "a peer that left the configuration";
}

TEST_F(EspResponderTest, WhatIsNoRequestIsCountedAndNotAnswered) {
  auto reply = request;
  reply[3] = wire::kEspEchoReply;
  reply[8] = 3;
  ASSERT_TRUE(wire::parse_esp_echo(reply));
  auto of_an_sa = request;
  of_an_sa[0] = 0x0a;
  std::uint64_t malformed = 0;
  for (const auto& bytes : {reply, of_an_sa, std::vector<std::uint8_t>{}, std::vector<std::uint8_t>{0, 0, 0, 7}}) {
    EXPECT_FALSE(answers(ip("198.51.100.20"), bytes));
    EXPECT_EQ(count(Outcome::malformed), ++malformed);
  }
  for (std::size_t n = 0; n < request.size(); ++n) {
    EXPECT_FALSE(answers(ip("198.51.100.20"), {request.begin(), request.begin() + static_cast<std::ptrdiff_t>(n)}))
        << n;
  }
  EXPECT_EQ(count(Outcome::malformed), malformed + request.size());
}

TEST_F(EspResponderTest, GroupsAreNeitherAnsweredNorAnswerers) {
  responder.set_anyone(true);
  EXPECT_FALSE(answers(ip("198.51.100.20"), request, /*unicast=*/false));
  for (const char* from : {"224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"}) {
    EXPECT_FALSE(answers(ip(from))) << from;
  }
  EXPECT_EQ(count(Outcome::group), 6U);
}

TEST_F(EspResponderTest, WhatAPacketDoesNotHoldIsNotAnswered) {
  const auto longest = wire::esp_echo_request(1, 1, 1, std::vector<std::uint8_t>(EspResponder::kMostBytes - 16));
  ASSERT_EQ(longest.size(), EspResponder::kMostBytes);
  EXPECT_TRUE(answers(ip("198.51.100.20"), longest));
  auto longer = longest;
  longer.push_back(0);
  EXPECT_FALSE(answers(ip("198.51.100.20"), longer));
  EXPECT_EQ(count(Outcome::too_long), 1U);
}

TEST_F(EspResponderTest, ASourceGetsFiveASecond) {
  const auto answered_of = [&](int requests, const IpAddress& from) {
    int answered = 0;
    for (int i = 0; i < requests; ++i) answered += answers(from) ? 1 : 0;
    return answered;
  };
  EXPECT_EQ(answered_of(50, ip("198.51.100.20")), 5);
  EXPECT_EQ(count(Outcome::limited), 45U);
  EXPECT_EQ(answered_of(1, ip("192.0.2.7")), 1) << "another source has its own";
  now += 200ms;
  EXPECT_EQ(answered_of(50, ip("198.51.100.20")), 1);
  now += 10s;
  EXPECT_EQ(answered_of(50, ip("198.51.100.20")), 5) << "what was not used is not saved up";
}

TEST_F(EspResponderTest, AllTogetherAreBoundedAndSoIsTheTable) {
  responder.set_anyone(true);
  std::uint32_t next = 0x0a000000;
  int answered = 0;
  for (int round = 0; round < 20; ++round, now += 50ms) {
    for (int i = 0; i < 500; ++i) answered += answers(IpAddress::v4(++next)) ? 1 : 0;
  }
  EXPECT_LE(answered, 2 * static_cast<int>(EspResponder::kInAll));
  EXPECT_GE(answered, static_cast<int>(EspResponder::kInAll));
  EXPECT_LE(responder.sources(), 2 * EspResponder::kInAll) << "who is over the limit of all is not remembered";
  for (int second = 0; second < 60; ++second, now += 1s) {
    for (int i = 0; i < 200; ++i) answers(IpAddress::v4(++next));
    EXPECT_LE(responder.sources(), EspResponder::kMostSources);
  }
  EXPECT_TRUE(answers(ip("198.51.100.20"))) << "once the flood is over, peers are answered as before";
}

TEST_F(EspResponderTest, AnAnswerThatCouldNotBeSentIsNone) {
  EXPECT_TRUE(answers(ip("198.51.100.20")));
  responder.on_send_error();
  EXPECT_EQ(count(Outcome::answered), 0U);
  EXPECT_EQ(count(Outcome::send_error), 1U);
}

}  // namespace
}  // namespace tunnelwatch::active
