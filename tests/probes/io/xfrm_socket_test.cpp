#include "probes/io/xfrm_socket.h"

#include "tests/probes/io/net_namespace.h"
#include "tests/probes/io/without_capabilities.h"

#include <sstream>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>

// The kernel's own answers, in a namespace of the test's. Policies only: a kernel without ESP has no states.
namespace tunnelwatch::io {
namespace {

using host::XfrmDirection;
using host::XfrmEventKind;
using testing::IsEmpty;

constexpr const char* kPolicy =
    "ip xfrm policy add src 10.1.0.0/24 dst 10.2.0.0/24 dir out priority 2000 tmpl src 192.0.2.10 dst 198.51.100.20 "
    "proto esp reqid 1 mode tunnel";

class XfrmSocketTest : public testing::Test {
 protected:
  void open() {
    auto opened = XfrmSocket::open();
    ASSERT_TRUE(opened) << opened.error().sentence;
    socket = std::move(*opened);
  }
  NetNamespace space;
  std::unique_ptr<XfrmSocket> socket;
};

TEST_F(XfrmSocketTest, ReadsThePolicies) {
  open();
  auto view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  EXPECT_TRUE(view->complete);
  EXPECT_THAT(view->policies, IsEmpty());
  EXPECT_THAT(view->states, IsEmpty());
  NetNamespace::run(kPolicy);
  view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  ASSERT_EQ(view->policies.size(), 1U);
  EXPECT_EQ(view->policies[0].direction, XfrmDirection::out);
  EXPECT_EQ(view->policies[0].templates.at(0).destination, IpAddress::parse("198.51.100.20"));
}

TEST_F(XfrmSocketTest, SaysWhatHappens) {
  open();
  std::vector<host::XfrmEvent> events;
  EXPECT_FALSE(socket->take_events(events));
  NetNamespace::run(kPolicy);
  EXPECT_TRUE(socket->take_events(events));
  NetNamespace::run("ip xfrm policy flush");
  EXPECT_TRUE(socket->take_events(events));
  EXPECT_FALSE(socket->take_events(events));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, XfrmEventKind::policy_changed);
}

// Where nobody else listens, the kernel would take us for an IKE daemon.
TEST_F(XfrmSocketTest, DoesNotAskForAcquires) {
  open();
  // Address, protocol and groups of each socket of the namespace.
  EXPECT_EQ(NetNamespace::run("awk '$2 == 6 && $4 != \"00000000\" { print $4 }' /proc/self/net/netlink"), "0000000e\n");
}

// Whoever may: what another process sends to our sockets is not what the kernel says.
TEST_F(XfrmSocketTest, OnlyTheKernelIsListenedTo) {
  open();
  const auto ports = NetNamespace::run("awk '$2 == 6 { print $3 }' /proc/self/net/netlink");
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
  ASSERT_GE(fd, 0);
  nlmsghdr flushed{};
  flushed.nlmsg_len = sizeof flushed;
  flushed.nlmsg_type = XFRM_MSG_FLUSHSA;
  std::size_t sent = 0;
  std::istringstream lines(ports);
  for (std::uint32_t port = 0; lines >> port;) {
    sockaddr_nl to{};
    to.nl_family = AF_NETLINK;
    to.nl_pid = port;
    if (port != 0 && ::sendto(fd, &flushed, sizeof flushed, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) > 0) ++sent;
  }
  ::close(fd);
  EXPECT_EQ(sent, 2U);
  std::vector<host::XfrmEvent> events;
  EXPECT_FALSE(socket->take_events(events));
  EXPECT_THAT(events, IsEmpty());
  const auto view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  EXPECT_TRUE(view->complete);
}

TEST_F(XfrmSocketTest, ManyPoliciesAreReadToTheirEndOrToldAsIncomplete) {
  std::string batch;
  for (std::size_t i = 0; i <= host::XfrmView::kMaxPolicies; ++i) {
    batch += "xfrm policy add src 10.1.0.0/24 dst 10." + std::to_string(100 + i / 256) + "." + std::to_string(i % 256) +
             ".0/24 dir out tmpl src 192.0.2.10 dst 198.51.100.20 proto esp mode tunnel\n";
  }
  NetNamespace::feed("ip -batch -", batch);
  open();
  auto view = socket->read();
  ASSERT_TRUE(view) << view.error().sentence;
  EXPECT_EQ(view->policies.size(), host::XfrmView::kMaxPolicies);
  EXPECT_FALSE(view->complete);
  view = socket->read();
  EXPECT_TRUE(view) << "once more: " << view.error().sentence;
}

TEST_F(XfrmSocketTest, WithoutPermissionItSaysWhatItTakes) {
  const WithoutCapabilities without;
  const auto opened = XfrmSocket::open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error, EPERM);
  EXPECT_EQ(opened.error().sentence,
            "cannot follow the kernel's IPsec state: Operation not permitted (it takes CAP_NET_ADMIN)");
}

}  // namespace
}  // namespace tunnelwatch::io
