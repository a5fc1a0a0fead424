#include "probes/host/xfrm.h"

#include "tests/support/recorded.h"

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>

// NETLINK_XFRM as a kernel speaks it: the datagrams of tests/data/xfrm are those of Linux 6.1, see tests/kernel.
namespace tunnelwatch::host {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint32_t kSequence = 7;

std::vector<Buffer> recorded(const char* name) {
  auto datagrams = test::recorded(std::string(TUNNELWATCH_SOURCE_DIR "/tests/data/xfrm/") + name);
  EXPECT_FALSE(datagrams.empty()) << name;
  return datagrams;
}

XfrmView view_of(const char* name) {
  XfrmView view;
  view.complete = true;
  NetlinkAnswer last;
  for (const Buffer& datagram : recorded(name)) last = parse_xfrm(datagram, kSequence, view);
  EXPECT_TRUE(last.ended && last.error == 0 && !last.malformed) << name;
  EXPECT_TRUE(view.complete);
  return view;
}

IpAddress address(const char* text) { return *IpAddress::parse(text); }
IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

TEST(Xfrm, Policies) {
  const auto view = view_of("policies.bin");
  ASSERT_EQ(view.policies.size(), 6U);
  const XfrmPolicy& out = view.policies[5];
  EXPECT_EQ(out.selector.source, prefix("10.1.0.0/24"));
  EXPECT_EQ(out.selector.destination, prefix("10.2.0.0/24"));
  EXPECT_EQ(out.selector.protocol, 0);
  EXPECT_EQ(out.direction, XfrmDirection::out);
  EXPECT_FALSE(out.blocks);
  EXPECT_EQ(out.priority, 2000U);
  EXPECT_TRUE(out.mark.any());
  EXPECT_THAT(out.templates, ElementsAre(XfrmTemplate{address("192.0.2.10"), address("198.51.100.20"), 0, kProtocolEsp,
                                                      XfrmMode::tunnel, 20, false}));
  EXPECT_EQ(view.policies[4].direction, XfrmDirection::in);
  EXPECT_EQ(view.policies[3].direction, XfrmDirection::forward);

  const XfrmPolicy& bypass = view.policies[2];
  EXPECT_EQ(bypass.selector.source, prefix("192.0.2.10/32"));
  EXPECT_EQ(bypass.selector.protocol, 17);
  EXPECT_EQ(bypass.selector.destination_port, (XfrmPorts{500, 0xffff}));
  EXPECT_EQ(bypass.selector.source_port, XfrmPorts{});
  EXPECT_FALSE(bypass.blocks);
  EXPECT_THAT(bypass.templates, IsEmpty());

  const XfrmPolicy& blocking = view.policies[1];
  EXPECT_TRUE(blocking.blocks);
  EXPECT_EQ(blocking.priority, 7U);
  EXPECT_EQ(blocking.mark, (XfrmMark{5, 0xff, 9}));

  const XfrmPolicy& v6 = view.policies[0];
  EXPECT_EQ(v6.selector.destination, prefix("fd02::/64"));
  EXPECT_THAT(v6.templates, ElementsAre(XfrmTemplate{address("2001:db8::10"), address("2001:db8::20"), 0, kProtocolEsp,
                                                     XfrmMode::transport, 6, false}));
}

TEST(Xfrm, StatesWithoutTheirKeys) {
  const auto view = view_of("states.bin");
  ASSERT_EQ(view.states.size(), 3U);
  const XfrmState& out = view.states[2];
  EXPECT_EQ(out.source, address("192.0.2.10"));
  EXPECT_EQ(out.destination, address("198.51.100.20"));
  EXPECT_EQ(out.spi, 0x2001U);
  EXPECT_EQ(out.protocol, kProtocolEsp);
  EXPECT_EQ(out.mode, XfrmMode::tunnel);
  EXPECT_EQ(out.request, 20U);
  EXPECT_EQ(out.soft, (XfrmLimits{0, 0, 4, 0}));
  EXPECT_EQ(out.hard, (XfrmLimits{0, 5000, 6, 0}));
  EXPECT_EQ(out.bytes, 84U);
  EXPECT_EQ(out.packets, 1U);
  EXPECT_GT(out.used, out.added);
  EXPECT_EQ(out.replay_window, 32U);
  EXPECT_FALSE(out.encapsulation);
  EXPECT_FALSE(out.is_larval());
  EXPECT_THAT(out.algorithms, ElementsAre(XfrmAlgorithm{"hmac(sha256)", 256}, XfrmAlgorithm{"cbc(aes)", 256}));

  const XfrmState& in_udp = view.states[0];
  EXPECT_EQ(in_udp.encapsulation, (XfrmEncapsulation{2, 4500, 4501}));
  EXPECT_EQ(in_udp.replay_window, 128U) << "of the extended sequence numbers";
  EXPECT_THAT(in_udp.algorithms, ElementsAre(XfrmAlgorithm{"rfc4106(gcm(aes))", 288}));
  EXPECT_EQ(in_udp.selector.destination, prefix("10.4.0.0/24"));
}

TEST(Xfrm, AStateThatTheDaemonIsAskedForIsLarval) {
  const auto view = view_of("acquired.bin");
  ASSERT_EQ(view.states.size(), 2U);
  EXPECT_TRUE(view.states[0].is_larval());
  EXPECT_EQ(view.states[0].selector.destination, prefix("10.2.0.1/32"));
  EXPECT_FALSE(view.states[1].is_larval());
}

TEST(Xfrm, Events) {
  std::vector<XfrmEvent> events;
  for (const Buffer& datagram : recorded("events.bin")) EXPECT_TRUE(parse_xfrm_events(datagram, events));
  using enum XfrmEventKind;
  std::vector<XfrmEventKind> kinds;
  for (const auto& event : events) kinds.push_back(event.kind);
  EXPECT_THAT(kinds, ElementsAre(policy_changed, policy_changed, policy_changed, policy_changed, policy_changed,
                                 policy_changed, state_added, state_added, state_added, soft_expired, hard_expired,
                                 soft_expired, hard_expired, state_deleted, states_flushed, policy_changed));
  ASSERT_TRUE(events[10].state);
  EXPECT_EQ(events[10].state->spi, 0x2001U);
  EXPECT_EQ(events[10].state->request, 20U);
  EXPECT_EQ(events[10].state->packets, 1U);
}

// Every event kind has a label value of its own.
TEST(Xfrm, EventKindsAreNamed) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kXfrmEventKindCount; ++i) names.push_back(to_string(static_cast<XfrmEventKind>(i)));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Xfrm, EveryCutIsHarmless) {
  for (const char* name : {"policies.bin", "states.bin", "events.bin"}) {
    for (const Buffer& whole : recorded(name)) {
      for (std::size_t length = 0; length < whole.size(); ++length) {
        const Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        XfrmView view;
        const auto answer = parse_xfrm(cut, kSequence, view);
        EXPECT_FALSE(answer.ended) << name << " " << length;
        EXPECT_EQ(view.policies.size() + view.states.size(), answer.messages);
        std::vector<XfrmEvent> events;
        parse_xfrm_events(cut, events);
        EXPECT_LE(events.size(), length / sizeof(nlmsghdr));
      }
    }
  }
}

