#include "agent/diagnosis/log_evidence.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

// ESP that was on its way when the line was written does not contradict it.
constexpr Duration kOnItsWay = 2s;
constexpr Duration kAtOnce = 2s;         // between two tellers of one thing
constexpr std::uint64_t kRepeated = 3;   // what is normal life once is none any more
constexpr Duration kClientAnswers = 6s;  // of an OpenVPN client: by then the hosts inside would be told as silent
constexpr Duration kNews = 10min;        // a daemon that goes on failing says so again within this time

Text describe_line(const LogHit& hit, std::uint64_t times) {
  Text text;
  switch (hit.teller) {
    case LogTeller::log:
      text = {fmt::format("the log says \"{}\"", hit.line), fmt::format("日志记录：“{}”", hit.line)};
      break;
    case LogTeller::daemon_log:
      text = {fmt::format("the IKE daemon says \"{}\"", hit.line), fmt::format("IKE 守护进程记录：“{}”", hit.line)};
      break;
    case LogTeller::daemon_alert:
      text = {fmt::format("the IKE daemon reports \"{}\"", hit.line), fmt::format("IKE 守护进程报告：“{}”", hit.line)};
      break;
  }
  if (times > 1) {
    text.en += fmt::format(", {} times by now", times);
    text.zh += fmt::format("，已出现 {} 次", times);
  }
  return text;
}

}  // namespace

bool carries(const Facts& f) {
  if (f.is(F::of_openvpn)) return f.is(F::client_link_up) && f.is_not(F::inner_silent);
  if (f.is(F::esp_both_ways)) return true;
  return f.is(F::child_up) && f.is(F::ike_up) && !f.is(F::liveness_unanswered) && !f.is(F::esp_one_way);
}

void LogEvidence::on_hit(const LogHit& hit, TimePoint at, const std::optional<Text>& more) {
  LoggedCause said;
  said.cause = hit.match.cause;
  said.fact.since = at;
  said.teller = static_cast<std::uint8_t>(hit.teller);
  said.told_from = hit.match.repeats ? kRepeated : 1;
  const auto confidence = hit.match.vague ? Confidence::possible : Confidence::likely;
  said.fact.confidence = confidence;
  if (const LoggedCause* before = facts_.logged(said.cause)) {
    said = *before;
    // One thing that several tell is one, in the words of who was first; unless another is surer of it.
    const bool again = said.teller != static_cast<std::uint8_t>(hit.teller) && at - said.fact.last <= kAtOnce;
    if (again && !more && confidence <= said.fact.confidence) return;
    said.told_from = std::min<std::uint64_t>(said.told_from, hit.match.repeats ? kRepeated : 1);
    said.fact.confidence = std::max(said.fact.confidence, confidence);
  }
  ++said.times;
  said.fact.last = std::max(said.fact.last, at);
  said.fact.evidence = describe_line(hit, said.times);
  if (more) {
    said.fact.evidence.en += ": " + more->en;
    said.fact.evidence.zh += "：" + more->zh;
  }
  facts_.note_logged(std::move(said));
}

void LogEvidence::on_inbound_esp(TimePoint at) {
  if (facts_.logged().empty() || !carries(facts_)) return;
  facts_.forget_logged([&](const LoggedCause& c) { return at >= c.fact.last + kOnItsWay; });
}

void LogEvidence::advance(TimePoint now) {
  if (facts_.logged().empty()) return;
  const bool stands = carries(facts_);
  facts_.forget_logged([&](const LoggedCause& c) {
    const F carrier = facts_.is(F::of_openvpn) ? F::client_link_up : F::child_up;
    const bool made_since = stands && facts_.is(carrier) && facts_[carrier].since > c.fact.last;
    const bool works_since = stands && facts_.is(F::of_openvpn) && now - c.fact.last > kClientAnswers;
    return made_since || works_since || now - c.fact.last > kNews;
  });
}

}  // namespace tunnelwatch::diagnosis
