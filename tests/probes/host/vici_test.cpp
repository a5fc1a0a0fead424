#include "probes/host/vici.h"

#include "probes/host/vici_session.h"
#include "probes/host/vici_view.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Buffer = std::vector<std::uint8_t>;

// What charon 5.9.8 answered: two confirmations, list-conns and list-sas of a tunnel that was up.
Buffer recorded() {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/vici/session.bin", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// ... to get-counters, to the same for all connections, and of one that it does not know.
std::vector<Buffer> recorded_counters() {
  std::ifstream file(TUNNELWATCH_SOURCE_DIR "/tests/data/vici/counters.bin", std::ios::binary);
  const Buffer bytes{std::istreambuf_iterator<char>(file), {}};
  ViciStream stream;
  stream.feed(bytes);
  std::vector<Buffer> packets;
  while (const auto packet = stream.next()) packets.emplace_back(packet->begin(), packet->end());
  return packets;
}

Buffer with_length(const Buffer& packet) {
  Buffer bytes{0, 0, static_cast<std::uint8_t>(packet.size() >> 8U), static_cast<std::uint8_t>(packet.size())};
  bytes.insert(bytes.end(), packet.begin(), packet.end());
  return bytes;
}

Buffer bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

ViciSection example() {
  ViciSection root;
  root.values["version"] = "IKEv2";
  root.lists["local_addrs"] = {"192.0.2.10", ""};
  root.lists["none"] = {};
  ViciSection& child = root.add_section("children").add_section("net");
  child.values["mode"] = "TUNNEL";
  child.lists["local-ts"] = {"10.1.0.0/24"};
  return root;
}

std::vector<std::uint8_t> message_of(const ViciSection& section) {
  const auto packet = build_vici_packet(ViciType::command_response, "", section);
  return {packet.begin() + 5, packet.end()};
}

TEST(Vici, PacketsAreBuiltAsTheProtocolSays) {
  EXPECT_EQ(build_vici_packet(ViciType::event_register, "list-sa"),
            bytes_of(std::string("\0\0\0\x09\x03\x07list-sa", 13)));
  ViciSection section;
  section.values["a"] = "bc";
  section.lists["l"] = {"x"};
  section.add_section("s");
  EXPECT_EQ(build_vici_packet(ViciType::command_request, "go", section),
            bytes_of(std::string("\0\0\0\x17\x00\x02go\x03\x01"
                                 "a\0\x02"
                                 "bc\x04\x01l\x05\0\x01x\x06\x01\x01s\x02",
                                 27)));
}

TEST(Vici, WhatIsBuiltIsRead) {
  const auto message = message_of(example());
  const auto section = parse_vici_message(message);
  ASSERT_TRUE(section);
  EXPECT_EQ(section->value("version"), "IKEv2");
  EXPECT_EQ(section->value("absent"), "");
  EXPECT_THAT(section->list("local_addrs"), ElementsAre("192.0.2.10", ""));
  EXPECT_THAT(section->list("none"), IsEmpty());
  ASSERT_NE(section->section("children"), nullptr);
  ASSERT_NE(section->section("children")->section("net"), nullptr);
  EXPECT_EQ(section->section("children")->section("net")->value("mode"), "TUNNEL");
  EXPECT_EQ(section->section("net"), nullptr);
}

TEST(Vici, EveryCutOfAMessageIsRefusedOrShorter) {
  const auto message = message_of(example());
  for (std::size_t length = 0; length < message.size(); ++length) {
    const auto section = parse_vici_message({message.data(), length});
    EXPECT_TRUE(!section || section->sections.empty()) << length;  // the section is the last element
  }
}

TEST(Vici, MessagesThatAreNotNestedAsTheySay) {
  for (const std::string_view bad :
       {std::string_view("\x02", 1), std::string_view("\x06", 1), std::string_view("\x05\0\x01x", 4),
        std::string_view("\x01\x01s", 3), std::string_view("\x04\x01l", 3),
        std::string_view("\x04\x01l\x04\x01m\x06\x06", 8), std::string_view("\x04\x01l\x01\x01s\x02\x06", 8),
        std::string_view("\x04\x01l\x03\x01k\0\x01v\x06", 11), std::string_view("\x01\x01s\x04\x01l\x02", 7),
        std::string_view("\x07", 1), std::string_view("\0", 1)}) {
    const auto bytes = bytes_of(bad);
    EXPECT_FALSE(parse_vici_message(bytes)) << testing::PrintToString(bytes);
  }
}

TEST(Vici, DepthAndNumberAreBounded) {
  Buffer deep;
  for (std::size_t i = 0; i < 100'000; ++i) deep.insert(deep.end(), {1, 0});
  for (std::size_t i = 0; i < 100'000; ++i) deep.push_back(2);
  EXPECT_FALSE(parse_vici_message(deep));
  Buffer wide;
  for (std::size_t i = 0; i <= kMaxViciItems; ++i) wide.insert(wide.end(), {3, 0, 0, 0});
  EXPECT_FALSE(parse_vici_message(wide));
}

TEST(Vici, PacketsOfUnknownTypesAreRefused) {
  for (const std::string_view bad : {std::string_view(), std::string_view("\x08", 1),
                                     std::string_view("\x07\x05list", 6), std::string_view("\x07", 1)}) {
    const auto bytes = bytes_of(bad);
    EXPECT_FALSE(parse_vici_packet(bytes));
  }
  EXPECT_TRUE(parse_vici_packet(bytes_of(std::string_view("\x01", 1))));
}

TEST(Vici, AStreamInAnyPieces) {
  const Buffer bytes = recorded();
  ASSERT_EQ(bytes.size(), 1387U);
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{100}, bytes.size()}) {
    ViciStream stream;
    std::vector<std::size_t> sizes;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      stream.feed(wire::Bytes(bytes).subspan(at, std::min(step, bytes.size() - at)));
      while (const auto packet = stream.next()) sizes.push_back(packet->size());
    }
    EXPECT_THAT(sizes, ElementsAre(1, 1, 496, 1, 863, 1)) << step;
    EXPECT_FALSE(stream.failed());
  }
}

