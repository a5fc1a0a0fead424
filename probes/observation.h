#pragma once

#include "config/ip_address.h"
#include "probes/time.h"

#include <cstdint>
#include <string>
#include <string_view>

// The vocabulary of what probes can report. No opinions: what a thing means is decided in agent/diagnosis.
namespace tunnelwatch {

// Why the network, or our own kernel, refused a packet. Enumerators are label values.
enum class RefusalReason : std::uint8_t {
  none,
  network_unreachable,   // ICMP 3/0, ICMPv6 1/0
  host_unreachable,      // ICMP 3/1, ICMPv6 1/3
  protocol_unreachable,  // ICMP 3/2, ICMPv6 4/1
  port_unreachable,      // ICMP 3/3, ICMPv6 1/4
  fragmentation_needed,  // ICMP 3/4, ICMPv6 2/0
  prohibited,            // ICMP 3/9, 3/10, 3/13, ICMPv6 1/1, 1/5, 1/6
  ttl_exceeded,          // ICMP 11/0, ICMPv6 3/0
  other_icmp,
  no_route,          // ENETUNREACH or EHOSTUNREACH of our own kernel
  not_permitted,     // EPERM or EACCES: our own filter or a missing capability
  message_too_long,  // EMSGSIZE
  no_buffers,        // ENOBUFS or EAGAIN: not the network's fault
  no_interface,      // ENODEV, ENXIO or ENETDOWN: the interface is not there, or down
  no_address,        // EADDRNOTAVAIL, or EINVAL where a source was asked for: it is no address of this machine
  local_error,       // any other errno
};
inline constexpr std::uint8_t kRefusalReasonCount = 16;
std::string_view to_string(RefusalReason reason);
RefusalReason refusal_of_icmp(IpFamily family, std::uint8_t type, std::uint8_t code);
RefusalReason refusal_of_errno(int error);

enum class EchoOutcome : std::uint8_t {
  reply,       // in time
  lost,        // the timeout passed; a packet in flight is none of these yet
  late,        // a reply after its timeout: it was counted as lost before
  duplicate,   // one more reply to an answered request
  refused,     // an ICMP error quotes the request
  send_error,  // never left this machine
};
inline constexpr std::uint8_t kEchoOutcomeCount = 6;
std::string_view to_string(EchoOutcome outcome);

// One thing that happened to one ICMP echo request.
struct EchoObservation {
  std::uint32_t target = 0;  // the id that the agent gave the target
  std::uint32_t sequence = 0;
  EchoOutcome outcome = EchoOutcome::lost;
  RefusalReason reason = RefusalReason::none;
  bool after_loss = false;  // refused: the request was counted as lost before the error came
  std::uint8_t ttl = 0;     // of the reply, 0 where the kernel did not tell
  Duration rtt{};           // reply, late and duplicate
  TimePoint sent{};
  TimePoint at{};  // when it became known
  IpAddress from;  // who answered or refused
};

enum class IkeProbeOutcome : std::uint8_t {
  answered,  // an IKE message of the peer
  silent,    // nothing within the timeout
  refused,   // an ICMP error quotes the probe
  send_error,
};
inline constexpr std::uint8_t kIkeProbeOutcomeCount = 4;
std::string_view to_string(IkeProbeOutcome outcome);

struct IkeProbeObservation {
  std::uint32_t target = 0;
  std::uint16_t port = 500;  // of the peer: 500 or 4500
  IkeProbeOutcome outcome = IkeProbeOutcome::silent;
  RefusalReason reason = RefusalReason::none;
  std::uint8_t sent_version = 2;    // major version of the request
  std::uint8_t answer_version = 0;  // major version of the answer
  std::uint16_t answer_notify = 0;  // the notify of the answer, 0 where it carried none
  bool full_answer = false;         // the peer accepted the offer with an SA payload
  Duration rtt{};
  TimePoint sent{};
  TimePoint at{};
  IpAddress from;
};

enum class EspProbeOutcome : std::uint8_t {
  answered,  // an echo of the peer's: the path carries ESP
  silent,    // nothing within the timeout, which proves nothing: few peers answer
  refused,   // an ICMP error quotes the probe
  send_error,
};
inline constexpr std::uint8_t kEspProbeOutcomeCount = 4;
std::string_view to_string(EspProbeOutcome outcome);

// One packet of IP protocol 50 to a peer.
struct EspProbeObservation {
  std::uint32_t target = 0;
  EspProbeOutcome outcome = EspProbeOutcome::silent;
  RefusalReason reason = RefusalReason::none;
  std::uint8_t icmp_type = 0;  // with icmp_code, of a refusal
  std::uint8_t icmp_code = 0;
  bool by_peer = false;  // refused: by the peer itself, which the probe has reached
  Duration rtt{};        // answered
  TimePoint sent{};
  TimePoint at{};
  IpAddress from;  // who answered or refused
};

}  // namespace tunnelwatch
