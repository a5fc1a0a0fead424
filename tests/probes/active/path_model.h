#pragma once

#include "probes/active/path_trace.h"
#include "probes/wire/ip.h"

#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace tunnelwatch::active {

// A path of routers to a peer, as far as a probe can tell: TTLs run out, filters drop, links have their MTU, the peer
// answers pings and IKE. It reads the packets that a machine sends and writes what would come back.
class PathModel {
 public:
  struct Packet {
    wire::Datagram ip;
    std::vector<std::uint8_t> bytes;
    std::uint16_t port = 0;  // of UDP, the peer's
    bool is_udp() const { return ip.ip_protocol == kProtocolUdp; }
  };
  struct Answer {
    enum class Kind { icmp, udp, esp } kind = Kind::icmp;
    std::vector<std::uint8_t> bytes;
    IpAddress from;
    std::uint16_t from_port = 0;
    std::uint16_t to_port = 0;
  };
  using Rule = std::function<bool(const Packet&)>;

  std::vector<IpAddress> routers;
  IpAddress peer;
  // By router, counted from 1: what it drops when it forwards, what it never tells about, what it rejects and how.
  std::map<std::size_t, Rule> drops;
  std::map<std::size_t, Rule> mute;
  std::map<std::size_t, std::pair<Rule, std::uint8_t>> rejects;  // ICMP code of type 3
  std::map<std::size_t, std::uint16_t> mtus;                     // of the link behind that router
  Rule peer_ignores = [](const Packet&) { return false; };
  std::size_t quoted_bytes = 1000;  // of the IP payload
  bool tells_mtu = true;

  std::optional<Answer> answer(const std::vector<std::uint8_t>& bytes) const {
    Packet p{.ip = {}, .bytes = bytes};
    const auto size = static_cast<std::uint32_t>(bytes.size());
    if (!wire::parse_ip(peer.is_v4() ? 4 : 6, bytes, size, wire::Extent::whole, p.ip)) std::abort();
    if (p.is_udp()) p.port = static_cast<std::uint16_t>(p.ip.payload[2] << 8 | p.ip.payload[3]);
    for (std::size_t hop = 1; hop <= routers.size(); ++hop) {
      const IpAddress& router = routers[hop - 1];
      const bool is_mute = matches(mute, hop, p);
      if (p.ip.ttl == hop) return is_mute ? std::nullopt : std::optional(error(p, router, peer.is_v4() ? 11 : 3, 0, 0));
      if (const auto m = mtus.find(hop); m != mtus.end() && bytes.size() > m->second) {
        if (is_mute || !tells_mtu) return std::nullopt;
        return peer.is_v4() ? error(p, router, 3, 4, m->second) : error(p, router, 2, 0, m->second);
      }
      if (const auto r = rejects.find(hop); r != rejects.end() && r->second.first(p))
        return error(p, router, 3, r->second.second, 0);
      if (matches(drops, hop, p)) return std::nullopt;
    }
    return peer_ignores(p) ? std::nullopt : peers_answer(p);
  }

  Answer error(const Packet& p, const IpAddress& from, unsigned type, unsigned code, std::uint32_t mtu) const {
    Answer a{.bytes = {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), 0, 0,
                       static_cast<std::uint8_t>(mtu >> 24), static_cast<std::uint8_t>(mtu >> 16),
                       static_cast<std::uint8_t>(mtu >> 8), static_cast<std::uint8_t>(mtu)},
             .from = from};
    const std::size_t quote = std::min(p.bytes.size(), ip_header_size(peer.family()) + quoted_bytes);
    a.bytes.insert(a.bytes.end(), p.bytes.begin(), p.bytes.begin() + static_cast<std::ptrdiff_t>(quote));
    return a;
  }

 private:
  static bool matches(const std::map<std::size_t, Rule>& rules, std::size_t hop, const Packet& p) {
    const auto found = rules.find(hop);
    return found != rules.end() && found->second(p);
  }
  std::optional<Answer> peers_answer(const Packet& p) const {
    Answer a{.bytes = {p.ip.payload.begin(), p.ip.payload.end()}, .from = peer};
    if (p.ip.ip_protocol == kProtocolEsp) return std::nullopt;
    if (!p.is_udp()) {
      a.bytes[0] = peer.is_v4() ? 0 : 129;
      return a;
    }
    a.kind = Answer::Kind::udp;
    a.from_port = p.port;
    a.to_port = static_cast<std::uint16_t>(p.ip.payload[0] << 8 | p.ip.payload[1]);
    a.bytes.erase(a.bytes.begin(), a.bytes.begin() + 8);  // the answer begins with the SPI that was asked with
    return a;
  }
};

}  // namespace tunnelwatch::active
