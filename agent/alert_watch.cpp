#include "agent/alert_watch.h"

#include "agent/diagnosis/daemon_alerts.h"
#include "agent/watch.h"
#include "probes/clock.h"

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kConnectEvery = 2s;

}  // namespace

void AlertWatch::configure(const config::Daemon& settings) {
  if (settings.error_notify == path_) return;
  stop();
  path_ = settings.error_notify;
  state_ = SourceState("error_notify", SourceState::Absence::ordinary);
  if (wanted()) connect();
}

void AlertWatch::stop() {
  stream_.reset();
  path_.clear();
}

void AlertWatch::connect() {
  notifications_ = {};
  io::UnixStream::Handlers handlers;
  handlers.on_open = [this] { state_.tell(path_, ""); };
  handlers.on_bytes = [this](std::span<const std::uint8_t> bytes) { on_bytes(bytes); };
  handlers.on_closed = [this](const std::string& reason) { on_closed(reason); };
  stream_ = std::make_unique<io::UnixStream>(io_, path_, std::move(handlers));
}

void AlertWatch::on_bytes(std::span<const std::uint8_t> bytes) {
  const TimePoint now = steady_now();
  notifications_.feed(bytes);
  while (const auto notification = notifications_.next()) {
    const auto hits = diagnosis::hits_of(*notification, by_key_(notification->connection));
    for (const auto& hit : hits) intake_.take(hit, now);
    if (hits.empty()) intake_.count(LogLineOutcome::ordinary);
  }
  watch_.settle(now);
  if (notifications_.failed()) on_closed("it does not speak error-notify");
}

void AlertWatch::on_closed(const std::string& reason) {
  stream_.reset();
  again_ = steady_now() + kConnectEvery;
  state_.tell(path_, reason);
}

void AlertWatch::tick(TimePoint now) {
  if (wanted() && !stream_ && now >= again_) connect();
}

}  // namespace tunnelwatch::agent
