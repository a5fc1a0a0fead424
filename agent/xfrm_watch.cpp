#include "agent/xfrm_watch.h"

#include "agent/watch.h"
#include "probes/io/proc_net.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;
using host::XfrmEventKind;

namespace {

constexpr Duration kAgain = 5s;
constexpr Duration kLeast = 500ms;  // between two readings, whatever changes
constexpr Duration kTryAgain = 30s;
constexpr Duration kCountEvery = 1s;
constexpr std::size_t kTunnelsEachTick = 32;
constexpr std::size_t kComparedEachTick = std::size_t{1} << 18;

}  // namespace

bool XfrmWatch::wanted() const {
  const auto& tunnels = watch_.tunnels();
  return !stopped_ && settings_.xfrm &&
         std::any_of(tunnels.begin(), tunnels.end(), [](const auto& t) { return t->configured(); });
}

void XfrmWatch::configure(const config::Kernel& settings, TimePoint now) {
  const bool was_on = std::exchange(settings_, settings).xfrm;
  dirty_ = true;
  if (was_on && !settings_.xfrm) {
    forget(now);
    state_ = SourceState("xfrm");
  }
}

void XfrmWatch::stop() {
  socket_.reset();
  stopped_ = true;
}

void XfrmWatch::forget(TimePoint now) {
  socket_.reset();
  reading_ = false;
  index_.reset();
  view_ = {};
  expiries_.clear();
  for (const auto& tunnel : watch_.tunnels()) {
    if (tunnel->configured()) diagnosis::forget_xfrm(tunnel->evidence().facts());
  }
  watch_.settle(now);
}

void XfrmWatch::fail(const std::string& reason, TimePoint now) {
  next_ = now + kTryAgain;
  state_.tell("kernel", reason);
  forget(now);
}

void XfrmWatch::take_events(TimePoint now) {
  std::vector<host::XfrmEvent> events;
  if (socket_->take_events(events)) dirty_ = true;
  for (const host::XfrmEvent& event : events) {
    ++events_[static_cast<std::size_t>(event.kind)];
    if (event.kind == XfrmEventKind::hard_expired && event.state) expiries_.on_expired(*event.state, view_, now);
  }
}

void XfrmWatch::begin(TimePoint now) {
  dirty_ = false;
  next_ = now + kAgain;
  least_ = now + kLeast;
  auto view = socket_->read();
  if (!view) return fail(view.error().sentence, now);
  state_.tell("kernel", "");
  view_ = std::move(*view);
  index_.emplace(view_);
  expiries_.settle(view_, now);
  judged_ = 0;
  reading_ = true;
}

void XfrmWatch::go_on(TimePoint now) {
  const auto& tunnels = watch_.tunnels();
  const std::size_t end = std::min(judged_ + kTunnelsEachTick, tunnels.size());
  for (std::size_t compared = 0; judged_ < end && compared < kComparedEachTick; ++judged_) {
    Tunnel& tunnel = *tunnels[judged_];
    if (!tunnel.configured()) continue;
    auto& facts = tunnel.evidence().facts();
    compared += diagnosis::judge_xfrm(facts, tunnel.settings(), tunnel.remote(), *index_, now);
    expiries_.judge(facts, tunnel.remote());
  }
  if (judged_ >= tunnels.size()) reading_ = false;
  watch_.settle(now);
}

void XfrmWatch::count(TimePoint now) {
  const auto before = std::exchange(stat_, io::read_xfrm_stat());
  const diagnosis::UnknownSpiLook look{
      std::exchange(counted_, now), now,
      before && stat_ ? (*stat_)[host::XfrmError::in_no_states] - (*before)[host::XfrmError::in_no_states] : 0};
  if (!index_) return;
  for (const auto& tunnel : watch_.tunnels()) {
    const bool told = std::as_const(*tunnel).evidence().facts().is(diagnosis::FactId::spi_without_state);
    if (!tunnel->configured() || (look.dropped == 0 && !told)) continue;
    diagnosis::judge_unknown_spi(tunnel->evidence().facts(), tunnel->inbound_streams(), *index_, look);
  }
  watch_.settle(now);
}

void XfrmWatch::tick(TimePoint now) {
  if (!wanted()) return;
  if (now - counted_ >= kCountEvery) count(now);
  if (!socket_) {
    if (now < next_ && !dirty_) return;
    dirty_ = false;
    auto opened = io::XfrmSocket::open();
    if (!opened) return fail(opened.error().sentence, now);
    socket_ = std::move(*opened);
    dirty_ = true;
  }
  take_events(now);
  if (!reading_ && (now >= next_ || (dirty_ && now >= least_))) begin(now);
  if (reading_) go_on(now);
}

void XfrmWatch::report(exporters::Report& report) const {
  if (!wanted()) return;
  report.agent.sources.emplace_back("xfrm", state_.up());
  for (std::size_t i = 0; i < host::kXfrmEventKindCount; ++i)
    report.agent.xfrm_events.emplace_back(to_string(static_cast<XfrmEventKind>(i)), events_[i]);
  if (!stat_) return;
  for (std::size_t i = 0; i < host::kXfrmErrorCount; ++i)
    report.agent.xfrm_errors.emplace_back(to_string(static_cast<host::XfrmError>(i)), stat_->counts[i]);
}

}  // namespace tunnelwatch::agent
