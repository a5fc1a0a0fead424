#pragma once

#include "config/ip_address.h"
#include "probes/passive/traffic_interest.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

struct pcap;

namespace tunnelwatch::io {

// What a capture lets through, decided in the kernel: what does not pass costs nothing. The kernel's program has a
// bound, so that the lists may let through more than they were made of; whoever reads the packets looks again.
struct CaptureFilter {
  bool outer = true;              // IKE, ESP, the ICMP errors that may quote them, and fragments
  bool all_bgp = false;           // BGP, whoever speaks it
  std::vector<IpPrefix> leaving;  // packets that leave this machine for these
  std::vector<IpPrefix> bgp;      // BGP from or to these
  std::vector<IpPrefix> pinged;   // echo requests to these, and the answers

  bool operator==(const CaptureFilter&) const = default;
};

inline constexpr std::size_t kMaxFilterPrefixes = 64;  // of each list

// `inside`: on a tunnel's own interface, where clear traffic is as it should be.
CaptureFilter filter_for(const passive::TrafficInterest& interest, bool inside);

// Puts it into the kernel, which keeps of whole ESP packets and of what leaves in clear the headers alone: they may be
// nearly all of the traffic, and nobody looks at the rest. The sentence of a failure.
std::optional<std::string> set_capture_filter(pcap* handle, const std::string& interface, const CaptureFilter& filter);

// In libpcap's language, for link types that carry VLAN tags and for those that do not: what is kept whole, and what
// leaves in clear.
std::string filter_text(const CaptureFilter& filter, bool with_vlan);
std::string leaving_text(const CaptureFilter& filter, bool with_vlan);

// At most `most` subnets that cover all of these, wider ones where there are too many. None grows beyond a /8 (IPv6: a
// /16): what is too many even then is left out.
std::vector<IpPrefix> narrowed(std::vector<IpPrefix> subnets, std::size_t most);

}  // namespace tunnelwatch::io
