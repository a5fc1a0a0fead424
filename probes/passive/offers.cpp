#include "probes/passive/offers.h"

#include "probes/wire/ike_names.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tunnelwatch::passive {

namespace {

using Algorithms = std::vector<std::string>;

void insert_new(Algorithms& list, std::string name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(std::move(name));
}

Algorithms of_type(const std::vector<Offer>& offers, std::uint8_t type) {
  Algorithms names;
  for (const Offer& offer : offers) {
    for (const auto& t : offer.transforms) {
      if (t.type == type) insert_new(names, wire::to_string(t));
    }
  }
  return names;
}

// The parts of a version 1 suite, in the order of RFC 2409 appendix A.
constexpr std::array<std::string_view, 4> kSuiteParts{"encryption", "hash", "authentication", "DH group"};

std::string suite_part(const wire::Phase1Transform& t, std::size_t part) {
  switch (part) {
    case 0:
      return t.key_bits == 0 ? wire::encryption_name_v1(t.encryption)
                             : fmt::format("{}-{}", wire::encryption_name_v1(t.encryption), t.key_bits);
    case 1:
      return wire::hash_name_v1(t.hash);
    case 2:
      return wire::authentication_name_v1(t);
    default:
      return wire::key_exchange_name(t.group);
  }
}

Algorithms of_part(const std::vector<Offer>& offers, std::size_t part) {
  Algorithms names;
  for (const Offer& offer : offers) {
    for (const auto& suite : offer.suite) insert_new(names, suite_part(suite, part));
  }
  return names;
}

void compare(std::vector<std::string>& lines, std::string_view what, const Algorithms& local,
             const Algorithms& remote) {
  if (local.empty() || remote.empty()) return;
  const bool common = std::any_of(local.begin(), local.end(), [&](const std::string& name) {
    return std::find(remote.begin(), remote.end(), name) != remote.end();
  });
  if (common) return;
  lines.push_back(
      fmt::format("{}: local offers {}; remote offers {}", what, fmt::join(local, ", "), fmt::join(remote, ", ")));
}

}  // namespace

std::vector<Offer> offers_of(const wire::Proposals& proposals) {
  std::vector<Offer> offers;
  for (const auto& p : proposals) {
    if (offers.size() == kMaxOffers) break;
    offers.push_back({{p.transforms.begin(), p.transforms.end()}, {}});
  }
  return offers;
}

std::vector<Offer> offers_of(const wire::Phase1Transforms& transforms) {
  std::vector<Offer> offers;
  for (const auto& t : transforms) {
    if (offers.size() == kMaxOffers) break;
    offers.push_back({{}, {t}});
  }
  return offers;
}

std::string to_string(const Offer& offer) {
  if (!offer.suite.empty()) return wire::to_string(offer.suite.front());
  std::string text;
  for (const auto& t : offer.transforms) {
    if (!text.empty()) text += '/';
    text += wire::to_string(t);
  }
  return text;
}

std::vector<std::string> differences(const Offers& offers) {
  std::vector<std::string> lines;
  for (const std::uint8_t type :
       {wire::transform_encryption, wire::transform_prf, wire::transform_integrity, wire::transform_key_exchange}) {
    compare(lines, wire::transform_type_name(type), of_type(offers.local, type), of_type(offers.remote, type));
  }
  for (std::size_t part = 0; part < kSuiteParts.size(); ++part) {
    compare(lines, kSuiteParts[part], of_part(offers.local, part), of_part(offers.remote, part));
  }
  return lines;
}

}  // namespace tunnelwatch::passive
