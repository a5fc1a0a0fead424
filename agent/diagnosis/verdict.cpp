#include "agent/diagnosis/verdict.h"

#include <algorithm>
#include <utility>

namespace tunnelwatch::diagnosis {

CauseHistory* Verdict::find(Cause cause) {
  const auto it = std::find_if(causes_.begin(), causes_.end(), [&](const CauseHistory& c) { return c.cause == cause; });
  return it == causes_.end() ? nullptr : &*it;
}

std::vector<VerdictChange> Verdict::update(std::vector<Finding> findings, TimePoint now) {
  std::vector<VerdictChange> changes;
  for (std::size_t rank = 0; rank < findings.size(); ++rank) {
    Finding& f = findings[rank];
    CauseHistory* c = find(f.cause);
    if (c == nullptr) {
      c = &causes_.emplace_back();
      c->cause = f.cause;
    }
    if (f.momentary) {  // part of the history as soon as it is known
      if (c->evidence.empty() || c->last_seen < f.last) c->cleared = f.last;
      if (c->evidence.empty()) c->first_seen = f.since;
    } else if (!c->active) {
      c->active = true;
      c->first_seen = f.since;
      c->cleared.reset();
      changes.push_back({f.cause, true, now});
    }
    c->confidence = f.confidence;
    c->last_seen = f.last;
    c->evidence = std::move(f.evidence);
    c->rank = rank;
  }
  for (CauseHistory& c : causes_) {
    if (!c.active) continue;
    const bool holds = std::any_of(findings.begin(), findings.end(),
                                   [&](const Finding& f) { return f.cause == c.cause && !f.momentary; });
    if (holds) continue;
    c.active = false;
    c.cleared = now;
    changes.push_back({c.cause, false, now});
  }
  return changes;
}

std::vector<const CauseHistory*> Verdict::ranked() const {
  std::vector<const CauseHistory*> list;
  for (const CauseHistory& c : causes_) list.push_back(&c);
  std::stable_sort(list.begin(), list.end(), [](const CauseHistory* a, const CauseHistory* b) {
    if (a->active != b->active) return a->active;
    return a->active ? a->rank < b->rank : *a->cleared > *b->cleared;
  });
  return list;
}

const CauseHistory* Verdict::best() const {
  const auto list = ranked();
  return list.empty() || !list.front()->active ? nullptr : list.front();
}

std::size_t Verdict::active_count() const {
  return static_cast<std::size_t>(
      std::count_if(causes_.begin(), causes_.end(), [](const CauseHistory& c) { return c.active; }));
}

}  // namespace tunnelwatch::diagnosis
