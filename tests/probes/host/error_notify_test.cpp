#include "probes/host/error_notify.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;
using Buffer = std::vector<std::uint8_t>;

// Three records of charon 5.9.8: another key, twice, then other selectors.
Buffer recorded() {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/error_notify/records.bin", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<ErrorNotification> read_in_pieces(const Buffer& bytes, std::size_t step) {
  ErrorNotifyStream stream;
  std::vector<ErrorNotification> read;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    stream.feed(wire::Bytes(bytes).subspan(at, std::min(step, bytes.size() - at)));
    while (auto n = stream.next()) read.push_back(std::move(*n));
  }
  EXPECT_FALSE(stream.failed());
  return read;
}

TEST(ErrorNotify, RecordsOfTheDaemonInAnyPieces) {
  const Buffer bytes = recorded();
  ASSERT_EQ(bytes.size(), 3 * kErrorNotifySize);
  for (const std::size_t step : {std::size_t{1}, std::size_t{767}, std::size_t{769}, bytes.size()}) {
    const std::string peer = "198.51.100.20[4500]";
    EXPECT_THAT(
        read_in_pieces(bytes, step),
        ElementsAre(
            ErrorNotification{DaemonAlert::peer_auth_failed, "peer authentication failed", "tun", "b.example", peer},
            ErrorNotification{DaemonAlert::local_auth_failed, "local authentication failed", "tun", "b.example", peer},
            ErrorNotification{DaemonAlert::ts_mismatch,
                              "the received traffic selectors did not match: 10.9.0.0/24 === 10.1.0.0/24", "tun",
                              "b.example", peer}))
        << step;
  }
}

TEST(ErrorNotify, ARecordOfAnotherSizeIsNone) {
  const Buffer bytes = recorded();
  for (std::size_t size = 0; size < kErrorNotifySize; ++size) EXPECT_FALSE(parse_error_notify({bytes.data(), size}));
  EXPECT_FALSE(parse_error_notify({bytes.data(), kErrorNotifySize + 1}));
}

TEST(ErrorNotify, ATextThatFillsItsFieldEndsThere) {
  Buffer bytes(kErrorNotifySize, 'x');
  bytes[0] = bytes[1] = bytes[2] = 0;
  bytes[3] = 200;  // of a plugin that is yet to come
  const auto n = parse_error_notify(bytes);
  ASSERT_TRUE(n);
  EXPECT_EQ(static_cast<unsigned>(n->alert), 200U);
  EXPECT_EQ(n->text, std::string(384, 'x'));
  EXPECT_EQ(n->connection, std::string(64, 'x'));
  EXPECT_EQ(n->identity, std::string(256, 'x'));
  EXPECT_EQ(n->peer, std::string(60, 'x'));
}

TEST(ErrorNotify, AStreamThatCannotBeRightIsGivenUp) {
  for (const std::uint8_t first : {std::uint8_t{0}, std::uint8_t{3}}) {
    Buffer bytes(2 * kErrorNotifySize, 0);
    bytes[0] = first;  // no type, or one in the order of this machine's bytes
    ErrorNotifyStream stream;
    stream.feed(bytes);
    EXPECT_FALSE(stream.next());
    EXPECT_TRUE(stream.failed());
    EXPECT_FALSE(stream.next());
  }
}

}  // namespace
}  // namespace tunnelwatch::host
