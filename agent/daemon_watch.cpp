#include "agent/daemon_watch.h"

#include "agent/diagnosis/daemon_evidence.h"
#include "agent/watch.h"

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kConnectEvery = 2s;
constexpr Duration kAskEvery = 10s;
constexpr Duration kPatience = 30s;  // a daemon that is silent for longer is as good as gone

TimePoint steady_now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

}  // namespace

void DaemonWatch::configure(const config::Daemon& settings) {
  if (settings != settings_) {
    stop();
    settings_ = settings;
    state_ = SourceState("vici");
    if (wanted()) connect(steady_now());
  }
  if (view_) tell_tunnels(steady_now());  // tunnels may be new
}

void DaemonWatch::stop() {
  stream_.reset();
  view_.reset();
  settings_.vici.clear();
}

void DaemonWatch::connect(TimePoint now) {
  session_ = {};
  answered_ = now;
  again_ = now + kAskEvery;
  io::UnixStream::Handlers handlers;
  handlers.on_open = [this] {
    session_.begin();
    stream_->send(session_.take_output());
  };
  handlers.on_bytes = [this](std::span<const std::uint8_t> bytes) { on_bytes(bytes); };
  handlers.on_closed = [this](const std::string& reason) { on_closed(reason); };
  stream_ = std::make_unique<io::UnixStream>(io_, settings_.vici, std::move(handlers));
}

void DaemonWatch::on_bytes(std::span<const std::uint8_t> bytes) {
  session_.on_bytes(bytes);
  if (session_.failed()) return on_closed("it does not speak vici");
  if (auto output = session_.take_output(); !output.empty() && !stream_->send(std::move(output)))
    return on_closed("it does not read what it is asked");
  auto view = session_.take_view();
  if (!view) return;
  answered_ = steady_now();
  view_ = std::move(view);
  state_.tell(settings_.vici, "");
  tell_tunnels(answered_);
}

void DaemonWatch::on_closed(const std::string& reason) {
  stream_.reset();
  view_.reset();
  again_ = steady_now() + kConnectEvery;
  state_.tell(settings_.vici, reason);
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured()) diagnosis::forget_daemon(tunnel->evidence().facts());
  }
  watch_.settle(steady_now());
}

void DaemonWatch::tell_tunnels(TimePoint now) {
  watch_.name_peers(*view_);
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->configured()) continue;
    diagnosis::judge_daemon(tunnel->evidence().facts(), tunnel->settings(), tunnel->remote(), *view_, now);
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
