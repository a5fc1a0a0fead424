#include "probes/passive/ike_peer.h"

#include <algorithm>

// First messages that no tunnel begins with.
namespace tunnelwatch::passive {

namespace {

// A first message that no tunnel begins with. Neither it nor its answer says anything about a tunnel.
// Our own reachability probe: a version that does not exist, or a cipher that nobody has.
bool is_own_probe(const wire::IkeHeader& h, const wire::Datagram& d) {
  if (h.major() == 3) return h.length == wire::kIkeHeaderSize;
  const auto message = wire::parse_ike(d.payload, d.cut);
  if (!message) return false;
  if (const auto* sa = message->find(wire::v1_sa); sa != nullptr && h.major() == 1) {
    const auto suites = wire::parse_sa_v1(sa->body);
    return suites && suites->size() == 1 && suites->front().encryption == wire::kNobodysCipher;
  }
  const auto* sa = h.major() == 2 ? message->find(wire::v2_sa) : nullptr;
  if (sa == nullptr) return false;
  const auto proposals = wire::parse_sa_v2(sa->body);
  return proposals && proposals->size() == 1 &&
         std::any_of(proposals->front().transforms.begin(), proposals->front().transforms.end(),
                     [](const wire::Transform& t) {
                       return t.type == wire::transform_encryption && t.id == wire::kNobodysCipher;
                     });
}

// A scanner's: to UDP 500 from a port of its own, without the vendor IDs or the NAT detection that stacks announce.
bool is_scan(const wire::IkeHeader& h, const wire::Datagram& d) {
  const auto message = d.destination_port == 500 ? wire::parse_ike(d.payload, d.cut)
                                                 : wire::Parsed<wire::IkeMessage>(wire::ParseError::unsupported);
  if (!message || message->cut) return false;
  if (h.major() == 1) return message->find(wire::v1_sa) != nullptr && message->find(wire::v1_vendor) == nullptr;
  if (h.exchange != wire::ike_sa_init || message->find(wire::v2_sa) == nullptr) return false;
  return std::none_of(message->payloads.begin(), message->payloads.end(), [](const wire::IkePayload& p) {
    constexpr std::uint16_t kNatDetectionSource = 16388;
    const auto notify = p.type == wire::v2_notify ? wire::parse_notify_v2(p.body)
                                                  : wire::Parsed<wire::IkeNotify>(wire::ParseError::truncated);
    return p.type == wire::v2_vendor || (notify && notify->type == kNatDetectionSource);
  });
}

}  // namespace

bool IkeTracker::Peer::is_reachability_probe(const wire::Datagram& d) {
  const auto header = wire::parse_ike_header(d.payload);
  if (!header) return false;
  const auto probe = std::find(probe_spis_.begin(), probe_spis_.end(), header->spi_initiator);
  if (probe != probe_spis_.end()) {  // who goes on with it is no scanner
    const bool goes_on = header->major() == 1 ? header->is_encrypted_v1() && header->exchange != wire::v1_informational
                                              : header->exchange == wire::ike_auth;
    if (goes_on) probe_spis_.erase(probe);
    return !goes_on;
  }
  if (header->spi_responder != 0 || header->is_response() || d.source_port == 500 || d.source_port == 4500)
    return false;
  if (session_of(*header) != nullptr || !(is_own_probe(*header, d) || is_scan(*header, d))) return false;
  if (probe_spis_.size() == probe_spis_.capacity()) probe_spis_.erase(probe_spis_.begin());
  probe_spis_.push_back(header->spi_initiator);
  return true;
}

}  // namespace tunnelwatch::passive