TEST(Vici, AStreamThatCannotBeRightIsGivenUp) {
  for (const Buffer& head : {Buffer{0, 0, 0, 0}, Buffer{0, 8, 0, 1}, Buffer{255, 255, 255, 255}}) {
    ViciStream stream;
    stream.feed(head);
    EXPECT_FALSE(stream.next());
    EXPECT_TRUE(stream.failed());
  }
}

TEST(ViciSession, AsksForEverythingAndTellsTheView) {
  ViciSession session;
  session.begin();
  Buffer sent = session.take_output();
  EXPECT_EQ(sent, build_vici_packet(ViciType::event_register, "list-conn"));
  // Four more registrations than were recorded.
  const Buffer confirmed{0, 0, 0, 1, 5};
  for (int i = 0; i < 4; ++i) session.on_bytes(confirmed);
  session.take_output();
  session.on_bytes(recorded());
  EXPECT_FALSE(session.failed());
  EXPECT_FALSE(session.take_view()) << "what it counts is not known yet";
  const auto counters = recorded_counters();
  ASSERT_THAT(counters, SizeIs(3));
  for (const std::size_t i : {0U, 1U}) session.on_bytes(with_length(counters[i]));
  EXPECT_FALSE(session.failed());
  EXPECT_EQ(session.malformed(), 0U);
  const auto view = session.take_view();
  ASSERT_TRUE(view);
  EXPECT_FALSE(session.take_view());
  ASSERT_THAT(view->connections, SizeIs(1));
  const auto& connection = view->connections[0];
  EXPECT_EQ(connection.name, "tun");
  EXPECT_THAT(connection.remote_addresses, ElementsAre(*IpAddress::parse("198.51.100.20")));
  ASSERT_THAT(connection.children, SizeIs(1));
  EXPECT_EQ(connection.children[0].name, "net");
  EXPECT_FALSE(connection.children[0].transport_mode);
  EXPECT_THAT(connection.children[0].local.subnets, ElementsAre(*IpPrefix::parse("10.1.0.0/24")));
  ASSERT_THAT(view->counters, SizeIs(2));
  EXPECT_EQ(view->counters[0].connection, "");
  EXPECT_EQ(view->counters[1].connection, "tun");
  EXPECT_THAT(view->counters[1].counts, ElementsAre(0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  ASSERT_THAT(view->sas, SizeIs(1));
  EXPECT_EQ(view->sas[0].state, "ESTABLISHED");
  EXPECT_EQ(view->sas[0].remote, IpAddress::parse("198.51.100.20"));
  ASSERT_THAT(view->sas[0].children, SizeIs(1));
  EXPECT_EQ(view->sas[0].children[0].name, "net");
  EXPECT_EQ(view->sas[0].children[0].state, "INSTALLED");
  EXPECT_EQ(view->sas[0].children[0].suite, "AES_CBC_256/HMAC_SHA2_256_128");
  EXPECT_THAT(view->sas[0].children[0].remote.subnets, ElementsAre(*IpPrefix::parse("10.2.0.0/24")));
}

class Registered {
 public:
  Registered() {
    session.begin();
    for (int i = 0; i < 6; ++i) session.on_bytes(Buffer{0, 0, 0, 1, 5});
    session.take_output();
  }
  void answer() { session.on_bytes(Buffer{0, 0, 0, 1, 1}); }
  void event(std::string_view name) { session.on_bytes(build_vici_packet(ViciType::event, name)); }
  ViciSession session;
};

TEST(ViciSession, WhatHappensMeanwhileIsAskedForBehindIt) {
  Registered r;
  r.event("child-updown");
  EXPECT_THAT(r.session.take_output(), IsEmpty());
  r.answer();
  EXPECT_EQ(r.session.take_output(), build_vici_packet(ViciType::command_request, "list-sas"));
  r.answer();
  EXPECT_EQ(r.session.take_output(), build_vici_packet(ViciType::command_request, "get-counters"));
  r.answer();
  EXPECT_TRUE(r.session.take_view());
  EXPECT_EQ(r.session.take_output(), build_vici_packet(ViciType::command_request, "list-conns"));
  for (int i = 0; i < 3; ++i) r.answer();
  r.session.take_output();
  EXPECT_TRUE(r.session.take_view());
  r.event("ike-updown");
  EXPECT_EQ(r.session.take_output(), build_vici_packet(ViciType::command_request, "list-conns"));
}

TEST(ViciSession, AnAnswerThatNobodyAskedForIsTheEnd) {
  Registered r;
  for (int i = 0; i < 3; ++i) r.answer();
  EXPECT_FALSE(r.session.failed());
  r.answer();
  EXPECT_TRUE(r.session.failed());
}

TEST(ViciSession, ADaemonThatDoesNotCountHasNoCounters) {
  const Buffer refusal = with_length(recorded_counters().at(2));
  const Buffer unknown_command{0, 0, 0, 1, 2};
  for (const Buffer& answer : {refusal, unknown_command}) {
    Registered r;
    r.answer();
    r.answer();
    r.session.on_bytes(answer);
    EXPECT_FALSE(r.session.failed());
    const auto view = r.session.take_view();
    ASSERT_TRUE(view);
    EXPECT_THAT(view->counters, IsEmpty());
  }
}

TEST(ViciView, CountersAreBoundedAndWhatIsNoNumberIsNought) {
  ViciSection answer;
  ViciSection& counters = answer.add_section("counters");
  for (const char* name : {"a", "b", "c"}) {
    ViciSection& connection = counters.add_section(name);
    connection.values = {{"info-in-req", "x"}, {"child-rekey", "18446744073709551615"}, {"of-another-age", "7"}};
  }
  std::vector<DaemonCounters> out;
  add_counters(answer, 2, out);
  ASSERT_THAT(out, SizeIs(2));
  DaemonCounts expected{};
  expected[2] = ~std::uint64_t{0};
  EXPECT_EQ(out[1].counts, expected);
}

TEST(ViciSession, AnEventThatCannotBeReadIsCountedAndPassedOver) {
  Registered r;
  r.session.on_bytes(Buffer{0, 0, 0, 12, 7, 9, 'l', 'i', 's', 't', '-', 'c', 'o', 'n', 'n', 2});
  EXPECT_FALSE(r.session.failed());
  EXPECT_EQ(r.session.malformed(), 1U);
}

TEST(ViciView, Selectors) {
  const auto s = selectors_of({"10.1.0.0/24", "10.3.0.0/24[tcp/80]", "dynamic"});
  EXPECT_THAT(s.subnets, ElementsAre(*IpPrefix::parse("10.1.0.0/24")));
  EXPECT_THAT(s.narrowed, ElementsAre(*IpPrefix::parse("10.3.0.0/24")));
  EXPECT_TRUE(s.dynamic);
  EXPECT_FALSE(s.unclear);
  EXPECT_TRUE(selectors_of({"10.1.0.1..10.1.0.9"}).unclear);
  EXPECT_TRUE(selectors_of(std::vector<std::string>(5000, "10.1.0.0/24")).unclear);
}

}  // namespace
}  // namespace tunnelwatch::host
