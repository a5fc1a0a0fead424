#include "probes/passive/reassembly.h"

#include "probes/wire/frame.h"
#include "tests/probes/wire/frame_builder.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace tunnelwatch::passive {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::Bytes;
using wire::Datagram;
using wire::DatagramKind;

const TimePoint kStart{seconds(1000)};

// A fragment that owns its bytes.
struct Piece {
  Buffer bytes;
  Datagram datagram;

  explicit Piece(Buffer packet) : bytes(std::move(packet)) {
    datagram = *wire::decode_frame(wire::LinkType::raw_ip, bytes, static_cast<std::uint32_t>(bytes.size()));
  }
};

std::vector<Piece> cut_in_pieces(const Buffer& payload, std::size_t size, const Ipv4& header = {}) {
  std::vector<Piece> pieces;
  for (std::size_t from = 0; from < payload.size(); from += size) {
    pieces.emplace_back(ipv4_piece(header, payload, from, std::min(size, payload.size() - from)));
  }
  return pieces;
}

Buffer bytes_of(Bytes view) { return {view.begin(), view.end()}; }

TEST(Reassembly, EveryOrderOfArrival) {
  const Buffer message = isakmp(500);
  const auto pieces = cut_in_pieces(udp(500, 500, message), 136);
  ASSERT_EQ(pieces.size(), 4U);
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    Reassembly reassembly;
    const Datagram* whole = nullptr;
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(whole, nullptr);
      whole = reassembly.add(pieces[order[i]].datagram, kStart + milliseconds(i));
    }
    ASSERT_NE(whole, nullptr);
    EXPECT_EQ(whole->kind, DatagramKind::ike);
    EXPECT_EQ(bytes_of(whole->payload), message);
    EXPECT_EQ(whole->wire_length, 20 + 8 + message.size());
    ASSERT_EQ(reassembly.events().size(), 1U);
    const FragmentEvent& event = reassembly.events()[0];
    EXPECT_EQ(event.kind, FragmentEventKind::completed);
    EXPECT_EQ(event.fragments, 4U);
    EXPECT_EQ(event.bytes, 8 + message.size());
    EXPECT_EQ(event.last - event.first, milliseconds(3));
    EXPECT_EQ(reassembly.bytes(), 0U);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Reassembly, BehindTheMarkerAndOverIpv6) {
  const Buffer message = isakmp(500);
  const Buffer payload = udp(4500, 31000, joined({Buffer(4, 0), message}));
  const auto half = [&](std::size_t from, std::size_t to) {
    return Piece(ipv6({.next = 44}, ipv6_fragment(17, static_cast<unsigned>(from), to < payload.size(), 77,
                                                  Buffer(payload.begin() + static_cast<std::ptrdiff_t>(from),
                                                         payload.begin() + static_cast<std::ptrdiff_t>(to)))));
  };
  Reassembly reassembly;
  const Piece second = half(256, payload.size());
  const Piece first = half(0, 256);
  EXPECT_EQ(reassembly.add(second.datagram, kStart), nullptr);
  const Datagram* whole = reassembly.add(first.datagram, kStart);
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(bytes_of(whole->payload), message);
  EXPECT_EQ(whole->destination_port, 31000);
  EXPECT_EQ(whole->source, address("2001:db8:a::10"));
}

TEST(Reassembly, ATapThatShowsEverythingTwiceCompletesOnce) {
  const auto pieces = cut_in_pieces(udp(500, 500, isakmp(500)), 136);
  Reassembly reassembly;
  int completed = 0;
  for (const Piece& piece : pieces) {
    for (int copy = 0; copy < 2; ++copy) completed += reassembly.add(piece.datagram, kStart) != nullptr ? 1 : 0;
  }
  EXPECT_EQ(completed, 1);
  reassembly.expire(kStart + seconds(60));
  EXPECT_TRUE(reassembly.events().empty());
  EXPECT_EQ(reassembly.trains(), 0U);
  EXPECT_EQ(reassembly.counters().overlapping, 0U);
}

