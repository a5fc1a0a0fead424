#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/passive/offers.h"
#include "probes/time.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

// Proposals as charon writes them: what a child SA is negotiated with is encrypted on the wire, but the daemon lists it
// when nothing fits. Pure; any thread.
namespace tunnelwatch::diagnosis {

struct LoggedProposals {
  bool of_child = false;  // ESP or AH; otherwise IKE
  std::vector<passive::OfferSuite> received;
  std::vector<passive::OfferSuite> configured;
};
inline constexpr std::size_t kMaxLoggedProposals = 16;
// What a thread of charon says of what it has just got or listed, it says within this time.
inline constexpr Duration kThreadSaysWithin = std::chrono::seconds(2);
inline constexpr std::size_t kMaxLoggedAlgorithms = 64;  // of one proposal

// "AES_CBC_256/HMAC_SHA2_256_128/MODP_2048/NO_EXT_SEQ", in the registries' names; words that are none are left out.
passive::OfferSuite suite_of_log(std::string_view proposal);

// Remembers one refusal of one log: the lines "received proposals: ESP:..., ESP:..." and "configured proposals: ..."
// stand before the one that refuses, and are of the same thread.
class ProposalLines {
 public:
  void note(std::string_view line, TimePoint at, std::optional<std::size_t> thread);
  // What a line that refuses a proposal is about.
  std::optional<LoggedProposals> of(Cause cause, TimePoint at, std::optional<std::size_t> thread) const;

 private:
  LoggedProposals heard_;
  std::optional<std::size_t> thread_;
  TimePoint at_{};
};

// In what they differ, and which of both departs from what the tunnel's `ike` or `esp` expects. Nothing where nothing
// is known to differ.
std::optional<Text> compare(const LoggedProposals& proposals, const config::Tunnel& tunnel);

// In what the suite of a child SA that stands departs from the tunnel's `esp`.
std::optional<Text> compare_child(std::string_view suite, const config::Tunnel& tunnel);

}  // namespace tunnelwatch::diagnosis
