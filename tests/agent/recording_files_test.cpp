#include "agent/recording_files.h"

#include "agent/recording/recording.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::agent {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecordingFiles : public testing::Test {
 protected:
  void SetUp() override { place = {.directory = folder / "recordings", .quota_bytes = 1000, .quota_files = 10}; }

  static std::string name(int minute) {
    return recording_name("t", WallTime{std::chrono::minutes(minute)}, "dpd_timeout");
  }
  RecordingResult write(int minute, std::size_t size) {
    return write_recording(place, name(minute), std::vector<std::uint8_t>(size, 7));
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(place.directory)) out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }
  void put(const std::string& file, std::size_t size) const {
    std::ofstream(fs::path(place.directory) / file) << std::string(size, 'x');
  }

  TemporaryFolder temporary;
  const fs::path& folder = temporary.path();
  RecordingPlace place;
};

TEST_F(RecordingFiles, AreWholeAndForTheGroup) {
  const mode_t before = umask(077);
  const auto result = write(1, 300);
  umask(before);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.stored_bytes, 300U);
  EXPECT_THAT(result.removed, IsEmpty());
  EXPECT_THAT(names(), ElementsAre(name(1)));
  const fs::path path = fs::path(place.directory) / name(1);
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), std::string(300, '\x07'));
  struct stat about {};
  ASSERT_EQ(stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0640U);
  EXPECT_EQ(write(1, 200).stored_bytes, 500U) << "counted before the same name is replaced";
  EXPECT_EQ(prepare_recordings(place).stored_bytes, 200U);
}

TEST_F(RecordingFiles, TheOldestMakeRoom) {
  for (const int minute : {3, 1, 2}) EXPECT_EQ(write(minute, 300).error, "");
  const auto result = write(4, 600);
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.removed, ElementsAre(name(1), name(2)));
  EXPECT_EQ(result.stored_bytes, 900U);
  EXPECT_THAT(names(), ElementsAre(name(3), name(4)));
}

TEST_F(RecordingFiles, TheirNumberIsBoundedToo) {
  place.quota_files = 2;
  for (const int minute : {1, 2, 3}) EXPECT_EQ(write(minute, 1).error, "");
  EXPECT_THAT(names(), ElementsAre(name(2), name(3)));
}

TEST_F(RecordingFiles, OnlyOursAreEverRemoved) {
  ASSERT_EQ(prepare_recordings(place).error, "");
  const std::vector<std::string> others{".hidden", "a.pcap", "journal.log", "t-20260102T030405Z-x.pcap.gz",
                                        "." + name(1) + ".unfinished.bak"};
  for (const auto& other : others) put(other, 5000);
  fs::create_directory(fs::path(place.directory) / name(2));  // a directory, whatever its name
  fs::create_symlink(folder / "elsewhere", fs::path(place.directory) / name(3));
  put(name(4), 900);
  const auto result = write(5, 500);
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.removed, ElementsAre(name(4)));
  EXPECT_EQ(result.stored_bytes, 500U) << "what is not ours is not counted";
  auto expected = others;
  for (const int minute : {2, 3, 5}) expected.push_back(name(minute));
  EXPECT_THAT(names(), testing::UnorderedElementsAreArray(expected));
}

TEST_F(RecordingFiles, WhatACrashLeftIsRemovedAtStart) {
  ASSERT_EQ(prepare_recordings(place).error, "");
  put("." + name(1) + ".unfinished", 100);
  put(name(2), 400);
  put(name(3), 400);
  put(name(4), 400);
  const auto result = prepare_recordings(place);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.stored_bytes, 800U);
  EXPECT_THAT(names(), ElementsAre(name(3), name(4))) << "and a quota that was lowered holds";
}

TEST_F(RecordingFiles, ALinkIsNotFollowed) {
  ASSERT_EQ(prepare_recordings(place).error, "");
  const fs::path victim = folder / "victim";
  std::ofstream(victim) << "kept";
  fs::create_symlink(victim, fs::path(place.directory) / ("." + name(1) + ".unfinished"));
  fs::create_symlink(victim, fs::path(place.directory) / name(1));
  EXPECT_EQ(write(1, 10).error, "");
  EXPECT_EQ(fs::file_size(victim), 4U);
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(fs::path(place.directory) / name(1))));
}

TEST_F(RecordingFiles, NoDirectoryIsToldAndMadeWhereOnlyItIsMissing) {
  EXPECT_EQ(prepare_recordings(place).error, "");
  EXPECT_TRUE(fs::is_directory(place.directory));
  place.directory = folder / "no" / "such";
  EXPECT_THAT(prepare_recordings(place).error, HasSubstr("No such file or directory"));
  EXPECT_THAT(write(1, 10).error, HasSubstr(place.directory + ": No such file or directory"));
  place.directory = folder / "a file";
  std::ofstream(place.directory) << "x";
  EXPECT_THAT(prepare_recordings(place).error, HasSubstr("Not a directory"));
  EXPECT_THAT(write(1, 10).error, HasSubstr("Not a directory"));
}

TEST_F(RecordingFiles, AWriteThatEndsHalfwayLeavesNothing) {
  ASSERT_EQ(write(1, 100).error, "");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{200, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto result = write(2, 500);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_THAT(result.error, HasSubstr("File too large"));
  EXPECT_THAT(names(), ElementsAre(name(1)));
  EXPECT_EQ(result.stored_bytes, 100U);
  EXPECT_EQ(write(2, 500).error, "") << "and later it works again";
}

}  // namespace
}  // namespace tunnelwatch::agent
