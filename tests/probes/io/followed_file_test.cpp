#include "probes/io/followed_file.h"

#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FollowedFileTest : public testing::Test {
 protected:
  void SetUp() override { path = (folder / "a.log").string(); }

  void add(const std::string& text) { std::ofstream(path, std::ios::app | std::ios::binary) << text; }
  std::vector<std::string> poll(FollowedFile& file, std::size_t most = 1 << 20) {
    std::vector<std::string> lines;
    now += 100ms;
    file.poll(now, most, [&](std::string_view line) { lines.emplace_back(line); });
    return lines;
  }

  TemporaryFolder temporary;
  const std::filesystem::path& folder = temporary.path();
  std::string path;
  TimePoint now{};
};

TEST_F(FollowedFileTest, TellsWhatIsAddedAndNoHistory) {
  add("old\nolder");
  FollowedFile file(path);
  EXPECT_THAT(poll(file), IsEmpty());
  EXPECT_EQ(file.error(), "");
  add(" half\nnew\nnot yet");
  EXPECT_THAT(poll(file), ElementsAre(" half", "new"));
  add(" whole\n");
  EXPECT_THAT(poll(file), ElementsAre("not yet whole"));
  EXPECT_THAT(poll(file), IsEmpty());
}

TEST_F(FollowedFileTest, AFileThatComesLaterIsReadFromItsTop) {
  FollowedFile file(path);
  EXPECT_THAT(poll(file), IsEmpty());
  EXPECT_THAT(file.error(), HasSubstr("No such file"));
  add("first\n");
  EXPECT_THAT(poll(file), ElementsAre("first"));
  EXPECT_EQ(file.error(), "");
}

TEST_F(FollowedFileTest, ARotatedFileIsReadToItsEnd) {
  add("old\n");
  FollowedFile file(path);
  poll(file);
  std::filesystem::rename(path, path + ".1");
  std::ofstream(path + ".1", std::ios::app) << "last of the old\n";
  EXPECT_THAT(poll(file), ElementsAre("last of the old"));
  EXPECT_EQ(file.error(), "") << "a moment without the name is a rotation";
  add("first of the new\n");
  std::ofstream(path + ".1", std::ios::app) << "no end";
  EXPECT_THAT(poll(file), ElementsAre("no end"));
  EXPECT_THAT(poll(file), ElementsAre("first of the new"));
}

TEST_F(FollowedFileTest, AFileThatStaysAwayIsToldAndTakenUpAgain) {
  add("old\n");
  FollowedFile file(path);
  poll(file);
  std::filesystem::remove(path);
  poll(file);
  now += 9s;
  poll(file);
  EXPECT_EQ(file.error(), "");
  now += 2s;
  poll(file);
  EXPECT_THAT(file.error(), HasSubstr("No such file"));
  add("again\n");
  poll(file);
  EXPECT_EQ(file.error(), "");
}

TEST_F(FollowedFileTest, ATruncatedFileBeginsAnew) {
  add("a long line of old\n");
  FollowedFile file(path);
  poll(file);
  std::ofstream(path, std::ios::trunc) << "new\n";
  poll(file);
  add("more\n");
  EXPECT_THAT(poll(file), ElementsAre("new", "more"));
}

TEST_F(FollowedFileTest, AFloodIsReadInTurns) {
  FollowedFile file(path);
  poll(file);
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "line " + std::to_string(i) + "\n";
  add(flood);
  std::size_t seen = 0;
  int turns = 0;
  for (; seen < 1000 && turns < 100; ++turns) seen += poll(file, 1000).size();
  EXPECT_EQ(seen, 1000U);
  EXPECT_GE(turns, 8);
}

TEST_F(FollowedFileTest, WhatIsNoFileIsToldAndNeverHangs) {
  FollowedFile file(folder.string());
  EXPECT_THAT(poll(file), IsEmpty());
  EXPECT_EQ(file.error(), "is no regular file");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  FollowedFile fifo(path);
  EXPECT_THAT(poll(fifo), IsEmpty());
  EXPECT_EQ(fifo.error(), "is no regular file");
}

}  // namespace
}  // namespace tunnelwatch::io
