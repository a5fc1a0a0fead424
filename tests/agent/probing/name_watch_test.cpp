#include "agent/probing/name_watch.h"

#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

using namespace std::chrono_literals;

const IpAddress kOne = *IpAddress::parse("192.0.2.1");
const IpAddress kTwo = *IpAddress::parse("192.0.2.2");
const std::string kName = "vpn.example.com";

TimePoint at(Duration d) { return TimePoint{1000s + d}; }

NameWatch watching() {
  NameWatch names;
  names.begin_sync();
  names.want(kName);
  names.end_sync();
  return names;
}

TEST(NameWatch, ANameIsLookedUpAtOnceAndOnceAtATime) {
  NameWatch names = watching();
  EXPECT_EQ(names.due(at(0s)), std::vector{kName});
  EXPECT_TRUE(names.due(at(30s)).empty()) << "it is being looked up";
  EXPECT_TRUE(names.on_result(kName, {kOne, kTwo}, "", at(31s)));
  EXPECT_EQ(names.address_of(kName), kOne);
}

TEST(NameWatch, ItIsLookedUpAgainEachMinuteAndSoonerWithoutAnAddress) {
  NameWatch names = watching();
  names.due(at(0s));
  names.on_result(kName, {}, "no such name", at(0s));
  EXPECT_TRUE(names.due(at(9s)).empty());
  EXPECT_EQ(names.due(at(10s)).size(), 1U);
  names.on_result(kName, {kOne}, "", at(10s));
  EXPECT_TRUE(names.due(at(69s)).empty());
  EXPECT_EQ(names.due(at(70s)).size(), 1U);
}

TEST(NameWatch, AFailedLookUpLeavesTheAddress) {
  NameWatch names = watching();
  names.on_result(kName, {kOne}, "", at(0s));
  EXPECT_FALSE(names.on_result(kName, {}, "no such name", at(60s)));
  EXPECT_EQ(names.address_of(kName), kOne);
}

TEST(NameWatch, AListThatIsTurnedIsNoChange) {
  NameWatch names = watching();
  names.on_result(kName, {kOne, kTwo}, "", at(0s));
  EXPECT_FALSE(names.on_result(kName, {kTwo, kOne}, "", at(60s)));
  EXPECT_EQ(names.address_of(kName), kOne);
  EXPECT_TRUE(names.on_result(kName, {kTwo}, "", at(120s)));
  EXPECT_EQ(names.address_of(kName), kTwo);
}

TEST(NameWatch, FailuresAndChangesAreCountedAndAFailureIsTriedAgainSoon) {
  NameWatch names = watching();
  names.due(at(0s));
  names.on_result(kName, {kOne}, "", at(0s));
  names.due(at(60s));
  names.on_result(kName, {}, "no answer", at(60s));
  EXPECT_EQ(names.find(kName)->error, "no answer");
  EXPECT_EQ(names.find(kName)->failures_in_a_row, 1U);
  EXPECT_TRUE(names.due(at(69s)).empty());
  EXPECT_EQ(names.due(at(70s)).size(), 1U) << "sooner than a minute";
  names.on_result(kName, {kTwo}, "", at(70s));
  const NameState& state = *names.find(kName);
  EXPECT_EQ(state.lookups, 3U);
  EXPECT_EQ(state.failures, 1U);
  EXPECT_EQ(state.changes, 1U) << "the first address is no change";
  EXPECT_EQ(state.failures_in_a_row, 0U);
  EXPECT_EQ(state.error, "");
}

TEST(NameWatch, EachFamilyHasItsAddress) {
  const IpAddress six = *IpAddress::parse("2001:db8::1");
  NameWatch names = watching();
  names.on_result(kName, {six, kOne}, "", at(0s));
  EXPECT_EQ(names.address_of(kName), six);
  EXPECT_EQ(names.address_of(kName, config::AddressFamily::v4), kOne);
  EXPECT_EQ(names.address_of(kName, config::AddressFamily::v6), six);
  EXPECT_TRUE(names.on_result(kName, {six, kTwo}, "", at(60s))) << "that of IPv4 is another";
  EXPECT_EQ(names.address_of(kName), six);
  EXPECT_EQ(names.address_of(kName, config::AddressFamily::v4), kTwo);
}

TEST(NameWatch, WhatIsNotWantedAnyMoreIsForgotten) {
  NameWatch names = watching();
  names.on_result(kName, {kOne}, "", at(0s));
  names.begin_sync();
  names.end_sync();
  EXPECT_EQ(names.address_of(kName), std::nullopt);
  EXPECT_FALSE(names.on_result(kName, {kTwo}, "", at(1s))) << "an answer that comes after it went";
}

}  // namespace
}  // namespace tunnelwatch::agent
