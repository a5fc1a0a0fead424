#pragma once

#include "probes/wire/ike_payloads.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What both ends offered in clear, kept as seen, and in what they differ.
namespace tunnelwatch::passive {

// One proposal, owned.
struct Offer {
  std::vector<wire::Transform> transforms;   // version 2
  std::vector<wire::Phase1Transform> suite;  // version 1: exactly one
  bool operator==(const Offer&) const = default;
};

struct Offers {
  std::vector<Offer> local;
  std::vector<Offer> remote;
  std::uint64_t revision = 0;  // another number than before: other offers
};

inline constexpr std::size_t kMaxOffers = 16;

std::vector<Offer> offers_of(const wire::Proposals& proposals);
std::vector<Offer> offers_of(const wire::Phase1Transforms& transforms);
std::string to_string(const Offer& offer);

// The parts of a proposal; version 2 has no hash and authentication in it, version 1 neither PRF nor integrity.
enum class OfferPart : std::uint8_t {
  encryption,
  prf,
  integrity,
  hash,
  authentication,
  dh_group,
  combination,  // each part has something in common, and no proposal has all of it
};
std::string_view to_string(OfferPart part);

// The algorithms of one proposal by part, by their registry names; an empty part is one that it leaves open.
struct OfferSuite {
  std::array<std::vector<std::string>, static_cast<std::size_t>(OfferPart::combination)> parts;
  bool version_1 = false;
};
std::vector<OfferSuite> suites_of(const std::vector<Offer>& offers);
// Proposals as a configuration writes them (config/ike_proposal.h), in the names of one version. Which authentication
// they mean is not told there.
std::vector<OfferSuite> suites_of(const std::vector<std::string>& proposals, bool version_1);

struct OfferDifference {
  OfferPart part{};
  std::vector<std::string> first;  // of a combination both are empty
  std::vector<std::string> second;
};

// The parts in which nothing is common to both. Empty where one of the two was never seen, where they are of different
// versions, and where something fits.
std::vector<OfferDifference> differences(const std::vector<OfferSuite>& first, const std::vector<OfferSuite>& second);

// "DH group: local offers MODP_2048; remote offers MODP_1024, ECP_256", with these words for the two.
std::string describe(const OfferDifference& difference, std::string_view first, std::string_view second);

}  // namespace tunnelwatch::passive
