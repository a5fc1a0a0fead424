#include "probes/wire/bgp.h"

#include "probes/wire/tcp.h"
#include "tests/support/bgp_bytes.h"

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using namespace test;

TEST(Bgp, HeadersOfEveryType) {
  const auto open = parse_bgp_header(bgp_open(65001));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->type, BgpType::open);
  EXPECT_EQ(open->length, bgp_open(65001).size());
  EXPECT_EQ(parse_bgp_header(bgp_keepalive())->type, BgpType::keepalive);
  EXPECT_EQ(parse_bgp_header(bgp_notification(2, 2))->type, BgpType::notification);
}

TEST(Bgp, HeadersThatAreNone) {
  struct Row {
    const char* name;
    Buffer bytes;
    ParseError error;
  };
  Buffer no_marker = bgp_keepalive();
  no_marker[15] = 0xfe;
  Buffer long_keepalive = bgp_keepalive();
  long_keepalive[17] = 20;
  Buffer huge = bgp_message(2, filler(40));
  huge[16] = 0x10;
  huge[17] = 0x01;
  for (const Row& row : {Row{"marker", no_marker, ParseError::unsupported},
                         Row{"type 0", bgp_message(0, filler(20)), ParseError::bad_version},
                         Row{"type 6", bgp_message(6, filler(20)), ParseError::bad_version},
                         Row{"short open", bgp_message(1, filler(9)), ParseError::bad_length},
                         Row{"short notification", bgp_message(3, {1}), ParseError::bad_length},
                         Row{"keepalive with a body", long_keepalive, ParseError::bad_length},
                         Row{"4097 bytes", huge, ParseError::bad_length}}) {
    SCOPED_TRACE(row.name);
    const auto parsed = parse_bgp_header(row.bytes);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), row.error);
  }
  const Buffer whole = bgp_keepalive();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(parse_bgp_header(Bytes(whole).first(n)).error(), ParseError::truncated) << n;
  }
}

TEST(Bgp, OpensSayTheirNumberInTwoOrFourOctets) {
  const auto old = parse_bgp_open(bgp_open_with(65001, {}));
  ASSERT_TRUE(old);
  EXPECT_EQ(old->as_number, 65001U);
  EXPECT_FALSE(old->four_octets);
  EXPECT_EQ(old->hold_time, 90U);
  EXPECT_EQ(old->identifier, 0x0a000001U);
  const auto wide = parse_bgp_open(bgp_open(4200000001));
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->as_number, 4200000001U);
  EXPECT_TRUE(wide->four_octets);
}

TEST(Bgp, CapabilitiesMayStandInSeveralParametersAndInTheExtendedForm) {
  const Buffer other = bgp_parameter(bgp_capability(2, {}));
  const Buffer as4 = bgp_parameter(as4_capability(65546));
  EXPECT_EQ(parse_bgp_open(bgp_open_with(23456, joined({other, as4})))->as_number, 65546U);
  const Buffer long_form =
      joined({bgp_parameter(bgp_capability(70, filler(200)), true),
              bgp_parameter(bgp_capability(71, filler(200)), true), bgp_parameter(as4_capability(65547), true)});
  EXPECT_EQ(parse_bgp_open(bgp_open_with(23456, long_form, true))->as_number, 65547U);
}

TEST(Bgp, OpensThatDoNotFit) {
  struct Row {
    const char* name;
    Buffer message;
    ParseError error;
  };
  Buffer version3 = bgp_open(65001);
  version3[19] = 3;
  Buffer parameters = bgp_open(65001);
  parameters[28] = 200;
  for (const Row& row :
       {Row{"version 3", version3, ParseError::bad_version},
        Row{"parameters beyond the message", parameters, ParseError::bad_length},
        Row{"a parameter beyond the others", bgp_open_with(65001, {2, 9, 65, 4}), ParseError::bad_length},
        Row{"a capability beyond its parameter", bgp_open_with(65001, bgp_parameter({65, 9, 0, 0})),
            ParseError::bad_payload_length},
        Row{"an AS number of three octets", bgp_open_with(65001, bgp_parameter(bgp_capability(65, {0, 1, 2}))),
            ParseError::bad_payload_length},
        Row{"of five", bgp_open_with(65001, bgp_parameter(bgp_capability(65, {0, 1, 2, 3, 4}))),
            ParseError::bad_payload_length}}) {
    SCOPED_TRACE(row.name);
    const auto parsed = parse_bgp_open(row.message);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), row.error);
  }
  Buffer many;
  for (int i = 0; i < 300; ++i) put(many, Buffer{7, 0, 0});
  EXPECT_EQ(parse_bgp_open(bgp_open_with(65001, many, true)).error(), ParseError::too_many);
  const Buffer whole = bgp_open(65001);
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parse_bgp_open(Bytes(whole).first(n))) << n;
}

TEST(Bgp, Notifications) {
  const auto refused = parse_bgp_notification(bgp_notification(2, 2));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, kBadPeerAs.code);
  EXPECT_EQ(refused->subcode, kBadPeerAs.subcode);
  EXPECT_FALSE(parse_bgp_notification(Bytes(bgp_notification(2, 2)).first(20)));
}

TEST(Tcp, SegmentsAndTheirFlags) {
  const auto plain = parse_tcp(tcp({.sequence = 0xfffffff0}, filler(9)));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->source_port, 40000U);
  EXPECT_EQ(plain->destination_port, 179U);
  EXPECT_EQ(plain->sequence, 0xfffffff0U);
  EXPECT_EQ(plain->payload.size(), 9U);
  EXPECT_TRUE(plain->ack);
  EXPECT_FALSE(plain->syn || plain->fin || plain->rst);
  const auto syn = parse_tcp(tcp({.flags = 0x02}, {}, filler(12)));
  ASSERT_TRUE(syn);
  EXPECT_TRUE(syn->syn);
  EXPECT_TRUE(syn->payload.empty());
  EXPECT_TRUE(parse_tcp(tcp({.flags = 0x05}, {}))->fin);
  EXPECT_TRUE(parse_tcp(tcp({.flags = 0x05}, {}))->rst);
}

TEST(Tcp, HeadersThatDoNotFit) {
  const Buffer whole = tcp({}, {}, filler(8));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(parse_tcp(Bytes(whole).first(n)).error(), ParseError::truncated) << n;
  }
  Buffer low = tcp({}, filler(40));
  low[12] = 0x40;
  EXPECT_EQ(parse_tcp(low).error(), ParseError::bad_header_length);
}

}  // namespace
}  // namespace tunnelwatch::wire
