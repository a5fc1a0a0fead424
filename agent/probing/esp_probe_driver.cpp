#include "agent/probing/esp_probe_driver.h"

#include "agent/log.h"
#include "probes/clock.h"
#include "probes/wire/esp_echo.h"

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t index(IpFamily family) { return static_cast<std::size_t>(family); }

constexpr Duration kPushEvery = 1s;
constexpr Duration kLinger = 5s;  // our kernel gives up on a neighbour after 3 s

void log_verdict(const Tunnel& tunnel) {
  const auto& reach = tunnel.esp_reach();
  std::string evidence;
  for (const auto& t : reach.testimony()) {
    if (t.witness == reach.by()) evidence = t.text.en;
  }
  log::info("esp_reachability", fmt::format("tunnel={} verdict={} evidence={}", log::quoted(tunnel.name()),
                                            to_string(reach.verdict()), log::quoted(evidence)));
}

}  // namespace

EspProbeDriver::EspProbeDriver(boost::asio::io_context& io, Watch& watch, std::uint64_t seed,
                               const config::EspProbe& settings)
    : io_(io), watch_(watch), seed_(seed), settings_(settings), machine_(seed, settings) {}

io::EspSocket* EspProbeDriver::socket_of(IpFamily family) {
  auto& socket = sockets_[index(family)];
  if (socket) return socket.get();
  io::EspSocket::Handlers handlers;
  handlers.on_packet = [this](const io::ReceivedEsp& r) {
    machine_.on_reply(r.bytes, r.from, r.received_at, actions_);
    observe();
  };
  handlers.on_error = [this](const io::EspError& e) {
    machine_.on_icmp_error({e.to, e.offender, e.reason, e.icmp_type, e.icmp_code, e.received_at}, e.quoted, actions_);
    observe();
  };
  auto opened = io::EspSocket::open(io_, family, wire::kEspEchoReply, std::move(handlers));
  can_open_[index(family)] = opened.has_value();
  if (opened) socket = std::move(*opened);
  return socket.get();
}

std::optional<std::string> EspProbeDriver::open(IpFamily family) {
  auto opened = io::EspSocket::open(io_, family, wire::kEspEchoReply, {});
  can_open_[index(family)] = opened.has_value();
  if (opened) return std::nullopt;
  return opened.error().sentence;
}

void EspProbeDriver::close() {
  for (auto& socket : sockets_) socket.reset();
}

void EspProbeDriver::begin_sync(const config::EspProbe& settings) {
  if (!(settings == settings_)) {
    settings_ = settings;
    before_ += machine_.counters();
    machine_ = active::EspProbe(++seed_, settings);
    for (auto& [name, p] : probed_) p.address.reset();  // asked anew by want()
  }
  for (auto& [name, p] : probed_) p.wanted = false;
}

void EspProbeDriver::want(const Tunnel& tunnel, const std::optional<IpAddress>& source) {
  if (!settings_.enabled || !tunnel.remote()) return;
  const auto [it, is_new] = probed_.try_emplace(tunnel.name());
  Probed& p = it->second;
  p.wanted = true;
  if (is_new) {
    p.id = next_id_++;
    by_id_[p.id] = &*it;
  }
  const auto from = source && source->family() == tunnel.remote()->family() ? source : std::nullopt;
  if (p.address == tunnel.remote() && p.source == from && !is_new) return;
  p.address = tunnel.remote();
  p.source = from;
  machine_.add_target(p.id, {*p.address, from}, steady_now());
  if (Tunnel* t = watch_.find(it->first); t != nullptr) t->esp_reach().set_probe_interval(settings_.interval);
}

void EspProbeDriver::end_sync() {
  for (auto it = probed_.begin(); it != probed_.end();) {
    if (it->second.wanted) {
      ++it;
      continue;
    }
    if (Tunnel* t = watch_.find(it->first); t != nullptr) t->esp_reach().forget_probes();
    machine_.remove_target(it->second.id);
    by_id_.erase(it->second.id);
    it = probed_.erase(it);
  }
}

void EspProbeDriver::drain() {
  for (auto& socket : sockets_) {
    if (socket) socket->drain();
  }
}

