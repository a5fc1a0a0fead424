#pragma once

#include "agent/recording_files.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace tunnelwatch::agent {

// Writes recordings on a thread of its own, so that no disk delays a probe: an fsync takes as long as the disk likes.
// All calls on the io_context's thread, where the results are told too, in the order of the jobs.
class RecordingWriter {
 public:
  struct Job {
    RecordingPlace place;
    std::string name;  // empty: only prepare the place
    std::vector<std::uint8_t> bytes;
  };
  using OnDone = std::function<void(const RecordingPlace&, const std::string& name, const RecordingResult&)>;

  RecordingWriter(boost::asio::io_context& context, OnDone on_done);
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;
  // Waits for the file that is being written; those that wait are dropped. Nothing is told any more.
  ~RecordingWriter();

  // False: too many wait already. The job of preparing a place is always taken.
  bool submit(Job job);

  static constexpr std::size_t kMostWaiting = 8;

 private:
  struct Shared;

  std::shared_ptr<Shared> shared_;
  std::thread thread_;  // from the first job on
};

}  // namespace tunnelwatch::agent
