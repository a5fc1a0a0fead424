#include "agent/filter_watch.h"

#include "agent/diagnosis/filter_evidence.h"
#include "agent/watch.h"

#include <algorithm>
#include <utility>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAgain = 5s;
constexpr Duration kTryAgain = 30s;

}  // namespace

bool FilterWatch::wanted() const {
  const auto& tunnels = watch_.tunnels();
  return !stopped_ && settings_.filter &&
         std::any_of(tunnels.begin(), tunnels.end(), [](const auto& t) { return t->configured(); });
}

void FilterWatch::configure(const config::Kernel& settings, TimePoint now) {
  const bool was_on = std::exchange(settings_, settings).filter;
  std::map<std::string, std::uint64_t> kept;
  for (const auto& tunnel : watch_.tunnels()) {
    const auto it = dropped_.find(tunnel->name());
    if (it != dropped_.end()) kept.insert(*it);
  }
  dropped_ = std::move(kept);
  if (was_on && !settings_.filter) {
    forget(now);
    state_ = SourceState("nftables");
  }
}

void FilterWatch::stop() {
  socket_.reset();
  stopped_ = true;
}

void FilterWatch::forget(TimePoint now) {
  socket_.reset();
  view_ = {};
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured()) diagnosis::forget_filter(tunnel->evidence().facts());
  }
  watch_.settle(now);
}

void FilterWatch::fail(const std::string& reason, TimePoint now) {
  next_ = now + kTryAgain;
  state_.tell("kernel", reason);
  forget(now);
}

void FilterWatch::look(TimePoint now) {
  auto view = socket_->read();
  if (!view) return fail(view.error().sentence, now);
  state_.tell("kernel", "");
  const auto drops = diagnosis::drops_between(view_, *view);
  view_ = std::move(*view);
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    const bool told = std::as_const(*tunnel).evidence().facts().is(diagnosis::FactId::filter_drops);
    if (drops.empty() && !told) continue;
    dropped_[tunnel->name()] +=
        diagnosis::judge_filter(tunnel->evidence().facts(), tunnel->settings(), view_, drops, now);
  }
  watch_.settle(now);
}

void FilterWatch::tick(TimePoint now) {
  if (!wanted() || now < next_) return;
  next_ = now + kAgain;
  if (!socket_) {
    auto opened = io::FilterSocket::open();
    if (!opened) return fail(opened.error().sentence, now);
    socket_ = std::move(*opened);
  }
  look(now);
}

void FilterWatch::report(exporters::Report& report) const {
  if (!wanted()) return;
  report.agent.sources.emplace_back("nftables", state_.up());
  for (auto& tunnel : report.tunnels) {
    if (!tunnel.configured || !state_.up()) continue;
    const auto it = dropped_.find(tunnel.name);
    tunnel.filter_dropped = it == dropped_.end() ? 0 : it->second;
  }
}

}  // namespace tunnelwatch::agent