void EspProbeDriver::advance(TimePoint now) {
  machine_.advance(now, actions_);
  send(now);
  observe();
}

// A tunnel that carries traffic both ways, or whose ESP goes in UDP, has nothing to ask protocol 50 for.
bool EspProbeDriver::is_needed(const active::EspProbePacket& packet, TimePoint now) const {
  return std::any_of(packet.targets.begin(), packet.targets.end(), [&](std::uint32_t id) {
    const auto it = by_id_.find(id);
    const Tunnel* const tunnel = it == by_id_.end() ? nullptr : watch_.find(it->second->first);
    return tunnel != nullptr && !tunnel->esp_reach().flows(now) && !tunnel->esp_reach().in_udp().value_or(false);
  });
}

void EspProbeDriver::send(TimePoint now) {
  auto packets = std::move(actions_.packets);
  actions_.packets.clear();
  for (const auto& p : packets) {
    if (!is_needed(p, now)) {
      machine_.withdraw(p.probe);
      continue;
    }
    io::EspSocket* const socket = socket_of(p.to.family());
    if (socket == nullptr) {
      machine_.on_send_error(p.probe, RefusalReason::not_permitted, steady_now(), actions_);
      continue;
    }
    const auto sent = socket->send(p.bytes, p.to, p.source);
    last_sent_ = sent.at;
    if (sent.error == RefusalReason::none) {
      machine_.on_sent(p.probe, sent.at);
    } else {
      machine_.on_send_error(p.probe, sent.error, sent.at, actions_);
    }
  }
}

void EspProbeDriver::push(TimePoint now) {
  if (now < next_push_) return;
  next_push_ = now + kPushEvery;
  if (!machine_.waits() && now - last_sent_ > kLinger) close();
  for (const auto& tunnel : watch_.tunnels()) {
    auto& reach = tunnel->esp_reach();
    if (reach.update(now)) log_verdict(*tunnel);
    const Tunnel& seen = *tunnel;
    if (!reach.wants_probe() && !seen.evidence().misses_esp()) continue;
    if (const auto it = probed_.find(tunnel->name()); it != probed_.end()) machine_.probe_now(it->second.id);
  }
}

void EspProbeDriver::on_result(const EspProbeObservation& o) {
  const auto it = by_id_.find(o.target);
  if (it == by_id_.end()) return;
  Probed& p = it->second->second;
  ++p.outcomes[static_cast<std::size_t>(o.outcome)];
  if (o.reason != RefusalReason::none) ++p.refused[static_cast<std::size_t>(o.reason)];
  if (o.outcome == EspProbeOutcome::answered) p.round_trips.add(o.rtt);
  if (Tunnel* tunnel = watch_.find(it->second->first); tunnel != nullptr) {
    tunnel->on_esp_probe(o);
    if (tunnel->esp_reach().update(steady_now())) log_verdict(*tunnel);
  }
}

void EspProbeDriver::observe() {
  if (actions_.observations.empty()) return;
  for (const auto& o : actions_.observations) on_result(o);
  actions_.observations.clear();
  watch_.settle(steady_now());
}

bool EspProbeDriver::any_of(IpFamily family) const {
  return std::any_of(probed_.begin(), probed_.end(),
                     [&](const auto& p) { return p.second.address && p.second.address->family() == family; });
}

void EspProbeDriver::report(exporters::Report& report) const {
  for (const auto& [name, p] : probed_) {
    exporters::EspProbeReport r;
    r.tunnel = name;
    for (std::size_t i = 0; i < kEspProbeOutcomeCount; ++i)
      r.outcomes.emplace_back(tunnelwatch::to_string(static_cast<EspProbeOutcome>(i)), p.outcomes[i]);
    for (std::size_t i = 1; i < kRefusalReasonCount; ++i) {
      if (p.refused[i] != 0)
        r.refused.emplace_back(tunnelwatch::to_string(static_cast<RefusalReason>(i)), p.refused[i]);
    }
    r.rtt = p.round_trips.report();
    report.esp_probes.push_back(std::move(r));
  }
  active::EspProbeCounters all = before_;
  all += machine_.counters();
  report.agent.probe_strays.push_back({"esp", all.foreign, all.unmatched});
}

}  // namespace tunnelwatch::agent
