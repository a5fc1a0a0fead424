#include "agent/cli/esp_once.h"

#include "agent/diagnosis/esp_reach.h"
#include "probes/active/esp_probe.h"
#include "probes/clock.h"
#include "probes/io/esp_socket.h"
#include "probes/wire/esp_echo.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tunnelwatch::cli {

namespace {

constexpr config::EspProbe kSettings{.interval = std::chrono::milliseconds{60000},
                                     .timeout = std::chrono::milliseconds{1000}};

// The daemon's own machine, asked once.
class OneEspProbe {
 public:
  explicit OneEspProbe(boost::asio::io_context& io) : timer_(io) {}

  std::optional<io::OpenError> open(boost::asio::io_context& io, IpFamily family) {
    auto opened = io::EspSocket::open(io, family, wire::kEspEchoReply,
                                      {.on_packet =
                                           [this](const io::ReceivedEsp& r) {
                                             machine_.on_reply(r.bytes, r.from, r.received_at, actions_);
                                             take();
                                           },
                                       .on_error =
                                           [this](const io::EspError& e) {
                                             machine_.on_icmp_error(
                                                 {e.to, e.offender, e.reason, e.icmp_type, e.icmp_code, e.received_at},
                                                 e.quoted, actions_);
                                             take();
                                           }});
    if (!opened) return opened.error();
    socket_ = std::move(*opened);
    return std::nullopt;
  }
  void begin(const active::EspProbeTarget& target) {
    machine_.add_target(1, target, steady_now());
    machine_.probe_now(1);
    drive();
  }
  const std::optional<EspProbeObservation>& outcome() const { return outcome_; }

 private:
  void drive() {
    socket_->drain();
    if (!socket_) return;
    machine_.advance(steady_now(), actions_);
    for (const auto& p : std::exchange(actions_.packets, {})) {
      const auto sent = socket_->send(p.bytes, p.to, p.source);
      if (sent.error == RefusalReason::none) {
        machine_.on_sent(p.probe, sent.at);
      } else {
        machine_.on_send_error(p.probe, sent.error, sent.at, actions_);
      }
    }
    take();
    if (outcome_) return;
    timer_.expires_at(std::chrono::steady_clock::time_point(machine_.next_deadline()->time_since_epoch()));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) drive();
    });
  }
  void take() {
    if (!outcome_ && !actions_.observations.empty()) outcome_ = actions_.observations.front();
    actions_.observations.clear();
    if (!outcome_) return;
    timer_.cancel();
    socket_.reset();
  }

  boost::asio::steady_timer timer_;
  active::EspProbe machine_{active::random_seed(), kSettings};
  active::EspProbeActions actions_;
  std::unique_ptr<io::EspSocket> socket_;
  std::optional<EspProbeObservation> outcome_;
};

}  // namespace

ProbedEsp probe_esp_once(const IpAddress& target, const std::optional<IpAddress>& source) {
  boost::asio::io_context io{1};
  OneEspProbe one(io);
  if (const auto error = one.open(io, target.family())) return {std::nullopt, "unknown", error->sentence};
  one.begin({target, source});
  io.run();
  if (!one.outcome()) return {std::nullopt, "unknown", "not asked"};
  diagnosis::EspReach reach;
  reach.on_probe(*one.outcome());
  reach.update(one.outcome()->at);
  return {one.outcome(), std::string(to_string(reach.verdict())), reach.testimony().front().text.en};
}

}  // namespace tunnelwatch::cli
