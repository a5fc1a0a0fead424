#include "probes/wire/esp_echo.h"

#include "tests/probes/wire/prefixes.h"

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::from_hex;

// Of the layout that other implementations send: request, no flags, 4 bytes of data, id 0x1234, number 1.
const char* const kRequest = "00000007 00000001 02 00 0004 1234 0001 42424242";
const char* const kReply = "00000008 00000000 03 00 0004 1234 0001 42424242";

TEST(EspEcho, ARequestIsWhatTheDraftDraws) {
  const Buffer data{0x42, 0x42, 0x42, 0x42};
  EXPECT_EQ(esp_echo_request(1, 0x1234, 1, data), from_hex(kRequest));
}

TEST(EspEcho, BothDirectionsAreRead) {
  for (const char* hex : {kRequest, kReply}) {
    SCOPED_TRACE(hex);
    const Buffer bytes = from_hex(hex);
    const auto echo = parse_esp_echo(bytes);
    ASSERT_TRUE(echo);
    EXPECT_EQ(echo->reply, hex == kReply);
    EXPECT_EQ(echo->layout, EspEchoLayout::message);
    EXPECT_EQ(echo->sequence, hex == kReply ? 0U : 1U);
    EXPECT_EQ(echo->id, 0x1234);
    EXPECT_EQ(echo->number, 1);
    EXPECT_EQ(Buffer(echo->data.begin(), echo->data.end()), (Buffer{0x42, 0x42, 0x42, 0x42}));
    EXPECT_EQ(echo->size, bytes.size());
  }
}

TEST(EspEcho, EveryTruncationIsRefused) {
  for (const char* hex : {kRequest, kReply, "00000007 00000001 02 80 0004 1234 0001 0a0b0c0d 42424242"}) {
    const Buffer whole = from_hex(hex);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const Buffer prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      const auto echo = parse_esp_echo(prefix);
      ASSERT_FALSE(echo) << hex << " cut to " << n;
      EXPECT_EQ(echo.error(), n < 16 ? ParseError::truncated : ParseError::bad_length) << hex << " cut to " << n;
    }
  }
}

TEST(EspEcho, WhatIsNoEcho) {
  struct Row {
    const char* name;
    const char* hex;
    ParseError error;
  };
  for (const Row& row :
       {Row{"an SA's SPI", "0ab6d5ae 00000001 02 00 0000 1234 0001", ParseError::unsupported},
        Row{"SPI 6", "00000006 00000001 02 00 0000 1234 0001", ParseError::unsupported},
        Row{"a reply's SPI with a request", "00000008 00000001 02 00 0000 1234 0001", ParseError::unsupported},
        Row{"a request's SPI with a reply", "00000007 00000001 03 00 0000 1234 0001", ParseError::unsupported},
        Row{"sub-type 0", "00000007 00000001 00 00 0000 1234 0001", ParseError::unsupported},
        Row{"one byte more than there is", "00000007 00000001 02 00 0005 1234 0001 42424242", ParseError::bad_length},
        Row{"no room for the return SPI", "00000007 00000001 02 80 0000 1234 0001 0a0b0c", ParseError::bad_length},
        Row{"padding that lies", "00000007 00000001 01 02 03 3b", ParseError::truncated},
        Row{"another next header", "00000007 00000001 01 02 02 04", ParseError::truncated}}) {
    SCOPED_TRACE(row.name);
    const Buffer bytes = from_hex(row.hex);
    const auto echo = parse_esp_echo(bytes);
    ASSERT_FALSE(echo);
    EXPECT_EQ(echo.error(), row.error);
  }
}

TEST(EspEcho, TheFirstDraftsHadNoPayload) {
  const Buffer request = from_hex("00000007 00000009 01 02 02 3b");
  const auto echo = parse_esp_echo(request);
  ASSERT_TRUE(echo);
  EXPECT_EQ(echo->layout, EspEchoLayout::bare);
  EXPECT_EQ(echo->sequence, 9U);
  EXPECT_EQ(esp_echo_reply(*echo), from_hex("00000008 00000009 01 02 02 3b"));
  const Buffer unpadded = from_hex("00000007 00000009 00 3b");
  ASSERT_TRUE(parse_esp_echo(unpadded));
  EXPECT_EQ(esp_echo_reply(*parse_esp_echo(unpadded)), from_hex("00000008 00000009 00 3b"));
}

TEST(EspEcho, AMessageWhoseDataEndsLikePaddingIsAMessage) {
  const Buffer request = from_hex("00000007 00000001 02 00 0002 1234 0001 083b");
  ASSERT_TRUE(parse_esp_echo(request));
  EXPECT_EQ(parse_esp_echo(request)->layout, EspEchoLayout::message);
}

TEST(EspEcho, AReplySaysWhatTheRequestSaidAndIsNeverLonger) {
  for (const char* hex : {kRequest, "00000007 00000001 02 80 0004 1234 0001 0a0b0c0d 42424242",
                          "00000007 00000001 02 00 0004 1234 0001 42424242 ffff", "00000007 00000009 00 3b",
                          "00000007 00000009 01 01 3b", "00000007 00000009 01 02 02 3b"}) {
    SCOPED_TRACE(hex);
    const Buffer bytes = from_hex(hex);
    const auto request = parse_esp_echo(bytes);
    ASSERT_TRUE(request);
    const Buffer answer = esp_echo_reply(*request);
    EXPECT_LE(answer.size(), bytes.size());
    const auto reply = parse_esp_echo(answer);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->reply);
    EXPECT_EQ(reply->layout, request->layout);
    EXPECT_EQ(reply->id, request->id);
    EXPECT_EQ(reply->number, request->number);
    EXPECT_EQ(reply->sequence, request->sequence);
    EXPECT_EQ(Buffer(reply->data.begin(), reply->data.end()), Buffer(request->data.begin(), request->data.end()));
  }
}

}  // namespace
}  // namespace tunnelwatch::wire
