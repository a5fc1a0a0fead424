#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/host/xfrm_view.h"

// What the kernel's IPsec state says, as sentences for the operator, in both languages.
namespace tunnelwatch::diagnosis {

Text describe_absent_policy(const IpPrefix& local, const IpPrefix& remote, const IpAddress& peer);
Text describe_policy_conflict(const host::XfrmPolicy& own, const host::XfrmPolicy& other);
Text describe_peer_inside(const host::XfrmPolicy& policy, const IpAddress& peer);
Text describe_transport_state(const host::XfrmState& state);
Text describe_mode_difference(const host::XfrmState& out, const host::XfrmState& in);
Text describe_hard_expiry(const host::XfrmState& state);
Text describe_unknown_spi(const IpAddress& peer, std::uint32_t spi);

}  // namespace tunnelwatch::diagnosis
