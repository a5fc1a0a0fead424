#include "probes/io/child_output.h"

#include <chrono>
#include <csignal>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ChildOutputTest : public testing::Test {
 protected:
  ChildOutput start(const std::string& script) { return start({"/bin/sh", "-c", script}); }
  ChildOutput start(std::initializer_list<std::string> command) {
    return ChildOutput(io, command,
                       {.on_output = [this](std::string_view bytes) { output += bytes; },
                        .on_state = [this](const std::string& error) { state = error; }});
  }
  template <typename Done>
  void run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(10s);
    ASSERT_TRUE(done());
  }

  boost::asio::io_context io{1};
  std::string output;
  std::optional<std::string> state;
};

TEST_F(ChildOutputTest, WhatItWritesIsToldAndThatItRuns) {
  const auto child = start("echo one; echo two; exec sleep 100");
  run_until([&] { return output == "one\ntwo\n" && state; });
  EXPECT_EQ(*state, "");
}

TEST_F(ChildOutputTest, WhyItEndedIsTold) {
  const auto child = start("echo no permission >&2; exit 3");
  run_until([&] { return state.has_value(); });
  EXPECT_EQ(*state, "/bin/sh says: no permission");
}

TEST_F(ChildOutputTest, HowItEndedWhereItSaysNothing) {
  const auto child = start("exit 3");
  run_until([&] { return state.has_value(); });
  EXPECT_THAT(*state, HasSubstr("/bin/sh "));
}

TEST_F(ChildOutputTest, AProgramThatIsNotThereIsTold) {
  const auto child = start({"/nonexistent/program"});
  run_until([&] { return state.has_value(); });
  EXPECT_THAT(*state, HasSubstr("No such file"));
}

TEST_F(ChildOutputTest, ItEndsWithTheObject) {
  {
    const auto child = start("echo $$; exec sleep 100");
    run_until([&] { return output.ends_with('\n'); });
    ASSERT_EQ(::kill(std::stoi(output), 0), 0);
  }
  EXPECT_EQ(::kill(std::stoi(output), 0), -1);
  io.run_for(10ms);  // nothing is told of it any more
  EXPECT_FALSE(state && !state->empty());
}

}  // namespace
}  // namespace tunnelwatch::io
