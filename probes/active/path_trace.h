#pragma once

#include "config/ip_address.h"
#include "probes/active/keyed_random.h"
#include "probes/active/probe_packet.h"
#include "probes/active/probe_quote.h"
#include "probes/observation.h"
#include "probes/time.h"
#include "probes/wire/esp_echo.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tunnelwatch::active {

// What is sent towards the peer. Enumerators are label values.
enum class TraceProtocol : std::uint8_t {
  icmp,        // echo requests
  udp_500,     // IKE requests that no responder accepts (ike_request.h)
  udp_4500,    // the same behind the non-ESP marker
  esp,         // IP protocol 50
  icmp_large,  // echo requests as large as the own link takes, not to be fragmented
};
inline constexpr std::size_t kTraceProtocolCount = 5;
std::string_view to_string(TraceProtocol protocol);

// What ESP is asked with is an ESP echo request: an answer proves the path, silence proves nothing.
using wire::kEspEchoReply;
using wire::kEspEchoRequest;

struct PathTraceParams {
  IpAddress source;
  IpAddress target;                        // of the same family
  std::uint8_t max_hops = 30;              // 1 to kMostHops
  std::uint8_t attempts = 3;               // a hop is asked this often before it is called silent: routers limit errors
  std::chrono::milliseconds interval{10};  // between any two packets
  std::chrono::milliseconds timeout{1000};    // until a hop is asked again
  std::vector<std::uint16_t> udp_500_ports;   // source ports, one for each flow
  std::vector<std::uint16_t> udp_4500_ports;  // likewise
  std::uint8_t icmp_flows = 1;
  bool esp = true;               // one flow: with another SPI it would not be the same probe
  std::uint16_t large_size = 0;  // of the whole IP packets of icmp_large; 0: none are sent

  static constexpr std::uint8_t kMostHops = 64;
  static constexpr std::size_t kMostFlows = 8;  // of each protocol
};

// What one hop answered to one flow: the first answer counts.
struct TraceHop {
  std::uint8_t attempts = 0;
  bool answered = false;
  bool reached = false;  // it came from the target
  bool silent = false;   // every attempt's timeout passed
  IpAddress from;
  Duration rtt{};
  RefusalReason reason = RefusalReason::none;  // of an ICMP error; ttl_exceeded is what a router on the way says
  std::uint8_t icmp_type = 0;                  // with icmp_code, where `reason` is not none
  std::uint8_t icmp_code = 0;
  std::uint16_t mtu = 0;  // announced with fragmentation_needed
};

// One flow: packets that routers which share load by addresses, protocol and the first bytes behind the IP header take
// along the same path.
struct TraceFlow {
  TraceProtocol protocol = TraceProtocol::icmp;
  std::uint8_t number = 1;     // among those of its protocol
  std::uint16_t key = 0;       // source port of UDP, id of ICMP
  std::vector<TraceHop> hops;  // [0] is the first router's; as many as were asked
  std::uint8_t reached = 0;    // hop at which the target answered; 0: it did not
  std::uint8_t rejected = 0;   // hop of the first error other than ttl_exceeded by somebody on the way; 0: none
};

struct TracePacket {
  std::uint32_t probe = 0;  // for on_sent and on_send_error
  IpAddress to;
  std::vector<std::uint8_t> bytes;  // a whole IP packet
};

struct TraceCounters {
  std::uint64_t sent = 0;
  std::uint64_t malformed = 0;  // an ICMP message that cannot be read
  std::uint64_t foreign = 0;    // about packets of others
  std::uint64_t repeated = 0;   // about one of ours, for a hop that has answered
};

