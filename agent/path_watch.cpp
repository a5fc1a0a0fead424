#include "agent/path_watch.h"

#include "agent/diagnosis/path_evidence.h"
#include "agent/log.h"
#include "agent/path_words.h"
#include "probes/clock.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::agent {

using active::PathMtuOutcome;
using diagnosis::Cause;

namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds{500};
constexpr std::uint64_t kSeedStep = 0x9e3779b97f4a7c15U;

// A trace can say where what the verdict calls blocked ends.
bool is_suspect(const Tunnel& tunnel) {
  if (tunnel.esp_reach().lost_echo()) return true;
  const auto causes = tunnel.verdict().ranked();
  return std::any_of(causes.begin(), causes.end(), [](const diagnosis::CauseHistory* c) {
    return c->active && (c->cause == Cause::ike_port_500_blocked || c->cause == Cause::ike_port_4500_blocked ||
                         c->cause == Cause::esp_blocked);
  });
}

}  // namespace

PathWatch::PathWatch(boost::asio::io_context& io, Watch& watch, std::uint64_t seed)
    : io_(io), watch_(watch), seed_(seed) {}
PathWatch::~PathWatch() = default;

void PathWatch::sync(const config::PathProbe& settings, TimePoint now) {
  settings_ = settings;
  if (!started_) started_ = now;
  if (settings_.enabled) return;
  running_.reset();
  for (auto& [name, path] : paths_) path.mtu.reset();
}

void PathWatch::stop() {
  settings_.enabled = false;
  running_.reset();
}

void PathWatch::tick(TimePoint now) {
  if (!settings_.enabled || now < next_look_) return;
  next_look_ = now + kLookEvery;
  forget_told();
  if (running_) return;
  if (const Choice choice = choose(now); choice.tunnel != nullptr) begin(*choice.tunnel, choice.trace, now);
}

// What a trace said is evidence of that fault, not of the next one.
void PathWatch::forget_told() {
  bool forgot = false;
  for (const auto& tunnel : watch_.tunnels()) {
    const auto found = paths_.find(tunnel->name());
    if (found == paths_.end() || !found->second.told || is_suspect(*tunnel)) continue;
    found->second.told = false;
    diagnosis::forget_trace(tunnel->evidence().facts());
    forgot = true;
  }
  if (forgot) watch_.settle(steady_now());
}

void PathWatch::forget_gone() {
  std::erase_if(paths_, [&](const auto& entry) { return watch_.find(entry.first) == nullptr; });
}

// A fault first; then the one whose MTU is due for the longest time.
PathWatch::Choice PathWatch::choose(TimePoint now) {
  if (paths_.size() > watch_.tunnels().size()) forget_gone();
  Choice choice;
  TimePoint oldest = TimePoint::max();
  const bool measures = now - *started_ >= std::min<Duration>(kFirst, settings_.interval);
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->remote()) continue;
    const Path& path = paths_[tunnel->name()];
    if (is_suspect(*tunnel) && (!path.traced || now - *path.traced >= kTraceEvery)) return {tunnel.get(), true};
    if (!measures || (path.measured && now - *path.measured < settings_.interval)) continue;
    const TimePoint since = path.measured.value_or(TimePoint{});
    if (since >= oldest) continue;
    oldest = since;
    choice.tunnel = tunnel.get();
  }
  return choice;
}

void PathWatch::begin(const Tunnel& tunnel, bool trace, TimePoint now) {
  Path& path = paths_[tunnel.name()];
  if (trace) path.traced = now;
  path.measured = now;
  PathProbeOptions options;
  options.target = *tunnel.remote();
  if (const auto& local = tunnel.settings().local; local && local->family() == options.target.family()) {
    options.source = local;
  }
  options.trace = trace;
  PathProbe::Handlers handlers;
  handlers.on_done = [this, name = tunnel.name(), trace] { finish(name, trace); };
  auto started = PathProbe::start(io_, options, seed_ += kSeedStep, std::move(handlers));
  if (started) {
    running_ = std::move(*started);
    return;
  }
  if (!complained_) log::warning("path_unavailable", "reason=" + log::quoted(started.error().sentence));
  complained_ = true;
}

void PathWatch::finish(const std::string& name, bool traced) {
  const auto probe = std::move(running_);
  Tunnel* const tunnel = watch_.find(name);
  if (tunnel == nullptr) return;
  const auto now = steady_now();
  Path& path = paths_[name];
  const auto& mtu = probe->mtu();
  if (mtu.outcome != PathMtuOutcome::unknown) {
    path.mtu = exporters::PathMtuReport{mtu.mtu, mtu.outcome == PathMtuOutcome::black_hole};
  }
  if (!traced) return;
  const auto findings = active::compare_flows(probe->trace().flows());
  for (const auto& sentence : comparison_words(probe->trace(), findings)) {
    log::info("path_traced", fmt::format("tunnel={} found={}", log::quoted(name), log::quoted(sentence)));
  }
  path.told = true;
  diagnosis::tell_trace(tunnel->evidence().facts(), findings, now);
  tunnel->esp_reach().on_trace(findings, now);
  watch_.settle(now);
}

void PathWatch::report(exporters::Report& report) const {
  for (auto& tunnel : report.tunnels) {
    if (const auto found = paths_.find(tunnel.name); found != paths_.end()) tunnel.path_mtu = found->second.mtu;
  }
}

}  // namespace tunnelwatch::agent
