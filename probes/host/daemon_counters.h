#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What an IKE daemon counts by itself, for all of its connections or for one.
namespace tunnelwatch::host {

// As strongSwan's plugin "counters" calls them, with underscores: these are label values.
inline constexpr std::array<std::string_view, 21> kDaemonCounters{
    "ike_rekey_init",        "ike_rekey_resp",      "child_rekey",          "invalid",
    "invalid_spi",           "ike_init_in_req",     "ike_init_in_resp",     "ike_init_out_req",
    "ike_init_out_resp",     "ike_auth_in_req",     "ike_auth_in_resp",     "ike_auth_out_req",
    "ike_auth_out_resp",     "create_child_in_req", "create_child_in_resp", "create_child_out_req",
    "create_child_out_resp", "info_in_req",         "info_in_resp",         "info_out_req",
    "info_out_resp"};
inline constexpr std::size_t kInvalidSpi = 4;  // messages of an IKE SA that the daemon does not know
static_assert(kDaemonCounters[kInvalidSpi] == "invalid_spi");

using DaemonCounts = std::array<std::uint64_t, kDaemonCounters.size()>;

// As they stand: since the daemon started, or since somebody set them back.
struct DaemonCounters {
  std::string connection;  // empty: of the whole daemon
  DaemonCounts counts{};
  bool operator==(const DaemonCounters&) const = default;
};

}  // namespace tunnelwatch::host
