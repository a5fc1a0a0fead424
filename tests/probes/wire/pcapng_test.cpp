#include "probes/wire/pcapng.h"

#include "tests/probes/wire/pcapng_builder.h"

#include <string>

#include <gtest/gtest.h>

namespace tunnelwatch::wire {
namespace {

using test::Buffer;
using test::filler;
using test::joined;
using test::kLinktypeEthernet;
using test::kLinktypeRaw;
using test::kLinktypeSll2;
using test::kLinktypeUsb;
using Builder = test::PcapngBuilder;
using Order = Builder::Order;
using What = PcapngStep::What;

struct Seen {
  Buffer bytes;
  std::uint32_t wire_length = 0;
  LinkType link = LinkType::unsupported;
  std::optional<std::int64_t> at;  // nanoseconds
  LinkDirection direction = LinkDirection::unknown;

  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.bytes.size() << " of " << seen.wire_length << " bytes, link " << static_cast<int>(seen.link)
             << ", at " << (seen.at ? std::to_string(*seen.at) : "no time") << ", direction "
             << static_cast<int>(seen.direction);
}

struct Read {
  std::vector<Seen> packets;
  std::optional<PcapngError> error;
  bool whole = false;  // it ended between two blocks
};

// Reads as a file would be: no more is at hand than was asked for.
Read read(const Buffer& file) {
  Read result;
  PcapngParser parser;
  std::size_t at = 0;
  std::size_t ahead = 0;
  for (;;) {
    const PcapngStep step = parser.step(Bytes(file).subspan(at, ahead));
    if (step.what == What::error) {
      result.error = step.error;
      return result;
    }
    if (step.what == What::more) {
      EXPECT_GT(step.bytes, ahead);
      EXPECT_LE(step.bytes, kMaxPcapngBlock);
      ahead = step.bytes;
    } else {
      if (step.what == What::packet) {
        EXPECT_LE(step.bytes, ahead);
        const PcapngPacket& p = step.packet;
        result.packets.push_back({Buffer(p.bytes.begin(), p.bytes.end()), p.wire_length, p.link,
                                  p.at ? std::optional(p.at->count()) : std::nullopt, p.direction});
      }
      if (step.bytes > file.size() - at) return result;
      at += step.bytes;
      ahead = 0;
    }
    if (ahead > file.size() - at) {
      result.whole = at == file.size();
      return result;
    }
  }
}

Builder begun(Order order = Order::little) { return Builder(order).section(); }
Builder on_ethernet(Order order = Order::little) { return begun(order).interface(kLinktypeEthernet); }
Seen ethernet(const Buffer& bytes, std::optional<std::int64_t> at) {
  return {bytes, static_cast<std::uint32_t>(bytes.size()), LinkType::ethernet, at};
}

TEST(Pcapng, WhatFilesHold) {
  struct Row {
    std::string name;
    Buffer file;
    std::vector<Seen> packets;
  };
  const Builder little;
  const Builder big(Order::big);
  const Buffer a = filler(60, 1);
  const Buffer b = filler(61, 2);  // three bytes of padding
  const Buffer comment = joined({little.option(1, filler(5)), little.option(2988, filler(9)), little.flags(2)});
  const std::vector<Row> rows{
      {"a section and nothing else", begun().file(), {}},
      {"an interface without packets", on_ethernet().file(), {}},
      {"minor version 2 is the same format",
       Builder().section({}, 1, 2).interface(1).enhanced({0, 7, a}).file(),
       {ethernet(a, 7'000)}},
      {"enhanced packets, microseconds by default",
       on_ethernet().enhanced({0, 1'700'000'000'123'456, a}).enhanced({0, 1'700'000'000'123'457, b}).file(),
       {ethernet(a, 1'700'000'000'123'456'000), ethernet(b, 1'700'000'000'123'457'000)}},
      {"big endian",
       on_ethernet(Order::big).enhanced({0, 1'700'000'000'123'456, b}).simple(a).file(),
       {ethernet(b, 1'700'000'000'123'456'000), ethernet(a, {})}},
      {"the obsolete packet block",
       on_ethernet().interface(kLinktypeRaw).obsolete({1, 5, b, {}, little.flags(1)}).file(),
       {{b, 61, LinkType::raw_ip, 5'000, LinkDirection::in}}},
      {"the obsolete packet block, big endian",
       on_ethernet(Order::big).obsolete({0, 1ULL << 33, a}).file(),
       {ethernet(a, (1LL << 33) * 1'000)}},
      {"a simple packet, whole", on_ethernet().simple(b).file(), {ethernet(b, {})}},
      {"a simple packet, cut by the snap length",
       begun().interface(kLinktypeRaw, 50).simple(filler(50), 1400).file(),
       {{filler(50), 1400, LinkType::raw_ip, {}}}},
      {"a simple packet where the snap length is no limit",
       begun().interface(kLinktypeRaw, 0).simple(b).file(),
       {{b, 61, LinkType::raw_ip, {}}}},
      {"an enhanced packet, cut",
       on_ethernet().enhanced({0, 1, a, 1500}).file(),
       {{a, 1500, LinkType::ethernet, 1'000}}},
      {"an empty packet", on_ethernet().enhanced({0, 1, {}, 0}).file(), {ethernet({}, 1'000)}},
      {"interfaces of several snap lengths, link types and clocks",
       begun()
           .interface(kLinktypeEthernet, 96)
           .interface(kLinktypeSll2, 262'144, little.resolution(9))
           .interface(kLinktypeUsb)
           .enhanced({1, 1'700'000'000'000'000'001, a})
           .enhanced({0, 1'700'000'000'000'001, b})
           .enhanced({2, 3, a})
           .file(),
       {{a, 60, LinkType::sll2, 1'700'000'000'000'000'001},
        ethernet(b, 1'700'000'000'000'001'000),
        {a, 60, LinkType::unsupported, 3'000}}},
      {"an interface described late",
       on_ethernet().enhanced({0, 1, a}).interface(kLinktypeRaw).enhanced({1, 2, b}).file(),
       {ethernet(a, 1'000), {b, 61, LinkType::raw_ip, 2'000}}},
      {"sections of either order, each with its own interfaces",
       on_ethernet()
           .enhanced({0, 1, a})
           .section(Order::big)
           .interface(kLinktypeRaw, 0, big.resolution(9))
           .enhanced({0, 2, b})
           .section(Order::little)
           .interface(kLinktypeEthernet)
           .enhanced({0, 3, a})
           .file(),
       {ethernet(a, 1'000), {b, 61, LinkType::raw_ip, 2}, ethernet(a, 3'000)}},
      {"directions",
       on_ethernet()
           .enhanced({0, 1, a, {}, little.flags(1)})
           .enhanced({0, 1, a, {}, little.flags(2)})
           .enhanced({0, 1, a, {}, little.flags(0)})
           .enhanced({0, 1, a, {}, little.flags(3)})
           .enhanced({0, 1, b, {}, little.flags(0xfffffffe)})
           .file(),
       {{a, 60, LinkType::ethernet, 1'000, LinkDirection::in},
        {a, 60, LinkType::ethernet, 1'000, LinkDirection::out},
        ethernet(a, 1'000),
        ethernet(a, 1'000),
        {b, 61, LinkType::ethernet, 1'000, LinkDirection::out}}},
      {"directions, big endian",
       on_ethernet(Order::big).enhanced({0, 1, a, {}, big.flags(2)}).file(),
       {{a, 60, LinkType::ethernet, 1'000, LinkDirection::out}}},
      {"options around the flags",
       on_ethernet().enhanced({0, 1, b, {}, comment}).file(),
       {{b, 61, LinkType::ethernet, 1'000, LinkDirection::out}}},
      {"names, statistics, secrets, custom and unknown blocks are passed over",
       begun()
           .block(4, filler(40))
           .interface(kLinktypeEthernet)
           .block(10, filler(333))
           .block(0xbad, filler(20))
           .enhanced({0, 1, a})
           .block(5, filler(12))
           .block(0x40000bad, filler(4))
           .block(9, {})
           .block(0x80000001, filler(70'000))
           .enhanced({0, 2, a})
           .file(),
       {ethernet(a, 1'000), ethernet(a, 2'000)}},
      {"the two lengths of what is passed over need not agree",
       on_ethernet().block(4, filler(8), 20, 0).enhanced({0, 1, a}).file(),
       {ethernet(a, 1'000)}},
      {"lengths that were counted without the padding",
       on_ethernet()
           .block(5, filler(13), 25)
           .block(6, joined({little.u32(0), little.u64(0), little.u32(61), little.u32(61), b}), 32 + 61)
           .enhanced({0, 2, a})
           .file(),
       {ethernet(b, 0), ethernet(a, 2'000)}},
      {"options of a section and of an interface that mean nothing here",
       Builder()
           .section(joined({little.option(2, filler(7)), little.option(4, filler(40)), little.end_of_options()}))
           .interface(kLinktypeEthernet, 262'144,
                      joined({little.option(2, filler(4)), little.option(9, {9}), little.option(11, filler(17)),
                              little.end_of_options()}))
           .enhanced({0, 1, a})
           .file(),
       {ethernet(a, 1)}},
      {"what stands behind the end of options is not read",
       begun()
           .interface(kLinktypeEthernet, 0, joined({little.end_of_options(), little.option(9, {9})}))
           .enhanced({0, 1, a})
           .file(),
       {ethernet(a, 1'000)}},
      {"options that break off",
       begun()
           .interface(kLinktypeEthernet, 0, joined({little.resolution(9), little.u16(9), little.u16(400)}))
           .interface(kLinktypeEthernet, 0, joined({little.option(9, {9}), little.u16(14), little.u16(8), filler(4)}))
           .enhanced({0, 1, a})
           .enhanced({1, 1, a, {}, joined({little.u16(2), little.u16(0xffff)})})
           .file(),
       {ethernet(a, 1), ethernet(a, 1)}},
      {"options of another length than theirs",
       begun()
           .interface(kLinktypeEthernet, 0, joined({little.option(9, {9, 9}), little.option(14, little.u32(100))}))
           .enhanced({0, 1, a, {}, little.option(2, {2, 0})})
           .enhanced({0, 1, a, {}, little.option(2, {2, 0, 0, 0, 0, 0, 0, 0})})
           .file(),
       {ethernet(a, 1'000), ethernet(a, 1'000)}},
      {"a packet as long as its block leaves",
       on_ethernet().enhanced({0, 1, filler(262'144)}).file(),
       {ethernet(filler(262'144), 1'000)}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Read result = read(row.file);
    EXPECT_EQ(result.packets, row.packets);
    EXPECT_FALSE(result.error) << to_string(*result.error);
    EXPECT_TRUE(result.whole);
  }
}

TEST(Pcapng, WhatIsNoFile) {
  struct Row {
    std::string name;
    Buffer file;
    PcapngError error;
    std::size_t packets = 0;
  };
  const Builder little;
  const Buffer a = filler(60);
  const auto head = [&](std::uint32_t interface, std::uint32_t captured) {
    return joined({little.u32(interface), little.u64(0), little.u32(captured), little.u32(captured)});
  };
  const std::vector<Row> rows{
      {"text", filler(100), PcapngError::not_pcapng},
      {"text that begins as a section", joined({{0x0a, 0x0d, 0x0d, 0x0a}, filler(60)}), PcapngError::not_pcapng},
      {"a packet before any section", Builder().enhanced({0, 1, a}).file(), PcapngError::not_pcapng},
      {"a byte order that there is not",
       Builder()
           .block(0x0a0d0d0a, joined({little.u32(0x1a2b3c4e), little.u16(1), little.u16(0), little.u64(0)}))
           .file(),
       PcapngError::not_pcapng},
      {"a byte order that there is not, big endian",
       Builder(Order::big).block(0x0a0d0d0a, {0x1a, 0x2b, 0x3c, 0x4e, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).file(),
       PcapngError::not_pcapng},
      {"major version 2", Builder().section({}, 2).file(), PcapngError::unknown_version},
      {"a section too short", Builder().block(0x0a0d0d0a, joined({little.u32(0x1a2b3c4d), little.u32(1)})).file(),
       PcapngError::bad_block_length},
      {"a second section of another version", on_ethernet().enhanced({0, 1, a}).section({}, 3).file(),
       PcapngError::unknown_version, 1},
      {"an interface too short", begun().block(1, little.u32(1)).file(), PcapngError::bad_block_length},
      {"zeros, as of a disk that filled up", on_ethernet().enhanced({0, 1, a}).raw(Buffer(64)).file(),
       PcapngError::bad_block_length, 1},
      {"a length below the least", on_ethernet().block(99, filler(8), 11).file(), PcapngError::bad_block_length},
      {"an enhanced packet too short", on_ethernet().block(6, Buffer(16)).file(), PcapngError::bad_block_length},
      {"an obsolete packet too short", on_ethernet().block(2, Buffer(16)).file(), PcapngError::bad_block_length},
      {"a simple packet without a length", on_ethernet().block(3, {}).file(), PcapngError::bad_block_length},
      {"lengths that differ", on_ethernet().enhanced({0, 1, a}).block(6, head(0, 0), {}, 36).file(),
       PcapngError::lengths_differ, 1},
      {"lengths of a section that differ",
       Builder().block(0x0a0d0d0a, joined({little.u32(0x1a2b3c4d), filler(12)}), 28, 29).file(),
       PcapngError::lengths_differ},
      {"lengths of an interface that differ", begun().block(1, Buffer(8), 20, 24).file(), PcapngError::lengths_differ},
      {"a block of 4 GiB", on_ethernet().enhanced({0, 1, a}).block(6, head(0, 0), 0xffffffff).file(),
       PcapngError::block_too_long, 1},
      {"a block just too long", on_ethernet().block(6, head(0, 0), kMaxPcapngBlock + 1).file(),
       PcapngError::block_too_long},
      {"a packet beyond its block", on_ethernet().block(6, joined({head(0, 61), a})).file(),
       PcapngError::bad_packet_length},
      {"a packet of 4 GiB in its block", on_ethernet().block(6, joined({head(0, 0xffffffff), a})).file(),
       PcapngError::bad_packet_length},
      {"a simple packet beyond its block", on_ethernet().block(3, joined({little.u32(61), a})).file(),
       PcapngError::bad_packet_length},
      {"a packet of an interface not described", on_ethernet().enhanced({0, 1, a}).enhanced({1, 1, a}).file(),
       PcapngError::unknown_interface, 1},
      {"an obsolete packet of an interface not described", on_ethernet().obsolete({0xffff, 1, a}).file(),
       PcapngError::unknown_interface},
      {"a simple packet without an interface", begun().simple(a).file(), PcapngError::unknown_interface},
      {"an interface of the section before", on_ethernet().section(Order::little).enhanced({0, 1, a}).file(),
       PcapngError::unknown_interface},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Read result = read(row.file);
    EXPECT_EQ(result.error, row.error);
    EXPECT_EQ(result.packets.size(), row.packets);
  }
}

TEST(Pcapng, InterfacesAreBounded) {
  Builder builder = begun();
  for (std::size_t i = 0; i < kMaxPcapngInterfaces; ++i) builder.interface(kLinktypeEthernet);
  builder.enhanced({kMaxPcapngInterfaces - 1, 1, filler(20)});
  const Read result = read(builder.file());
  EXPECT_EQ(result.packets.size(), 1U);
  EXPECT_FALSE(result.error);
  EXPECT_EQ(read(builder.interface(kLinktypeEthernet).file()).error, PcapngError::too_many_interfaces);
}

// Cut anywhere, a file gives the packets that are whole, and its end is told from one between two blocks.
TEST(Pcapng, EveryTruncation) {
  const Builder little;
  std::vector<std::size_t> ends{0};
  std::vector<std::size_t> packets{0};
  Builder builder;
  const auto ended = [&](std::size_t more) {
    ends.push_back(builder.file().size());
    packets.push_back(packets.back() + more);
  };
  builder.section(little.option(4, filler(9))), ended(0);
  builder.interface(kLinktypeEthernet, 0, little.resolution(9)), ended(0);
  builder.block(4, filler(30)), ended(0);
  builder.enhanced({0, 1, filler(61), {}, little.flags(1)}), ended(1);
  builder.simple(filler(33)), ended(1);
  builder.section(Order::big), ended(0);
  builder.interface(kLinktypeRaw), ended(0);
  builder.obsolete({0, 1, filler(20)}), ended(1);
  builder.block(5, filler(12)), ended(0);
  std::size_t complete = 0;
  for (std::size_t size = 0; size <= builder.file().size(); ++size) {
    SCOPED_TRACE(size);
    while (complete + 1 < ends.size() && ends[complete + 1] <= size) ++complete;
    const Read result =
        read(Buffer(builder.file().begin(), builder.file().begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_FALSE(result.error);
    EXPECT_EQ(result.packets.size(), packets[complete]);
    EXPECT_EQ(result.whole, ends[complete] == size);
  }
}

TEST(Pcapng, AnInterfacesClockIsMovedByItsOffset) {
  for (const Order order : {Order::little, Order::big}) {
    const Builder b(order);
    const Buffer options = joined({b.option(14, b.u64(1'700'000'000)), b.option(9, {3}), b.end_of_options()});
    const Read result =
        read(begun(order).interface(kLinktypeEthernet, 0, options).enhanced({0, 1'500, filler(20)}).file());
    EXPECT_EQ(result.packets, std::vector<Seen>{ethernet(filler(20), 1'700'000'001'500'000'000)});
  }
}

}  // namespace
}  // namespace tunnelwatch::wire
