#include "tests/probes/io/capture_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::LinkDirection;
using wire::LinkType;

using PcapngSourceTest = CaptureFixture;

const Buffer kIke = ipv4({}, udp(500, 500, isakmp()));
constexpr std::int64_t kThen = 1'700'000'000;  // seconds

// Two interfaces with nothing in common, as of a mergecap of captures of several machines. Within the file, the order
// of the packets is not that of their stamps.
PcapngBuilder two_interfaces(PcapngBuilder::Order order) {
  PcapngBuilder builder(order);
  builder.section().interface(kLinktypeEthernet, 96).interface(kLinktypeSll2, 262'144, builder.resolution(9));
  builder.enhanced({1, kThen * 1'000'000'000 + 1, filler(30, 1)});
  builder.enhanced({0, kThen * 1'000'000 + 2, filler(31, 2), 1400, builder.flags(1)});
  return builder.enhanced({1, kThen * 1'000'000'000 + 3, filler(32, 3), {}, builder.flags(2)});
}

TEST_F(PcapngSourceTest, OfInterfacesThatDiffer) {
  for (const auto order : {PcapngBuilder::Order::little, PcapngBuilder::Order::big}) {
    const std::string plain = write_bytes("two.pcapng", two_interfaces(order).file());
    for (const std::string& path : {plain, gzip(plain)}) {
      SCOPED_TRACE(path);
      const Read read = read_all({path});
      EXPECT_THAT(read.errors, IsEmpty());
      EXPECT_THAT(read.stamps,
                  ElementsAre(kThen * 1'000'000'000 + 1, kThen * 1'000'000'000 + 2'000, kThen * 1'000'000'000 + 3));
      EXPECT_THAT(read.packets, ElementsAre(filler(30, 1), filler(31, 2), filler(32, 3)));
      EXPECT_THAT(read.wire_lengths, ElementsAre(30, 1400, 32));
      EXPECT_THAT(read.links, ElementsAre(LinkType::sll2, LinkType::ethernet, LinkType::sll2));
      EXPECT_THAT(read.directions, ElementsAre(LinkDirection::unknown, LinkDirection::in, LinkDirection::out));
      EXPECT_THAT(read.truncated, IsEmpty());
      EXPECT_THAT(read.left_out, IsEmpty());
    }
  }
}

TEST_F(PcapngSourceTest, OfEveryResolution) {
  struct Row {
    unsigned resolution;
    std::uint64_t ticks;
    std::int64_t nanoseconds;
  };
  constexpr auto kSeconds = static_cast<std::uint64_t>(kThen);
  for (const Row& row : {Row{6, kSeconds * 1'000'000 + 5, 5'000}, Row{9, kSeconds * 1'000'000'000 + 5, 5},
                         Row{0x80 | 10, kSeconds * 1024 + 512, 500'000'000},
                         Row{0x80 | 32, (kSeconds << 32) + (1ULL << 30), 250'000'000}}) {
    SCOPED_TRACE(row.resolution);
    PcapngBuilder builder;
    builder.section().interface(kLinktypeRaw, 0, builder.resolution(row.resolution)).enhanced({0, row.ticks, kIke});
    const Read read = read_all({write_bytes("clock.pcapng", builder.file())});
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_THAT(read.stamps, ElementsAre(kThen * 1'000'000'000 + row.nanoseconds));
  }
}

// Simple packet blocks have no time: they keep their place between their neighbours, in a merge too.
TEST_F(PcapngSourceTest, PacketsWithoutATime) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeRaw).simple(filler(30, 1)).enhanced({0, 10, filler(30, 2)});
  builder.simple(filler(30, 3)).enhanced({0, ~std::uint64_t{0}, filler(30, 4)}).enhanced({0, 30, filler(30, 5)});
  const auto path = write_bytes("simple.pcapng", builder.file());
  const auto other = write_pcap("other.pcap", DLT_RAW, {{20'000, filler(30, 6)}});
  const Read read = read_all({path, other});
  EXPECT_THAT(read.errors, IsEmpty());
  EXPECT_THAT(read.stamps, ElementsAre(0, 10'000, 10'000, 10'000, 20'000, 30'000));
  EXPECT_THAT(read.packets,
              ElementsAre(filler(30, 1), filler(30, 2), filler(30, 3), filler(30, 4), filler(30, 6), filler(30, 5)));
}

TEST_F(PcapngSourceTest, FromStandardInput) {
  const std::string path = write_bytes("in.pcapng", two_interfaces(PcapngBuilder::Order::big).file());
  for (const std::string& file : {path, gzip(path)}) {
    SCOPED_TRACE(file);
    const Read read = read_standard_input("cat " + file);
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_EQ(read.packets.size(), 3U);
  }
}

// Packets are given where they lie in the reader's buffer: they must stay whole when it moves on and when it grows.
TEST_F(PcapngSourceTest, LongerThanTheBuffer) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeRaw);
  std::vector<Buffer> packets;
  for (std::size_t i = 0; i < 300; ++i) {
    packets.push_back(filler(i % 100 == 99 ? 1'000'001 : 1000 + i, static_cast<std::uint8_t>(i)));
    builder.enhanced({0, i, packets.back()});
    if (i % 70 == 0) builder.block(4, Buffer(700'000));
  }
  const auto path = write_bytes("long.pcapng", builder.file());
  for (const auto& paths : {std::vector{path}, std::vector{path, write_pcap("empty.pcap", DLT_RAW, {})}}) {
    const Read read = read_all(paths);
    EXPECT_THAT(read.errors, IsEmpty());
    EXPECT_THAT(read.truncated, IsEmpty());
    ASSERT_EQ(read.packets.size(), packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) ASSERT_TRUE(read.packets[i] == packets[i]) << i;
  }
}

TEST_F(PcapngSourceTest, ThatEndsInsideABlock) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeRaw).enhanced({0, 1, kIke});
  const std::size_t whole = builder.file().size();
  builder.block(4, Buffer(300'000));  // passed over, and not whole at once in any buffer
  const std::size_t names = builder.file().size();
  builder.enhanced({0, 2, kIke});
  for (const std::size_t size : {whole + 1, whole + 11, whole + 100, names - 1, names + 5, builder.file().size() - 1}) {
    SCOPED_TRACE(size);
    const auto path = write_bytes(
        "cut.pcapng", Buffer(builder.file().begin(), builder.file().begin() + static_cast<std::ptrdiff_t>(size)));
    for (const std::string& file : {path, gzip(path)}) {
      const Read read = read_all({file});
      EXPECT_THAT(read.errors, IsEmpty());
      EXPECT_EQ(read.packets.size(), 1U);
      EXPECT_THAT(read.truncated, ElementsAre(file));
    }
  }
}

TEST_F(PcapngSourceTest, ThatIsDamagedInside) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeRaw).enhanced({0, 1, filler(30, 1)}).raw(Buffer(4096)).enhanced({0, 3, kIke});
  const auto damaged = write_bytes("damaged.pcapng", builder.file());
  const auto good = write_pcap("good.pcap", DLT_RAW, {{2'000, filler(30, 2)}, {4'000, filler(30, 3)}});
  const Read read = read_all({damaged, good});
  EXPECT_THAT(read.errors,
              ElementsAre(damaged + " could be read in part only: a pcapng block of an impossible length"));
  EXPECT_THAT(read.packets, ElementsAre(filler(30, 1), filler(30, 2), filler(30, 3)));
}

TEST_F(PcapngSourceTest, PacketsOfAnUnreadLinkTypeAreLeftOutAndTold) {
  PcapngBuilder builder;
  builder.section().interface(kLinktypeUsb).interface(kLinktypeRaw);
  builder.enhanced({0, 1, filler(40)}).enhanced({1, 2, kIke}).enhanced({0, 3, filler(40)});
  const auto mixed = write_bytes("mixed.pcapng", builder.file());
  const Read read = read_all({mixed});
  EXPECT_THAT(read.errors, IsEmpty());
  EXPECT_THAT(read.packets, ElementsAre(kIke));
  EXPECT_THAT(read.left_out, ElementsAre(mixed + ": 2 packets of a link type that is not read (USB_LINUX)"));

  builder.interface(147).enhanced({2, 4, filler(40)});
  EXPECT_THAT(read_all({write_bytes("mixed.pcapng", builder.file())}).left_out,
              ElementsAre(mixed + ": 3 packets of a link type that is not read (USB_LINUX and others)"));
}

TEST_F(PcapngSourceTest, WithoutPacketsIsEmpty) {
  const Read read = read_all({write_bytes("none.pcapng", PcapngBuilder().section().interface(kLinktypeUsb).file())});
  EXPECT_THAT(read.errors, IsEmpty());
  EXPECT_THAT(read.packets, IsEmpty());
}

}  // namespace
}  // namespace tunnelwatch::io
