#pragma once

#include "agent/diagnosis/fact.h"
#include "config/ip_address.h"
#include "probes/host/filter_view.h"

#include <cstdint>
#include <string_view>

// What this machine itself keeps from its hosts, as sentences.
namespace tunnelwatch::diagnosis {

Text describe_no_forwarding(const IpPrefix& subnet, std::string_view interface);
Text describe_reverse_path_drops();
Text describe_connection_drops(std::uint64_t packets);
Text describe_filter_drop(const host::FilterRule& rule, const IpPrefix& source, const IpPrefix& destination,
                          std::uint64_t packets);

}  // namespace tunnelwatch::diagnosis
