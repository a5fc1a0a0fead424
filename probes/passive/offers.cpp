#include "probes/passive/offers.h"

#include "config/ike_proposal.h"
#include "probes/wire/ike_names.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tunnelwatch::passive {

namespace {

using Algorithms = std::vector<std::string>;

Algorithms& of(OfferSuite& suite, OfferPart part) { return suite.parts[static_cast<std::size_t>(part)]; }

void insert_new(Algorithms& list, const std::string& name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

bool have_common(const Algorithms& a, const Algorithms& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const std::string& name) { return std::find(b.begin(), b.end(), name) != b.end(); });
}

std::optional<OfferPart> part_of(std::uint8_t transform_type) {
  switch (transform_type) {
    case wire::transform_encryption:
      return OfferPart::encryption;
    case wire::transform_prf:
      return OfferPart::prf;
    case wire::transform_integrity:
      return OfferPart::integrity;
    case wire::transform_key_exchange:
      return OfferPart::dh_group;
    default:
      return std::nullopt;  // further key exchanges: what does without them is not known
  }
}

std::string encryption_v1(std::uint16_t id, std::uint16_t key_bits) {
  const std::string name = wire::encryption_name_v1(id);
  return key_bits == 0 ? name : fmt::format("{}-{}", name, key_bits);
}

OfferSuite suite_of(const Offer& offer) {
  OfferSuite suite;
  for (const auto& t : offer.suite) {
    suite.version_1 = true;
    of(suite, OfferPart::encryption) = {encryption_v1(t.encryption, t.key_bits)};
    of(suite, OfferPart::hash) = {wire::hash_name_v1(t.hash)};
    of(suite, OfferPart::authentication) = {wire::authentication_name_v1(t)};
    of(suite, OfferPart::dh_group) = {wire::key_exchange_name(t.group)};
  }
  for (const auto& t : offer.transforms) {
    const auto part = part_of(t.type);
    // "None" of RFC 7296 says no more than leaving it out.
    if (part && (t.id != 0 || part == OfferPart::encryption)) insert_new(of(suite, *part), wire::to_string(t));
  }
  return suite;
}

OfferSuite suite_of(std::string_view proposal, bool version_1) {
  OfferSuite suite;
  suite.version_1 = version_1;
  for (const auto& a : config::parse_proposal(proposal)) {
    const auto part = part_of(a.type);
    if (!part) continue;
    if (!version_1) {
      insert_new(of(suite, *part), wire::to_string(wire::Transform{a.type, a.id, a.key_bits}));
    } else if (part == OfferPart::encryption) {
      insert_new(of(suite, *part), a.id_v1 != 0 ? encryption_v1(a.id_v1, a.key_bits) : wire::encryption_name(a.id));
    } else if (part == OfferPart::integrity) {
      insert_new(of(suite, OfferPart::hash), a.id_v1 != 0 ? wire::hash_name_v1(a.id_v1) : wire::integrity_name(a.id));
    } else if (part == OfferPart::dh_group) {
      insert_new(of(suite, *part), wire::key_exchange_name(a.id));
    }
  }
  return suite;
}

// What one part leaves open is no hindrance.
bool fit(const OfferSuite& a, const OfferSuite& b) {
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    if (!a.parts[i].empty() && !b.parts[i].empty() && !have_common(a.parts[i], b.parts[i])) return false;
  }
  return true;
}

Algorithms of_all(const std::vector<OfferSuite>& suites, std::size_t part) {
  Algorithms names;
  for (const OfferSuite& s : suites) {
    for (const auto& name : s.parts[part]) insert_new(names, name);
  }
  return names;
}

// A peer that offers everything says no more by its whole list.
std::string listed(const Algorithms& names) {
  constexpr std::size_t kNamed = 8;
  if (names.size() <= kNamed) return fmt::format("{}", fmt::join(names, ", "));
  const auto end = names.begin() + kNamed;
  return fmt::format("{} and {} more", fmt::join(names.begin(), end, ", "), names.size() - kNamed);
}

constexpr std::array<std::string_view, 7> kPartWords{"encryption",     "PRF",      "integrity",  "hash",
                                                     "authentication", "DH group", "combination"};
static_assert(kPartWords.size() == static_cast<std::size_t>(OfferPart::combination) + 1);

}  // namespace

std::string_view to_string(OfferPart part) {
  constexpr std::array<std::string_view, kPartWords.size()> kNames{"encryption",     "prf",      "integrity",  "hash",
                                                                   "authentication", "dh_group", "combination"};
  return kNames[static_cast<std::size_t>(part)];
}

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

std::vector<OfferSuite> suites_of(const std::vector<Offer>& offers) {
  std::vector<OfferSuite> suites;
  for (const Offer& offer : offers) suites.push_back(suite_of(offer));
  return suites;
}

std::vector<OfferSuite> suites_of(const std::vector<std::string>& proposals, bool version_1) {
  std::vector<OfferSuite> suites;
  for (const auto& proposal : proposals) suites.push_back(suite_of(proposal, version_1));
  return suites;
}

std::vector<OfferDifference> differences(const std::vector<OfferSuite>& first, const std::vector<OfferSuite>& second) {
  std::vector<OfferDifference> found;
  if (first.empty() || second.empty() || first.front().version_1 != second.front().version_1) return found;
  for (const OfferSuite& a : first) {
    if (std::any_of(second.begin(), second.end(), [&](const OfferSuite& b) { return fit(a, b); })) return found;
  }
  for (std::size_t part = 0; part < first.front().parts.size(); ++part) {
    Algorithms a = of_all(first, part);
    Algorithms b = of_all(second, part);
    if (a.empty() || b.empty() || have_common(a, b)) continue;
    found.push_back({static_cast<OfferPart>(part), std::move(a), std::move(b)});
  }
  if (found.empty()) found.push_back({OfferPart::combination, {}, {}});
  return found;
}

std::string describe(const OfferDifference& d, std::string_view first, std::string_view second) {
  if (d.part == OfferPart::combination)
    return "combination: no proposal fits as a whole, though each part has something in common";
  return fmt::format("{}: {} {}; {} {}", kPartWords[static_cast<std::size_t>(d.part)], first, listed(d.first), second,
                     listed(d.second));
}

}  // namespace tunnelwatch::passive
