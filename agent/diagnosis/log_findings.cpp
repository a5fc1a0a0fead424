#include "agent/diagnosis/log_findings.h"

#include "agent/diagnosis/log_evidence.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

namespace {

// These say that something failed and not why: they choose among no look-alikes.
constexpr Cause kVague[] = {
    Cause::authentication_fail, Cause::exchange_timeout,   Cause::dpd_timeout,
    Cause::heartbeat_timeout,   Cause::peer_request,       Cause::config_modify_or_manual_offline,
    Cause::rekey_fail,          Cause::phase1_hard_expiry, Cause::phase2_hard_expiry,
    Cause::phase1_sa_replace,   Cause::phase2_sa_replace,  Cause::malformed_message,
    Cause::gateway_behind_nat};

bool decides(const LoggedCause& said) {
  return said.fact.confidence != Confidence::possible &&
         std::find(std::begin(kVague), std::end(kVague), said.cause) == std::end(kVague);
}

// Deleting a tunnel here is an event, whoever tells it.
bool is_momentary(Cause cause) {
  const auto all = rules();
  return std::any_of(all.begin(), all.end(), [&](const Rule& r) { return r.cause == cause && r.momentary; });
}

void add_evidence(std::vector<Text>& to, const Text& text) {
  const auto same = [&](const Text& t) { return t.en == text.en; };
  if (std::none_of(to.begin(), to.end(), same)) to.push_back(text);
}

bool same_evidence(const Finding& a, const Finding& b) {
  return std::equal(a.evidence.begin(), a.evidence.end(), b.evidence.begin(), b.evidence.end(),
                    [](const Text& x, const Text& y) { return x.en == y.en; });
}

bool is_look_alike(const Finding& other, Cause cause) {
  const CauseRow& row = row_of(other.cause);
  return other.cause != cause && (row.kind == Kind::nego || row.kind == Kind::conf) && row.alternatives.contains(cause);
}

// Whether `other` is but a guess at what `cause` explains. `by_wire`: what the rules themselves made of that cause.
bool is_guess(const Finding& other, Cause cause, const Finding* by_wire, const Facts& facts) {
  const CauseRow& row = row_of(other.cause);
  const LoggedCause* const logged = facts.logged(other.cause);
  if (other.cause == cause || other.confidence == Confidence::confirmed) return false;
  if (logged != nullptr && logged->counts() && decides(*logged)) return false;
  if (row.kind != Kind::nego && row.kind != Kind::conf) return false;
  return row.alternatives.contains(cause) || (by_wire != nullptr && same_evidence(other, *by_wire));
}

Finding take_guesses(const LoggedCause& said, const Facts& facts, std::vector<Finding>& findings) {
  Finding joined{said.cause, said.fact.confidence, said.fact.since, said.fact.last, {}, false, true};
  const auto own =
      std::find_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.cause == said.cause; });
  const std::optional<Finding> by_wire = own == findings.end() ? std::nullopt : std::optional(*own);
  for (auto it = findings.begin(); it != findings.end();) {
    const bool is_own = it->cause == said.cause;
    // What is certain stays, and bears out what the line says of it.
    const bool borne_out = decides(said) && it->confidence == Confidence::confirmed && is_look_alike(*it, said.cause);
    const bool taken = is_own || (decides(said) && is_guess(*it, said.cause, by_wire ? &*by_wire : nullptr, facts));
    if (taken || borne_out) {
      for (const Text& text : it->evidence) add_evidence(joined.evidence, text);
      joined.only_said = joined.only_said && it->only_said;
    }
    if (!taken || it->momentary) {
      ++it;
      continue;
    }
    joined.since = std::min(joined.since, it->since);
    joined.last = std::max(joined.last, it->last);
    it = findings.erase(it);
  }
  return joined;
}

void join(const LoggedCause& said, const Facts& facts, std::vector<Finding>& findings) {
  Finding joined = take_guesses(said, facts, findings);
  const bool seen_too = !joined.only_said;
  if (seen_too && said.fact.confidence != Confidence::possible) joined.confidence = Confidence::confirmed;
  joined.momentary = is_momentary(said.cause) || (!seen_too && carries(facts));
  const bool told =
      std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.cause == said.cause; });
  if (told) return;  // it happened and is over, as the rules say too
  add_evidence(joined.evidence, said.fact.evidence);
  findings.insert(decides(said) ? findings.begin() : findings.end(), std::move(joined));
}

}  // namespace

void join_logs(const Facts& facts, std::vector<Finding>& findings) {
  // What decides comes last: among its guesses may be what another line says vaguely.
  for (const bool deciding : {false, true}) {
    for (const LoggedCause& said : facts.logged()) {
      if (said.counts() && decides(said) == deciding) join(said, facts, findings);
    }
  }
}

}  // namespace tunnelwatch::diagnosis
