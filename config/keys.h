#pragma once

#include "config/settings.h"
#include "config/syntax.h"

#include <array>
#include <chrono>
#include <string_view>
#include <tuple>

// Every key of the configuration, once: its name, its field, how it is written, and what it means. Reader, dump,
// schema test and the printed reference all walk these tables; a new setting is a field in settings.h, a row here, and
// its lines in tunnelwatch.yaml and tunnelwatch.schema.json, which a test asks for. Defaults are those on the fields.
namespace tunnelwatch::config {

enum class Need : std::uint8_t { optional, required };

template <class Owner, class Value, class Syntax>
struct Key {
  constexpr Key(std::string_view name_, Value Owner::*member_, Syntax syntax_, std::string_view help_,
                Need need_ = Need::optional)
      : name(name_), member(member_), syntax(syntax_), help(help_), need(need_) {}

  std::string_view name;
  Value Owner::*member;
  Syntax syntax;
  std::string_view help;  // one sentence without a full stop
  Need need;
};

// What a drop-in file of the include directory may say.
struct DropIn {
  std::vector<Tunnel> tunnels;
};

inline constexpr std::size_t kMaxTunnels = 1000;
inline constexpr std::size_t kMaxTargets = 10'000;  // targets, remotes, inner hosts and references together
inline constexpr std::size_t kMaxTargetGroups = 100;
inline constexpr std::size_t kMaxLabels = 8;
inline constexpr std::size_t kMaxBuckets = 64;
inline constexpr std::size_t kMaxReferences = 16;
inline constexpr std::size_t kMaxSubnets = 256;
inline constexpr std::size_t kMaxInnerHosts = 1000;
inline constexpr std::size_t kMaxProposals = 32;
inline constexpr std::size_t kMaxInterfaces = 64;
inline constexpr std::size_t kMaxLogFiles = 64;
inline constexpr std::size_t kMaxUnits = 64;

inline constexpr std::array<std::string_view, 4> kLogLevelNames{"debug", "info", "warning", "error"};
inline constexpr std::array<std::string_view, 2> kTunnelKindNames{"ipsec", "openvpn"};
inline constexpr std::array<std::string_view, 3> kIkeVersionNames{"any", "1", "2"};
inline constexpr std::array<std::string_view, 3> kEspResponderNames{"false", "true", "anyone"};
inline constexpr std::array<std::string_view, 3> kFamilyNames{"any", "4", "6"};
inline constexpr DurationText kEchoInterval{std::chrono::milliseconds{10}, std::chrono::hours{1}};
inline constexpr DurationText kEchoTimeout{std::chrono::milliseconds{1}, std::chrono::hours{1}};
inline constexpr Whole kEchoPayload{24, 1472};
inline constexpr Whole kEchoBurst{1, 20};
inline constexpr Whole kDscp{0, 63};
inline constexpr FineDurationText kBucket{std::chrono::microseconds{1}, std::chrono::seconds{3600}};
inline constexpr BandwidthText kBandwidth{1'000, 1'000'000'000'000};

template <class T>
struct Keys;

template <>
struct Keys<Bandwidths> {
  static constexpr std::tuple all{
      Key{"egress", &Bandwidths::egress, kBandwidth, "What the line to the internet carries"},
      Key{"gateway", &Bandwidths::gateway, kBandwidth,
          "What the cloud's VPN gateway or its public address is sized for"},
  };
};

template <>
struct Keys<Bgp> {
  static constexpr std::tuple all{
      Key{"local_as", &Bgp::local_as, AsNumberText{}, "The AS number of this gateway, 65001 or 1.10"},
      Key{"remote_as", &Bgp::remote_as, AsNumberText{}, "The AS number of the cloud's VPN gateway"},
  };
};

template <>
struct Keys<Tunnel> {
  static constexpr std::tuple all{
      Key{"name", &Tunnel::name, kTunnelName, "Unique; the label of the tunnel's metrics", Need::required},
      Key{"local", &Tunnel::local, AddressText{},
          "This gateway's address towards the peer; without it, what the route to the peer says"},
      Key{"local_interface", &Tunnel::local_interface, kInterface, "In place of local: the interface that holds it"},
      Key{"remote", &Tunnel::remote, HostText{}, "The peer, an address or a DNS name", Need::required},
      Key{"kind", &Tunnel::kind, Choice{kTunnelKindNames},
          "What carries it; openvpn: a client on this machine, with its tunnel_interface"},
      Key{"ike_version", &Tunnel::version, Choice{kIkeVersionNames}, "The IKE version that the peer is set to"},
      Key{"ike", &Tunnel::ike, ListOf{ProposalText{}, kMaxProposals}, "Proposals expected for the IKE SA"},
      Key{"esp", &Tunnel::esp, ListOf{ProposalText{}, kMaxProposals}, "Proposals expected for the child SAs"},
      Key{"local_subnets", &Tunnel::local_subnets, ListOf{SubnetText{}, kMaxSubnets},
          "Subnets on this side that the tunnel carries"},
      Key{"remote_subnets", &Tunnel::remote_subnets, ListOf{SubnetText{}, kMaxSubnets}, "Subnets behind the peer"},
      Key{"inner_hosts", &Tunnel::inner_hosts, ListOf{HostText{}, kMaxInnerHosts},
          "Hosts behind the peer that answer a ping through the tunnel"},
      Key{"egress_interface", &Tunnel::egress_interface, kInterface,
          "Where traffic to the peer is expected to leave; without it, not checked"},
      Key{"bandwidth", &Tunnel::bandwidth, Section{}, "What the path is sized for; without it, not checked"},
      Key{"tunnel_interface", &Tunnel::tunnel_interface, kInterface,
          "The tunnel's own interface here, where it has one; it is captured on too"},
      Key{"local_tunnel_address", &Tunnel::local_tunnel_address, AddressText{},
          "This gateway's address inside the tunnel, which the peer pings and speaks BGP with"},
      Key{"remote_tunnel_address", &Tunnel::remote_tunnel_address, AddressText{},
          "The peer's address inside the tunnel"},
      Key{"bgp", &Tunnel::bgp, Section{}, "What BGP over the tunnel must say; without it, not compared"},
  };
};

template <>
struct Keys<IcmpProbe> {
  static constexpr std::tuple all{
      Key{"interval", &IcmpProbe::interval, kEchoInterval, "Between two echo requests to one target"},
      Key{"timeout", &IcmpProbe::timeout, kEchoTimeout, "How long a reply is waited for; below interval"},
      Key{"payload_bytes", &IcmpProbe::payload_bytes, kEchoPayload, "Bytes behind the ICMP header"},
      Key{"dont_fragment", &IcmpProbe::dont_fragment, Flag{}, "Whether requests forbid fragmentation"},
      Key{"burst", &IcmpProbe::burst, kEchoBurst, "Requests that leave together each interval"},
      Key{"dscp", &IcmpProbe::dscp, kDscp, "The differentiated services codepoint of requests"},
      Key{"rtt_buckets", &IcmpProbe::rtt_buckets, ListOf{kBucket, kMaxBuckets},
          "Upper bounds of the histograms of round trip times, ascending"},
  };
};

template <>
struct Keys<EchoOptions> {
  static constexpr std::tuple all{
      Key{"interval", &EchoOptions::interval, Maybe{kEchoInterval}, "Between two echo requests, or bursts of them"},
      Key{"timeout", &EchoOptions::timeout, Maybe{kEchoTimeout}, "How long a reply is waited for; below interval"},
      Key{"payload_bytes", &EchoOptions::payload_bytes, Maybe{kEchoPayload}, "Bytes behind the ICMP header"},
      Key{"dont_fragment", &EchoOptions::dont_fragment, Maybe{Flag{}}, "Whether requests forbid fragmentation"},
      Key{"burst", &EchoOptions::burst, Maybe{kEchoBurst}, "Requests that leave together each interval"},
      Key{"dscp", &EchoOptions::dscp, Maybe{kDscp}, "The differentiated services codepoint of requests"},
      Key{"ttl", &EchoOptions::ttl, Maybe{Whole{1, 255}},
          "The TTL or hop limit of requests; without it, the kernel's default"},
      Key{"source", &EchoOptions::source, AddressText{},
          "The address that requests leave from; without it, what the route says"},
      Key{"interface", &EchoOptions::interface, kInterface,
          "The interface that requests leave by; without it, what the route says"},
      Key{"fwmark", &EchoOptions::fwmark, Maybe{Whole{1, 0xffffffff}},
          "The firewall mark of requests; it takes CAP_NET_ADMIN, or Linux 5.17"},
      Key{"family", &EchoOptions::family, Maybe{Choice{kFamilyNames}}, "Which addresses of a name are asked"},
      Key{"labels", &EchoOptions::labels, ListOf{LabelText{}, kMaxLabels},
          "Labels of the target's metrics, such as site=berlin"},
  };
};

template <>
struct Keys<TargetGroup> {
  static constexpr std::tuple all = std::tuple_cat(
      std::tuple{Key{"name", &TargetGroup::name, kTunnelName, "What targets name it by", Need::required}},
      Keys<EchoOptions>::all);
};

template <>
struct Keys<Target> {
  static constexpr std::tuple all = std::tuple_cat(
      std::tuple{
          Key{"name", &Target::name, kTunnelName, "Unique; the label of the target's metrics; without it, the host"},
          Key{"host", &Target::host, HostText{}, "The target, an address or a DNS name", Need::required},
          Key{"group", &Target::group, kTunnelName, "The group whose values hold where the target gives none"}},
      Keys<EchoOptions>::all);
};

template <>
struct Keys<IkeProbe> {
  static constexpr std::tuple all{
      Key{"enabled", &IkeProbe::enabled, Flag{}, "Whether peers are asked on UDP 500 and 4500"},
      Key{"interval", &IkeProbe::interval, DurationText{std::chrono::seconds{1}, std::chrono::hours{1}},
          "Between two requests to one port of one peer while all is well"},
      Key{"timeout", &IkeProbe::timeout, DurationText{std::chrono::milliseconds{1}, std::chrono::hours{1}},
          "How long an answer is waited for; below interval"},
      Key{"burst", &IkeProbe::burst, Whole{1, 100}, "Requests that may follow at once when something looks wrong"},
      Key{"daily_limit", &IkeProbe::daily_limit, Whole{1, 1'000'000},
          "The most requests to one port of one peer in 24 hours"},
  };
};

template <>
struct Keys<PathProbe> {
  static constexpr std::tuple all{
      Key{"enabled", &PathProbe::enabled, Flag{},
          "Whether the way to peers is measured, and traced when it is blocked"},
      Key{"interval", &PathProbe::interval, DurationText{std::chrono::seconds{10}, std::chrono::hours{24}},
          "Between two measurements of the MTU of the way to one peer"},
  };
};

template <>
struct Keys<EspProbe> {
  static constexpr std::tuple all{
      Key{"enabled", &EspProbe::enabled, Flag{},
          "Whether peers are sent a packet of IP protocol 50 where nothing else tells of their ESP"},
      Key{"interval", &EspProbe::interval, DurationText{std::chrono::seconds{10}, std::chrono::hours{24}},
          "Between two such packets to one peer; longer to a peer that never answers"},
      Key{"timeout", &EspProbe::timeout, DurationText{std::chrono::milliseconds{1}, std::chrono::minutes{1}},
          "How long an answer is waited for; below interval"},
  };
};

template <>
struct Keys<Probes> {
  static constexpr std::tuple all{
      Key{"icmp", &Probes::icmp, Section{}, "Echo requests to peers, references and inner hosts"},
      Key{"ike", &Probes::ike, Section{}, "IKE requests to peers"},
      Key{"path", &Probes::path, Section{}, "The way to peers, hop by hop"},
      Key{"esp", &Probes::esp, Section{}, "Whether ESP gets through to peers"},
  };
};

template <>
struct Keys<Capture> {
  static constexpr std::tuple all{
      Key{"interfaces", &Capture::interfaces, ListOf{kInterface, kMaxInterfaces},
          "Where packets are read; empty: every interface that has a default route"},
      Key{"buffer", &Capture::buffer_bytes, SizeText{1U << 16, 1U << 30}, "The kernel's ring for each interface"},
  };
};

template <>
struct Keys<Discovery> {
  static constexpr std::tuple all{
      Key{"enabled", &Discovery::enabled, Flag{}, "Whether peers that no tunnel names are watched"},
      Key{"max_tunnels", &Discovery::max_tunnels, Whole{1, 10'000}, "The most peers that are watched in this way"},
      Key{"idle", &Discovery::idle, DurationText{std::chrono::seconds{1}, std::chrono::hours{720}},
          "A discovered peer is forgotten after this long without a packet"},
  };
};

template <>
struct Keys<LossThresholds> {
  static constexpr std::tuple all{
      Key{"loss_ratio", &LossThresholds::loss_ratio, Ratio{}, "Loss above this is a finding"},
      Key{"clear_ratio", &LossThresholds::clear_ratio, Ratio{}, "Loss below this clears it; below loss_ratio"},
      Key{"window", &LossThresholds::window, DurationText{std::chrono::seconds{10}, std::chrono::hours{1}},
          "The time over which loss is counted"},
  };
};

template <>
struct Keys<Recorder> {
  static constexpr std::tuple all{
      Key{"enabled", &Recorder::enabled, Flag{}, "Whether IKE packets are kept and written when a fault is found"},
      Key{"directory", &Recorder::directory, kDirectory,
          "Where the files go, an absolute path; empty: recordings in the state directory that systemd gives, or "
          "nowhere"},
      Key{"packets", &Recorder::packets, Whole{1, 10'000}, "The most packets that are kept of one tunnel"},
      Key{"bytes", &Recorder::bytes, SizeText{1U << 12, 4U << 20},
          "The most that is kept of one tunnel, and the size of one file"},
      Key{"quota", &Recorder::quota_bytes, SizeText{1U << 16, 1U << 31},
          "The most that all files take; the oldest go first"},
      Key{"interval", &Recorder::interval, DurationText{std::chrono::seconds{1}, std::chrono::hours{24}},
          "How often one tunnel may write a file, after the few that it may write at once"},
  };
};

template <>
struct Keys<Kernel> {
  static constexpr std::tuple all{
      Key{"conntrack", &Kernel::conntrack, Flag{},
          "Whether its connections are read for those that it translates; it takes CAP_NET_ADMIN"},
      Key{"xfrm", &Kernel::xfrm, Flag{}, "Whether its IPsec policies and states are read; it takes CAP_NET_ADMIN"},
      Key{"filter", &Kernel::filter, Flag{},
          "Whether the rules of nftables are read, and what they count; it takes CAP_NET_ADMIN"},
  };
};

template <>
struct Keys<Daemon> {
  static constexpr std::tuple all{
      Key{"vici", &Daemon::vici, kSocket, "The socket of strongSwan's vici; empty: it is not asked"},
      Key{"log", &Daemon::log, Flag{}, "Whether what it logs is heard over that socket, too"},
      Key{"error_notify", &Daemon::error_notify, kSocket,
          "The socket of strongSwan's plugin error-notify; empty: it is not listened to"},
  };
};

template <>
struct Keys<Logs> {
  static constexpr std::tuple all{
      Key{"files", &Logs::files, ListOf{kPath, kMaxLogFiles},
          "Files that are followed, through rotation and truncation; absolute paths"},
      Key{"journal", &Logs::journal, Flag{}, "Whether systemd's journal is followed, by journalctl"},
      Key{"units", &Logs::units, ListOf{kUnit, kMaxUnits}, "Units of the journal that are heard; empty: all"},
      Key{"syslog", &Logs::syslog, EndpointText{},
          "Where syslog messages are taken, over UDP and TCP and from anybody who reaches it; without it, nowhere"},
  };
};

template <>
struct Keys<Settings> {
  static constexpr std::tuple all{
      Key{"listen", &Settings::listen, EndpointText{}, "Where metrics, API and page are served"},
      Key{"log_level", &Settings::log_level, Choice{kLogLevelNames}, "The least severe messages that are logged"},
      Key{"include_dir", &Settings::include_dir, kDirectory,
          "A directory of *.yaml files with more tunnels, relative to this file; empty: none"},
      Key{"references", &Settings::references, ListOf{HostText{}, kMaxReferences},
          "Hosts on the internet that tell a lost peer from a lost line"},
      Key{"target_groups", &Settings::target_groups, ListOf{Section{}, kMaxTargetGroups},
          "Values that several targets share"},
      Key{"targets", &Settings::targets, ListOf{Section{}, kMaxTargets},
          "More hosts that are pinged, for their own sake"},
      Key{"probes", &Settings::probes, Section{}, "What is sent"},
      Key{"esp_responder", &Settings::esp_responder, Choice{kEspResponderNames},
          "Whether this agent answers ESP echo requests: of the tunnels' remotes, or of anyone"},
      Key{"capture", &Settings::capture, Section{}, "What is read from the wire"},
      Key{"discovery", &Settings::discovery, Section{}, "Peers found in the traffic"},
      Key{"loss", &Settings::loss, Section{}, "When loss becomes a finding"},
      Key{"recorder", &Settings::recorder, Section{},
          "The last IKE packets of a tunnel, for whoever looks into a fault"},
      Key{"kernel", &Settings::kernel, Section{}, "The kernel of this machine, asked for what it does to packets"},
      Key{"daemon", &Settings::daemon, Section{}, "The IKE daemon of this machine, asked for what it is told to do"},
      Key{"logs", &Settings::logs, Section{}, "Logs of the gateway, its IKE daemon and the cloud"},
      Key{"tunnels", &Settings::tunnels, ListOf{Section{}, kMaxTunnels}, "The tunnels of this gateway"},
  };
};

template <>
struct Keys<DropIn> {
  static constexpr std::tuple all{
      Key{"tunnels", &DropIn::tunnels, ListOf{Section{}, kMaxTunnels}, "The tunnels of this gateway"},
  };
};

// Calls `visit(key)` for every row of T's table, in its order.
template <class T, class Visit>
void for_each_key(Visit&& visit) {
  std::apply([&visit](const auto&... key) { (visit(key), ...); }, Keys<T>::all);
}

}  // namespace tunnelwatch::config
