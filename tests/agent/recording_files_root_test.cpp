#include "agent/recording/recording.h"
#include "agent/recording_files.h"
#include "tests/support/temporary_folder.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

// File systems that are full or read-only, as they are: small ones in a mount namespace of the test's own.
namespace tunnelwatch::agent {
namespace {

namespace fs = std::filesystem;

std::string name(int minute) { return recording_name("t", WallTime{std::chrono::minutes(minute)}, "dpd_timeout"); }

std::string write(const RecordingPlace& place, int minute, std::size_t size) {
  return write_recording(place, name(minute), std::vector<std::uint8_t>(size, 7)).error;
}

std::size_t entries(const std::string& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

// In a child that has a mount namespace of its own with 64 KiB at `directory`; what it returns is what went wrong.
void on_small_file_system(const std::function<std::string(const std::string& directory)>& check) {
  const TemporaryFolder folder;
  const std::string directory = folder.path().string();
  int said[2];
  ASSERT_EQ(pipe(said), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string wrong;
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=64k") != 0) {
      wrong = std::string("this test needs root, for a file system of its own: ") + std::strerror(errno);
    } else {
      wrong = check(directory);
    }
    if (::write(said[1], wrong.data(), wrong.size()) < 0) _exit(2);
    _exit(wrong.empty() ? 0 : 1);
  }
  ::close(said[1]);
  std::string wrong(4096, '\0');
  const ssize_t n = ::read(said[0], wrong.data(), wrong.size());
  ::close(said[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << wrong.substr(0, n > 0 ? static_cast<std::size_t>(n) : 0);
}

TEST(RecordingFilesOnAFullDisk, FailLeaveNothingAndComeBack) {
  on_small_file_system([](const std::string& directory) -> std::string {
    const RecordingPlace place{.directory = directory, .quota_bytes = 1U << 20};
    if (auto error = write(place, 1, 20'000); !error.empty()) return "the first: " + error;
    std::ofstream(directory + "/filler") << std::string(30'000, 'x') << std::flush;
    const auto error = write(place, 2, 20'000);
    if (error.find("No space left on device") == std::string::npos) return "not told: " + error;
    if (entries(directory) != 2) return "something is left of it";
    fs::remove(directory + "/filler");
    if (auto again = write(place, 3, 20'000); !again.empty()) return "with room again: " + again;
    return entries(directory) == 2 ? "" : "it is not there";
  });
}

TEST(RecordingFilesOnAFullDisk, AReadOnlyDirectoryIsToldAtStart) {
  on_small_file_system([](const std::string& directory) -> std::string {
    const RecordingPlace place{.directory = directory, .quota_bytes = 1U << 20};
    if (auto error = write(place, 1, 100); !error.empty()) return "the first: " + error;
    if (mount(nullptr, directory.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) return std::strerror(errno);
    for (const auto& error : {prepare_recordings(place).error, write(place, 2, 100)}) {
      if (error.find("Read-only file system") == std::string::npos) return "not told: " + error;
    }
    const RecordingPlace below{.directory = directory + "/recordings", .quota_bytes = 1U << 20};
    const auto error = prepare_recordings(below).error;
    if (error.find("Read-only file system") == std::string::npos) return "not told: " + error;
    // The quota cannot be kept where nothing can be removed: said, and not exceeded.
    RecordingPlace small = place;
    small.quota_bytes = 150;
    const auto full = write(small, 2, 100);
    if (full.find("quota") == std::string::npos) return "not told: " + full;
    return entries(directory) == 1 ? "" : "something was written";
  });
}

}  // namespace
}  // namespace tunnelwatch::agent
