#include "probes/io/live_capture.h"

#include "probes/clock.h"
#include "probes/io/pcap_device.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <poll.h>
#include <random>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tunnelwatch::io {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{250};
constexpr milliseconds kLastRetry{5000};
constexpr milliseconds kLook{500};  // how often the interface and the kernel's drops are looked at
constexpr int kFramesPerDispatch = 512;
constexpr int kEmptyWakes = 16;
constexpr milliseconds kPause{10};

std::uint64_t random_seed() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

passive::PacketFrontOptions seeded(passive::PacketFrontOptions options) {
  options.hash_seed = random_seed();
  return options;
}

// An eventfd that wakes the thread from poll.
class StopSignal {
 public:
  StopSignal() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal() { close(fd_); }

  void raise() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);  // fails only when it is raised already
  }
  // Waits for the signal or, if it is one, the descriptor. True when the signal was raised.
  bool wait(milliseconds longest, int descriptor = -1) const {
    std::array<pollfd, 2> watched{{{fd_, POLLIN, 0}, {descriptor, POLLIN, 0}}};
    poll(watched.data(), watched.size(), static_cast<int>(longest.count()));
    return (watched[0].revents & POLLIN) != 0;
  }

 private:
  int fd_;
};

}  // namespace

class LiveCapture::Worker final : private PcapDevice::FrameHandler {
 public:
  Worker(boost::asio::io_context& context, std::string name, passive::PacketSink& sink, CaptureStateHandler on_state,
         const LiveCaptureOptions& options)
      : interface(std::move(name)),
        options_(options),
        handover_(context, sink, std::move(on_state), options.handover_bytes),
        front_(handover_, seeded(options.front)),
        filter_(filter_for(*options.interest, options.front.inside)),
        thread_([this] { run(); }) {}
  ~Worker() override {
    handover_.close();
    stop_.raise();  // thread_ is the last member: it joins before the others go
  }

  void set_interest(std::shared_ptr<const passive::TrafficInterest> interest) {
    const std::lock_guard lock(mutex_);
    interest_ = std::move(interest);
    interest_is_new_ = true;
  }
  LiveCaptureCounters counters() const {
    const std::lock_guard lock(mutex_);
    LiveCaptureCounters copy = counters_;
    copy.handover_dropped = handover_.dropped();
    return copy;
  }

  const std::string interface;

 private:
  void run();
  bool capture(PcapDevice& device);
  void take_interest(PcapDevice* device);
  void on_frame(const PcapDevice::Frame& frame) override;
  void tell_state(bool up, std::string error);
  void idle(TimePoint at);
  void look_at_drops(const PcapDevice& device);
  void publish();

  const LiveCaptureOptions options_;
  StopSignal stop_;
  mutable std::mutex mutex_;
  LiveCaptureCounters counters_;                              // guarded by mutex_
  std::shared_ptr<const passive::TrafficInterest> interest_;  // likewise
  bool interest_is_new_ = false;                              // likewise
  CaptureHandover handover_;

  // The thread's own.
  passive::PacketFront front_;
  CaptureFilter filter_;
  wire::LinkType link_ = wire::LinkType::unsupported;
  WallClock clock_ = WallClock::of_this_machine();
  TimePoint dispatched_{};
  TimePoint last_stamp_ = TimePoint::min();
  PcapDevice::Stats seen_;
  bool told_ = false;
  bool told_up_ = false;
  std::string told_error_;

  std::jthread thread_;
};

void LiveCapture::Worker::run() {
  front_.set_interest(*options_.interest);
  milliseconds retry = kFirstRetry;
  while (true) {
    take_interest(nullptr);
    auto device = PcapDevice::open(interface, {.ring_bytes = options_.ring_bytes, .filter = filter_});
    if (device) {
      retry = kFirstRetry;
      tell_state(/*up=*/true, device->filter_complaint());
      if (!capture(*device)) return;
    } else {
      tell_state(/*up=*/false, device.error());
    }
    idle(steady_now());
    if (stop_.wait(retry)) return;
    retry = std::min(2 * retry, kLastRetry);
  }
}

