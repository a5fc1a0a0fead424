#include "probes/wire/ike_selectors.h"

#include "tests/probes/wire/prefixes.h"

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::expect_only_whole;
using test::from_hex;
using test::lies_inside;

constexpr char kTwoSelectors[] =
    "02 000000 07 06 0010 01bb 01bb 0a010000 0a0100ff"
    " 08 00 0028 0000 ffff 20010db8000000000000000000000000 20010db80000000000000000ffffffff";

TEST(IkeTrafficSelectors, OfBothFamilies) {
  const auto list = parse_traffic_selectors(from_hex(kTwoSelectors));
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].protocol, 6);
  EXPECT_EQ((*list)[0].start_port, 443);
  EXPECT_EQ((*list)[0].start.to_string(), "10.1.0.0");
  EXPECT_EQ((*list)[0].end.to_string(), "10.1.0.255");
  EXPECT_EQ((*list)[1].end_port, 65535);
  EXPECT_EQ((*list)[1].start.to_string(), "2001:db8::");
}

TEST(IkeTrafficSelectors, OtherTypesArePassedOver) {
  const auto list =
      parse_traffic_selectors(from_hex("02 000000 09 00 0008 01020304 07 00 0010 0000 ffff 0a000000 0a000001"));
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ((*list)[0].end.to_string(), "10.0.0.1");
}

TEST(IkeTrafficSelectors, EveryTruncationFails) { expect_only_whole(parse_traffic_selectors, from_hex(kTwoSelectors)); }

struct BadRow {
  const char* name;
  const char* body;
  ParseError error;
};

TEST(IkeTrafficSelectors, WhatIsWrong) {
  const BadRow rows[] = {
      {"a length below its header", "01 000000 07 00 0003", ParseError::bad_payload_length},
      {"an IPv4 range too short for its addresses", "01 000000 07 00 000c 0000 ffff 0a000000",
       ParseError::bad_payload_length},
      {"an IPv4 range with bytes behind it", "01 000000 07 00 0011 0000 ffff 0a000000 0a000001 00",
       ParseError::bad_payload_length},
      {"bytes behind the last", "01 000000 07 00 0010 0000 ffff 0a000000 0a000001 00", ParseError::bad_payload_length},
      {"more than anyone has", "41 000000", ParseError::too_many},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto list = parse_traffic_selectors(from_hex(row.body));
    ASSERT_FALSE(list.has_value());
    EXPECT_EQ(list.error(), row.error);
  }
}

TEST(IkeConfiguration, OfVersion2AlwaysHasLengths) {
  const Buffer body = from_hex("01 000000 0001 0000 8003 0004 08080808");
  const auto c = parse_configuration_v2(body);
  ASSERT_TRUE(c.has_value());
  EXPECT_EQ(c->type, 1);
  ASSERT_EQ(c->attributes.size(), 2U);
  EXPECT_EQ(c->attributes[0].type, 1);
  EXPECT_EQ(c->attributes[1].type, 3);
  EXPECT_EQ(c->attributes[1].value.size(), 4U);
  EXPECT_TRUE(lies_inside(c->attributes[1].value, body));
}

TEST(IkeConfiguration, OfVersion1MayBeShort) {
  const Buffer body = from_hex("04 00 beef c08f 0001 4089 0002 6162");  // XAUTH_STATUS = 1, XAUTH_USER_NAME
  const auto c = parse_configuration_v1(body);
  ASSERT_TRUE(c.has_value());
  EXPECT_EQ(c->identifier, 0xbeef);
  ASSERT_EQ(c->attributes.size(), 2U);
  EXPECT_EQ(c->attributes[0].type, 16527);
  EXPECT_EQ(c->attributes[0].value.size(), 2U);
  EXPECT_EQ(c->attributes[1].value.size(), 2U);
  EXPECT_TRUE(lies_inside(c->attributes[1].value, body));
}

TEST(IkeConfiguration, EveryTruncationInsideAnAttributeFails) {
  const auto check = [](auto parse, const Buffer& body, std::initializer_list<std::size_t> whole) {
    for (std::size_t n = 0; n <= body.size(); ++n) {
      SCOPED_TRACE(n);
      const Buffer prefix(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(parse(Bytes(prefix)).has_value(), std::find(whole.begin(), whole.end(), n) != whole.end());
    }
  };
  check(parse_configuration_v2, from_hex("01 000000 0001 0000 0003 0004 08080808"), {4, 8, 16});
  check(parse_configuration_v1, from_hex("01 00 0000 c08f 0001 4089 0002 6162"), {4, 8, 14});
}

TEST(IkeConfiguration, TooManyAttributes) {
  Buffer body = from_hex("01 000000");
  for (int i = 0; i < 65; ++i) test::put(body, 0x00010000, 4);
  EXPECT_EQ(parse_configuration_v1(body).error(), ParseError::too_many);
  EXPECT_EQ(parse_configuration_v2(body).error(), ParseError::too_many);
  body.resize(4 + 64 * 4);
  EXPECT_TRUE(parse_configuration_v2(body).has_value());
}

}  // namespace
}  // namespace tunnelwatch::wire