// One path to one target, by several protocols side by side. Without I/O and clock; single-threaded. Used like
// IcmpEcho: read what waits (on_icmp, on_udp, on_esp), advance(now) when next_deadline() has come, send, tell on_sent
// or on_send_error. done() says when all is known that will be.
//
// Flows are asked in turn, nearest hop first, at most kOutstanding packets of a flow waiting. A hop beyond which no
// flow was answered for kSilentHops is not asked; where the target has answered one flow, no flow is asked further than
// that. An answer is matched by a keyed nonce, or an SPI of ours, where the quote reaches it; else by addresses, ports
// or ids of the flow and a number that only this probe had (IPv4's identification for UDP).
class PathTrace {
 public:
  static constexpr std::size_t kOutstanding = 4;  // of one flow
  static constexpr std::uint8_t kSilentHops = 5;
  static constexpr std::size_t kMostPackets = 4000;  // in all

  PathTrace(std::uint64_t seed, PathTraceParams params, TimePoint now);

  void advance(TimePoint now, std::vector<TracePacket>& out);
  std::optional<TimePoint> next_deadline() const;  // none: done
  bool done() const { return !next_deadline(); }

  void on_sent(std::uint32_t probe, TimePoint stamp);
  // It never left this machine: the hop is told with that reason, from the own address.
  void on_send_error(std::uint32_t probe, RefusalReason reason);
  // An ICMP message from its type byte on; whether it is about a packet of this trace. Bytes are untrusted.
  bool on_icmp(std::span<const std::uint8_t> message, const IpAddress& from, TimePoint received_at);
  // A datagram to the own port `to_port`, marker included.
  bool on_udp(std::span<const std::uint8_t> bytes, const IpAddress& from, std::uint16_t from_port,
              std::uint16_t to_port, TimePoint received_at);
  // An ESP packet from its SPI on.
  bool on_esp(std::span<const std::uint8_t> bytes, const IpAddress& from, TimePoint received_at);

  // Was this initiator SPI sent by this trace? Trackers of the wire leave those out.
  bool is_own_spi(std::uint64_t spi) const { return by_spi_.contains(spi); }
  const std::vector<TraceFlow>& flows() const { return flows_; }
  const PathTraceParams& params() const { return params_; }
  const TraceCounters& counters() const { return counters_; }

 private:
  struct Probe {
    std::uint8_t flow = 0;
    std::uint8_t hop = 0;  // from 1
    bool waiting = true;
    TimePoint sent{};
    std::uint64_t nonce = 0;  // for IKE, the initiator's SPI
  };

  void add_flow(TraceProtocol protocol, std::size_t number, std::uint16_t key);
  std::uint8_t horizon(const TraceFlow& flow) const;
  std::uint8_t wanted_hop(std::size_t flow) const;  // 0: none now
  void expire(TimePoint now);
  TracePacket make_packet(std::size_t flow, std::uint8_t hop, TimePoint now);
  std::vector<std::uint8_t> bytes_of(const TraceFlow& flow, std::uint32_t number, const Probe& probe,
                                     const ProbeHeader& header);
  std::optional<std::uint32_t> probe_of(const ProbeQuote& quote) const;
  std::optional<std::uint32_t> probe_of_udp(const ProbeQuote& quote) const;
  std::optional<std::uint32_t> numbered(std::uint32_t number, TraceProtocol protocol) const;
  bool proves(std::uint32_t number, wire::Bytes data) const;
  bool settle(std::uint32_t number, TraceHop answer, TimePoint at);

  PathTraceParams params_;
  KeyedRandom random_;
  std::uint16_t id_base_;
  std::uint32_t esp_base_;
  std::uint16_t checksum_;
  std::vector<TraceFlow> flows_;
  std::vector<std::size_t> outstanding_;  // by flow
  std::vector<Probe> probes_;
  std::vector<std::uint32_t> waiting_;                       // numbers of probes that wait, in the order sent
  std::unordered_map<std::uint64_t, std::uint32_t> by_spi_;  // of IKE
  std::size_t next_flow_ = 0;
  TimePoint next_send_;
  TraceCounters counters_;
};

}  // namespace tunnelwatch::active
