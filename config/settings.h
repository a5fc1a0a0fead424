#pragma once

#include "config/ip_address.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What an operator may say, as plain structs. The defaults are those on the fields; `load.h` fills them from YAML,
// `validate.h` checks what no single field can. Components take their own sub-struct, never the whole Settings.
namespace tunnelwatch::config {

using std::chrono::milliseconds;

struct ListenAddress {
  IpAddress address = *IpAddress::parse("127.0.0.1");
  std::uint16_t port = 9814;
  bool operator==(const ListenAddress&) const = default;
};

// An address or a DNS name, as written. Names are resolved by the agent in the background.
struct Host {
  std::string name;                  // the text as written
  std::optional<IpAddress> address;  // set where the text is an address
  bool operator==(const Host&) const = default;
};

// Bits per second, 0 for "not told".
struct Bandwidths {
  std::uint64_t egress = 0;   // what the customer's line carries
  std::uint64_t gateway = 0;  // what the cloud's VPN gateway or its EIP is sized for
  bool operator==(const Bandwidths&) const = default;
};

// Numbers of autonomous systems, 0 for "not told".
struct Bgp {
  std::uint32_t local_as = 0;   // of this gateway
  std::uint32_t remote_as = 0;  // of the cloud's VPN gateway
  bool operator==(const Bgp&) const = default;
};

enum class IkeVersion : std::uint8_t { any, v1, v2 };

// What carries a tunnel. Of an OpenVPN client's there is no IKE and no ESP: it is judged by its interface, the routes
// and the hosts inside.
enum class TunnelKind : std::uint8_t { ipsec, openvpn };

struct Tunnel {
  std::string name;                // [A-Za-z0-9_][A-Za-z0-9_.-]{0,63}, unique: it becomes a label
  std::optional<IpAddress> local;  // this gateway's address towards the peer ...
  std::string local_interface;     // ... or the interface that holds it; neither: what the kernel's route says
  Host remote;
  TunnelKind kind = TunnelKind::ipsec;
  IkeVersion version = IkeVersion::any;
  std::vector<std::string> ike;  // proposals expected in IKE SAs, "aes256-sha256-modp2048"; empty: not told
  std::vector<std::string> esp;  // the same for child SAs, "aes256gcm16-modp2048"
  std::vector<IpPrefix> local_subnets;
  std::vector<IpPrefix> remote_subnets;
  std::vector<Host> inner_hosts;  // hosts behind the peer that answer a ping through the tunnel
  std::string egress_interface;   // where traffic to the peer is expected to leave; empty: not checked
  Bandwidths bandwidth;
  std::string tunnel_interface;                    // a route-based tunnel's own interface here: ipsec0, vti1, xfrm1
  std::optional<IpAddress> local_tunnel_address;   // of that interface: what the peer pings and speaks BGP with
  std::optional<IpAddress> remote_tunnel_address;  // of the peer's
  Bgp bgp;
  bool operator==(const Tunnel&) const = default;
};

// `first`, its double, and so on, `count` in all.
inline std::vector<std::chrono::microseconds> doublings(std::chrono::microseconds first, std::size_t count) {
  std::vector<std::chrono::microseconds> list;
  for (; list.size() < count; first *= 2) list.push_back(first);
  return list;
}

struct IcmpProbe {
  milliseconds interval{1000};
  milliseconds timeout{800};        // below `interval`
  std::uint16_t payload_bytes{56};  // 24 to 1472: the nonce and the stamps need 24
  bool dont_fragment{false};
  std::uint16_t burst{1};  // requests that leave together each interval
  std::uint8_t dscp{0};
  std::vector<std::chrono::microseconds> rtt_buckets = doublings(std::chrono::microseconds{50}, 20);
  bool operator==(const IcmpProbe&) const = default;
};

enum class AddressFamily : std::uint8_t { any, v4, v6 };

struct Label {
  std::string name;
  std::string value;
  bool operator==(const Label&) const = default;
};

// How a target is pinged. What is not set is as the target's group says, and then as probes.icmp does.
struct EchoOptions {
  std::optional<milliseconds> interval;
  std::optional<milliseconds> timeout;
  std::optional<std::uint16_t> payload_bytes;
  std::optional<bool> dont_fragment;
  std::optional<std::uint16_t> burst;
  std::optional<std::uint8_t> dscp;
  std::optional<std::uint8_t> ttl;
  std::optional<IpAddress> source;
  std::string interface;  // where requests leave; empty: what the route says
  std::optional<std::uint32_t> fwmark;
  std::optional<AddressFamily> family;  // of the addresses that a name stands for
  std::vector<Label> labels;            // of its metrics; a target's go over its group's
  bool operator==(const EchoOptions&) const = default;
};

struct TargetGroup : EchoOptions {
  std::string name;
  bool operator==(const TargetGroup&) const = default;
};

// A host that is pinged for its own sake.
struct Target : EchoOptions {
  std::string name;  // the label of its metrics; empty: the host as written
  Host host;
  std::string group;
  const std::string& label() const { return name.empty() ? host.name : name; }
  bool operator==(const Target&) const = default;
};

// One IKE request at a time to a peer and port. When something else looks wrong the next one is sent at once, within
// `burst`; otherwise one every `interval`.
struct IkeProbe {
  bool enabled{true};
  milliseconds interval{10000};
  milliseconds timeout{1000};
  std::uint16_t burst{3};
  std::uint32_t daily_limit{10000};  // requests to one port of one peer in a day, whatever the reason for them
  bool operator==(const IkeProbe&) const = default;
};

// The way to each peer: its MTU every `interval`, and hop by hop when a port or ESP is told as blocked.
struct PathProbe {
  bool enabled{true};
  milliseconds interval{600000};
  bool operator==(const PathProbe&) const = default;
};

// One packet of IP protocol 50 at a time to a peer whose ESP nothing else tells of. A peer that never answered is asked
// at intervals that double up to half an hour.
struct EspProbe {
  bool enabled{true};
  milliseconds interval{60000};
  milliseconds timeout{1000};
  bool operator==(const EspProbe&) const = default;
};

struct Probes {
  IcmpProbe icmp;
  IkeProbe ike;
  PathProbe path;
  EspProbe esp;
  bool operator==(const Probes&) const = default;
};

struct Capture {
  std::vector<std::string> interfaces;   // empty: every interface that has a default route
  std::uint32_t buffer_bytes{4U << 20};  // the kernel's ring for each interface
  bool operator==(const Capture&) const = default;
};

struct Discovery {
  bool enabled{true};  // watch peers that no tunnel names
  std::uint32_t max_tunnels{256};
  std::chrono::seconds idle{3600};  // forgotten after this long without a packet
  bool operator==(const Discovery&) const = default;
};

// When loss becomes a finding. Loss is told only where the lower bound of its 95 % interval is above `loss_ratio`.
struct LossThresholds {
  double loss_ratio{0.02};
  double clear_ratio{0.01};
  std::chrono::seconds window{60};
  bool operator==(const LossThresholds&) const = default;
};

// The last IKE packets of each tunnel, written to a capture file when a fault is found.
struct Recorder {
  bool enabled{true};
  std::string directory;  // absolute; empty: $STATE_DIRECTORY/recordings, and where that is not set nothing is written
  std::uint16_t packets{128};            // kept of each tunnel
  std::uint32_t bytes{128U << 10};       // the same in bytes: the size of one file
  std::uint32_t quota_bytes{64U << 20};  // of all files together; the oldest go first
  std::chrono::seconds interval{60};     // a tunnel may write one file this often, and a few at once
  bool operator==(const Recorder&) const = default;
};

// What this machine's kernel is asked for beside its network, which takes no permission.
struct Kernel {
  bool conntrack{true};  // its connections, and whether it translates them; takes CAP_NET_ADMIN
  bool xfrm{true};       // its IPsec policies and states; takes CAP_NET_ADMIN
  bool filter{true};     // the rules of its packet filter, and what they count; likewise
  bool operator==(const Kernel&) const = default;
};

// The IKE daemon of this machine.
struct Daemon {
  std::string vici{"/run/charon.vici"};          // strongSwan's socket; empty: it is not asked
  bool log{true};                                // what it logs is heard over that socket, too
  std::string error_notify{"/run/charon.enfy"};  // of its plugin of that name; empty: it is not listened to
  bool operator==(const Daemon&) const = default;
};

// Logs that are followed: what they name joins what is seen. Nothing of it is on by default.
struct Logs {
  std::vector<std::string> files;       // absolute paths; they may come later, and be rotated
  bool journal{false};                  // systemd's, by `journalctl`
  std::vector<std::string> units;       // of the journal; empty: all
  std::optional<ListenAddress> syslog;  // where messages are taken, over UDP and TCP
  bool operator==(const Logs&) const = default;
};

// Whose ESP echo requests this agent answers. Spelled false, true and anyone.
enum class EspResponder : std::uint8_t {
  off,
  peers,   // the remotes of the tunnels that are configured
  anyone,  // whoever asks, at a bounded rate
};

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct Settings {
  ListenAddress listen;
  LogLevel log_level{LogLevel::info};
  std::string include_dir{"conf.d"};  // of drop-ins with more tunnels, beside the file or absolute; empty: none
  std::vector<Tunnel> tunnels;
  std::vector<Host> references{{"114.114.114.114", IpAddress::parse("114.114.114.114")},
                               {"223.5.5.5", IpAddress::parse("223.5.5.5")}};
  std::vector<TargetGroup> target_groups;
  std::vector<Target> targets;
  Probes probes;
  EspResponder esp_responder{EspResponder::off};
  Capture capture;
  Discovery discovery;
  LossThresholds loss;
  Recorder recorder;
  Kernel kernel;
  Daemon daemon;
  Logs logs;
  bool operator==(const Settings&) const = default;
};

}  // namespace tunnelwatch::config
