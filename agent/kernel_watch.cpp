#include "agent/kernel_watch.h"

#include "agent/diagnosis/kernel_evidence.h"
#include "agent/watch.h"

#include <algorithm>
#include <span>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAgain = 5s;
constexpr Duration kLeast = 500ms;  // between two readings, whatever changes
constexpr Duration kTryAgain = 30s;
constexpr std::size_t kWaysEachTick = 32;  // some 10 us each

}  // namespace

bool KernelWatch::wanted() const {
  const auto& tunnels = watch_.tunnels();
  return std::any_of(tunnels.begin(), tunnels.end(), [](const auto& t) { return t->configured(); });
}

void KernelWatch::fail(const std::string& reason, TimePoint now) {
  socket_.reset();
  reading_ = false;
  next_ = now + kTryAgain;
  state_.tell("kernel", reason);
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured()) diagnosis::forget_kernel(tunnel->evidence().facts());
  }
}

void KernelWatch::begin(TimePoint now) {
  dirty_ = false;
  next_ = now + kAgain;
  least_ = now + kLeast;
  auto view = socket_->read();
  if (!view) return fail(view.error().sentence, now);
  state_.tell("kernel", "");
  view_ = std::move(*view);
  wanted_.clear();
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    const auto ways = diagnosis::wanted_ways(tunnel->settings(), tunnel->remote());
    wanted_.insert(wanted_.end(), ways.begin(), ways.end());
  }
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  reading_ = true;
}

void KernelWatch::go_on(TimePoint now) {
  const std::size_t count = std::min(kWaysEachTick, wanted_.size());
  socket_->add_ways(std::span(wanted_).last(count), view_);
  wanted_.resize(wanted_.size() - count);
  if (!wanted_.empty()) return;
  reading_ = false;
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    diagnosis::judge_kernel(tunnel->evidence().facts(), tunnel->settings(), tunnel->remote(), view_, now);
  }
  watch_.settle(now);
}

void KernelWatch::tick(TimePoint now) {
  if (stopped_ || !wanted()) return;
  if (!socket_) {
    if (now < next_ && !dirty_) return;
    dirty_ = false;
    auto opened = io::NetlinkSocket::open();
    if (!opened) return fail(opened.error().sentence, now);
    socket_ = std::move(*opened);
    dirty_ = true;
  }
  if (socket_->changed()) dirty_ = true;
  if (!reading_ && (now >= next_ || (dirty_ && now >= least_))) begin(now);
  if (reading_) go_on(now);
}

}  // namespace tunnelwatch::agent
