#pragma once

#include "config/ip_address.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the kernel of this machine knows of IPsec (XFRM), in words of our own: policies, which say what traffic wants
// which protection, and states, which are the SAs. There is no key among it, nor ever was.
namespace tunnelwatch::host {

inline constexpr std::uint8_t kProtocolEsp = 50;
inline constexpr std::uint8_t kProtocolComp = 108;

enum class XfrmDirection : std::uint8_t {
  in,
  out,
  forward,
  socket,  // of one socket alone: how IKE daemons keep their own packets out of the tunnel
};

enum class XfrmMode : std::uint8_t { transport, tunnel, other };

struct XfrmPorts {
  std::uint16_t port = 0;
  std::uint16_t mask = 0;  // 0: any port
  bool operator==(const XfrmPorts&) const = default;
};

struct XfrmSelector {
  IpPrefix source;
  IpPrefix destination;
  std::uint8_t protocol = 0;  // 0: any
  XfrmPorts source_port;
  XfrmPorts destination_port;
  std::uint32_t link = 0;  // 0: any
  bool operator==(const XfrmSelector&) const = default;
};

// Which of several alike is meant: traffic is marked, or comes by an XFRM interface of that number.
struct XfrmMark {
  std::uint32_t value = 0;
  std::uint32_t mask = 0;
  std::uint32_t interface_id = 0;
  bool any() const { return mask == 0 && interface_id == 0; }
  bool operator==(const XfrmMark&) const = default;
};

// One protection that a policy asks for.
struct XfrmTemplate {
  std::optional<IpAddress> source;  // the outer addresses; nothing: those of the packet
  std::optional<IpAddress> destination;
  std::uint32_t spi = 0;  // 0: any
  std::uint8_t protocol = 0;
  XfrmMode mode = XfrmMode::other;
  std::uint32_t request = 0;  // which states it takes; 0: any
  bool optional = false;
  bool operator==(const XfrmTemplate&) const = default;
};

struct XfrmPolicy {
  XfrmSelector selector;
  XfrmDirection direction = XfrmDirection::in;
  bool blocks = false;
  std::uint32_t priority = 0;  // the lowest goes first
  std::uint32_t index = 0;
  XfrmMark mark;
  std::vector<XfrmTemplate> templates;  // none, and it does not block: a bypass
  bool operator==(const XfrmPolicy&) const = default;
};

// Bytes, packets, seconds since it was made or used; 0: no limit.
struct XfrmLimits {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t seconds = 0;
  std::uint64_t used_seconds = 0;
  bool operator==(const XfrmLimits&) const = default;
};

struct XfrmAlgorithm {
  std::string name;
  std::uint32_t key_bits = 0;
  bool operator==(const XfrmAlgorithm&) const = default;
};

struct XfrmEncapsulation {  // ESP in UDP, RFC 3948
  std::uint16_t type = 0;   // 2: UDP_ENCAP_ESPINUDP
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  bool operator==(const XfrmEncapsulation&) const = default;
};

struct XfrmState {
  IpAddress source;
  IpAddress destination;
  std::uint32_t spi = 0;  // 0: larval, traffic waits for the daemon to make it
  std::uint8_t protocol = 0;
  XfrmMode mode = XfrmMode::other;
  std::uint32_t request = 0;
  XfrmSelector selector;
  XfrmMark mark;
  std::optional<XfrmEncapsulation> encapsulation;
  XfrmLimits soft;
  XfrmLimits hard;
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t added = 0;  // seconds since the epoch
  std::uint64_t used = 0;
  std::uint32_t replay_window = 0;
  std::uint32_t replayed = 0;  // packets that were refused: seen before, or too old
  std::uint32_t integrity_failed = 0;
  std::vector<XfrmAlgorithm> algorithms;  // none: larval, an SPI that is reserved for a negotiation
  bool is_larval() const { return spi == 0 || algorithms.empty(); }
  bool operator==(const XfrmState&) const = default;
};

struct XfrmView {
  static constexpr std::size_t kMaxPolicies = 8192;
  static constexpr std::size_t kMaxStates = 8192;

  std::vector<XfrmPolicy> policies;
  std::vector<XfrmState> states;
  bool complete = false;  // false: more than fits, or a part could not be read; absence says nothing then
};

// Enumerators are label values.
enum class XfrmEventKind : std::uint8_t {
  state_added,
  state_updated,
  state_deleted,
  states_flushed,
  soft_expired,  // it is time for a successor
  hard_expired,  // and now it is gone
  policy_changed,
};
inline constexpr std::size_t kXfrmEventKindCount = 7;
std::string_view to_string(XfrmEventKind kind);

struct XfrmEvent {
  XfrmEventKind kind = XfrmEventKind::policy_changed;
  // Of state_added, state_updated and both expiries; an expiry tells no algorithms.
  std::optional<XfrmState> state;
};

}  // namespace tunnelwatch::host
