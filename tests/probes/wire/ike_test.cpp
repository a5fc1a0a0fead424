#include "probes/wire/ike.h"

#include "probes/wire/ike_names.h"
#include "probes/wire/ike_payloads.h"
#include "tests/support/ike_bytes.h"

#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::RawMessage;

RawMessage init_request() {
  RawMessage m;
  m.payloads = {test::sa_v2({}), test::ke_v2(14), {v2_nonce, Buffer(32, 1)}, test::notify_v2(16388, Buffer(20, 2))};
  return m;
}

TEST(IkeMessage, ReadsHeaderAndPayloads) {
  const Buffer bytes = test::bytes_of(init_request());
  const auto m = parse_ike(bytes, false);
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->header.spi_initiator, 0x1122334455667788U);
  EXPECT_EQ(m->header.exchange, ike_sa_init);
  EXPECT_TRUE(m->header.from_initiator());
  EXPECT_FALSE(m->header.is_response());
  ASSERT_EQ(m->payloads.size(), 4U);
  EXPECT_EQ(m->payloads[1].type, v2_ke);
  EXPECT_FALSE(m->payload_error);
  EXPECT_FALSE(m->trailing);
}

TEST(IkeMessage, EveryPrefixIsAnErrorUnlessTheCaptureCutIt) {
  const Buffer bytes = test::bytes_of(init_request());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    SCOPED_TRACE(n);
    const Bytes prefix(bytes.data(), n);
    const auto whole = parse_ike(prefix, false);
    ASSERT_FALSE(whole.has_value());
    EXPECT_EQ(whole.error(), n < kIkeHeaderSize ? ParseError::truncated : ParseError::bad_length);
    const auto cut = parse_ike(prefix, true);
    EXPECT_EQ(cut.has_value(), n >= kIkeHeaderSize);
    if (cut) {
      EXPECT_TRUE(cut->cut);
      EXPECT_FALSE(cut->payload_error);
    }
  }
}

struct BadMessage {
  const char* name;
  void (*damage)(Buffer&);
  std::optional<ParseError> error;          // of the message
  std::optional<ParseError> payload_error;  // of a payload inside
};

TEST(IkeMessage, NamesWhatIsWrong) {
  const BadMessage rows[] = {
      {"major version 3", [](Buffer& b) { b[17] = 0x30; }, ParseError::bad_version, {}},
      {"length below the header",
       [](Buffer& b) {
         b[27] = 20;
         b[26] = 0;
       },
       ParseError::bad_length,
       {}},
      {"length beyond the datagram", [](Buffer& b) { b[25] = 1; }, ParseError::bad_length, {}},
      {"payload shorter than its header",
       [](Buffer& b) {
         b[30] = 0;
         b[31] = 3;
       },
       {},
       ParseError::bad_payload_length},
      {"payload beyond the message", [](Buffer& b) { b[30] = 0x7f; }, {}, ParseError::bad_payload_length},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Buffer bytes = test::bytes_of(init_request());
    row.damage(bytes);
    const auto m = parse_ike(bytes, false);
    EXPECT_EQ(m.has_value(), !row.error.has_value());
    if (!m) {
      EXPECT_EQ(m.error(), *row.error);
    } else {
      EXPECT_EQ(m->payload_error, row.payload_error);
    }
  }
}

TEST(IkeMessage, TooManyPayloadsAreAnErrorOfThePayloads) {
  RawMessage m;
  for (int i = 0; i < 70; ++i) m.payloads.push_back(test::notify_v2(16388));
  const Buffer bytes = test::bytes_of(m);
  const auto parsed = parse_ike(bytes, false);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->payload_error, ParseError::too_many);
  EXPECT_EQ(parsed->payloads.size(), IkeMessage::kMaxPayloads);
}

TEST(IkeMessage, EncryptedPayloadNamesWhatIsFirstInside) {
  RawMessage m;
  m.exchange = ike_auth;
  m.payloads = {test::encrypted_v2(v2_id_responder, 100)};
  const Buffer bytes = test::bytes_of(m);
  const auto parsed = parse_ike(bytes, false);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_TRUE(parsed->encrypted);
  EXPECT_EQ(parsed->first_inner, v2_id_responder);
  EXPECT_EQ(parsed->encrypted_bytes, 16U + 112U + 16U);
}

