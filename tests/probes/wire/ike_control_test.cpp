#include "probes/wire/ike_control.h"

#include "tests/probes/wire/prefixes.h"

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::expect_only_whole;
using test::expect_prefixes;
using test::from_hex;
using test::lies_inside;

TEST(IkeDelete, OfBothVersions) {
  const Buffer v2 = from_hex("03 04 0002 11111111 22222222");
  const auto two = parse_delete_v2(v2);
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(two->protocol, 3);
  EXPECT_EQ(two->count, 2);
  EXPECT_EQ(two->spis.size(), 8U);
  EXPECT_TRUE(lies_inside(two->spis, v2));
  EXPECT_EQ(parse_delete_v2(from_hex("01 00 0000"))->protocol, 1);
  const Buffer v1 = from_hex("00000001 01 10 0001 00112233445566778899aabbccddeeff");
  const auto one = parse_delete_v1(v1);
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->protocol, 1);
  EXPECT_EQ(one->spis.size(), 16U);
  EXPECT_TRUE(lies_inside(one->spis, v1));
  expect_only_whole(parse_delete_v2, v2);
  expect_only_whole(parse_delete_v2, from_hex("01 00 0000"));
  expect_only_whole(parse_delete_v1, v1);
}

TEST(IkeDelete, SpisThatDoNotAddUp) {
  for (const char* body : {"03 04 0002 11111111", "03 04 0001 11111111 22", "03 04 ffff 11111111", "03 ff 0001 11"}) {
    SCOPED_TRACE(body);
    EXPECT_EQ(parse_delete_v2(from_hex(body)).error(), ParseError::bad_payload_length);
  }
}

TEST(IkeNonce, BetweenTheRfcsBounds) {
  struct Row {
    std::size_t size;
    bool v1;
    bool v2;
  };
  for (const Row& row : {Row{0, false, false}, Row{7, false, false}, Row{8, true, false}, Row{15, true, false},
                         Row{16, true, true}, Row{256, true, true}, Row{257, false, false}}) {
    SCOPED_TRACE(row.size);
    const Buffer body(row.size, 1);
    EXPECT_EQ(parse_nonce_v1(body).has_value(), row.v1);
    EXPECT_EQ(parse_nonce_v2(body).has_value(), row.v2);
  }
  expect_prefixes(parse_nonce_v2, Buffer(32, 1), 16);
}

TEST(IkeNatPayloads, HashAndOriginalAddress) {
  EXPECT_EQ(parse_nat_detection_v1(Buffer(20, 1))->size(), 20U);
  EXPECT_FALSE(parse_nat_detection_v1(Buffer(65, 1)).has_value());
  expect_prefixes(parse_nat_detection_v1, Buffer(20, 1), 16);
  EXPECT_EQ(parse_nat_original_address_v1(from_hex("01 000000 c000020a"))->to_string(), "192.0.2.10");
  EXPECT_EQ(parse_nat_original_address_v1(from_hex("05 000000 20010db8000000000000000000000001"))->to_string(),
            "2001:db8::1");
  EXPECT_FALSE(parse_nat_original_address_v1(from_hex("02 000000 c000020a")).has_value());
  EXPECT_FALSE(parse_nat_original_address_v1(from_hex("01 000000 c000020a00")).has_value());
  expect_only_whole(parse_nat_original_address_v1, from_hex("01 000000 c000020a"));
  expect_only_whole(parse_nat_original_address_v1, from_hex("05 000000 20010db8000000000000000000000001"));
}

TEST(IkeFragmentV1, NumberAndLast) {
  const Buffer body = from_hex("0001 02 01 aabbcc");
  const auto fragment = parse_fragment_v1(body);
  ASSERT_TRUE(fragment.has_value());
  EXPECT_EQ(fragment->id, 1);
  EXPECT_EQ(fragment->number, 2);
  EXPECT_TRUE(fragment->last);
  EXPECT_EQ(fragment->data.size(), 3U);
  EXPECT_TRUE(lies_inside(fragment->data, body));
  EXPECT_FALSE(parse_fragment_v1(from_hex("0001 01 00 aa"))->last);
  EXPECT_EQ(parse_fragment_v1(from_hex("0001 00 01 aa")).error(), ParseError::bad_payload_length);  // from 1 on
  expect_prefixes(parse_fragment_v1, body, 5);
}

}  // namespace
}  // namespace tunnelwatch::wire
