#include "agent/probing/ike_probe_driver.h"

#include "probes/clock.h"
#include "probes/wire/ike_names.h"

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

namespace tunnelwatch::agent {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t index(IpFamily family) { return static_cast<std::size_t>(family); }

// Suspicion lasts: the machine itself keeps to its rate.
constexpr Duration kPushEvery = 1s;

std::string answer_of(const IkeProbeObservation& o) {
  if (o.full_answer) return fmt::format("IKEv{} accepts", o.answer_version);
  if (o.answer_notify == 0) return fmt::format("IKEv{}", o.answer_version);
  return fmt::format(
      "IKEv{} {}", o.answer_version,
      o.answer_version == 1 ? wire::notify_name_v1(o.answer_notify) : wire::notify_name_v2(o.answer_notify));
}

}  // namespace

IkeProbeDriver::IkeProbeDriver(boost::asio::io_context& io, Watch& watch, std::uint64_t seed,
                               const config::IkeProbe& settings)
    : io_(io), watch_(watch), seed_(seed), settings_(settings), machine_(seed, settings) {}

std::vector<std::string> IkeProbeDriver::open(IpFamily family) {
  std::vector<std::string> complaints;
  for (const std::size_t port : {std::size_t{0}, std::size_t{1}}) {
    io::UdpSocket::Handlers handlers;
    handlers.on_datagram = [this](const io::ReceivedUdp& r) {
      machine_.on_datagram(r.bytes, r.from, r.from_port, r.received_at, actions_);
      observe();
    };
    handlers.on_error = [this](const io::UdpError& e) {
      machine_.on_icmp_error(e.to, e.port, e.reason, e.offender, e.received_at, actions_);
      observe();
    };
    auto socket = io::UdpSocket::open(io_, family, std::nullopt, std::move(handlers));
    if (socket) {
      sockets_[index(family)][port] = std::move(*socket);
    } else {
      complaints.push_back(socket.error().sentence);
    }
  }
  return complaints;
}

void IkeProbeDriver::close() {
  for (auto& family : sockets_) {
    for (auto& s : family) s.reset();
  }
}

void IkeProbeDriver::begin_sync(const config::IkeProbe& settings) {
  if (!(settings == settings_)) {
    settings_ = settings;
    before_ += machine_.counters();
    machine_ = active::IkeProbe(++seed_, settings);
    for (auto& [name, p] : probed_) p.address.reset();  // asked anew by want()
  }
  for (auto& [name, p] : probed_) p.wanted = false;
}

void IkeProbeDriver::want(const Tunnel& tunnel, const std::optional<IpAddress>& source) {
  if (!settings_.enabled || !tunnel.remote()) return;
  const auto [it, is_new] = probed_.try_emplace(tunnel.name());
  Probed& p = it->second;
  p.wanted = true;
  if (is_new) {
    p.id = next_id_++;
    by_id_[p.id] = &*it;
  }
  if (p.address == tunnel.remote() && !is_new) return;
  p.address = tunnel.remote();
  active::IkeProbeTarget target{*tunnel.remote(), std::nullopt, tunnel.settings().version};
  if (source && source->family() == target.address.family()) target.source = source;
  machine_.add_target(p.id, target, steady_now());
}

void IkeProbeDriver::end_sync() {
  for (auto it = probed_.begin(); it != probed_.end();) {
    if (it->second.wanted) {
      ++it;
      continue;
    }
    machine_.remove_target(it->second.id);
    by_id_.erase(it->second.id);
    it = probed_.erase(it);
  }
}

void IkeProbeDriver::drain() {
  for (auto& family : sockets_) {
    for (auto& socket : family) {
      if (socket) socket->drain();
    }
  }
}

void IkeProbeDriver::advance(TimePoint now) {
  machine_.advance(now, actions_);
  send();
  observe();
}

void IkeProbeDriver::push(TimePoint now) {
  for (const auto& tunnel : watch_.tunnels()) {
    if (!tunnel->wants_probe()) continue;
    const auto it = probed_.find(tunnel->name());
    if (it == probed_.end() || (it->second.pushed && now - *it->second.pushed < kPushEvery)) continue;
    it->second.pushed = now;
    machine_.probe_now(it->second.id);
  }
}

void IkeProbeDriver::send() {
  auto packets = std::move(actions_.packets);
  actions_.packets.clear();
  for (const auto& p : packets) {
    auto& socket = sockets_[index(p.to.family())][p.port == 4500 ? 1 : 0];
    if (!socket) {
      machine_.on_send_error(p.probe, RefusalReason::not_permitted, steady_now(), actions_);
      continue;
    }
    const auto sent = socket->send(p.bytes, p.to, p.port, p.source);
    if (sent.error == RefusalReason::none) {
      machine_.on_sent(p.probe, sent.at);
    } else {
      machine_.on_send_error(p.probe, sent.error, sent.at, actions_);
    }
  }
}

void IkeProbeDriver::on_result(const IkeProbeObservation& o) {
  const auto it = by_id_.find(o.target);
  if (it == by_id_.end()) return;
  Port& port = o.port == 4500 ? it->second->second.port_4500 : it->second->second.port_500;
  ++port.outcomes[static_cast<std::size_t>(o.outcome)];
  if (o.reason != RefusalReason::none) ++port.refused[static_cast<std::size_t>(o.reason)];
  if (o.outcome == IkeProbeOutcome::answered) {
    port.round_trips.add(o.rtt);
    port.last_answer = answer_of(o);
  }
  if (o.outcome != IkeProbeOutcome::send_error) port.reachable = o.outcome == IkeProbeOutcome::answered;
  if (Tunnel* tunnel = watch_.find(it->second->first); tunnel != nullptr) tunnel->evidence().on_ike_probe(o);
}

void IkeProbeDriver::observe() {
  if (actions_.observations.empty()) return;
  for (const auto& o : actions_.observations) on_result(o);
  actions_.observations.clear();
  watch_.settle(steady_now());
}

bool IkeProbeDriver::any_of(IpFamily family) const {
  return std::any_of(probed_.begin(), probed_.end(),
                     [&](const auto& p) { return p.second.address && p.second.address->family() == family; });
}

bool IkeProbeDriver::sees(IpFamily family) const {
  const auto& both = sockets_[index(family)];
  return both[0] != nullptr && both[1] != nullptr;
}

}  // namespace tunnelwatch::agent
