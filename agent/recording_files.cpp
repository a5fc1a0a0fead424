#include "agent/recording_files.h"

#include "agent/recording/recording.h"
#include "probes/io/descriptor.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tunnelwatch::agent {

namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;
constexpr std::string_view kUnfinishedBegin = ".";
constexpr std::string_view kUnfinishedEnd = ".unfinished";

using io::Descriptor;

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::string failure(std::string_view what, const std::string& path) {
  return std::string(what) + " " + path + ": " + std::generic_category().message(errno);
}

std::string unfinished(const std::string& name) {
  return std::string(kUnfinishedBegin) + name + std::string(kUnfinishedEnd);
}

bool is_unfinished(std::string_view name) {
  if (!name.starts_with(kUnfinishedBegin) || !name.ends_with(kUnfinishedEnd)) return false;
  if (name.size() <= kUnfinishedBegin.size() + kUnfinishedEnd.size()) return false;
  name.remove_prefix(kUnfinishedBegin.size());
  name.remove_suffix(kUnfinishedEnd.size());
  return !time_of_recording(name).empty();
}

struct Listed {
  std::string name;
  std::string time;
  std::uint64_t bytes = 0;
};

struct Listing {
  std::vector<Listed> recordings;  // the oldest first
  std::vector<std::string> unfinished;
  std::uint64_t bytes = 0;
};

int open_directory(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const int fd = ::open(path.c_str(), kFlags);
  if (fd >= 0 || errno != ENOENT || ::mkdir(path.c_str(), kDirectoryMode) != 0) return fd;
  return ::open(path.c_str(), kFlags);
}

Listing list(int directory) {
  Listing found;
  // A descriptor of its own: the stream closes it, and reads from its own place.
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return found;
  const std::unique_ptr<DIR, DirectoryCloser> stream(fdopendir(own));
  if (!stream) {
    ::close(own);
    return found;
  }
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    const std::string time(time_of_recording(name));
    if (time.empty() && !is_unfinished(name)) continue;
    struct stat about {};
    if (::fstatat(directory, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(about.st_mode)) continue;
    if (time.empty()) {
      found.unfinished.push_back(name);
    } else {
      found.recordings.push_back({name, time, static_cast<std::uint64_t>(about.st_size)});
      found.bytes += found.recordings.back().bytes;
    }
  }
  std::sort(found.recordings.begin(), found.recordings.end(),
            [](const Listed& a, const Listed& b) { return a.time != b.time ? a.time < b.time : a.name < b.name; });
  return found;
}

// Removes the oldest until `bytes` in one more file fit. What cannot be removed stays counted.
void make_room(int directory, Listing& listing, const RecordingPlace& place, std::uint64_t bytes, std::size_t files,
               RecordingResult& result) {
  std::erase_if(listing.recordings, [&](const Listed& r) {
    const std::size_t left = listing.recordings.size() - result.removed.size();
    if (listing.bytes + bytes <= place.quota_bytes && left + files <= place.quota_files) return false;
    if (::unlinkat(directory, r.name.c_str(), 0) != 0) return false;
    listing.bytes -= r.bytes;
    result.removed.push_back(r.name);
    return true;
  });
}

bool write_all(int file, const std::vector<std::uint8_t>& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(file, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

// False with errno set.
bool write_file(int directory, const std::string& name, const std::vector<std::uint8_t>& bytes) {
  const Descriptor file(
      ::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  return file && ::fchmod(file.get(), kFileMode) == 0 && write_all(file.get(), bytes) && ::fsync(file.get()) == 0;
}

}  // namespace

RecordingResult prepare_recordings(const RecordingPlace& place) {
  RecordingResult result;
  const Descriptor directory(open_directory(place.directory));
  if (!directory) {
    result.error = failure("cannot open", place.directory);
    return result;
  }
  Listing listing = list(directory.get());
  for (const auto& name : listing.unfinished) ::unlinkat(directory.get(), name.c_str(), 0);
  make_room(directory.get(), listing, place, 0, 0, result);
  result.stored_bytes = listing.bytes;
  // Found out now, not at the first fault.
  if (::faccessat(directory.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    result.error = failure("cannot write to", place.directory);
  }
  return result;
}

RecordingResult write_recording(const RecordingPlace& place, const std::string& name,
                                const std::vector<std::uint8_t>& bytes) {
  RecordingResult result;
  const std::string path = place.directory + "/" + name;
  const Descriptor directory(open_directory(place.directory));
  if (!directory) {
    result.error = failure("cannot open", place.directory);
    return result;
  }
  Listing listing = list(directory.get());
  make_room(directory.get(), listing, place, bytes.size(), 1, result);
  result.stored_bytes = listing.bytes;
  if (listing.bytes + bytes.size() > place.quota_bytes) {
    result.error = "cannot write " + path + ": the quota does not hold it, or older ones cannot be removed";
    return result;
  }
  const std::string temporary = unfinished(name);
  ::unlinkat(directory.get(), temporary.c_str(), 0);
  if (!write_file(directory.get(), temporary, bytes) ||
      ::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) != 0) {
    result.error = failure("cannot write", path);
    ::unlinkat(directory.get(), temporary.c_str(), 0);
    return result;
  }
  ::fsync(directory.get());  // the name too; where that fails the file is there all the same
  result.stored_bytes += bytes.size();
  return result;
}

}  // namespace tunnelwatch::agent
