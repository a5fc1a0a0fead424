#include "agent/path_probe.h"

#include "probes/clock.h"
#include "probes/io/raw_ip_sender.h"
#include "probes/io/raw_receiver.h"
#include "probes/io/udp_socket.h"

#include <algorithm>
#include <array>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tunnelwatch::agent {

namespace {

constexpr std::uint16_t kUsualMtu = 1500;
constexpr std::uint16_t kMostMtu = 9000;  // loopback's 65536 says nothing of a path

}  // namespace

class PathProbe::Impl : public std::enable_shared_from_this<PathProbe::Impl> {
 public:
  Impl(boost::asio::io_context& io, const io::LocalRoute& route, Handlers handlers)
      : io_(io), timer_(io), route_(route), handlers_(std::move(handlers)) {}

  std::optional<io::OpenError> open(const PathProbeOptions& options);
  void begin(const PathProbeOptions& options, std::uint64_t seed);
  void stop() {
    stopped_ = true;
    timer_.cancel();
    icmp_.reset();
    esp_.reset();
    for (auto& port : udp_) port.clear();
  }
  bool done() const { return trace_->done() && mtu_->done(); }
  const active::PathTrace& trace() const { return *trace_; }
  const active::PathMtuResult& mtu() const { return mtu_->result(); }
  const io::LocalRoute& route() const { return route_; }

 private:
  std::optional<io::OpenError> open_udp(IpFamily family, std::size_t port);
  void drain();
  void drive();
  void arm();
  void on_icmp(const io::ReceivedRaw& r);
  void changed(bool told) {
    if (!told || stopped_) return;
    if (handlers_.on_change) handlers_.on_change();
    if (!stopped_) arm();
  }

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  io::LocalRoute route_;
  Handlers handlers_;
  std::unique_ptr<io::RawIpSender> sender_;
  std::unique_ptr<io::RawReceiver> icmp_;
  std::unique_ptr<io::RawReceiver> esp_;
  std::array<std::vector<std::unique_ptr<io::UdpSocket>>, 2> udp_;  // 500, 4500: they hold the ports of the flows
  std::optional<active::PathTrace> trace_;
  std::optional<active::PathMtu> mtu_;
  std::vector<active::TracePacket> packets_;
  bool draining_ = false;
  bool stopped_ = false;
};

std::optional<io::OpenError> PathProbe::Impl::open_udp(IpFamily family, std::size_t port) {
  auto& sockets = udp_[port];
  io::UdpSocket::Handlers handlers;
  const std::size_t index = sockets.size();
  handlers.on_datagram = [this, port, index](const io::ReceivedUdp& r) {
    const std::uint16_t own = udp_[port][index]->local_port();
    changed(trace_->on_udp(r.bytes, r.from, r.from_port, own, r.received_at));
  };
  handlers.on_error = [](const io::UdpError&) {};  // the raw socket has the whole quote
  auto socket = io::UdpSocket::open(io_, family, route_.source, std::move(handlers));
  if (!socket) return socket.error();
  sockets.push_back(std::move(*socket));
  return std::nullopt;
}

std::optional<io::OpenError> PathProbe::Impl::open(const PathProbeOptions& options) {
  const IpFamily family = options.target.family();
  auto sender = io::RawIpSender::open(family);
  if (!sender) return sender.error();
  sender_ = std::move(*sender);
  auto icmp =
      io::RawReceiver::open(io_, family, io::RawProtocol::icmp, [this](const io::ReceivedRaw& r) { on_icmp(r); });
  if (!icmp) return icmp.error();
  icmp_ = std::move(*icmp);
  if (!options.trace) return std::nullopt;
  auto esp = io::RawReceiver::open(io_, family, io::RawProtocol::esp, [this](const io::ReceivedRaw& r) {
    changed(trace_->on_esp(r.bytes, r.from, r.received_at));
  });
  if (!esp) return esp.error();
  esp_ = std::move(*esp);
  const std::size_t flows = std::clamp<std::size_t>(options.flows, 1, active::PathTraceParams::kMostFlows);
  for (std::size_t port = 0; port < udp_.size(); ++port) {
    for (std::size_t flow = 0; flow < flows; ++flow) {
      if (auto error = open_udp(family, port)) return error;
    }
  }
  return std::nullopt;
}

