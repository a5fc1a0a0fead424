#include "agent/flow_watch.h"

#include "agent/watch.h"

#include <algorithm>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kAgain = 5s;  // behind the end of the reading before
constexpr Duration kTryAgain = 30s;

bool has_subnets(const Tunnel& tunnel) {
  return tunnel.configured() && !tunnel.settings().local_subnets.empty() && !tunnel.settings().remote_subnets.empty();
}

}  // namespace

bool FlowWatch::wanted() const {
  const auto& tunnels = watch_.tunnels();
  return !stopped_ && settings_.conntrack &&
         std::any_of(tunnels.begin(), tunnels.end(), [](const auto& t) { return has_subnets(*t); });
}

void FlowWatch::configure(const config::Kernel& settings) {
  settings_ = settings;
  if (flows_) socket_.reset();  // its answer is not read to the end
  flows_.reset();               // it may be of tunnels that are gone
  next_ = {};
  if (wanted()) return;
  forget();
  state_ = SourceState("conntrack");
}

void FlowWatch::stop() {
  socket_.reset();
  flows_.reset();
  stopped_ = true;
}

void FlowWatch::forget() {
  socket_.reset();
  flows_.reset();
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured()) diagnosis::forget_flows(tunnel->evidence().facts());
  }
}

void FlowWatch::fail(const std::string& reason, TimePoint now) {
  next_ = now + kTryAgain;
  state_.tell("kernel", reason);
  forget();
  watch_.settle(now);
}

void FlowWatch::begin(TimePoint now) {
  if (!socket_) {
    auto opened = io::ConntrackSocket::open();
    if (!opened) return fail(opened.error().sentence, now);
    socket_ = std::move(*opened);
  }
  if (const auto asked = socket_->ask(IpFamily::v4); !asked) return fail(asked.error().sentence, now);
  flows_.emplace();
  reads_v6_ = false;
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured()) flows_->add_tunnel(tunnel->settings());
  }
}

void FlowWatch::go_on(TimePoint now) {
  const auto progress = socket_->go_on([this](const host::TrackedFlow& flow) { flows_->take(flow); });
  if (!progress) return fail(progress.error().sentence, now);
  if (*progress == io::ConntrackSocket::Progress::more) return;
  if (reads_v6_) return conclude(now);
  reads_v6_ = true;
  if (const auto asked = socket_->ask(IpFamily::v6); !asked) fail(asked.error().sentence, now);
}

void FlowWatch::conclude(TimePoint now) {
  state_.tell("kernel", "");
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured()) flows_->judge(tunnel->evidence().facts(), tunnel->name(), now);
  }
  flows_.reset();
  next_ = now + kAgain;
  watch_.settle(now);
}

void FlowWatch::tick(TimePoint now) {
  if (!wanted()) return;
  if (!flows_ && now >= next_) begin(now);
  if (flows_) go_on(now);
}

void FlowWatch::report(exporters::Report& report) const {
  if (wanted()) report.agent.sources.emplace_back("conntrack", state_.up());
}

}  // namespace tunnelwatch::agent
