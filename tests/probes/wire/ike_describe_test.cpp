#include "probes/wire/ike_describe.h"

#include "tests/probes/wire/prefixes.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::from_hex;
using test::RawMessage;
using test::RawPayload;

std::string told(const RawMessage& m) { return describe_ike(test::bytes_of(m), false); }

RawMessage v1(std::uint8_t exchange, std::vector<RawPayload> payloads) {
  RawMessage m;
  m.version = 0x10;
  m.exchange = exchange;
  m.flags = 0;
  m.payloads = std::move(payloads);
  return m;
}

RawMessage v2(std::uint8_t exchange, std::uint8_t flags, std::vector<RawPayload> payloads) {
  RawMessage m;
  m.exchange = exchange;
  m.flags = flags;
  m.payloads = std::move(payloads);
  return m;
}

Buffer sa_v1() {
  return from_hex(
      "00000001 00000001 00 00 0038 01 01 0001 00 00 0030 01 01 0000"
      " 8001 0007 800e 0100 8002 0004 8003 0001 8004 000e 800b 0001 000c 0004 00015180 8005 0001 800f 0100");
}

TEST(IkeDescribe, FirstMessagesOfVersion2) {
  const RawMessage request = v2(ike_sa_init, 0x08,
                                {test::sa_v2({}),
                                 test::ke_v2(14),
                                 {v2_nonce, Buffer(32, 1)},
                                 test::notify_v2(16388, Buffer(20, 2)),
                                 test::notify_v2(16431, from_hex("00020005")),
                                 {v2_vendor, from_hex("882fe56d6fd20dbc2251613b2ebe5beb")}});
  EXPECT_EQ(told(request),
            "IKE_SA_INIT request SA(AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048) KE(MODP_2048) Nonce(32) "
            "N(NAT_DETECTION_SOURCE_IP) N(SIGNATURE_HASH_ALGORITHMS SHA2_256 IDENTITY) VID(strongSwan)");
  EXPECT_EQ(told(v2(ike_sa_init, 0x20, {test::notify_v2(17, from_hex("0013"))})),
            "IKE_SA_INIT response N(INVALID_KE_PAYLOAD ECP_256)");
  EXPECT_EQ(told(v2(ike_sa_init, 0x20, {test::notify_v2(16390, Buffer(20, 7))})),
            "IKE_SA_INIT response N(COOKIE 20 bytes)");
  EXPECT_EQ(told(v2(ike_sa_init, 0x20, {test::notify_v2(16407, from_hex("01 04 cb007109 0011"))})),
            "IKE_SA_INIT response N(REDIRECT to 203.0.113.9)");
  EXPECT_EQ(told(v2(ike_sa_init, 0x20, {test::notify_v2(1, from_hex("c8"))})),
            "IKE_SA_INIT response N(UNSUPPORTED_CRITICAL_PAYLOAD PAYLOAD_200)");
  EXPECT_EQ(told(v2(ike_session_resume, 0x08, {{v2_nonce, Buffer(16, 1)}, test::notify_v2(16413, Buffer(40, 1))})),
            "IKE_SESSION_RESUME request Nonce(16) N(TICKET_OPAQUE 40 bytes)");
}

TEST(IkeDescribe, WhatIsEncryptedInVersion2) {
  EXPECT_EQ(told(v2(ike_auth, 0x08, {test::encrypted_v2(v2_id_initiator, 150)})),
            "IKE_AUTH request encrypted 224 bytes, first IDi");
  EXPECT_EQ(told(v2(informational, 0x28, {test::encrypted_v2(v2_none, 0)})),
            "INFORMATIONAL response encrypted 80 bytes, empty");
  EXPECT_EQ(told(v2(ike_intermediate, 0x08, {test::encrypted_v2(v2_ke, 100)})),
            "IKE_INTERMEDIATE request encrypted 176 bytes, first KE");
  const auto fragment = [](std::uint8_t first, int number) {
    Buffer body{first};
    test::put(body, static_cast<std::uint64_t>(number), 2);
    test::put(body, 5, 2);
    body.resize(body.size() + 60);
    return told(v2(ike_auth, 0x08, {{v2_encrypted_fragment, body}}));
  };
  EXPECT_EQ(fragment(v2_id_initiator, 1), "IKE_AUTH request encrypted 96 bytes, fragment 1 of 5, first IDi");
  EXPECT_EQ(fragment(0, 2), "IKE_AUTH request encrypted 96 bytes, fragment 2 of 5");
}

