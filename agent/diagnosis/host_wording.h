#pragma once

#include "agent/diagnosis/fact.h"
#include "probes/host/conntrack.h"
#include "probes/host/daemon_view.h"

#include <string_view>

// What this machine's own state says, as sentences for the operator, in both languages.
namespace tunnelwatch::diagnosis {

Text describe_selectors(std::string_view connection, const IpPrefix& subnet, bool local,
                        const host::DaemonSelectors& told);
Text describe_narrowing(const IpPrefix& subnet, bool local, const host::DaemonSelectors& agreed);
Text describe_transport_mode(std::string_view child);
Text describe_missing_child(std::string_view connection);

Text describe_daemon_deletion(bool by_peer);
Text describe_replaced_children(std::size_t times);
Text describe_unknown_spis(std::uint64_t messages);

Text describe_absent_address(const IpAddress& address, bool of_tunnel);
Text describe_remote_address_here(const IpAddress& address);
// Such a flow, of `count`.
Text describe_translated_flows(const host::TrackedFlow& flow, std::uint64_t count);
Text describe_client_link(std::string_view interface);
Text describe_no_route(std::string_view to);
Text describe_other_interface(std::string_view to, std::string_view by, std::string_view expected);
Text describe_shared_route(std::string_view to, const std::vector<std::string>& lines, std::string_view expected);
Text describe_partial_route(const IpPrefix& subnet, std::string_view interface, const std::vector<IpPrefix>& routed);
Text describe_route_via_peer(std::string_view to, const IpAddress& peer);
Text describe_route_on_link(const IpAddress& peer, std::string_view interface);
Text describe_failed_next_hop(const IpAddress& next_hop, std::string_view interface);

}  // namespace tunnelwatch::diagnosis
