#include "probes/wire/ike_phase2.h"

#include "probes/wire/ike_names.h"
#include "tests/probes/wire/prefixes.h"

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::expect_only_whole;
using test::from_hex;
using test::lies_inside;

// ESP with AES-256, HMAC-SHA2-256, group 14, tunnel mode, an hour; behind it a second transform of the same proposal.
constexpr char kSa[] =
    "00000001 00000001"
    " 00 00 0048 01 03 04 02 cafe0001"
    " 03 00 0024 01 0c 0000 8001 0001 0002 0004 00000e10 8004 0001 8005 0005 8003 000e 8006 0100"
    " 00 00 0018 02 0b 0000 8004 0002 8005 0002 800b 0001 8001 0002";

TEST(IkePhase2, TransformsWithTheirAttributes) {
  const Buffer body = from_hex(kSa);
  const auto transforms = parse_sa_v1_phase2(body);
  ASSERT_TRUE(transforms.has_value());
  ASSERT_EQ(transforms->size(), 2U);
  const Phase2Transform& first = transforms->front();
  EXPECT_EQ(first.protocol, 3);
  EXPECT_EQ(first.life_seconds, 3600U);
  EXPECT_TRUE(lies_inside(first.spi, body));
  EXPECT_EQ(to_string(first), "AES_CBC-256/HMAC_SHA2_256/MODP_2048/TUNNEL");
  EXPECT_EQ(to_string(transforms->back()), "NULL/HMAC_SHA1/ESN/TRANSPORT");
}

TEST(IkePhase2, EveryTruncationFails) { expect_only_whole(parse_sa_v1_phase2, from_hex(kSa)); }

TEST(IkePhase2, LengthsThatLie) {
  struct Row {
    const char* name;
    std::size_t at;
    std::uint8_t byte;
  };
  for (const Row& row :
       {Row{"proposal below its header", 11, 7}, Row{"SPI beyond the proposal", 14, 0xff},
        Row{"more transforms than there are", 15, 9}, Row{"transform below its header", 23, 7},
        Row{"transform beyond the proposal", 22, 1}, Row{"an attribute beyond its transform", 35, 0x44}}) {
    SCOPED_TRACE(row.name);
    Buffer body = from_hex(kSa);
    body[row.at] = row.byte;
    EXPECT_EQ(parse_sa_v1_phase2(body).error(), ParseError::bad_payload_length);
  }
}

TEST(IkePhase2, TooManyTransforms) {
  Buffer transforms;
  for (int i = 0; i < 65; ++i) test::put(transforms, 0x0300000801030000, 8);
  Buffer body = from_hex("00000001 00000001 00 00");
  test::put(body, transforms.size() + 8, 2);
  test::put(body, 0x01030041, 4);
  body.insert(body.end(), transforms.begin(), transforms.end());
  EXPECT_EQ(parse_sa_v1_phase2(body).error(), ParseError::too_many);
}

TEST(IkePhase2, NamesOfTheDoi) {
  Phase2Transform t;
  t.protocol = 2;
  t.id = 5;
  EXPECT_EQ(to_string(t), "SHA2_256");
  t.protocol = 4;
  t.id = 2;
  EXPECT_EQ(to_string(t), "DEFLATE");
  t.protocol = 3;
  t.id = 129;
  t.authentication = 20;
  t.encapsulation = 3;
  EXPECT_EQ(to_string(t), "SM4_CBC/HMAC_SM3/UDP_TUNNEL");
}

}  // namespace
}  // namespace tunnelwatch::wire
