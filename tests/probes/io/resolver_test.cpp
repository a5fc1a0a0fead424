#include "probes/io/resolver.h"

#include <atomic>
#include <future>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;

const IpAddress kAnswer = *IpAddress::parse("192.0.2.7");

Resolution found(const std::string& name) { return {name, {kAnswer}, {}}; }

struct Collected {
  Resolver::Handler handler() {
    return [this](const Resolution& r) { all.push_back(r); };
  }
  std::vector<Resolution> all;
};

// Runs until as many answers are there, or too long.
void run(boost::asio::io_context& io, const Collected& c, std::size_t answers) {
  for (int i = 0; i < 500 && c.all.size() < answers; ++i) {
    io.run_for(10ms);
    io.restart();
  }
}

TEST(Resolver, AnAddressNeedsNoLookup) {
  boost::asio::io_context io;
  std::atomic<int> lookups = 0;
  Resolver resolver(io, 5s, [&](const std::string& name) {
    ++lookups;
    return found(name);
  });
  Collected c;
  resolver.resolve("2001:db8::1", c.handler());
  EXPECT_TRUE(c.all.empty()) << "never from within the call";
  run(io, c, 1);
  ASSERT_EQ(c.all.size(), 1U);
  EXPECT_EQ(c.all[0].addresses, std::vector{*IpAddress::parse("2001:db8::1")});
  EXPECT_EQ(lookups, 0);
}

TEST(Resolver, ManyNamesAreEachAnsweredOnce) {
  boost::asio::io_context io;
  Resolver resolver(io, 30s, found);
  Collected c;
  for (int i = 0; i < 200; ++i) resolver.resolve("host" + std::to_string(i), c.handler());
  run(io, c, 200);
  EXPECT_EQ(c.all.size(), 200U);
  for (const Resolution& r : c.all) EXPECT_EQ(r.addresses, std::vector{kAnswer});
}

TEST(Resolver, AFailureIsAnAnswerAndTheNextNameGoesOn) {
  boost::asio::io_context io;
  Resolver resolver(io, 5s, [](const std::string& name) {
    return name == "bad" ? Resolution{name, {}, "no such name"} : found(name);
  });
  Collected c;
  resolver.resolve("bad", c.handler());
  run(io, c, 1);
  resolver.resolve("good", c.handler());
  run(io, c, 2);
  ASSERT_EQ(c.all.size(), 2U);
  EXPECT_EQ(c.all[0].error, "no such name");
  EXPECT_EQ(c.all[1].addresses, std::vector{kAnswer});
}

TEST(Resolver, AStuckNameEndsAtItsDeadlineAndHoldsUpNobody) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  auto finished = std::make_shared<std::promise<void>>();
  std::future<void> ended = finished->get_future();
  Collected c;
  {
    boost::asio::io_context io;
    Resolver resolver(io, 100ms, [released, finished](const std::string& name) {
      if (name != "stuck") return found(name);
      released.wait();
      finished->set_value();
      return found(name);
    });
    resolver.resolve("stuck", c.handler());
    run(io, c, 1);
    ASSERT_EQ(c.all.size(), 1U);
    EXPECT_EQ(c.all[0].error, "no answer within the deadline");
    resolver.resolve("other", c.handler());
    run(io, c, 2);
    ASSERT_EQ(c.all.size(), 2U);
    EXPECT_EQ(c.all[1].addresses, std::vector{kAnswer});
  }  // Resolver and io_context are gone while the look-up still runs: this must not wait for it
  release.set_value();
  EXPECT_EQ(ended.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(c.all.size(), 2U) << "the late answer is dropped";
}

TEST(Resolver, ItsHandlersDieWithIt) {
  boost::asio::io_context io;
  Collected c;
  {
    Resolver resolver(io, 5s, found);
    resolver.resolve("a", c.handler());
    resolver.resolve("192.0.2.1", c.handler());
  }
  io.run_for(50ms);
  EXPECT_TRUE(c.all.empty());
}

TEST(Resolver, AHandlerMayDestroyIt) {
  boost::asio::io_context io;
  auto resolver = std::make_unique<Resolver>(io, 5s, found);
  bool called = false;
  resolver->resolve("a", [&](const Resolution&) {
    called = true;
    resolver.reset();
  });
  for (int i = 0; i < 500 && !called; ++i) {
    io.run_for(10ms);
    io.restart();
  }
  EXPECT_TRUE(called);
  EXPECT_EQ(resolver, nullptr);
}

TEST(Resolver, MoreThanItHoldsIsRefused) {
  boost::asio::io_context io;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  Resolver resolver(io, 30s, [released](const std::string& name) {
    released.wait();
    return found(name);
  });
  Collected c;
  for (std::size_t i = 0; i <= Resolver::kMaxPending; ++i) resolver.resolve("n" + std::to_string(i), c.handler());
  run(io, c, 1);
  ASSERT_EQ(c.all.size(), 1U);
  EXPECT_EQ(c.all[0].error, "too many names wait to be resolved");
  release.set_value();
  run(io, c, Resolver::kMaxPending + 1);
  EXPECT_EQ(c.all.size(), Resolver::kMaxPending + 1);
}

TEST(Resolver, TheSystemKnowsLocalhost) {
  const Resolution r = Resolver::system_lookup("localhost");
  ASSERT_TRUE(r.error.empty()) << r.error;
  for (const IpAddress& a : r.addresses) EXPECT_TRUE(a.is_loopback()) << a.to_string();
}

TEST(Resolver, ANameThatCannotBeIsAnError) {
  const Resolution r = Resolver::system_lookup("..");
  EXPECT_FALSE(r.error.empty());
  EXPECT_TRUE(r.addresses.empty());
}

}  // namespace
}  // namespace tunnelwatch::io