TEST(Reassembly, AMissingFragmentIsToldAfterTheTimeout) {
  const auto pieces = cut_in_pieces(udp(500, 500, isakmp(500)), 136, {.id = 99});
  Reassembly reassembly;
  reassembly.add(pieces[0].datagram, kStart);
  reassembly.add(pieces[2].datagram, kStart + seconds(1));
  reassembly.expire(kStart + seconds(30) - milliseconds(1));
  EXPECT_TRUE(reassembly.events().empty());
  reassembly.expire(kStart + seconds(30));
  ASSERT_EQ(reassembly.events().size(), 1U);
  const FragmentEvent& event = reassembly.events()[0];
  EXPECT_EQ(event.kind, FragmentEventKind::timed_out);
  EXPECT_TRUE(event.ports_known);
  EXPECT_EQ(event.source_port, 500);
  EXPECT_EQ(event.id, 99U);
  EXPECT_EQ(event.fragments, 2U);
  EXPECT_EQ(event.source, address("192.0.2.10"));
  EXPECT_EQ(reassembly.counters().timed_out, 1U);
  EXPECT_EQ(reassembly.trains(), 0U);
}

TEST(Reassembly, WithoutTheFirstFragmentThePortsStayUnknown) {
  const auto pieces = cut_in_pieces(udp(500, 500, isakmp(500)), 136);
  Reassembly reassembly;
  reassembly.add(pieces[1].datagram, kStart);
  reassembly.expire(kStart + seconds(31));
  ASSERT_EQ(reassembly.events().size(), 1U);
  EXPECT_FALSE(reassembly.events()[0].ports_known);
}

TEST(Reassembly, TrainsOfOthersAreForgotten) {
  for (const Buffer& payload : {udp(2049, 700, filler(400)), udp(4500, 4500, esp(0x1000, 1, 400))}) {
    const auto pieces = cut_in_pieces(payload, 136);
    for (const std::size_t first : {std::size_t{0}, std::size_t{2}}) {
      Reassembly reassembly;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        EXPECT_EQ(reassembly.add(pieces[(first + i) % pieces.size()].datagram, kStart), nullptr);
        EXPECT_TRUE(reassembly.events().empty());
      }
      EXPECT_EQ(reassembly.bytes(), 0U);
      reassembly.expire(kStart + seconds(31));
      EXPECT_TRUE(reassembly.events().empty());
    }
  }
}

TEST(Reassembly, OverlapRefusesTheTrainAndWhatFollowsOfIt) {
  struct Row {
    std::string name;
    std::size_t from;
    std::size_t length;
    std::uint8_t flip;
  };
  for (const Row& row : {Row{"half a fragment further", 64, 136, 0}, Row{"inside another", 8, 64, 0},
                         Row{"around another", 0, 272, 0}, Row{"the same place, other bytes", 0, 136, 1}}) {
    SCOPED_TRACE(row.name);
    Buffer payload = udp(500, 500, isakmp(500));
    const auto pieces = cut_in_pieces(payload, 136);
    payload[100] = static_cast<std::uint8_t>(payload[100] ^ row.flip);
    const Piece evil(ipv4_piece({}, payload, row.from, row.length));
    Reassembly reassembly;
    reassembly.add(pieces[0].datagram, kStart);
    EXPECT_EQ(reassembly.add(evil.datagram, kStart), nullptr);
    ASSERT_EQ(reassembly.events().size(), 1U);
    EXPECT_EQ(reassembly.events()[0].kind, FragmentEventKind::overlapping);
    for (const Piece& piece : pieces) EXPECT_EQ(reassembly.add(piece.datagram, kStart), nullptr);
    EXPECT_EQ(reassembly.counters().overlapping, 1U);
    EXPECT_EQ(reassembly.bytes(), 0U);
  }
}

