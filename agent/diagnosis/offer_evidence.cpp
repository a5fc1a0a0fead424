#include "agent/diagnosis/offer_evidence.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tunnelwatch::diagnosis {

using passive::Offer;
using passive::OfferDifference;
using passive::Offers;
using F = FactId;

namespace {

constexpr std::array kFacts{F::offers_differ, F::local_offer_alone, F::remote_offer_alone, F::local_offer_departs,
                            F::remote_offer_departs};

std::string_view zh(passive::OfferPart part) {
  constexpr std::array<std::string_view, 7> kWords{"加密算法", "PRF",   "完整性算法", "哈希算法",
                                                   "认证方法", "DH 组", "组合"};
  return kWords[static_cast<std::size_t>(part)];
}

// "AES_CBC-128/HMAC_SHA1_96/...", the first of them and how many there are.
std::string shown(const std::vector<Offer>& offers) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> texts;
  for (const Offer& o : offers) {
    if (texts.size() == kShown) break;
    texts.push_back(to_string(o));
  }
  const std::string text = fmt::format("{}", fmt::join(texts, ", "));
  return offers.size() <= kShown ? text : fmt::format("{} (+{})", text, offers.size() - kShown);
}

bool version_1(const std::vector<Offer>& offers) { return !offers.empty() && !offers.front().suite.empty(); }

std::vector<OfferDifference> departure(const std::vector<std::string>& expected, const std::vector<Offer>& offered) {
  return passive::differences(passive::suites_of(expected, version_1(offered)), passive::suites_of(offered));
}

}  // namespace

Text describe_differences(const std::vector<OfferDifference>& differences, const Text& first, const Text& second) {
  std::vector<std::string> en;
  std::vector<std::string> zh_lines;
  for (const OfferDifference& d : differences) {
    en.push_back(passive::describe(d, first.en, second.en));
    zh_lines.push_back(d.part == passive::OfferPart::combination
                           ? "各项均有共同算法，但没有一个提议整体匹配"
                           : fmt::format("{}：{} {}，{} {}", zh(d.part), first.zh, fmt::join(d.first, "、"), second.zh,
                                         fmt::join(d.second, "、")));
  }
  return {fmt::format("{}", fmt::join(en, "; ")), fmt::format("{}", fmt::join(zh_lines, "；"))};
}

void OfferEvidence::compare(const Offers* offers, TimePoint at) {
  if (!refused() || offers == nullptr) {
    if (!std::exchange(told_, false)) return;
    for (const F fact : kFacts) facts_.forget(fact);
    differing_.clear();
    compared_.reset();
    return;
  }
  if (compared_ == offers->revision) return;
  compared_ = offers->revision;
  told_ = true;
  tell_between(*offers, at);
  tell_departure(F::local_offer_departs, offers->local, at);
  tell_departure(F::remote_offer_departs, offers->remote, at);
}

void OfferEvidence::tell_between(const Offers& offers, TimePoint at) {
  for (const F fact : {F::offers_differ, F::local_offer_alone, F::remote_offer_alone}) facts_.forget(fact);
  differing_.clear();
  if (offers.local.empty() && offers.remote.empty()) return;
  if (offers.remote.empty()) {
    const std::string text = shown(offers.local);
    return facts_.affirm(
        F::local_offer_alone, at, Confidence::confirmed,
        {fmt::format("this gateway offers {}; what the peer would offer was not seen, it shows when the peer initiates",
                     text),
         fmt::format("本网关提议 {}；尚未看到对端的提议（对端发起协商时才会显示）", text)});
  }
  if (offers.local.empty()) {
    const std::string text = shown(offers.remote);
    return facts_.affirm(
        F::remote_offer_alone, at, Confidence::confirmed,
        {fmt::format("the peer offers {}; what this gateway would offer was not seen, it shows when it initiates",
                     text),
         fmt::format("对端提议 {}；尚未看到本网关的提议（本网关发起协商时才会显示）", text)});
  }
  const auto found = passive::differences(passive::suites_of(offers.local), passive::suites_of(offers.remote));
  if (found.empty()) return facts_.deny(F::offers_differ, at);
  for (const OfferDifference& d : found) differing_.push_back(d.part);
  facts_.affirm(F::offers_differ, at, Confidence::confirmed,
                describe_differences(found, {"this gateway offers", "本网关提议"}, {"the peer offers", "对端提议"}));
}

void OfferEvidence::tell_departure(F fact, const std::vector<Offer>& offered, TimePoint at) {
  facts_.forget(fact);
  if (expected_.empty() || offered.empty()) return;
  const auto found = departure(expected_, offered);
  if (found.empty()) return facts_.deny(fact, at);
  const Text who =
      fact == F::local_offer_departs ? Text{"this gateway offers", "本网关提议"} : Text{"the peer offers", "对端提议"};
  facts_.affirm(fact, at, Confidence::confirmed,
                describe_differences(found, {"the configuration expects", "配置期望"}, who));
}

std::vector<std::string> OfferEvidence::describe(const Offers& offers) const {
  std::vector<std::string> lines;
  for (const auto& d : passive::differences(passive::suites_of(offers.local), passive::suites_of(offers.remote)))
    lines.push_back(passive::describe(d, "local offers", "remote offers"));
  for (const auto& d : departure(expected_, offers.local))
    lines.push_back(passive::describe(d, "configured", "local offers"));
  for (const auto& d : departure(expected_, offers.remote))
    lines.push_back(passive::describe(d, "configured", "remote offers"));
  return lines;
}

}  // namespace tunnelwatch::diagnosis