// Lengths that lie: of the message, of the first attribute behind the fixed part.
TEST(Xfrm, LengthsThatLieAreToldAsMalformed) {
  struct Row {
    const char* name;
    std::size_t fixed;
  };
  for (const Row& row :
       {Row{"policies.bin", sizeof(xfrm_userpolicy_info)}, Row{"states.bin", sizeof(xfrm_usersa_info)}}) {
    for (const std::size_t at : {std::size_t{0}, sizeof(nlmsghdr) + row.fixed}) {
      for (const std::uint8_t lie : {std::uint8_t{0}, std::uint8_t{3}}) {
        Buffer wrong = recorded(row.name).front();
        wrong[at] = lie;
        wrong[at + 1] = 0;
        XfrmView view;
        EXPECT_TRUE(parse_xfrm(wrong, kSequence, view).malformed) << row.name << " " << at << " " << int{lie};
        EXPECT_THAT(view.states, IsEmpty());
        EXPECT_THAT(view.policies, IsEmpty());
      }
    }
  }
}

TEST(Xfrm, FixedPartsThatAreTooShortAreMalformed) {
  for (const std::uint16_t type : {XFRM_MSG_NEWSA, XFRM_MSG_UPDSA, XFRM_MSG_EXPIRE}) {
    nlmsghdr head{};
    head.nlmsg_len = sizeof head + 8;
    head.nlmsg_type = type;
    Buffer bytes(head.nlmsg_len);
    std::memcpy(bytes.data(), &head, sizeof head);
    std::vector<XfrmEvent> events;
    EXPECT_FALSE(parse_xfrm_events(bytes, events)) << type;
    EXPECT_THAT(events, IsEmpty());
  }
}

TEST(Xfrm, OtherSequencesAndFamiliesArePassedOver) {
  Buffer bytes = recorded("states.bin").front();
  XfrmView view;
  EXPECT_EQ(parse_xfrm(bytes, kSequence + 1, view).messages, 0U);
  EXPECT_THAT(view.states, IsEmpty());
  bytes[sizeof(nlmsghdr) + offsetof(xfrm_usersa_info, family)] = 99;
  EXPECT_FALSE(parse_xfrm(bytes, kSequence, view).malformed);
  EXPECT_EQ(view.states.size(), 2U);
}

TEST(Xfrm, ATableThatChangedMeanwhileIsNotComplete) {
  Buffer bytes = recorded("states.bin").front();
  const std::uint16_t flags = NLM_F_MULTI | NLM_F_DUMP_INTR;
  std::memcpy(bytes.data() + offsetof(nlmsghdr, nlmsg_flags), &flags, sizeof flags);
  XfrmView view;
  view.complete = true;
  parse_xfrm(bytes, kSequence, view);
  EXPECT_FALSE(view.complete);
}

TEST(Xfrm, ListsAreBoundedAndSayThatTheyAreNotWhole) {
  const Buffer bytes = recorded("states.bin").front();  // three at a time
  XfrmView view;
  view.complete = true;
  for (std::size_t i = 0; i <= XfrmView::kMaxStates / 3; ++i) parse_xfrm(bytes, kSequence, view);
  EXPECT_EQ(view.states.size(), XfrmView::kMaxStates);
  EXPECT_FALSE(view.complete);
}

TEST(Xfrm, Requests) {
  for (const auto& [table, type] :
       {std::pair{XfrmTable::policies, XFRM_MSG_GETPOLICY}, {XfrmTable::states, XFRM_MSG_GETSA}}) {
    const auto request = build_xfrm_request(table, 9);
    nlmsghdr head{};
    ASSERT_EQ(request.size(), sizeof head);
    std::memcpy(&head, request.data(), sizeof head);
    EXPECT_EQ(head.nlmsg_len, request.size());
    EXPECT_EQ(head.nlmsg_type, type);
    EXPECT_EQ(head.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
    EXPECT_EQ(head.nlmsg_seq, 9U);
  }
}

}  // namespace
}  // namespace tunnelwatch::host