// Until the interface fails (true) or the end is asked for (false).
bool LiveCapture::Worker::capture(PcapDevice& device) {
  link_ = device.link();
  front_.set_own_mac(device.mac());
  seen_ = {};
  front_.on_capture_gap(steady_now());  // whatever was sent while it was closed
  {
    const std::lock_guard lock(mutex_);
    ++counters_.openings;
  }
  TimePoint next_look = steady_now() + kLook;
  int empty = 0;
  while (!stop_.wait(kLook, device.descriptor())) {
    take_interest(&device);
    clock_ = WallClock::of_this_machine();
    dispatched_ = steady_now();
    const auto got = device.dispatch(kFramesPerDispatch, *this);
    std::string why = got ? std::string() : got.error();
    // A descriptor that reports an error instead of frames must not make the thread spin.
    empty = got && *got > 0 ? 0 : empty + 1;
    if (empty > kEmptyWakes && stop_.wait(kPause)) return false;
    const bool look = dispatched_ >= next_look || !got;
    if (look) {
      next_look = dispatched_ + kLook;
      look_at_drops(device);
    }
    idle(steady_now());
    if (!look) continue;
    const bool there = device.still_there(why);
    if (there && got) continue;
    tell_state(/*up=*/false, std::move(why));
    return true;
  }
  return false;
}

void LiveCapture::Worker::take_interest(PcapDevice* device) {
  std::shared_ptr<const passive::TrafficInterest> interest;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(interest_is_new_, false)) return;
    interest = interest_;
  }
  front_.set_interest(*interest);
  CaptureFilter filter = filter_for(*interest, options_.front.inside);
  if (filter == filter_) return;
  filter_ = std::move(filter);
  if (device == nullptr) return;
  device->set_filter(filter_);
  front_.on_capture_gap(steady_now());
  tell_state(/*up=*/true, device->filter_complaint());
}

void LiveCapture::Worker::on_frame(const PcapDevice::Frame& frame) {
  TimePoint at = clock_.from(WallTime{Duration(frame.wall_nanoseconds)});
  if (at > dispatched_) at = std::min(at, steady_now());
  last_stamp_ = std::max(last_stamp_, at);
  front_.on_frame(link_, frame.bytes, frame.wire_length, last_stamp_);
}

void LiveCapture::Worker::tell_state(bool up, std::string error) {
  if (told_ && told_up_ == up && told_error_ == error) return;
  told_ = true;
  told_up_ = up;
  told_error_ = error;
  handover_.on_state({interface, up, std::move(error)});
  handover_.flush();
}

// After each round: what is due, and what was found goes over.
void LiveCapture::Worker::idle(TimePoint at) {
  front_.on_tick(at);
  handover_.flush();
  publish();
}

void LiveCapture::Worker::look_at_drops(const PcapDevice& device) {
  const PcapDevice::Stats stats = device.stats();
  if (stats.dropped != seen_.dropped) front_.on_capture_gap(steady_now());
  const std::lock_guard lock(mutex_);
  counters_.received += stats.received - seen_.received;  // unsigned: right across a wrap
  counters_.dropped += stats.dropped - seen_.dropped;
  counters_.interface_dropped += stats.interface_dropped - seen_.interface_dropped;
  seen_ = stats;
}

void LiveCapture::Worker::publish() {
  const std::lock_guard lock(mutex_);
  counters_.packets = front_.counters();
  counters_.esp = front_.esp_counters();
  counters_.reassembly = front_.reassembly_counters();
}

LiveCapture::LiveCapture(boost::asio::io_context& context, std::string interface, passive::PacketSink& sink,
                         CaptureStateHandler on_state, const LiveCaptureOptions& options)
    : worker_(std::make_unique<Worker>(context, std::move(interface), sink, std::move(on_state), options)) {}

LiveCapture::~LiveCapture() = default;

void LiveCapture::set_interest(std::shared_ptr<const passive::TrafficInterest> interest) {
  worker_->set_interest(std::move(interest));
}

const std::string& LiveCapture::interface() const { return worker_->interface; }

LiveCaptureCounters LiveCapture::counters() const { return worker_->counters(); }

}  // namespace tunnelwatch::io
