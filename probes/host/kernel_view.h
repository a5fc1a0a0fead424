#pragma once

#include "config/ip_address.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What the kernel of this machine knows of its network, in words of our own.
namespace tunnelwatch::host {

struct KernelLink {
  std::string name;
  bool up = false;
  bool resolves = false;  // neighbours on it have link addresses that are asked for: Ethernet and its like
  bool operator==(const KernelLink&) const = default;
};

struct KernelAddress {
  std::uint32_t link = 0;
  IpPrefix subnet;  // the address with the length of its network
  bool operator==(const KernelAddress&) const = default;
};

struct KernelHop {
  std::optional<IpAddress> gateway;  // nothing: the destination is on the link itself
  std::uint32_t link = 0;
  bool operator==(const KernelHop&) const = default;
};

struct KernelRoute {
  IpPrefix destination;
  bool passes = false;  // and does not end here: no blackhole, unreachable, prohibit, local, broadcast
  std::vector<KernelHop> hops;
  bool operator==(const KernelRoute&) const = default;
};

// Only what tells something: an entry that nobody uses now may be as old as it is.
enum class NeighbourState : std::uint8_t { resolved, resolving, failed };

struct KernelNeighbour {
  std::uint32_t link = 0;
  IpAddress address;
  NeighbourState state = NeighbourState::resolved;
  bool operator==(const KernelNeighbour&) const = default;
};

struct KernelView {
  static constexpr std::size_t kMaxLinks = 4096;
  static constexpr std::size_t kMaxAddresses = 16'384;
  static constexpr std::size_t kMaxRoutes = 16'384;
  static constexpr std::size_t kMaxNeighbours = 16'384;

  std::map<std::uint32_t, KernelLink> links;
  std::vector<KernelAddress> addresses;
  std::vector<KernelRoute> routes;  // of all tables
  std::vector<KernelNeighbour> neighbours;
  bool complete = false;  // false: more than fits, or a part could not be read; absence says nothing then
  // Where packets for an address go, as the kernel answers; a route without hops: nowhere.
  std::map<IpAddress, KernelRoute> ways;
  // The routes of which those are the ways, with every next hop that they may take.
  std::map<IpAddress, KernelRoute> entries;

  std::uint32_t link_called(std::string_view name) const {  // 0: there is none
    for (const auto& [index, link] : links) {
      if (link.name == name) return index;
    }
    return 0;
  }
};

}  // namespace tunnelwatch::host
