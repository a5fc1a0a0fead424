#include "agent/agent.h"

#include "agent/cause_list.h"
#include "agent/flight_recorder.h"
#include "agent/host_watch.h"
#include "agent/interest.h"
#include "agent/log.h"
#include "agent/path_watch.h"
#include "agent/probe_driver.h"
#include "agent/service_notify.h"
#include "agent/watch.h"
#include "config/load.h"
#include "exporters/web/server.h"
#include "probes/clock.h"
#include "probes/io/default_interfaces.h"
#include "probes/io/live_capture.h"
#include "probes/io/local_addresses.h"
#include "version.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr Duration kTick = 100ms;
// What may change under us is looked at this often: addresses, and interfaces of default routes.
constexpr Duration kRefresh = 5s;

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

Watch::Options watch_options(const config::Settings& s) {
  return {.discovery = s.discovery, .loss = s.loss, .offline = false};
}

// `capture`: where the packets of the causes that were raised are written; empty: nowhere.
void log_change(const Tunnel& tunnel, const Tunnel::Settled& settled, const std::string& capture) {
  const std::string name = log::quoted(tunnel.name());
  if (settled.state) log::info("tunnel_state", fmt::format("tunnel={} state={}", name, to_string(*settled.state)));
  for (const auto& change : settled.causes) {
    const auto& row = diagnosis::row_of(change.cause);
    if (!change.active) {
      log::info("cause_cleared", fmt::format("tunnel={} cause={}", name, to_string(change.cause)));
      continue;
    }
    for (const auto* c : tunnel.verdict().ranked()) {
      if (c->cause != change.cause) continue;
      const std::string evidence = c->evidence.empty() ? "" : c->evidence.front().en;
      const std::string fields =
          fmt::format("tunnel={} cause={} confidence={} guide={} evidence={}", name, to_string(change.cause),
                      to_string(c->confidence), log::quoted(row.words), log::quoted(evidence));
      if (row.severity == diagnosis::Severity::notice) {
        log::info("cause_raised", fields);
      } else {
        log::warning("cause_raised", capture.empty() ? fields : fields + " capture=" + log::quoted(capture));
      }
    }
  }
}

}  // namespace

class Agent::Impl final : public passive::PacketSink {
 public:
  Impl(config::Settings settings, std::string config_file)
      : settings_(std::move(settings)),
        config_file_(std::move(config_file)),
        watch_(watch_options(settings_)),
        probes_(io_, watch_, settings_, random_seed()),
        paths_(io_, watch_, random_seed()),
        server_(io_, {.report = [this](exporters::Detail detail) { return report(detail); },
                      .not_ready = [this] { return not_ready(); },
                      .causes = cause_list()}) {}

  int run();

  // PacketSink: the captures tell on our thread; each packet's conclusions are drawn at once.
  void on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) override {
    ++packets_;
    watch_.on_ike(ike, at, reassembled);
    recorder_.on_ike(ike, at, reassembled);
    watch_.settle(at);
  }
  void on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) override {
    watch_.on_icmp_error(error, quoted, at);
    recorder_.on_icmp_error(error, quoted, at);
    watch_.settle(at);
  }
  void on_nat_keepalive(const wire::Datagram& keepalive, TimePoint at) override {
    watch_.on_nat_keepalive(keepalive, at);
  }
  void on_esp(const passive::EspStreamSummary& stream) override {
    watch_.on_esp(stream);
    watch_.settle(stream.last);
  }
  void on_fragments(const passive::FragmentEvent& event) override { watch_.on_fragments(event); }
  void on_leak(const passive::LeakSummary& leak) override {
    watch_.on_leak(leak);
    watch_.settle(leak.last);
  }
  void on_outer_path(const passive::OuterPathSummary& path) override { watch_.on_outer_path(path); }
  void on_tunnel_pings(const passive::TunnelPingSummary& pings) override {
    watch_.on_tunnel_pings(pings);
    watch_.settle(pings.last);
  }
  void on_bgp(const passive::BgpObservation& observation) override {
    watch_.on_bgp(observation);
    watch_.settle(observation.at);
  }

 private:
  struct Captured {
    std::unique_ptr<io::LiveCapture> capture;
    io::CaptureState state;
    bool inside = false;  // a tunnel's own interface
  };

  void await_signals();
  void reload();
  void apply(const config::Settings& settings);
  void sync_captures();
  void sync_interest(const std::vector<IpAddress>& own_addresses);
  void refresh(TimePoint now);
  void tick();
  void stop();
  bool any_capture_up() const;
  std::vector<std::string> not_ready() const;
  exporters::Report report(exporters::Detail detail) const;
  void report_agent(exporters::Report& report) const;

  boost::asio::io_context io_{1};
  config::Settings settings_;
  std::string config_file_;
  Watch watch_;
  ProbeDriver probes_;
  PathWatch paths_;
  FlightRecorder recorder_{io_, watch_};
  HostWatch host_{io_, watch_};
  std::map<std::string, Captured> captures_;
  std::map<std::string, std::uint16_t> interface_ids_;  // of every interface ever captured on, from 1
  std::shared_ptr<const passive::TrafficInterest> interest_ = std::make_shared<passive::TrafficInterest>();
  exporters::Server server_;
  ServiceNotify notify_;
  boost::asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
  boost::asio::steady_timer timer_{io_};
  TimePoint next_tick_{};
  TimePoint next_refresh_{};
  TimePoint next_watchdog_{};
  WallTime started_{};
  WallTime reloaded_{};
  bool reload_good_ = true;
  std::string reload_error_;
  std::uint64_t packets_ = 0;
  std::uint64_t lag_count_ = 0;
  double lag_sum_ = 0;
  double lag_max_ = 0;
  bool stopping_ = false;
};

