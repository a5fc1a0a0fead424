#pragma once

#include "config/ip_address.h"
#include "probes/host/daemon_counters.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What an IKE daemon is told to do and what became of it, in words of our own.
namespace tunnelwatch::host {

// One end of a child's selectors. Ranges that are no subnet are not taken apart.
struct DaemonSelectors {
  std::vector<IpPrefix> subnets;
  std::vector<IpPrefix> narrowed;  // to a protocol or port
  bool dynamic = false;            // "dynamic": the end's own address
  bool unclear = false;            // something else is in it
  bool operator==(const DaemonSelectors&) const = default;
};

struct DaemonChild {
  std::string name;
  std::string state;  // of an SA: INSTALLED, REKEYING, ...; empty for what is configured
  bool transport_mode = false;
  DaemonSelectors local;
  DaemonSelectors remote;
  std::string suite;                // of an SA: its algorithms, as "AES_CBC_256/HMAC_SHA2_256_128/MODP_2048"
  std::uint32_t id = 0;             // of an SA
  std::uint32_t rekey_seconds = 0;  // of what is configured; 0: never, or by traffic alone
  bool operator==(const DaemonChild&) const = default;
};

struct DaemonConnection {
  std::string name;
  std::vector<IpAddress> remote_addresses;  // those that are written as addresses
  std::vector<DaemonChild> children;
  bool by_key = false;  // the peer authenticates by a pre-shared key
  bool operator==(const DaemonConnection&) const = default;
};

struct DaemonSa {
  std::string connection;
  std::string state;  // CONNECTING, ESTABLISHED, ...
  std::optional<IpAddress> local;
  std::optional<IpAddress> remote;
  std::vector<DaemonChild> children;
  std::uint32_t id = 0;  // as the daemon numbers them, also in its log
  bool operator==(const DaemonSa&) const = default;
};

struct DaemonView {
  std::vector<DaemonConnection> connections;
  std::vector<DaemonSa> sas;
  std::vector<DaemonCounters> counters;  // the whole daemon's first; empty: it does not count
  bool operator==(const DaemonView&) const = default;
};

}  // namespace tunnelwatch::host
