#pragma once

#include "agent/diagnosis/esp_traffic.h"
#include "agent/diagnosis/fact.h"
#include "agent/diagnosis/inner_evidence.h"
#include "agent/diagnosis/rate_evidence.h"
#include "probes/passive/ike_observation.h"
#include "probes/passive/traffic_observation.h"

#include <optional>
#include <string_view>

// What was seen beside IKE, as sentences for the operator, in both languages.
namespace tunnelwatch::diagnosis {

Text describe_both_ways();
Text describe_esp_loss(const EspLoss& inbound);
Text describe_capture_loss(const EspLoss& outbound);
// The tunnel's own packets leave by `out` (and `also`) and arrive on `in`.
Text describe_asymmetry(std::string_view out, std::string_view in);
Text describe_shared_egress(std::string_view out, std::string_view also, std::string_view in);
Text describe_unexpected_egress(std::string_view out, std::string_view expected);
Text describe_flips(std::size_t switches, std::string_view now);
Text describe_rate(const EspRate& rate);
// `beside` answered meanwhile.
Text describe_silent_host(const InnerHost& host, const InnerHost& beside, TimePoint now);
Text describe_silent_subnet(const IpPrefix& subnet, std::size_t hosts, const InnerHost& one, const InnerHost& beside);
// Of all that are configured.
Text describe_silent_hosts(std::size_t hosts, const InnerHost& one);
Text describe_unanswered_pings(const passive::TunnelPingSummary& pings, std::string_view address,
                               std::optional<bool> stands_here);
// A NOTIFICATION of Bad Peer AS.
Text describe_bgp_refusal(const passive::BgpObservation& refused);
Text describe_bgp_difference(const passive::BgpObservation& open, passive::Side by, std::uint32_t expected);
Text describe_leak(const passive::LeakSummary& leak, std::string_view interface);

}  // namespace tunnelwatch::diagnosis