TEST(IkeMessage, OnlyTheFirstFragmentNamesWhatIsInside) {
  const auto fragment = [](std::uint8_t first, std::uint16_t number, std::uint16_t total) {
    RawMessage m;
    m.exchange = ike_auth;
    Buffer body{first};
    test::put(body, number, 2);
    test::put(body, total, 2);
    body.resize(body.size() + 64);
    m.payloads = {{v2_encrypted_fragment, body}};
    return test::bytes_of(m);
  };
  const Buffer first = fragment(v2_id_initiator, 1, 2);
  const Buffer second = fragment(0, 2, 2);
  EXPECT_EQ(parse_ike(first, false)->first_inner, v2_id_initiator);
  EXPECT_EQ(parse_ike(first, false)->fragments, 2);
  EXPECT_EQ(parse_ike(second, false)->first_inner, std::nullopt);
  for (const auto& [number, total] : {std::pair{3, 2}, {0, 2}, {0, 0}}) {  // they are counted from 1
    SCOPED_TRACE(number);
    const Buffer impossible = fragment(0, static_cast<std::uint16_t>(number), static_cast<std::uint16_t>(total));
    const auto parsed = parse_ike(impossible, false);
    EXPECT_EQ(parsed->payload_error, ParseError::bad_payload_length);
    EXPECT_EQ(parsed->fragments, 0);
  }
}

TEST(IkeMessage, Version1EncryptedBodyIsNotRead) {
  RawMessage m;
  m.version = 0x10;
  m.exchange = v1_identity_protection;
  m.flags = 0x01;
  m.raw_body = Buffer(64, 0xff);
  const Buffer bytes = test::bytes_of(m);
  const auto parsed = parse_ike(bytes, false);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_TRUE(parsed->encrypted);
  EXPECT_TRUE(parsed->payloads.empty());
  EXPECT_EQ(parsed->encrypted_bytes, 64U);
}

TEST(IkeMessage, BytesBehindTheMessageAreTold) {
  Buffer bytes = test::bytes_of(init_request());
  bytes.push_back(0);
  EXPECT_TRUE(parse_ike(bytes, false)->trailing);
}

TEST(IkePayloads, SecurityAssociationOfVersion2) {
  const auto sa = test::sa_v2({});
  const auto proposals = parse_sa_v2(sa.body);
  ASSERT_TRUE(proposals.has_value());
  ASSERT_EQ(proposals->size(), 1U);
  EXPECT_EQ(to_string(proposals->front()), "AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048");
}

TEST(IkePayloads, EveryPrefixOfASecurityAssociationFails) {
  const auto sa = test::sa_v2({});
  for (std::size_t n = 0; n < sa.body.size(); ++n) {
    SCOPED_TRACE(n);
    EXPECT_FALSE(parse_sa_v2(Bytes(sa.body.data(), n)).has_value());
  }
}

// RFC 2409 appendix A: one proposal with one transform of AES-256, SHA2-256, PSK, group 14.
Buffer sa_v1() {
  Buffer attributes;
  for (const auto& [type, value] :
       std::initializer_list<std::pair<int, int>>{{1, 7}, {14, 256}, {2, 4}, {3, 1}, {4, 14}, {11, 1}}) {
    test::put(attributes, 0x8000U | static_cast<unsigned>(type), 2);
    test::put(attributes, static_cast<std::uint64_t>(value), 2);
  }
  test::put(attributes, 0x000c0004, 4);  // a life of four bytes
  test::put(attributes, 86400, 4);
  Buffer body;
  test::put(body, 1, 4);
  test::put(body, 1, 4);
  test::put(body, 0, 2);
  test::put(body, attributes.size() + 16, 2);
  test::put(body, 0x01010001, 4);
  test::put(body, 0, 2);
  test::put(body, attributes.size() + 8, 2);
  test::put(body, 0x01010000, 4);
  body.insert(body.end(), attributes.begin(), attributes.end());
  return body;
}

TEST(IkePayloads, SecurityAssociationOfVersion1) {
  const Buffer body = sa_v1();
  const auto transforms = parse_sa_v1(body);
  ASSERT_TRUE(transforms.has_value());
  ASSERT_EQ(transforms->size(), 1U);
  EXPECT_EQ(to_string(transforms->front()), "AES_CBC-256/SHA2_256/PSK/MODP_2048");
  EXPECT_EQ(transforms->front().life_seconds, 86400U);
  for (std::size_t n = 0; n < body.size(); ++n) {
    SCOPED_TRACE(n);
    EXPECT_FALSE(parse_sa_v1(Bytes(body.data(), n)).has_value());
  }
}

TEST(IkePayloads, NotifiesOfBothVersions) {
  const auto v2 = test::notify_v2(17, {0, 19});
  const auto parsed = parse_notify_v2(v2.body);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->type, 17);
  EXPECT_EQ(parsed->data.size(), 2U);
  Buffer v1;
  test::put(v1, 1, 4);
  test::put(v1, 1, 1);
  test::put(v1, 16, 1);
  test::put(v1, 14, 2);
  v1.resize(v1.size() + 16);
  ASSERT_TRUE(parse_notify_v1(v1).has_value());
  EXPECT_EQ(parse_notify_v1(v1)->type, 14);
  for (std::size_t n = 0; n < v1.size(); ++n) EXPECT_FALSE(parse_notify_v1(Bytes(v1.data(), n)).has_value()) << n;
}

}  // namespace
}  // namespace tunnelwatch::wire
