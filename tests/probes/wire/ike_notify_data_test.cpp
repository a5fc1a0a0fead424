#include "probes/wire/ike_notify_data.h"

#include "tests/probes/wire/prefixes.h"

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::expect_only_whole;
using test::expect_prefixes;
using test::from_hex;
using test::lies_inside;

TEST(IkeNotifyData, Numbers) {
  EXPECT_EQ(*parse_notify_number(from_hex("0013"), 2), 19U);
  EXPECT_EQ(*parse_notify_number(from_hex("00015180"), 4), 86400U);
  EXPECT_EQ(*parse_notify_number(from_hex("c8"), 1), 200U);
  for (const char* body : {"", "00", "000013"}) EXPECT_FALSE(parse_notify_number(from_hex(body), 2).has_value());
  EXPECT_FALSE(parse_notify_number(Buffer(5, 1), 5).has_value());
}

TEST(IkeNotifyData, Cookies) {
  EXPECT_EQ(parse_cookie(Buffer(24, 1))->size(), 24U);
  EXPECT_FALSE(parse_cookie(Buffer{}).has_value());
  EXPECT_TRUE(parse_cookie(Buffer(64, 1)).has_value());
  EXPECT_FALSE(parse_cookie(Buffer(65, 1)).has_value());
}

TEST(IkeNotifyData, RedirectNamesTheOtherGateway) {
  const Buffer body = from_hex("01 04 cb007109 00112233445566778899aabbccddeeff");
  const auto redirect = parse_redirect(body);
  ASSERT_TRUE(redirect.has_value());
  EXPECT_EQ(redirect->type, 1);
  EXPECT_EQ(redirect->gateway.size(), 4U);
  EXPECT_EQ(redirect->nonce.size(), 16U);
  EXPECT_TRUE(lies_inside(redirect->gateway, body));
  EXPECT_TRUE(lies_inside(redirect->nonce, body));
  EXPECT_EQ(parse_redirect(from_hex("03 02 6777"))->gateway.size(), 2U);
  for (const char* bad : {"01 03 cb0071", "01 05 cb00710900", "02 04 cb007109", "03 00", "03 05 6777"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(parse_redirect(from_hex(bad)).error(), ParseError::bad_payload_length);
  }
  expect_prefixes(parse_redirect, body, 6);
  expect_only_whole(parse_redirect, from_hex("02 10 20010db8000000000000000000000001"));
}

TEST(IkeNotifyData, TicketsAndTheirLife) {
  const Buffer body = from_hex("00000e10 a1a2a3");
  const auto ticket = parse_ticket(body);
  ASSERT_TRUE(ticket.has_value());
  EXPECT_EQ(ticket->lifetime_seconds, 3600U);
  EXPECT_EQ(ticket->ticket.size(), 3U);
  EXPECT_TRUE(lies_inside(ticket->ticket, body));
  expect_prefixes(parse_ticket, body, 5);
}

TEST(IkeNotifyData, MessageIdSync) {
  const auto sync = parse_message_id_sync(from_hex("01020304 00000007 00000009"));
  ASSERT_TRUE(sync.has_value());
  EXPECT_EQ(sync->expected_send, 7U);
  EXPECT_EQ(sync->expected_receive, 9U);
  expect_only_whole(parse_message_id_sync, from_hex("01020304 00000007 00000009"));
  EXPECT_FALSE(parse_message_id_sync(Buffer(13, 0)).has_value());
}

TEST(IkeNotifyData, SignatureHashes) {
  const auto hashes = parse_signature_hashes(from_hex("0002 0003 0004 0005"));
  ASSERT_TRUE(hashes.has_value());
  EXPECT_EQ(hashes->size(), 4U);
  EXPECT_EQ(hashes->back(), 5);
  for (const std::size_t n : {0U, 1U, 3U, 5U, 7U}) {
    EXPECT_EQ(parse_signature_hashes(Buffer(n, 0)).error(), ParseError::bad_payload_length) << n;
  }
  EXPECT_EQ(parse_signature_hashes(Buffer(34, 0)).error(), ParseError::too_many);
  EXPECT_TRUE(parse_signature_hashes(Buffer(32, 0)).has_value());
}

TEST(IkeNotifyData, AuthenticationMethods) {
  const auto methods = parse_auth_methods(from_hex("02 02  03 01 09  07 01 0e 30 0c 06 0a"));
  ASSERT_TRUE(methods.has_value());
  ASSERT_EQ(methods->size(), 3U);
  EXPECT_EQ((*methods)[0], 2);
  EXPECT_EQ((*methods)[1], 9);
  EXPECT_EQ((*methods)[2], 14);
  EXPECT_TRUE(parse_auth_methods(Buffer{})->empty());
  for (const char* bad : {"01 02", "00", "02", "03 01", "09 01 0e"}) {
    SCOPED_TRACE(bad);
    EXPECT_EQ(parse_auth_methods(from_hex(bad)).error(), ParseError::bad_payload_length);
  }
  Buffer many;
  for (int i = 0; i < 33; ++i) test::put(many, 0x0202, 2);
  EXPECT_EQ(parse_auth_methods(many).error(), ParseError::too_many);
}

TEST(IkeNotifyData, TheSmallOnes) {
  EXPECT_EQ(parse_puzzle(from_hex("0005 0c"))->difficulty, 12);
  expect_only_whole(parse_puzzle, from_hex("0005 0c"));
  EXPECT_EQ(parse_ppk_identity(from_hex("02 6964"))->identity.size(), 2U);
  expect_prefixes(parse_ppk_identity, from_hex("02 6964"), 2);
  EXPECT_EQ(parse_ipcomp_supported(from_hex("1234 02"))->transform, 2);
  expect_only_whole(parse_ipcomp_supported, from_hex("1234 02"));
}

TEST(IkeNotifyData, LifeOfAResponderByPhase) {
  const Buffer phase1 = from_hex("800b 0001 000c 0004 00007080");
  EXPECT_EQ(parse_responder_lifetime_v1(phase1, true)->seconds, 28800U);
  EXPECT_FALSE(parse_responder_lifetime_v1(phase1, false).has_value());  // there these numbers mean other things
  const Buffer phase2 = from_hex("8001 0002 0002 0004 00465000");
  EXPECT_EQ(parse_responder_lifetime_v1(phase2, false)->kilobytes, 4608000U);
  expect_only_whole([](Bytes b) { return parse_responder_lifetime_v1(b, true); }, phase1);
}

}  // namespace
}  // namespace tunnelwatch::wire