int Agent::Impl::run() {
  started_ = reloaded_ = WallClock::of_this_machine().at(steady_now());
  watch_.set_on_change([this](const Tunnel& tunnel, const Tunnel::Settled& settled, TimePoint now) {
    log_change(tunnel, settled, recorder_.on_change(tunnel, settled, now));
  });
  const auto is_own_spi = [this](std::uint64_t spi) { return probes_.is_own_spi(spi) || paths_.is_own_spi(spi); };
  watch_.tracker().set_own_spi(is_own_spi);
  recorder_.set_own_spi(is_own_spi);
  if (const auto failure = server_.listen(settings_.listen)) {
    log::error("start_failed", "reason=" + log::quoted(*failure));
    return 1;
  }
  await_signals();
  apply(settings_);
  probes_.start();
  next_tick_ = steady_now();
  tick();
  log::info("started", fmt::format("version={} listen={}:{} tunnels={}", kVersion, settings_.listen.address.to_string(),
                                   server_.port(), settings_.tunnels.size()));
  notify_.ready(fmt::format("watching {} tunnels", settings_.tunnels.size()));
  io_.run();
  log::info("stopped", "");
  return 0;
}

void Agent::Impl::await_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
      await_signals();
    } else {
      stop();
    }
  });
}

void Agent::Impl::stop() {
  stopping_ = true;
  notify_.stopping();
  timer_.cancel();
  probes_.stop();
  paths_.stop();
  host_.stop();
  captures_.clear();
  server_.stop();
  signals_.cancel();
  io_.stop();
}

void Agent::Impl::reload() {
  if (config_file_.empty()) {
    log::warning("reload_ignored", "reason=\"no configuration file was given\"");
    return;
  }
  notify_.reloading();
  auto loaded = config::load_file(config_file_);
  for (const auto& w : loaded.warnings) log::warning("config_warning", "what=" + log::quoted(to_string(w)));
  std::string failure;
  if (!loaded) {
    for (const auto& e : loaded.errors) log::error("config_error", "what=" + log::quoted(to_string(e)));
    failure = loaded.errors.empty() ? "the file cannot be read" : to_string(loaded.errors.front());
  } else if (!(loaded.settings->listen == settings_.listen)) {
    if (const auto refused = server_.listen(loaded.settings->listen)) failure = *refused;
  }
  reload_good_ = failure.empty();
  reload_error_ = failure;
  if (reload_good_) {
    apply(*loaded.settings);
    reloaded_ = WallClock::of_this_machine().at(steady_now());
    log::info("reloaded", fmt::format("tunnels={}", settings_.tunnels.size()));
  } else {
    log::error("reload_refused", "reason=" + log::quoted(failure));
  }
  notify_.ready(reload_good_ ? fmt::format("watching {} tunnels", settings_.tunnels.size())
                             : "the new configuration was refused, the old one runs on");
}

