#include "agent/diagnosis/log_proposals.h"

#include "agent/diagnosis/offer_evidence.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using passive::OfferPart;
using passive::OfferSuite;

namespace {

const Text kPeerOffers{"the peer offers", "对端提议"};
const Text kGatewayAccepts{"this gateway accepts", "本网关接受"};
const Text kExpected{"the configuration expects", "配置期望"};
const Text kInUse{"the child SA uses", "子 SA 使用"};

bool starts_with_any(std::string_view word, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(), [&](std::string_view b) { return word.starts_with(b); });
}

// Null: sequence numbers and further key exchanges.
std::optional<OfferPart> part_of(std::string_view word) {
  if (word.empty() || starts_with_any(word, {"NO_EXT_SEQ", "EXT_SEQ", "KE1_", "KE2_"})) return std::nullopt;
  if (word.starts_with("PRF_")) return OfferPart::prf;
  if (starts_with_any(word, {"HMAC_", "AES_XCBC_", "AES_CMAC_", "AES_128_GMAC", "AES_192_GMAC", "AES_256_GMAC"}))
    return OfferPart::integrity;
  if (starts_with_any(word, {"MODP_", "ECP_", "CURVE_", "NTRU_", "NEWHOPE_"})) return OfferPart::dh_group;
  return OfferPart::encryption;
}

// Where charon's word is not the registry's.
struct Spelling {
  std::string_view charon;
  std::string_view registry;
};
constexpr Spelling kSpellings[] = {
    {"3DES_CBC", "3DES"}, {"DES_CBC", "DES"}, {"CAST_CBC", "CAST"}, {"IDEA_CBC", "IDEA"}, {"BLOWFISH_CBC", "BLOWFISH"}};

// charon joins a key's length by an underscore.
std::string registry_name(std::string_view word) {
  for (const Spelling& s : kSpellings) {
    if (word == s.charon) return std::string(s.registry);
  }
  for (const std::string_view bits : {"_128", "_192", "_256"}) {
    if (!word.ends_with(bits) || !starts_with_any(word, {"AES_", "CAMELLIA_"})) continue;
    return fmt::format("{}-{}", word.substr(0, word.size() - bits.size()), bits.substr(1));
  }
  return std::string(word);
}

// Calls `take` with each piece between separators.
template <class Take>
void split(std::string_view text, std::string_view separator, Take take) {
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    take(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + separator.size());
  }
}

std::vector<OfferSuite> suites_of_list(std::string_view list, bool& of_child) {
  std::vector<OfferSuite> suites;
  split(list, ", ", [&](std::string_view proposal) {
    const std::size_t colon = proposal.find(':');
    if (colon == std::string_view::npos || suites.size() == kMaxLoggedProposals) return;
    of_child = proposal.substr(0, colon) != "IKE";
    suites.push_back(suite_of_log(proposal.substr(colon + 1)));
  });
  return suites;
}

std::optional<std::string_view> list_behind(std::string_view line, std::string_view words) {
  const std::size_t at = line.find(words);
  return at == std::string_view::npos ? std::nullopt : std::optional(line.substr(at + words.size()));
}

void add(Text& to, const std::vector<passive::OfferDifference>& differences, const Text& first, const Text& second) {
  if (differences.empty()) return;
  const Text text = describe_differences(differences, first, second);
  to.en += to.en.empty() ? text.en : "; " + text.en;
  to.zh += to.zh.empty() ? text.zh : "；" + text.zh;
}

std::optional<Text> unless_empty(Text text) { return text.en.empty() ? std::nullopt : std::optional(std::move(text)); }

}  // namespace

OfferSuite suite_of_log(std::string_view proposal) {
  OfferSuite suite;
  std::size_t words = 0;
  split(proposal, "/", [&](std::string_view word) {
    const auto part = part_of(word);
    if (!part || ++words > kMaxLoggedAlgorithms) return;
    auto& names = suite.parts[static_cast<std::size_t>(*part)];
    const std::string name = registry_name(word);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  });
  return suite;
}

void ProposalLines::note(std::string_view line, TimePoint at, std::optional<std::size_t> thread) {
  if (const auto list = list_behind(line, "received proposals: ")) {
    heard_ = {};
    heard_.received = suites_of_list(*list, heard_.of_child);
    thread_ = thread;
    at_ = at;
  } else if (const auto accepted = list_behind(line, "configured proposals: "); accepted && thread_ == thread) {
    bool of_child = false;
    heard_.configured = suites_of_list(*accepted, of_child);
    if (of_child != heard_.of_child) heard_ = {};
  }
}

std::optional<LoggedProposals> ProposalLines::of(Cause cause, TimePoint at, std::optional<std::size_t> thread) const {
  const Cause refused = heard_.of_child ? Cause::phase2_proposal_or_pfs_mismatch : Cause::phase1_proposal_mismatch;
  if (heard_.received.empty() || cause != refused || thread != thread_ || at - at_ > kThreadSaysWithin)
    return std::nullopt;
  return heard_;
}

std::optional<Text> compare(const LoggedProposals& proposals, const config::Tunnel& tunnel) {
  const auto expected = passive::suites_of(proposals.of_child ? tunnel.esp : tunnel.ike, false);
  Text text;
  add(text, passive::differences(proposals.received, proposals.configured), kPeerOffers, kGatewayAccepts);
  add(text, passive::differences(expected, proposals.received), kExpected, kPeerOffers);
  add(text, passive::differences(expected, proposals.configured), kExpected, kGatewayAccepts);
  return unless_empty(std::move(text));
}

std::optional<Text> compare_child(std::string_view suite, const config::Tunnel& tunnel) {
  Text text;
  add(text, passive::differences(passive::suites_of(tunnel.esp, false), {suite_of_log(suite)}), kExpected, kInUse);
  return unless_empty(std::move(text));
}

}  // namespace tunnelwatch::diagnosis
