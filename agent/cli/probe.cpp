#include "agent/cli/commands.h"
#include "agent/cli/esp_once.h"
#include "agent/cli/peer_address.h"
#include "agent/cli/probe_words.h"
#include "probes/active/ike_probe.h"
#include "probes/clock.h"
#include "probes/io/udp_socket.h"

#include <algorithm>
#include <array>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace tunnelwatch::cli {

namespace {

constexpr std::uint32_t kTarget = 1;
constexpr config::IkeProbe kSettings{
    .interval = std::chrono::milliseconds{1000}, .timeout = std::chrono::milliseconds{1000}, .burst = 3};

// The daemon's own probe machine, asked once: until each port has an outcome.
class OneProbe {
 public:
  OneProbe(boost::asio::io_context& io, std::vector<std::uint16_t> ports)
      : io_(io), timer_(io), ports_(std::move(ports)), machine_(active::random_seed(), kSettings) {}

  std::optional<io::OpenError> begin(const active::IkeProbeTarget& target) {
    for (const std::uint16_t port : ports_) {
      auto socket = io::UdpSocket::open(io_, target.address.family(), target.source, handlers());
      if (!socket) return socket.error();
      sockets_[port] = std::move(*socket);
    }
    machine_.add_target(kTarget, target, steady_now());
    machine_.probe_now(kTarget);
    drive();
    return std::nullopt;
  }
  std::vector<IkeProbeObservation> outcomes() const {
    std::vector<IkeProbeObservation> list;
    for (const auto& [port, o] : outcomes_) list.push_back(o);
    return list;
  }

 private:
  io::UdpSocket::Handlers handlers() {
    return {.on_datagram =
                [this](const io::ReceivedUdp& r) {
                  machine_.on_datagram(r.bytes, r.from, r.from_port, r.received_at, actions_);
                  take_outcomes();
                },
            .on_error =
                [this](const io::UdpError& e) {
                  machine_.on_icmp_error(e.to, e.port, e.reason, e.offender, e.received_at, actions_);
                  take_outcomes();
                }};
  }
  void drive() {
    for (auto& [port, socket] : sockets_) socket->drain();
    machine_.advance(steady_now(), actions_);
    const auto packets = std::move(actions_.packets);
    actions_.packets.clear();
    for (const auto& p : packets) send(p);
    take_outcomes();
    const auto next = machine_.next_deadline();
    if (!next) return;
    timer_.expires_at(std::chrono::steady_clock::time_point(next->time_since_epoch()));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) drive();
    });
  }
  void send(const active::IkeProbePacket& p) {
    const auto socket = sockets_.find(p.port);
    if (socket == sockets_.end() || outcomes_.contains(p.port)) return;  // a port that is not asked, or is told
    const auto sent = socket->second->send(p.bytes, p.to, p.port, p.source);
    if (sent.error == RefusalReason::none) {
      machine_.on_sent(p.probe, sent.at);
    } else {
      machine_.on_send_error(p.probe, sent.error, sent.at, actions_);
    }
  }
  void take_outcomes() {
    for (const auto& o : actions_.observations) {
      if (sockets_.contains(o.port)) outcomes_.try_emplace(o.port, o);
    }
    actions_.observations.clear();
    if (outcomes_.size() == sockets_.size()) io_.stop();
  }

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  std::vector<std::uint16_t> ports_;
  active::IkeProbe machine_;
  active::IkeProbeActions actions_;
  std::map<std::uint16_t, std::unique_ptr<io::UdpSocket>> sockets_;
  std::map<std::uint16_t, IkeProbeObservation> outcomes_;  // the first of each port
};

config::IkeVersion version_of(unsigned version) {
  if (version == 0) return config::IkeVersion::any;
  return version == 1 ? config::IkeVersion::v1 : config::IkeVersion::v2;
}

}  // namespace

int probe(const ProbeArguments& arguments) {
  const auto target = peer_address(arguments.peer, std::nullopt);
  if (!target) return exit_usage;
  bool valid = false;
  const auto source = source_address(arguments.source, target->family(), valid);
  if (!valid) return exit_usage;
  const std::vector<std::uint16_t> ports =
      arguments.ports.empty() ? std::vector<std::uint16_t>{500, 4500} : arguments.ports;
  boost::asio::io_context io{1};
  OneProbe one(io, ports);
  if (const auto error = one.begin({*target, source, version_of(arguments.version), arguments.version != 0})) {
    fmt::print(stderr, "tunnelwatch: {}\n", error->sentence);
    return exit_usage;
  }
  io.run();
  const auto outcomes = one.outcomes();
  if (!arguments.json) {
    for (const auto& o : outcomes) fmt::print("{}\n", probe_line(o));
  }
  std::optional<ProbedEsp> esp;
  if (arguments.ports.empty()) esp = probe_esp_once(*target, source);
  if (arguments.json) {
    fmt::print("{}\n", probe_json(arguments.peer, *target, outcomes, esp));
  } else if (esp) {
    fmt::print("{}\n", esp_line(*esp));
  }
  const bool well = std::all_of(outcomes.begin(), outcomes.end(),
                                [](const IkeProbeObservation& o) { return o.outcome == IkeProbeOutcome::answered; });
  return well && !(esp && is_esp_blocked(*esp)) ? exit_ok : exit_fault_found;
}

}  // namespace tunnelwatch::cli
