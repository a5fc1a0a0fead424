#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The directory of recordings. Blocks on the file system, never throws but std::bad_alloc. Only regular files that are
// named as recordings are counted, and only those and their unfinished forms are ever removed.
namespace tunnelwatch::agent {

struct RecordingPlace {
  std::string directory;
  std::uint64_t quota_bytes = 0;
  std::size_t quota_files = 1000;
  bool operator==(const RecordingPlace&) const = default;
};

struct RecordingResult {
  std::string error;                 // one sentence; empty: done
  std::vector<std::string> removed;  // names of recordings that had to go for the quota
  std::uint64_t stored_bytes = 0;    // of all recordings that are there now
};

// Makes the directory where only it is missing, removes what a crash left unfinished, and what is beyond the quota.
RecordingResult prepare_recordings(const RecordingPlace& place);

// Writes a whole file under its name, or none: it is complete and on the disk before it gets the name. Mode 0640.
// The oldest recordings make room for it first.
RecordingResult write_recording(const RecordingPlace& place, const std::string& name,
                                const std::vector<std::uint8_t>& bytes);

}  // namespace tunnelwatch::agent
