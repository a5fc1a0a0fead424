#include "agent/service_notify.h"

#include "tests/support/temporary_folder.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch {
namespace {

using std::chrono::microseconds;
using ::testing::StartsWith;

// What systemd is to the agent: a datagram socket. `name` as in $NOTIFY_SOCKET.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    const bool abstract = name[0] == '@';
    if (abstract) address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1));
    bound_ = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0;
  }
  ~Manager() { ::close(fd_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  bool bound() const { return bound_; }

  // The next datagram; none if nothing came (a unix datagram is there as soon as send() returned).
  std::optional<std::string> received() const {
    std::array<char, 512> buffer{};
    const auto size = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    return std::string(buffer.data(), static_cast<std::size_t>(size));
  }

 private:
  int fd_;
  bool bound_ = false;
};

std::string abstract_name(const std::string& test) { return "@tunnelwatch-" + test + "-" + std::to_string(::getpid()); }

ServiceNotify::Environment told_by(const std::string& socket) { return {socket, "", ""}; }

TEST(ServiceNotify, TellsAnAbstractSocket) {
  const auto name = abstract_name("abstract");
  const Manager manager(name);
  ASSERT_TRUE(manager.bound());
  const ServiceNotify notify(told_by(name));
  EXPECT_TRUE(notify.connected());

  notify.ready();
  EXPECT_EQ(manager.received(), "READY=1");
  notify.ready("watching 3 tunnels");
  EXPECT_EQ(manager.received(), "READY=1\nSTATUS=watching 3 tunnels");
  notify.status("2 of 3 tunnels up");
  EXPECT_EQ(manager.received(), "STATUS=2 of 3 tunnels up");
  notify.watchdog();
  EXPECT_EQ(manager.received(), "WATCHDOG=1");
  notify.stopping();
  EXPECT_EQ(manager.received(), "STOPPING=1");
  EXPECT_EQ(manager.received(), std::nullopt);
}

TEST(ServiceNotify, TellsASocketInTheFileSystem) {
  const TemporaryFolder folder;
  const Manager manager(folder / "socket");
  ASSERT_TRUE(manager.bound());
  const ServiceNotify notify(told_by(folder / "socket"));
  notify.ready();
  EXPECT_EQ(manager.received(), "READY=1");
}

TEST(ServiceNotify, AReloadCarriesTheMonotonicClock) {
  const auto name = abstract_name("reload");
  const Manager manager(name);
  const ServiceNotify notify(told_by(name));
  const auto monotonic_usec = [] {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  };

  const auto before = monotonic_usec();
  notify.reloading();
  const auto after = monotonic_usec();

  const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
  const auto message = manager.received();
  ASSERT_TRUE(message.has_value());
  ASSERT_THAT(*message, StartsWith(start));
  const auto told = std::stoll(message->substr(start.size()));
  EXPECT_GE(told, before);
  EXPECT_LE(told, after);
}

TEST(ServiceNotify, AStatusStaysOneLine) {
  const auto name = abstract_name("oneline");
  const Manager manager(name);
  const ServiceNotify notify(told_by(name));
  notify.status("a\nREADY=1\r\nb");
  EXPECT_EQ(manager.received(), "STATUS=a READY=1  b");
}

TEST(ServiceNotify, AFullSocketNeverBlocks) {
  const auto name = abstract_name("full");
  const Manager manager(name);
  const ServiceNotify notify(told_by(name));
  for (int i = 0; i < 10'000; ++i) notify.watchdog();
  EXPECT_EQ(manager.received(), "WATCHDOG=1");
}

TEST(ServiceNotify, AManagerThatWentAwayIsNoError) {
  const auto name = abstract_name("gone");
  auto manager = std::make_optional<Manager>(name);
  const ServiceNotify notify(told_by(name));
  manager.reset();
  notify.watchdog();
  notify.stopping();
  EXPECT_TRUE(notify.connected());
}

TEST(ServiceNotify, WithoutAUsableSocketNothingIsTold) {
  const struct {
    const char* name;
    std::string socket;
  } rows[] = {
      {"not set", ""},
      {"nothing after the @", "@"},
      {"a relative path", "run/notify"},
      {"longer than a socket's name may be", "/" + std::string(200, 'x')},
      {"nobody listens", "/nonexistent/notify"},
      {"nobody listens, abstract", abstract_name("nobody")},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const ServiceNotify notify(told_by(row.socket));
    EXPECT_FALSE(notify.connected());
    notify.ready("started");
    notify.reloading();
    notify.watchdog();
    notify.stopping();
  }
}

TEST(ServiceNotify, ReadsTheWatchdogInterval) {
  const auto self = std::to_string(::getpid());
  const struct {
    const char* name;
    std::string usec;
    std::string pid;
    std::optional<microseconds> expected;
  } rows[] = {
      {"for this process", "10000000", self, microseconds(10'000'000)},
      {"for whoever reads it", "2500000", "", microseconds(2'500'000)},
      {"for another process", "10000000", "1", std::nullopt},
      {"a process id that is none", "10000000", "me", std::nullopt},
      {"not set", "", self, std::nullopt},
      {"zero", "0", self, std::nullopt},
      {"negative", "-1", self, std::nullopt},
      {"not a number", "10s", self, std::nullopt},
      {"too large", "99999999999999999999", self, std::nullopt},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const ServiceNotify notify({"", row.usec, row.pid});
    EXPECT_EQ(notify.watchdog_interval(), row.expected);
  }
}

TEST(ServiceNotify, ReadsItsEnvironment) {
  ::setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
  ::setenv("WATCHDOG_USEC", "5000000", 1);
  ::unsetenv("WATCHDOG_PID");
  const auto environment = ServiceNotify::from_environment();
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(environment.notify_socket, "/run/systemd/notify");
  EXPECT_EQ(environment.watchdog_usec, "5000000");
  EXPECT_EQ(environment.watchdog_pid, "");
}

}  // namespace
}  // namespace tunnelwatch