TEST(IkeDescribe, PayloadsThatADecryptedCaptureShows) {
  const auto payload = [](std::uint8_t type, const char* hex) {
    const Buffer body = from_hex(hex);
    return describe_payload_v2({type, false, body});
  };
  EXPECT_EQ(payload(v2_id_initiator, "02 000000 67772e6578616d706c65"), "IDi(FQDN \"gw.example\")");
  EXPECT_EQ(payload(v2_id_responder, "01 000000 c000020a"), "IDr(IPV4_ADDR 192.0.2.10)");
  EXPECT_EQ(payload(v2_id_responder, "09 000000 3000"), "IDr(DER_ASN1_DN 2 bytes)");
  EXPECT_EQ(payload(v2_cert, "04 3082"), "CERT(X509_SIGNATURE, 2 bytes)");
  EXPECT_EQ(payload(v2_cert_request, "04 000102030405060708090a0b0c0d0e0f10111213"),
            "CERTREQ(X509_SIGNATURE, 1 authority)");
  EXPECT_EQ(payload(v2_auth, "02 000000 00"), "AUTH(PSK)");
  EXPECT_EQ(payload(v2_delete, "03 04 0002 11111111 22222222"), "D(ESP, 2 SPIs)");
  EXPECT_EQ(payload(v2_delete, "01 00 0000"), "D(IKE)");
  EXPECT_EQ(payload(v2_ts_initiator, "01 000000 07 06 0010 01bb 01bb 0a010000 0a0100ff"),
            "TSi(10.1.0.0-10.1.0.255 protocol 6 port 443-443)");
  EXPECT_EQ(payload(v2_config, "01 000000 0001 0000 0003 0000"),
            "CP(CFG_REQUEST: INTERNAL_IP4_ADDRESS INTERNAL_IP4_DNS)");
  EXPECT_EQ(payload(v2_eap, "01 07 0005 1a"), "EAP(request, type 26)");
  EXPECT_EQ(payload(v2_eap, "04 07 0004"), "EAP(failure)");
  EXPECT_EQ(payload(v2_notify, "03 04 4009 deadbeef"), "N(REKEY_SA ESP 0xdeadbeef)");
  EXPECT_EQ(payload(v2_notify, "00 00 4013 00000e10"), "N(AUTH_LIFETIME 3600 s)");
  EXPECT_EQ(payload(v2_notify, "00 00 4026 00000001 00000002 00000003"), "N(IKEV2_MESSAGE_ID_SYNC send 2 receive 3)");
}

TEST(IkeDescribe, Version1) {
  EXPECT_EQ(
      told(v1(v1_identity_protection, {{v1_sa, sa_v1()}, {v1_vendor, from_hex("afcad71368a1f1c96b8696fc77570100")}})),
      "MAIN_MODE SA(AES_CBC-256/SHA2_256/PSK/MODP_2048 86400 s) VID(DPD 1.0)");
  EXPECT_EQ(told(v1(v1_aggressive, {{v1_ke, Buffer(256, 1)},
                                    {v1_nonce, Buffer(20, 1)},
                                    {v1_id, from_hex("01 11 01f4 c000020a")},
                                    {v1_nat_d, Buffer(20, 1)}})),
            "AGGRESSIVE KE(256) Nonce(20) ID(IPV4_ADDR 192.0.2.10) NAT-D(20)");
  EXPECT_EQ(told(v1(v1_informational, {{v1_notify, from_hex("00000001 01 00 000e")}})),
            "INFORMATIONAL N(NO_PROPOSAL_CHOSEN)");
  EXPECT_EQ(told(v1(v1_informational, {{v1_notify, from_hex("00000001 01 00 6000 800b0001 800c7080")}})),
            "INFORMATIONAL N(RESPONDER_LIFETIME 28800 s)");
  EXPECT_EQ(told(v1(v1_informational, {{v1_delete, from_hex("00000001 03 04 0001 11111111")}})),
            "INFORMATIONAL D(ESP, 1 SPI)");
  EXPECT_EQ(told(v1(v1_transaction, {{v1_hash, Buffer(20, 1)}, {v1_attributes, from_hex("01 00 0001 4089 0000")}})),
            "TRANSACTION HASH(20) ATTR(CFG_REQUEST: XAUTH_USER_NAME)");
  EXPECT_EQ(told(v1(v1_identity_protection, {{v1_fragment, from_hex("0001 02 01 aabb")}})),
            "MAIN_MODE FRAGMENT(2, the last, 2 bytes)");
  RawMessage encrypted = v1(v1_quick, {});
  encrypted.flags = 1;
  encrypted.raw_body = Buffer(176, 0xee);
  EXPECT_EQ(told(encrypted), "QUICK_MODE encrypted 204 bytes");
}

