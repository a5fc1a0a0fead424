#include "agent/diagnosis/egress_evidence.h"

#include "agent/diagnosis/traffic_wording.h"

#include <algorithm>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

constexpr Duration kRecent = 15s;   // what was seen longer ago says nothing of now
constexpr Duration kNow = 5s;       // an interface that carries packets does so within this
constexpr std::size_t kFewest = 3;  // seconds with packets, before a direction counts
constexpr Duration kFlapping = 5min;
constexpr std::size_t kSwitches = 3;  // in that time: over and back again is a repair, this is none

void note(std::vector<TimePoint>& seconds, const std::optional<TimePoint>& at) {
  if (at && (seconds.empty() || *at > seconds.back())) seconds.push_back(*at);
}

void forget(std::vector<TimePoint>& seconds, TimePoint now) {
  std::erase_if(seconds, [&](TimePoint t) { return now - t > kRecent; });
}

// Whether both carried packets in the same seconds: else one took over from the other.
bool overlap(const std::vector<TimePoint>& a, const std::vector<TimePoint>& b) {
  return a.back() >= b[b.size() - kFewest] && b.back() >= a[a.size() - kFewest];
}

bool carries(const std::vector<TimePoint>& seconds, TimePoint now) {
  return seconds.size() >= kFewest && now - seconds.back() <= kNow;
}

}  // namespace

EgressEvidence::Path* EgressEvidence::path_of(const passive::OuterPathSummary& path, std::string_view interface) {
  const auto it = std::find_if(paths_.begin(), paths_.end(), [&](const Path& p) { return p.id == path.interface; });
  if (it != paths_.end()) return &*it;
  if (paths_.size() == kMaxPaths) return nullptr;
  Path& fresh = paths_.emplace_back();
  fresh.id = path.interface;
  fresh.interface = interface;
  return &fresh;
}

void EgressEvidence::on_path(const passive::OuterPathSummary& path, std::string_view interface,
                             std::string_view expected) {
  if (interface.empty()) return;
  Path* p = path_of(path, interface);
  if (p == nullptr) return;
  note(p->out, path.out);
  note(p->in, path.in);
  const TimePoint at = std::max(path.out.value_or(TimePoint::min()), path.in.value_or(TimePoint::min()));
  judge(expected, at);
}

void EgressEvidence::judge_exit(const std::string& exit, TimePoint now) {
  if (exit_ != exit) {
    if (!exit_.empty()) switches_.push_back(now);
    exit_ = exit;
  }
  std::erase_if(switches_, [&](TimePoint t) { return now - t > kFlapping; });
  if (switches_.size() >= kSwitches) {
    facts_.affirm(F::egress_flips, now, Confidence::likely, describe_flips(switches_.size(), exit_));
  } else {
    facts_.deny(F::egress_flips, now);
  }
}

void EgressEvidence::judge(std::string_view expected, TimePoint now) {
  std::vector<const Path*> out;
  std::vector<const Path*> in;
  for (Path& p : paths_) {
    forget(p.out, now);
    forget(p.in, now);
    if (carries(p.out, now)) out.push_back(&p);
    if (carries(p.in, now)) in.push_back(&p);
  }
  if (out.size() == 2 && !overlap(out[0]->out, out[1]->out)) {
    out.erase(out[0]->out.back() < out[1]->out.back() ? out.begin() : out.begin() + 1);
  }
  if (out.size() == 1) judge_exit(out.front()->interface, now);
  // Packets of the peer's that only just began to arrive elsewhere: they may be about to move.
  const auto moves = [&](const Path& p) { return !in.empty() && !p.in.empty() && p.in.back() > in.front()->in.back(); };
  if (out.empty() || (in.size() == 1 && std::any_of(paths_.begin(), paths_.end(), moves))) return;
  const std::string& exit = out.front()->interface;
  if (out.size() > 1 && in.size() == 1) {
    facts_.affirm(F::egress_differs, now, Confidence::likely,
                  describe_shared_egress(exit, out[1]->interface, in.front()->interface));
  } else if (out.size() == 1 && in.size() == 1 && out.front() != in.front()) {
    facts_.affirm(F::egress_differs, now, Confidence::likely, describe_asymmetry(exit, in.front()->interface));
  } else if (out.size() == 1 && !expected.empty() && exit != expected) {
    facts_.affirm(F::egress_differs, now, Confidence::likely, describe_unexpected_egress(exit, expected));
  } else if (!in.empty()) {
    facts_.deny(F::egress_differs, now);
  }
}

// What is no longer seen is no longer known.
void EgressEvidence::advance(TimePoint now) {
  for (Path& p : paths_) {
    forget(p.out, now);
    forget(p.in, now);
  }
  std::erase_if(paths_, [](const Path& p) { return p.out.empty() && p.in.empty(); });
  if (!paths_.empty()) return;
  facts_.forget(F::egress_differs);
  facts_.forget(F::egress_flips);
}

}  // namespace tunnelwatch::diagnosis
