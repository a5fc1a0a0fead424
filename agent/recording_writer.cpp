#include "agent/recording_writer.h"

#include <condition_variable>
#include <deque>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace tunnelwatch::agent {

struct RecordingWriter::Shared {
  Shared(boost::asio::io_context& c, OnDone d) : context(c), on_done(std::move(d)) {}

  static void run(const std::shared_ptr<Shared>& shared);

  boost::asio::io_context& context;
  OnDone on_done;  // the io_context's thread only; empty: closed
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Job> jobs;
  bool stop = false;
};

void RecordingWriter::Shared::run(const std::shared_ptr<Shared>& shared) {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(shared->mutex);
      shared->wake.wait(lock, [&] { return shared->stop || !shared->jobs.empty(); });
      if (shared->stop) return;
      job = std::move(shared->jobs.front());
      shared->jobs.pop_front();
    }
    RecordingResult result =
        job.name.empty() ? prepare_recordings(job.place) : write_recording(job.place, job.name, job.bytes);
    job.bytes.clear();
    boost::asio::post(shared->context, [shared, job = std::move(job), result = std::move(result)] {
      if (shared->on_done) shared->on_done(job.place, job.name, result);
    });
  }
}

RecordingWriter::RecordingWriter(boost::asio::io_context& context, OnDone on_done)
    : shared_(std::make_shared<Shared>(context, std::move(on_done))) {}

RecordingWriter::~RecordingWriter() {
  shared_->on_done = nullptr;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stop = true;
  }
  shared_->wake.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool RecordingWriter::submit(Job job) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (!job.name.empty() && shared_->jobs.size() >= kMostWaiting) return false;
    shared_->jobs.push_back(std::move(job));
  }
  shared_->wake.notify_one();
  if (!thread_.joinable()) thread_ = std::thread([shared = shared_] { Shared::run(shared); });
  return true;
}

}  // namespace tunnelwatch::agent
