#include "probes/wire/openvpn_wrap.h"

#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::uint8_t> bytes(std::string_view hex) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

OpenVpnControl whole() {
  OpenVpnControl control;
  control.head = {OpenVpnOpcode::control, 0, 0x0102030405060708};
  control.acks = {7, 9};
  control.acked_session = 0x1112131415161718;
  control.message = 3;
  control.payload = {0xaa, 0xbb};
  return control;
}

TEST(OpenVpn, AMessageIsBuiltAsTheProtocolSaysAndReadBack) {
  const auto control = whole();
  const auto head = build_openvpn_head(control.head);
  EXPECT_EQ(std::vector(head.begin(), head.end()), bytes("200102030405060708"));
  const auto body = build_openvpn_body(control);
  EXPECT_EQ(body, bytes("0200000007000000091112131415161718"
                        "00000003aabb"));
  const auto read = parse_openvpn_body(control.head, body);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->acks, control.acks);
  EXPECT_EQ(read->acked_session, control.acked_session);
  EXPECT_EQ(read->message, control.message);
  EXPECT_EQ(read->payload, control.payload);
}

TEST(OpenVpn, AHardResetOfARealClient) {
  // openvpn 2.6 without tls-auth
  const auto packet = bytes("38a1a2a3a4a5a6a7a80000000000");
  const auto head = parse_openvpn_head(packet);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->opcode, OpenVpnOpcode::hard_reset_client_v2);
  EXPECT_EQ(head->session, 0xa1a2a3a4a5a6a7a8);
  const auto body = parse_openvpn_body(*head, Bytes(packet).subspan(kOpenVpnHead));
  ASSERT_TRUE(body);
  EXPECT_THAT(body->acks, IsEmpty());
  EXPECT_EQ(body->message, 0U);
}

TEST(OpenVpn, AnAcknowledgementHasNoMessageOfItsOwn) {
  const OpenVpnHead head{OpenVpnOpcode::ack, 0, 1};
  const auto read = parse_openvpn_body(head, bytes("01000000050000000000000002"));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->acks, ElementsAre(5));
  EXPECT_EQ(read->message, std::nullopt);
}

TEST(OpenVpn, WhatIsNoneIsRefused) {
  EXPECT_EQ(parse_openvpn_head({}).error(), ParseError::truncated);
  EXPECT_EQ(parse_openvpn_head(bytes("3801020304050607")).error(), ParseError::truncated);
  for (const char* first : {"00", "30", "48", "60", "f8"}) {  // none, data, data, beyond
    EXPECT_EQ(parse_openvpn_head(bytes(first + std::string("0102030405060708"))).error(), ParseError::bad_version)
        << first;
  }
  const auto control = whole();
  const auto body = build_openvpn_body(control);
  for (std::size_t size = 0; size < body.size() - control.payload.size(); ++size) {
    EXPECT_EQ(parse_openvpn_body(control.head, Bytes(body).first(size)).error(), ParseError::truncated) << size;
  }
  EXPECT_EQ(parse_openvpn_body(control.head, bytes("09")).error(), ParseError::too_many);
}

OpenVpnStaticKey key_of(std::uint8_t first) {
  OpenVpnStaticKey key{};
  std::iota(key.begin(), key.end(), first);
  return key;
}

TEST(OpenVpnWrap, OnlyTheOtherEndOfTheSameKeyReadsIt) {
  const OpenVpnWrap wraps[] = {
      *OpenVpnWrap::tls_auth(key_of(1), "SHA256", 1U), *OpenVpnWrap::tls_auth(key_of(1), "SHA512", 0U),
      *OpenVpnWrap::tls_auth(key_of(1), "SHA1", std::nullopt), OpenVpnWrap::tls_crypt(key_of(1))};
  const auto control = whole();
  for (const auto& wrap : wraps) {
    const auto packet = wrap.wrap(control, 5, 1'800'000'000);
    EXPECT_EQ(wrap.mirrored().unwrap(packet), build_openvpn_body(control));
    for (std::size_t i = 0; i < packet.size(); ++i) {
      auto changed = packet;
      changed[i] ^= 1;
      EXPECT_EQ(wrap.mirrored().unwrap(changed), std::nullopt) << i;
    }
    for (std::size_t size = 0; size < packet.size(); ++size) {
      EXPECT_EQ(wrap.mirrored().unwrap(Bytes(packet).first(size)), std::nullopt) << size;
    }
  }
  const auto packet = OpenVpnWrap::tls_crypt(key_of(1)).wrap(control, 1, 1);
  EXPECT_EQ(OpenVpnWrap::tls_crypt(key_of(2)).mirrored().unwrap(packet), std::nullopt);
  EXPECT_EQ(OpenVpnWrap::tls_crypt(key_of(1)).unwrap(packet), std::nullopt) << "our own, sent back";
}

TEST(OpenVpnWrap, NoSuchDigestIsNone) { EXPECT_FALSE(OpenVpnWrap::tls_auth(key_of(1), "NOSUCH", 1U)); }

TEST(OpenVpnStaticKey, TwoHundredFiftySixBytesInHex) {
  std::string digits;
  for (int i = 0; i < 256; ++i) digits += (i % 16 == 0 ? "\r\n" : "") + std::string(i % 2 == 0 ? "0a" : "F1");
  const std::string begin = "# 2048 bit\n-----BEGIN OpenVPN Static key V1-----";
  const std::string end = "\n-----END OpenVPN Static key V1-----\n";
  const auto key = parse_openvpn_static_key(begin + digits + end);
  ASSERT_TRUE(key);
  EXPECT_EQ((*key)[0], 0x0a);
  EXPECT_EQ((*key)[255], 0xf1);
  EXPECT_FALSE(parse_openvpn_static_key(begin + digits + "00" + end));
  EXPECT_FALSE(parse_openvpn_static_key(begin + digits.substr(0, digits.size() - 2) + end));
  EXPECT_FALSE(parse_openvpn_static_key(begin + digits.substr(0, digits.size() - 1) + "g" + end));
  EXPECT_FALSE(parse_openvpn_static_key(begin + digits));
  EXPECT_FALSE(parse_openvpn_static_key(digits));
  EXPECT_FALSE(parse_openvpn_static_key(""));
}

TEST(OpenVpnClientKey, AKeyAndItsWrapping) {
  const std::string begin = "-----BEGIN OpenVPN tls-crypt-v2 client key-----\n";
  const std::string end = "-----END OpenVPN tls-crypt-v2 client key-----\n";
  std::string zeros;
  for (int i = 0; i < 86; ++i) zeros += "AAAA";  // 258 bytes
  const auto key = parse_openvpn_client_key(begin + zeros + "\nAQ==\n" + end);
  ASSERT_TRUE(key);
  EXPECT_THAT(key->wrapped, ElementsAre(0, 0, 1));
  EXPECT_FALSE(parse_openvpn_client_key(begin + zeros + "A\n" + end)) << "no base64";
  EXPECT_FALSE(parse_openvpn_client_key(begin + zeros.substr(0, 340) + end)) << "too short";
  EXPECT_FALSE(parse_openvpn_client_key(begin + end));
  std::string large;
  for (int i = 0; i < 500; ++i) large += "AAAA";
  EXPECT_FALSE(parse_openvpn_client_key(begin + large + end)) << "too long";
}

}  // namespace
}  // namespace tunnelwatch::wire