void Agent::Impl::apply(const config::Settings& settings) {
  settings_ = settings;
  log::initialize(settings_.log_level);
  watch_.set_options(watch_options(settings_));
  watch_.configure(settings_.tunnels);
  recorder_.configure(settings_.recorder);
  host_.configure(settings_, steady_now());
  refresh(steady_now());
  probes_.sync(settings_);
  paths_.sync(settings_.probes.path, steady_now());
}

void Agent::Impl::sync_captures() {
  auto wanted = settings_.capture.interfaces.empty() ? io::default_interfaces() : settings_.capture.interfaces;
  std::set<std::string> inside;
  for (const auto& tunnel : settings_.tunnels) {
    if (tunnel.kind != config::TunnelKind::ipsec) continue;  // nothing of IPsec is in an OpenVPN client's
    if (tunnel.tunnel_interface.empty() || !inside.insert(tunnel.tunnel_interface).second) continue;
    if (std::find(wanted.begin(), wanted.end(), tunnel.tunnel_interface) == wanted.end())
      wanted.push_back(tunnel.tunnel_interface);
  }
  std::erase_if(captures_, [&](const auto& entry) {
    return std::find(wanted.begin(), wanted.end(), entry.first) == wanted.end() ||
           entry.second.inside != inside.contains(entry.first);
  });
  for (const auto& name : wanted) {
    if (captures_.contains(name)) continue;
    Captured& c = captures_[name];
    c.state.interface = name;
    io::LiveCaptureOptions options;
    options.ring_bytes = static_cast<int>(settings_.capture.buffer_bytes);
    options.front.interface =
        interface_ids_.try_emplace(name, static_cast<std::uint16_t>(interface_ids_.size() + 1)).first->second;
    watch_.name_interface(options.front.interface, name);
    options.front.inside = c.inside = inside.contains(name);
    options.interest = interest_;
    c.capture = std::make_unique<io::LiveCapture>(
        io_, name, *this,
        [this, name](const io::CaptureState& state) {
          captures_[name].state = state;
          if (state.up && state.error.empty()) {
            log::info("capture_up", "interface=" + log::quoted(name));
          } else if (state.up) {
            log::warning("capture_up",
                         fmt::format("interface={} reason={}", log::quoted(name), log::quoted(state.error)));
          } else {
            log::warning("capture_down",
                         fmt::format("interface={} reason={}", log::quoted(name), log::quoted(state.error)));
          }
        },
        options);
  }
}

void Agent::Impl::sync_interest(const std::vector<IpAddress>& own_addresses) {
  auto interest = traffic_interest(watch_, own_addresses, probes_.echo_id());
  if (interest == *interest_) return;
  interest_ = std::make_shared<passive::TrafficInterest>(std::move(interest));
  for (auto& [name, captured] : captures_) captured.capture->set_interest(interest_);
}

void Agent::Impl::refresh(TimePoint now) {
  next_refresh_ = now + kRefresh;
  auto own_addresses = io::local_addresses();
  sync_interest(own_addresses);
  sync_captures();
  watch_.set_local_addresses(std::move(own_addresses));
}