TEST(IkeDescribe, WhatIsWrongIsTold) {
  EXPECT_EQ(told(v2(ike_sa_init, 0x08, {test::ke_v2(14, 128)})), "IKE_SA_INIT request KE(MODP_2048, 128 bytes)");
  EXPECT_EQ(told(v2(ike_sa_init, 0x08, {{v2_sa, from_hex("0000")}})), "IKE_SA_INIT request SA(malformed)");
  EXPECT_EQ(told(v2(ike_sa_init, 0x08, {{200, from_hex("0000"), /*critical=*/true}})),
            "IKE_SA_INIT request PAYLOAD_200(2 bytes, critical)");
  RawMessage version3 = v2(ike_sa_init, 0x08, {});
  version3.version = 0x30;
  EXPECT_EQ(told(version3), "IKE version 3.0, 28 bytes");
  EXPECT_EQ(describe_ike(Buffer(10, 0), false), "unreadable, 10 bytes: truncated");
  Buffer bytes = test::bytes_of(v2(ike_sa_init, 0x08, {{v2_nonce, Buffer(32, 1)}, test::notify_v2(14)}));
  bytes[30] = 0x7f;  // the nonce's length
  EXPECT_EQ(describe_ike(bytes, false), "IKE_SA_INIT request [malformed: bad_payload_length]");
  bytes = test::bytes_of(v2(ike_sa_init, 0x08, {{v2_nonce, Buffer(32, 1)}}));
  bytes.push_back(0);
  EXPECT_EQ(describe_ike(bytes, false), "IKE_SA_INIT request Nonce(32) [bytes behind it]");
  bytes.resize(28);
  EXPECT_EQ(describe_ike(bytes, true), "IKE_SA_INIT request [cut by the capture]");
}

TEST(IkeDescribe, ALineIsBounded) {
  RawMessage m = v2(ike_sa_init, 0x08, {});
  for (int i = 0; i < 60; ++i) m.payloads.push_back(test::notify_v2(16389));
  const std::string line = told(m);
  EXPECT_LE(line.size(), DescribeLimits{}.line);
  EXPECT_NE(line.find(" +4"), std::string::npos) << line;
  EXPECT_TRUE(line.ends_with(" more")) << line;
  RawMessage wide = v2(ike_sa_init, 0x08, {});
  Buffer transforms;
  for (int i = 0; i < 60; ++i) {
    const Buffer t = test::transform(1, 12, 256, i == 59);
    transforms.insert(transforms.end(), t.begin(), t.end());
  }
  Buffer sa;
  test::put(sa, transforms.size() + 8, 4);
  test::put(sa, 0x0101003c, 4);
  sa.insert(sa.end(), transforms.begin(), transforms.end());
  wide.payloads = {{v2_sa, sa}, {v2_nonce, Buffer(32, 1)}};
  EXPECT_TRUE(told(wide).ends_with("...) Nonce(32)")) << told(wide);
}

// Whatever is cut or changed: one line, printable, bounded.
TEST(IkeDescribe, EveryTruncationAndEveryDamagedByteIsALine) {
  const Buffer messages[] = {
      test::bytes_of(v2(ike_sa_init, 0x08,
                        {test::sa_v2({}),
                         test::ke_v2(19, 64),
                         {v2_nonce, Buffer(32, 1)},
                         test::notify_v2(16407, from_hex("03 02 6777 0011")),
                         {v2_vendor, Buffer(24, 0x1b)}})),
      test::bytes_of(
          v1(v1_aggressive, {{v1_sa, sa_v1()},
                             {v1_id, from_hex("02 00 0000 1b5b0a")},
                             {v1_notify, from_hex("00000001 01 10 000e 00112233445566778899aabbccddeeff")}})),
  };
  const auto check = [](const Buffer& bytes, bool cut) {
    const std::string line = describe_ike(bytes, cut);
    EXPECT_FALSE(line.empty());
    EXPECT_LE(line.size(), DescribeLimits{}.line + 80);
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) << line;
  };
  for (const Buffer& message : messages) {
    for (std::size_t n = 0; n < message.size(); ++n) {
      SCOPED_TRACE(n);
      const Buffer prefix(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(n));
      check(prefix, true);
      check(prefix, false);
      for (const std::uint8_t damage : from_hex("00 01 7f ff")) {
        Buffer changed = message;
        changed[n] = damage;
        check(changed, false);
      }
    }
  }
}

}  // namespace
}  // namespace tunnelwatch::wire
