#pragma once

#include "probes/wire/ike_payloads.h"

#include <string>
#include <vector>

// What both ends offered in clear, kept as seen, and their difference in words.
namespace tunnelwatch::passive {

// One proposal, owned. Version 1's suites are told with version 2's transform types where both have the notion.
struct Offer {
  std::vector<wire::Transform> transforms;   // version 2
  std::vector<wire::Phase1Transform> suite;  // version 1: exactly one
  bool operator==(const Offer&) const = default;
};

struct Offers {
  std::vector<Offer> local;
  std::vector<Offer> remote;
};

inline constexpr std::size_t kMaxOffers = 16;

std::vector<Offer> offers_of(const wire::Proposals& proposals);
std::vector<Offer> offers_of(const wire::Phase1Transforms& transforms);
std::string to_string(const Offer& offer);

// "DH group: local offers MODP_2048; remote offers MODP_1024, ECP_256": one line for each transform type in which no
// algorithm is common to both. Empty where one side's offer was never seen, or where each type has a common one.
std::vector<std::string> differences(const Offers& offers);

}  // namespace tunnelwatch::passive
