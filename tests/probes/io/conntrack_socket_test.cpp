#include "probes/io/conntrack_socket.h"

#include "tests/probes/io/net_namespace.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

// The kernel's own answers, in a namespace of the test's.
namespace tunnelwatch::io {
namespace {

using host::TrackedFlow;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

class ConntrackSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    NetNamespace::run(
        "for a in 10.1.0.7 10.2.0.7 10.3.0.7 192.0.2.10; do ip addr add $a/32 dev lo; done && nft 'add table ip t; add "
        "chain ip t p { type nat hook postrouting priority 100 ; }; add rule ip t p ip daddr 10.2.0.7 snat to "
        "192.0.2.10'");
    auto opened = ConntrackSocket::open();
    ASSERT_TRUE(opened) << opened.error().sentence;
    socket = std::move(*opened);
  }
  std::vector<TrackedFlow> read(IpFamily family) {
    std::vector<TrackedFlow> flows;
    const auto asked = socket->ask(family);
    EXPECT_TRUE(asked) << (asked ? "" : asked.error().sentence);
    for (int i = 0; i < 100; ++i) {
      const auto progress = socket->go_on([&](const TrackedFlow& flow) { flows.push_back(flow); });
      EXPECT_TRUE(progress) << (progress ? "" : progress.error().sentence);
      if (!progress || *progress == ConntrackSocket::Progress::done) return flows;
    }
    ADD_FAILURE() << "it does not end";
    return flows;
  }
  static TrackedFlow flow(const char* source, const char* destination, const char* answered_at) {
    return {*IpAddress::parse(source), *IpAddress::parse(destination), *IpAddress::parse(answered_at)};
  }
  NetNamespace space;
  std::unique_ptr<ConntrackSocket> socket;
};

TEST_F(ConntrackSocketTest, ReadsWhatIsTranslatedAndWhatIsNot) {
  EXPECT_THAT(read(IpFamily::v4), Not(Contains(flow("10.1.0.7", "10.2.0.7", "192.0.2.10"))));
  NetNamespace::run("ping -c 1 -W 1 -I 10.1.0.7 10.2.0.7; ping -c 1 -W 1 -I 10.1.0.7 10.3.0.7");
  const auto flows = read(IpFamily::v4);
  EXPECT_THAT(flows, Contains(flow("10.1.0.7", "10.2.0.7", "192.0.2.10")));
  EXPECT_THAT(flows, Contains(flow("10.1.0.7", "10.3.0.7", "10.1.0.7")));
  EXPECT_THAT(read(IpFamily::v6), IsEmpty());
}

TEST_F(ConntrackSocketTest, WithoutThePermissionItSaysSo) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct all[2]{};
  ASSERT_EQ(syscall(SYS_capget, &header, all), 0) << std::strerror(errno);
  __user_cap_data_struct fewer[2]{all[0], all[1]};
  fewer[0].effective &= ~(1U << CAP_NET_ADMIN);
  ASSERT_EQ(syscall(SYS_capset, &header, fewer), 0) << std::strerror(errno);
  auto opened = ConntrackSocket::open();
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->ask(IpFamily::v4));
  const auto progress = (*opened)->go_on([](const TrackedFlow&) { ADD_FAILURE() << "it was told"; });
  EXPECT_EQ(syscall(SYS_capset, &header, all), 0) << std::strerror(errno);
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().sentence,
            "cannot read the connection tracking: Operation not permitted (it takes CAP_NET_ADMIN)");
}

}  // namespace
}  // namespace tunnelwatch::io
