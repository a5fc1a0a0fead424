#include "agent/cli/peer_address.h"

#include "probes/io/resolver.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::cli {

std::optional<IpAddress> peer_address(const std::string& peer, std::optional<IpFamily> family) {
  if (const auto address = IpAddress::parse(peer); address && (!family || address->family() == *family)) return address;
  const auto found = io::Resolver::system_lookup(peer);
  const auto fits = [&](const IpAddress& a) { return !family || a.family() == *family; };
  const auto first = std::find_if(found.addresses.begin(), found.addresses.end(), fits);
  if (first != found.addresses.end()) return *first;
  fmt::print(stderr, "tunnelwatch: {}: {}\n", peer, found.error.empty() ? "no address of that family" : found.error);
  return std::nullopt;
}

std::optional<IpAddress> source_address(const std::string& text, IpFamily family, bool& valid) {
  valid = true;
  if (text.empty()) return std::nullopt;
  const auto address = IpAddress::parse(text);
  valid = address && address->family() == family;
  if (!valid) fmt::print(stderr, "tunnelwatch: {} is no address of the peer's family\n", text);
  return address;
}

}  // namespace tunnelwatch::cli
