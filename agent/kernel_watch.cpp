#include "agent/kernel_watch.h"

#include "agent/diagnosis/kernel_evidence.h"
#include "agent/watch.h"
#include "probes/io/proc_net.h"

#include <algorithm>
#include <span>
#include <utility>

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
    if (!tunnel->configured()) continue;
    diagnosis::forget_kernel(tunnel->evidence().facts());
    diagnosis::forget_forwarding(tunnel->evidence().facts());
  }
  watch_.settle(now);
}

void KernelWatch::count() {
  const auto before = std::exchange(counters_, {io::read_ip_counters(), io::read_conntrack_drops()});
  forwarding_ = diagnosis::look_between(before, counters_);
}

void KernelWatch::begin(TimePoint now) {
  dirty_ = false;
  next_ = now + kAgain;
  least_ = now + kLeast;
  auto view = socket_->read();
  if (!view) return fail(view.error().sentence, now);
  state_.tell("kernel", "");
  view_ = std::move(*view);
  count();
  wanted_.clear();
  peers_.clear();
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    const auto ways = diagnosis::wanted_ways(tunnel->settings(), tunnel->remote());
    wanted_.insert(wanted_.end(), ways.begin(), ways.end());
    if (tunnel->remote()) peers_.push_back(*tunnel->remote());
  }
  for (auto* list : {&wanted_, &peers_}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  reading_ = true;
}

void KernelWatch::go_on(TimePoint now) {
  const std::size_t count = std::min(kWaysEachTick, wanted_.size());
  socket_->add_ways(std::span(wanted_).last(count), view_);
  wanted_.resize(wanted_.size() - count);
  const std::size_t rest = std::min(kWaysEachTick - count, peers_.size());
  socket_->add_entries(std::span(peers_).last(rest), view_);
  peers_.resize(peers_.size() - rest);
  if (!wanted_.empty() || !peers_.empty()) return;
  reading_ = false;
  changes_.keep(watch_);
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    diagnosis::judge_kernel(tunnel->evidence().facts(), tunnel->settings(), tunnel->remote(), view_, now);
    diagnosis::judge_forwarding(tunnel->evidence().facts(), tunnel->settings(), view_, forwarding_, now);
    const auto way = tunnel->remote() ? view_.ways.find(*tunnel->remote()) : view_.ways.end();
    if (way != view_.ways.end()) changes_.note(tunnel->name(), way->second, view_, now);
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

void KernelWatch::report(exporters::Report& report, const WallClock& clock) const {
  if (!wanted()) return;
  report.agent.sources.emplace_back("netlink", state_.up());
  changes_.report(report, clock);
  if (!counters_.ip) return;
  report.agent.not_let_through = {{"not_for_this_machine", counters_.ip->refused},
                                  {"reverse_path", counters_.ip->reverse_path}};
  if (counters_.connection_drops)
    report.agent.not_let_through.emplace_back("connection_tracking", *counters_.connection_drops);
}

}  // namespace tunnelwatch::agent
