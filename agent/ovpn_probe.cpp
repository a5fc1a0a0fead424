#include "agent/ovpn_probe.h"

#include "probes/active/keyed_random.h"
#include "probes/clock.h"
#include "probes/io/resolver.h"
#include "probes/io/tcp_stream.h"
#include "probes/io/udp_socket.h"

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tunnelwatch::agent {

namespace {

using active::OpenVpnHello;

// The packets of a TCP stream, each behind its length.
class Framing {
 public:
  // Calls `take` with each whole packet. False where a length is none.
  template <class Take>
  bool add(std::span<const std::uint8_t> bytes, Take take) {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    std::size_t at = 0;
    while (buffer_.size() - at >= 2) {
      wire::ByteReader r(wire::Bytes(buffer_).subspan(at));
      const std::size_t size = r.u16();
      if (size == 0 || size > wire::kOpenVpnMaxPacket) return false;
      if (r.left() < size) break;
      take(r.take(size));
      at += 2 + size;
    }
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

 private:
  std::vector<std::uint8_t> buffer_;
};

// One server: its name, the transport, and the hello over it.
class Asked {
 public:
  Asked(boost::asio::io_context& io, OvpnSight& sight, active::OpenVpnHelloParams params, std::function<void()> on_done)
      : io_(io), sight_(sight), hello_(std::move(params)), timer_(io), on_done_(std::move(on_done)) {}

  void begin(const IpAddress& address) {
    sight_.address = address;
    hello_.begin(steady_now());
    if (sight_.server.tcp) {
      open_tcp(address);
    } else {
      open_udp(address);
    }
    settle();
  }
  void fail(std::string error) {
    sight_.error = std::move(error);
    on_done_();
  }

 private:
  void open_udp(const IpAddress& address) {
    auto socket = io::UdpSocket::open(io_, address.family(), std::nullopt,
                                      {.on_datagram = [this](const io::ReceivedUdp& r) { on_datagram(r); },
                                       .on_error =
                                           [this](const io::UdpError& e) {
                                             hello_.on_refused(e.reason);
                                             settle();
                                           }});
    if (!socket) return hello_.on_refused(refusal_of_errno(socket.error().error));
    udp_ = std::move(*socket);
    hello_.on_open(steady_now(), packets_);
  }
  void on_datagram(const io::ReceivedUdp& r) {
    if (r.from != *sight_.address || r.from_port != sight_.server.port) return;
    hello_.on_packet(r.bytes, r.received_at, packets_);
    settle();
  }

  void open_tcp(const IpAddress& address) {
    io::TcpStream::Handlers handlers;
    handlers.on_open = [this] {
      hello_.on_open(steady_now(), packets_);
      settle();
    };
    handlers.on_bytes = [this](std::span<const std::uint8_t> bytes) { on_stream(bytes); };
    handlers.on_closed = [this](RefusalReason reason) {
      const bool was_open = hello_.opened();
      if (was_open) hello_.on_closed();
      if (!was_open) hello_.on_refused(reason);
      settle();
    };
    tcp_ = std::make_unique<io::TcpStream>(io_, address, sight_.server.port, std::move(handlers));
  }
  void on_stream(std::span<const std::uint8_t> bytes) {
    const auto take = [this](wire::Bytes packet) { hello_.on_packet(packet, steady_now(), packets_); };
    if (!framing_.add(bytes, take)) hello_.on_bad_framing();
    settle();
  }

  // Sends what is to be sent, and waits for the next deadline.
  void settle() {
    for (const auto& packet : std::exchange(packets_, {})) send(packet);
    if (hello_.result() && !told_) {
      told_ = true;
      sight_.hello = *hello_.result();
      timer_.cancel();
      return on_done_();
    }
    const auto next = hello_.next_deadline();
    if (!next) return;
    timer_.expires_at(std::chrono::steady_clock::time_point(next->time_since_epoch()));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      hello_.advance(steady_now(), packets_);
      settle();
    });
  }
  void send(std::vector<std::uint8_t> packet) {
    if (tcp_) {
      const std::array<std::uint8_t, 2> size{static_cast<std::uint8_t>(packet.size() >> 8U),
                                             static_cast<std::uint8_t>(packet.size())};
      packet.insert(packet.begin(), size.begin(), size.end());
      tcp_->send(packet);
    } else if (udp_) {
      const auto sent = udp_->send(packet, *sight_.address, sight_.server.port);
      if (sent.error != RefusalReason::none) hello_.on_refused(sent.error);
    }
  }

  boost::asio::io_context& io_;
  OvpnSight& sight_;
  OpenVpnHello hello_;
  boost::asio::steady_timer timer_;
  std::function<void()> on_done_;
  std::unique_ptr<io::UdpSocket> udp_;
  std::unique_ptr<io::TcpStream> tcp_;
  Framing framing_;
  OpenVpnHello::Packets packets_;
  bool told_ = false;
};

}  // namespace

OvpnProtection protection_of(const host::OvpnProfile& profile) {
  const auto text = [](const host::OvpnMaterial& m) {
    return m.unreadable ? std::string_view() : std::string_view(m.text);
  };
  if (profile.tls_crypt_v2) {
    auto key = wire::parse_openvpn_client_key(text(*profile.tls_crypt_v2));
    OvpnProtection result{"tls-crypt-v2", profile.tls_crypt_v2->line, std::nullopt};
    if (key) result.wrap = wire::OpenVpnWrap::tls_crypt_v2(std::move(*key));
    return result;
  }
  if (profile.tls_crypt) {
    const auto key = wire::parse_openvpn_static_key(text(*profile.tls_crypt));
    OvpnProtection result{"tls-crypt", profile.tls_crypt->line, std::nullopt};
    if (key) result.wrap = wire::OpenVpnWrap::tls_crypt(*key);
    return result;
  }
  if (profile.tls_auth) {
    const auto key = wire::parse_openvpn_static_key(text(*profile.tls_auth));
    OvpnProtection result{"tls-auth", profile.tls_auth->line, std::nullopt};
    if (key) result.wrap = wire::OpenVpnWrap::tls_auth(*key, profile.auth, profile.key_direction);
    return result;
  }
  return {"", 0, wire::OpenVpnWrap()};
}

std::vector<OvpnSight> probe_ovpn(const host::OvpnProfile& profile, const OvpnProbeOptions& options) {
  std::vector<OvpnSight> sights;
  if (profile.proxy_line != 0) return sights;
  const OvpnProtection protection = protection_of(profile);
  for (const auto& server : profile.remotes) sights.push_back({.server = server});
  if (sights.empty()) return sights;

  boost::asio::io_context io{1};
  std::size_t waiting = sights.size();
  const auto one_done = [&] {
    if (--waiting == 0) io.stop();
  };
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  io::Resolver resolver(io, options.timeout);
  std::vector<std::unique_ptr<Asked>> asked;
  for (OvpnSight& sight : sights) {
    active::OpenVpnHelloParams params;
    params.tcp = sight.server.tcp;
    params.wrap = protection.wrap.value_or(wire::OpenVpnWrap());
    params.session = active::random_seed();
    params.wall_seconds = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(wall).count());
    params.timeout = options.timeout;
    asked.push_back(std::make_unique<Asked>(io, sight, std::move(params), one_done));
    Asked* const one = asked.back().get();
    resolver.resolve(sight.server.host, [one](const io::Resolution& found) {
      if (found.addresses.empty()) return one->fail(found.error.empty() ? "no address" : found.error);
      one->begin(found.addresses.front());
    });
  }
  io.run();
  return sights;
}

}  // namespace tunnelwatch::agent
