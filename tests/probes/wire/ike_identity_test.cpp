#include "probes/wire/ike_identity.h"

#include "tests/probes/wire/prefixes.h"

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::expect_only_whole;
using test::expect_prefixes;
using test::from_hex;
using test::lies_inside;

struct IdentityRow {
  const char* name;
  bool is_v1;
  const char* body;
  std::uint8_t type;
  std::uint16_t port;
  std::size_t data;
};

TEST(IkeIdentity, OfEachType) {
  const IdentityRow rows[] = {
      {"v1 address, any protocol and port", true, "01 11 01f4 c000020a", 1, 500, 4},
      {"v1 name", true, "02 00 0000 67772e6578616d706c65", 2, 0, 10},
      {"v1 subnet", true, "04 00 0000 0a010000 ffff0000", 4, 0, 8},
      {"v1 IPv6 subnet", true, "06 00 0000 20010db8000000000000000000000000 ffffffff000000000000000000000000", 6, 0,
       32},
      {"v1 key id", true, "0b 00 0000 00ff", 11, 0, 2},
      {"v2 address", false, "01 000000 c000020a", 1, 0, 4},
      {"v2 IPv6 address", false, "05 000000 20010db8000000000000000000000001", 5, 0, 16},
      {"v2 name", false, "02 000000 6777", 2, 0, 2},
      {"v2 nobody (RFC 7619)", false, "0d 000000", 13, 0, 0},
      {"v2 type 4 is nobody's, so of any length", false, "04 000000 01", 4, 0, 1},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Buffer body = from_hex(row.body);
    const auto id = row.is_v1 ? parse_identity_v1(body) : parse_identity_v2(body);
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->type, row.type);
    EXPECT_EQ(id->port, row.port);
    EXPECT_EQ(id->data.size(), row.data);
    EXPECT_TRUE(lies_inside(id->data, body));
  }
}

TEST(IkeIdentity, AddressesOfAnotherLengthAreRefused) {
  for (const char* body : {"01 000000 c00002", "01 000000 c000020a00", "05 000000 20010db8", "01 000000"}) {
    SCOPED_TRACE(body);
    EXPECT_EQ(parse_identity_v2(from_hex(body)).error(), ParseError::bad_payload_length);
    EXPECT_EQ(parse_identity_v1(from_hex(body)).error(), ParseError::bad_payload_length);
  }
  for (const char* body : {"04 000000 0a010000", "07 000000 0a", "06 000000 0a010000ffff0000", "08 000000"}) {
    SCOPED_TRACE(body);
    EXPECT_EQ(parse_identity_v1(from_hex(body)).error(), ParseError::bad_payload_length);
  }
}

TEST(IkeIdentity, Truncated) {
  expect_only_whole(parse_identity_v1, from_hex("01 11 01f4 c000020a"));
  expect_only_whole(parse_identity_v2, from_hex("05 000000 20010db8000000000000000000000001"));
  expect_prefixes(parse_identity_v1, from_hex("02 00 0000 67772e6578616d706c65"), 4);
  expect_prefixes(parse_identity_v2, from_hex("0b 000000 0102030405"), 4);
}

TEST(IkeCertificate, EncodingAndData) {
  const Buffer body = from_hex("04 3082");
  const auto certificate = parse_certificate(body);
  ASSERT_TRUE(certificate.has_value());
  EXPECT_EQ(certificate->encoding, 4);
  EXPECT_EQ(certificate->data.size(), 2U);
  EXPECT_TRUE(lies_inside(certificate->data, body));
  EXPECT_TRUE(parse_certificate(from_hex("04"))->data.empty());  // a request that any authority answers
  expect_prefixes(parse_certificate, body, 1);
}

TEST(IkeAuthentication, MethodAndData) {
  const Buffer body = from_hex("0e 000000 0c30");
  const auto a = parse_authentication_v2(body);
  ASSERT_TRUE(a.has_value());
  EXPECT_EQ(a->method, 14);
  EXPECT_EQ(a->data.size(), 2U);
  EXPECT_TRUE(lies_inside(a->data, body));
  expect_prefixes(parse_authentication_v2, body, 4);
}

TEST(IkeEap, RequestAndOutcome) {
  const Buffer body = from_hex("01 07 0007 1a 0102");
  const auto request = parse_eap(body);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->code, 1);
  EXPECT_EQ(request->identifier, 7);
  EXPECT_EQ(request->type, 26);
  EXPECT_EQ(request->data.size(), 2U);
  EXPECT_TRUE(lies_inside(request->data, body));
  const auto success = parse_eap(from_hex("03 07 0004"));
  ASSERT_TRUE(success.has_value());
  EXPECT_EQ(success->type, 0);
  expect_only_whole(parse_eap, body);
  expect_only_whole(parse_eap, from_hex("04 07 0004"));
}

TEST(IkeEap, LengthsThatLie) {
  for (const char* body : {"01 07 0003 1a", "01 07 0009 1a 0102", "03 07 0005 00", "01 07 0004"}) {
    SCOPED_TRACE(body);
    EXPECT_EQ(parse_eap(from_hex(body)).error(), ParseError::bad_payload_length);
  }
}

}  // namespace
}  // namespace tunnelwatch::wire