TEST(Reassembly, TwoEndsContradictEachOther) {
  const auto long_one = cut_in_pieces(udp(500, 500, isakmp(500)), 136);
  const auto short_one = cut_in_pieces(udp(500, 500, isakmp(200)), 136);
  Reassembly reassembly;
  reassembly.add(long_one[2].datagram, kStart);
  reassembly.add(short_one.back().datagram, kStart);  // an end before what is there
  EXPECT_EQ(reassembly.counters().overlapping, 1U);
}

TEST(Reassembly, NothingLiesBeyondTheEnd) {
  const auto long_one = cut_in_pieces(udp(500, 500, isakmp(500)), 136);
  const auto short_one = cut_in_pieces(udp(500, 500, isakmp(200)), 136);
  for (const std::size_t later : {std::size_t{2}, std::size_t{3}}) {  // more of it, and a second end
    Reassembly reassembly;
    reassembly.add(short_one.back().datagram, kStart);
    reassembly.add(long_one[later].datagram, kStart);
    EXPECT_EQ(reassembly.counters().overlapping, 1U);
  }
}

TEST(Reassembly, TooManyFragments) {
  const auto pieces = cut_in_pieces(udp(500, 500, isakmp(2000)), 8);
  Reassembly reassembly;
  for (const Piece& piece : pieces) {
    EXPECT_EQ(reassembly.add(piece.datagram, kStart), nullptr);
    if (!reassembly.events().empty()) break;
  }
  ASSERT_EQ(reassembly.events().size(), 1U);
  EXPECT_EQ(reassembly.events()[0].kind, FragmentEventKind::too_many);
  EXPECT_EQ(reassembly.events()[0].fragments, 128U);
}

TEST(Reassembly, ACutFragmentGivesTheTrainUp) {
  auto pieces = cut_in_pieces(udp(500, 500, isakmp(500)), 136);
  pieces[1].datagram.cut = true;
  Reassembly reassembly;
  for (const Piece& piece : pieces) EXPECT_EQ(reassembly.add(piece.datagram, kStart), nullptr);
  EXPECT_EQ(reassembly.counters().cut, 1U);
}

TEST(Reassembly, AFloodStaysBoundedAndSparesTheTrainsThatAreOurs) {
  const auto ours = cut_in_pieces(udp(500, 500, isakmp(500)), 136);
  Reassembly reassembly;
  reassembly.add(ours[0].datagram, kStart);
  std::mt19937 random(7);
  const Buffer kilobytes = filler(1400);
  for (unsigned i = 0; i < 20'000; ++i) {
    const auto id = static_cast<unsigned>(random() & 0xffff);
    const auto offset = static_cast<unsigned>(1 + random() % 4000);
    const Buffer packet = ipv4({.source = "203.0.113.9", .id = id, .fragment_word = 0x2000U | offset}, kilobytes);
    const Piece piece(packet);
    reassembly.add(piece.datagram, kStart + milliseconds(i / 10));
    ASSERT_LE(reassembly.trains(), 256U);
    ASSERT_LE(reassembly.bytes(), 1024U * 1024U);
    ASSERT_LE(reassembly.events().size(), 256U);
  }
  EXPECT_GT(reassembly.counters().evicted, 1000U);
  const Datagram* whole = nullptr;
  for (std::size_t i = 1; i < ours.size(); ++i) whole = reassembly.add(ours[i].datagram, kStart + seconds(3));
  EXPECT_NE(whole, nullptr);
}

TEST(Reassembly, BytesAreBoundedToo) {
  Reassembly reassembly({.total_bytes = 10'000});
  const auto pieces = cut_in_pieces(udp(500, 500, isakmp(20'000)), 1400);
  for (const Piece& piece : pieces) {
    EXPECT_EQ(reassembly.add(piece.datagram, kStart), nullptr);
    ASSERT_LE(reassembly.bytes(), 10'000U);
  }
  EXPECT_EQ(reassembly.counters().too_many, 1U);
}

}  // namespace
}  // namespace tunnelwatch::passive
