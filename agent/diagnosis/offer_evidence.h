#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/passive/offers.h"

#include <optional>
#include <string>
#include <vector>

namespace tunnelwatch::diagnosis {

// In what the two ends' IKE proposals differ, and which end departs from the configured ones: what a refused proposal
// is told with. Nothing of it is a fault by itself, so it is looked at only while a proposal is refused.
class OfferEvidence {
 public:
  OfferEvidence(Facts& facts, const config::Tunnel& settings) : facts_(facts), expected_(settings.ike) {}

  void reconfigure(const config::Tunnel& settings) {
    expected_ = settings.ike;
    compared_.reset();  // compared anew, or forgotten, at the next look
  }
  // The offers as they are known now; null: nothing of the peer is known.
  void compare(const passive::Offers* offers, TimePoint at);

  // The parts in which both ends' offers were last found to differ, while a proposal is refused.
  const std::vector<passive::OfferPart>& differing() const { return differing_; }
  // One line for each difference between the ends, and between an end and the configuration.
  std::vector<std::string> describe(const passive::Offers& offers) const;

 private:
  bool refused() const { return facts_.is(FactId::proposal_refused) || facts_.is(FactId::connection_refused); }
  void tell_between(const passive::Offers& offers, TimePoint at);
  void tell_departure(FactId fact, const std::vector<passive::Offer>& offered, TimePoint at);

  Facts& facts_;
  std::vector<std::string> expected_;
  std::vector<passive::OfferPart> differing_;
  std::optional<std::uint64_t> compared_;  // the revision of the offers that the facts are of
  bool told_ = false;                      // something is known of these facts
};

// "encryption: FIRST AES_CBC-256; SECOND AES_CBC-128; DH group: ...", with these words for the two.
Text describe_differences(const std::vector<passive::OfferDifference>& differences, const Text& first,
                          const Text& second);

}  // namespace tunnelwatch::diagnosis
