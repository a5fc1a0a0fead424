#pragma once

#include "agent/diagnosis/fact.h"
#include "agent/diagnosis/ike_evidence.h"
#include "probes/active/echo_statistics.h"
#include "probes/observation.h"
#include "probes/passive/ike_observation.h"
#include "probes/passive/packet_sink.h"

#include <string>

// Observations as sentences for the operator, in both languages: what was seen, no conclusion.
namespace tunnelwatch::diagnosis {

Text describe(const passive::IkeObservation& observation);
// `what`: "IKE", "ESP"; a rejection quoted our packet to that port (0 for protocol 50).
Text describe_rejection(RefusalReason reason, const IpAddress& from, bool from_peer, std::string_view what,
                        std::uint16_t port);
Text describe_one_way(std::uint64_t sent, Duration over, bool ever_received);
Text describe_port_change(std::uint16_t before, std::uint16_t now);
Text describe_shared_spi(std::uint32_t spi, const IpAddress& other);
Text describe_orphans(passive::Side deleted_by);
Text describe_fragments(const passive::FragmentEvent& event, bool from_peer);
Text describe_address(AddressOddity oddity, const IpAddress& seen, const IpAddress& expected);
Text describe_loss(std::string_view target, const active::EchoWindow& window);
Text describe_echo_silence(std::string_view target, std::uint64_t consecutive);
Text describe_probe_silence(std::uint16_t port, std::uint64_t consecutive);
Text describe_probe_answer(std::uint16_t port);
Text describe_probe_rejection(std::uint16_t port, RefusalReason reason, const IpAddress& from);
// About whether ESP gets through.
Text describe_esp_answer(Duration rtt);
Text describe_esp_refusal(const EspProbeObservation& refusal);
Text describe_esp_silence(std::uint32_t silences, bool answered_before);
Text describe_esp_flow(bool in_udp);
Text describe_esp_lone(bool outbound, std::uint64_t packets);
Text describe_inner_answer(std::string_view host);

// What a refusal means, for people: "administratively prohibited".
Text describe(RefusalReason reason);

}  // namespace tunnelwatch::diagnosis