void Agent::Impl::tick() {
  if (stopping_) return;
  const auto now = steady_now();
  const double lag = to_seconds(now - next_tick_);
  ++lag_count_;
  lag_sum_ += lag;
  lag_max_ = std::max(lag_max_, lag);
  if (now >= next_refresh_) {
    refresh(now);
    probes_.sync(settings_);  // tunnels may have been discovered or forgotten
  }
  probes_.drive();
  probes_.tick(now);
  paths_.tick(now);
  host_.tick(now);
  watch_.advance(now);
  // Fed from here only: a loop that hangs feeds nothing.
  if (const auto interval = notify_.watchdog_interval(); interval && now >= next_watchdog_) {
    notify_.watchdog();
    next_watchdog_ = now + *interval / 4;
  }
  next_tick_ = now + kTick;
  timer_.expires_at(std::chrono::steady_clock::time_point(next_tick_.time_since_epoch()));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

bool Agent::Impl::any_capture_up() const {
  return std::any_of(captures_.begin(), captures_.end(),
                     [](const auto& c) { return c.second.state.up && !c.second.inside; });
}

std::vector<std::string> Agent::Impl::not_ready() const {
  std::vector<std::string> reasons;
  for (const auto& [name, c] : captures_) {
    if (!c.state.up && c.state.error.empty()) reasons.push_back(fmt::format("capture on {} is starting", name));
  }
  if (!reasons.empty()) return reasons;
  if (captures_.empty())
    reasons.emplace_back("no interface to capture on: none is configured and none has a default route");
  for (const auto& [name, c] : captures_) {
    if (!c.state.up)
      reasons.push_back(
          fmt::format("capture on {} is down: {}", name, c.state.error.empty() ? "starting" : c.state.error));
  }
  for (const auto& complaint : probes_.complaints()) reasons.push_back(complaint);
  // One eye that is open is enough to be of use; which are closed is told by tunnelwatch_source_up.
  const auto sources = probes_.sources();
  const bool probing = std::any_of(sources.begin(), sources.end(),
                                   [](const auto& s) { return s.first.starts_with("icmp") && s.second; });
  if (any_capture_up() || probing) reasons.clear();
  return reasons;
}

void Agent::Impl::report_agent(exporters::Report& report) const {
  auto& a = report.agent;
  a.started = started_;
  a.version = kVersion;
  a.compiler = __VERSION__;
  a.config_last_reload_successful = reload_good_;
  a.config_last_reload_success = reloaded_;
  a.config_error = reload_error_;
  std::array<std::uint64_t, wire::kParseErrorCount> malformed{};
  for (const auto& [name, c] : captures_) {
    const auto counters = c.capture->counters();
    a.captures.push_back({name, c.state.up, c.state.error, counters.received,
                          counters.dropped + counters.handover_dropped, counters.interface_dropped,
                          counters.openings > 0 ? counters.openings - 1 : 0});
    for (std::size_t i = 0; i < malformed.size(); ++i) malformed[i] += counters.packets.malformed[i];
    report.packets += counters.packets.frames;
    a.evicted_esp_streams += counters.esp.evicted;
  }
  for (std::size_t i = 0; i < malformed.size(); ++i) {
    a.malformed.emplace_back(wire::to_string(static_cast<wire::ParseError>(i)), malformed[i]);
    report.malformed += malformed[i];
  }
  a.malformed.emplace_back("ike_message", watch_.tracker().counters().malformed);
  report.malformed += watch_.tracker().counters().malformed;
  a.malformed.emplace_back("esp_echo", probes_.malformed_esp());
  report.malformed += probes_.malformed_esp();
  a.malformed.emplace_back("ike_answer", probes_.malformed_ike());
  report.malformed += probes_.malformed_ike();
  a.sources = probes_.sources();
  a.sources.emplace_back("capture", any_capture_up());
  a.discovered_tunnels = watch_.counters().discovered;
  a.evicted_tunnels = watch_.counters().evicted + watch_.tracker().counters().evicted_peers;
  a.evicted_ike_sas = watch_.tracker().counters().evicted_sessions;
  a.timer_lag_count = lag_count_;
  a.timer_lag_seconds_sum = lag_sum_;
  a.timer_lag_seconds_max = lag_max_;
  a.ready = not_ready().empty();
}

exporters::Report Agent::Impl::report(exporters::Detail detail) const {
  const auto clock = WallClock::of_this_machine();
  exporters::Report report;
  report.generated = clock.at(steady_now());
  report.tunnels = watch_.report(clock, detail);
  probes_.report(report, clock);
  paths_.report(report);
  report_agent(report);
  recorder_.report(report);
  host_.report(report, clock);
  const bool capture_blind = !any_capture_up();
  for (auto& t : report.tunnels) {
    const bool v6 = t.remote.find(':') != std::string::npos;
    if (capture_blind) t.blind.emplace_back("capture");
    for (const auto& [source, sees] : report.agent.sources) {
      if (sees || !source.ends_with(v6 ? "_v6" : "_v4")) continue;
      t.blind.push_back(source.substr(0, source.size() - 3));
    }
  }
  return report;
}

Agent::Agent(config::Settings settings, std::string config_file)
    : impl_(std::make_unique<Impl>(std::move(settings), std::move(config_file))) {}
Agent::~Agent() = default;
int Agent::run() { return impl_->run(); }

}  // namespace tunnelwatch::agent
