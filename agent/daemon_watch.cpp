#include "agent/daemon_watch.h"

#include "agent/diagnosis/daemon_evidence.h"
#include "agent/watch.h"
#include "probes/clock.h"

#include <algorithm>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kConnectEvery = 2s;
constexpr Duration kAskEvery = 10s;
constexpr Duration kPatience = 30s;  // a daemon that is silent for longer is as good as gone

using Counted = std::vector<std::pair<std::string_view, std::uint64_t>>;

// `all`: those that are nought too.
Counted listed(const host::DaemonCounts& counts, bool all) {
  Counted list;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (all || counts[i] != 0) list.emplace_back(host::kDaemonCounters[i], counts[i]);
  }
  return list;
}

}  // namespace

void DaemonWatch::configure(const config::Daemon& settings) {
  if (settings != settings_) {
    forget();
    stop();
    settings_ = settings;
    state_ = SourceState("vici");
    if (wanted()) connect(steady_now());
  }
  const auto stays = [this](const std::string& name) {
    const Tunnel* tunnel = watch_.find(name);
    return tunnel != nullptr && tunnel->configured();
  };
  totals_.keep_tunnels(stays);
  std::erase_if(lives_, [&](const auto& life) { return !stays(life.first); });
  if (view_) tell_tunnels(steady_now());  // tunnels may be new
}

void DaemonWatch::stop() {
  stream_.reset();
  view_.reset();
  settings_.vici.clear();
}

void DaemonWatch::connect(TimePoint now) {
  session_ = {};
  reader_ = {};  // a daemon that was started again numbers its SAs anew
  deletions_ = {};
  answered_ = now;
  again_ = now + kAskEvery;
  io::UnixStream::Handlers handlers;
  handlers.on_open = [this] {
    session_.begin(settings_.log);
    stream_->send(session_.take_output());
  };
  handlers.on_bytes = [this](std::span<const std::uint8_t> bytes) { on_bytes(bytes); };
  handlers.on_closed = [this](const std::string& reason) { on_closed(reason); };
  stream_ = std::make_unique<io::UnixStream>(io_, settings_.vici, std::move(handlers));
}

void DaemonWatch::on_bytes(std::span<const std::uint8_t> bytes) {
  session_.on_bytes(bytes);
  take_lines(steady_now());
  if (session_.failed()) return on_closed("it does not speak vici");
  if (auto output = session_.take_output(); !output.empty() && !stream_->send(std::move(output)))
    return on_closed("it does not read what it is asked");
  auto view = session_.take_view();
  if (!view) return;
  answered_ = steady_now();
  view_ = std::move(view);
  state_.tell(settings_.vici, "");
  count(answered_);
  tell_tunnels(answered_);
}

void DaemonWatch::on_closed(const std::string& reason) {
  stream_.reset();
  view_.reset();
  again_ = steady_now() + kConnectEvery;
  state_.tell(settings_.vici, reason);
  forget();
}

// What it said of the tunnels is not known any more.
void DaemonWatch::forget() {
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    diagnosis::forget_daemon(tunnel->evidence().facts());
    if (const auto life = lives_.find(tunnel->name()); life != lives_.end())
      life->second.forget(tunnel->evidence().facts());
  }
  watch_.settle(steady_now());
}

void DaemonWatch::count(TimePoint now) {
  totals_.on_counters(view_->counters);
  const auto news = totals_.news();
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    totals_.add_to_tunnel(tunnel->name(), diagnosis::connections_of(tunnel->settings(), tunnel->remote(), *view_));
    if (news) diagnosis::judge_unknown_spis(tunnel->evidence().facts(), (*news)[host::kInvalidSpi], now);
  }
}

void DaemonWatch::take_lines(TimePoint now) {
  const auto lines = session_.take_lines();
  for (const std::string& line : lines) {
    if (const auto deletion = diagnosis::deletion_of(line)) deletions_.note(*deletion);
    intake_.take(reader_, line, diagnosis::LogTeller::daemon_log, now);
  }
  if (!lines.empty()) watch_.settle(now);
}

bool DaemonWatch::is_by_key(std::string_view connection) const {
  return view_ && std::any_of(view_->connections.begin(), view_->connections.end(),
                              [&](const auto& c) { return c.name == connection && c.by_key; });
}

void DaemonWatch::report(exporters::Report& report) const {
  intake_.report(report);
  if (const auto* counts = totals_.of_daemon(); counts != nullptr && up())
    report.agent.daemon_counts = listed(*counts, true);
  for (auto& tunnel : report.tunnels) {
    const auto* counts = totals_.of_tunnel(tunnel.name);
    if (counts != nullptr && up()) tunnel.daemon_counts = listed(*counts, false);
  }
}

void DaemonWatch::tell_tunnels(TimePoint now) {
  watch_.name_peers(*view_);
  for (const auto& sa : view_->sas) {
    if (sa.remote && sa.id != 0) reader_.know(sa.id, sa.connection, *sa.remote);
  }
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    diagnosis::judge_daemon(tunnel->evidence().facts(), tunnel->settings(), tunnel->remote(), *view_, now);
    lives_[tunnel->name()].on_view(tunnel->evidence().facts(), tunnel->remote(), *view_, deletions_, now);
  }
  watch_.settle(now);
}

void DaemonWatch::tick(TimePoint now) {
  if (!wanted()) return;
  if (!stream_) {
    if (now >= again_) connect(now);
    return;
  }
  if (now - answered_ > kPatience) return on_closed("it does not answer");
  if (now < again_ || !view_) return;
  again_ = now + kAskEvery;
  session_.refresh();
  if (auto output = session_.take_output(); !output.empty()) stream_->send(std::move(output));
}

}  // namespace tunnelwatch::agent