void PathProbe::Impl::begin(const PathProbeOptions& options, std::uint64_t seed) {
  active::PathTraceParams params;
  params.source = route_.source;
  params.target = options.target;
  params.max_hops = options.max_hops;
  params.interval = options.interval;
  for (const auto& s : udp_[0]) params.udp_500_ports.push_back(s->local_port());
  for (const auto& s : udp_[1]) params.udp_4500_ports.push_back(s->local_port());
  params.icmp_flows = static_cast<std::uint8_t>(udp_[0].size());
  const std::uint16_t mtu = route_.mtu == 0 ? kUsualMtu : std::min(route_.mtu, kMostMtu);
  params.esp = options.trace;
  params.large_size = options.trace ? mtu : std::uint16_t{0};
  trace_.emplace(seed, std::move(params), steady_now());
  mtu_.emplace(seed ^ 0x6a09e667f3bcc908U,
               active::PathMtuParams{.source = route_.source, .target = options.target, .link_mtu = mtu}, steady_now());
  arm();
}

void PathProbe::Impl::on_icmp(const io::ReceivedRaw& r) {
  const bool of_mtu = mtu_->on_icmp(r.bytes, r.from, r.received_at);
  changed(of_mtu || trace_->on_icmp(r.bytes, r.from, r.received_at));
}

void PathProbe::Impl::drain() {
  draining_ = true;
  icmp_->drain();
  if (!stopped_ && esp_) esp_->drain();
  for (std::size_t port = 0; port < udp_.size(); ++port) {
    for (std::size_t i = 0; !stopped_ && i < udp_[port].size(); ++i) udp_[port][i]->drain();
  }
  draining_ = false;
}

void PathProbe::Impl::drive() {
  const auto self = shared_from_this();  // a handler may destroy the owner
  drain();                               // an answer that waits in a socket must not be told as silence
  if (stopped_) return;
  packets_.clear();
  trace_->advance(steady_now(), packets_);
  for (const auto& p : packets_) {
    const auto sent = sender_->send(p.bytes, p.to);
    if (sent.error == RefusalReason::none) {
      trace_->on_sent(p.probe, sent.at);
    } else {
      trace_->on_send_error(p.probe, sent.error);
    }
  }
  packets_.clear();
  mtu_->advance(steady_now(), packets_);
  for (const auto& p : packets_) {
    const auto sent = sender_->send(p.bytes, p.to);
    if (sent.error == RefusalReason::none) {
      mtu_->on_sent(p.probe, sent.at);
    } else {
      mtu_->on_send_error(p.probe, sent.error);
    }
  }
  arm();
}

void PathProbe::Impl::arm() {
  if (stopped_ || draining_) return;
  auto next = trace_->next_deadline();
  if (const auto mtu = mtu_->next_deadline(); mtu && (!next || *mtu < *next)) next = mtu;
  const auto self = shared_from_this();
  if (!next) {
    timer_.expires_after(std::chrono::seconds{0});
    timer_.async_wait([self](const boost::system::error_code& error) {
      if (!error && !self->stopped_ && self->handlers_.on_done) self->handlers_.on_done();
    });
    return;
  }
  timer_.expires_at(std::chrono::steady_clock::time_point(next->time_since_epoch()));
  timer_.async_wait([self](const boost::system::error_code& error) {
    if (!error && !self->stopped_) self->drive();
  });
}

boost::system::result<std::unique_ptr<PathProbe>, io::OpenError> PathProbe::start(boost::asio::io_context& io,
                                                                                  const PathProbeOptions& options,
                                                                                  std::uint64_t seed,
                                                                                  Handlers handlers) {
  const auto route = io::route_to(options.target, options.source);
  if (!route) return io::OpenError{0, "no route to " + options.target.to_string()};
  auto impl = std::make_shared<Impl>(io, *route, std::move(handlers));
  if (auto error = impl->open(options)) {
    impl->stop();
    return *error;
  }
  impl->begin(options, seed);
  return std::unique_ptr<PathProbe>(new PathProbe(std::move(impl)));
}

PathProbe::PathProbe(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
PathProbe::~PathProbe() { impl_->stop(); }
bool PathProbe::done() const { return impl_->done(); }
const active::PathTrace& PathProbe::trace() const { return impl_->trace(); }
const active::PathMtuResult& PathProbe::mtu() const { return impl_->mtu(); }
const io::LocalRoute& PathProbe::route() const { return impl_->route(); }

}  // namespace tunnelwatch::agent
