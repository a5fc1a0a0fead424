#include "agent/diagnosis/leak_evidence.h"

#include "agent/diagnosis/traffic_wording.h"

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

constexpr std::uint64_t kFewest = 3;
constexpr Duration kShortest = 900ms;  // between the first and the last packet of a run
constexpr Duration kAfterUp = 1s;      // what leaves so soon after an SA came up was on its way before
constexpr Duration kOver = 15s;        // none for so long: it has ended

}  // namespace

void LeakEvidence::on_leak(const passive::LeakSummary& leak, std::string_view interface, bool is_egress) {
  // Traffic towards the tunnel passes other interfaces in clear by right.
  if (!leak.carries_outer && !is_egress) return;
  if (leak.packets < kFewest || leak.last - leak.first < kShortest) return;
  if (facts_.is(F::child_up) && leak.last - facts_[F::child_up].since < kAfterUp) return;
  last_ = leak.last;
  const Text text = describe_leak(leak, interface);
  facts_.affirm(F::leaves_in_clear, leak.last, Confidence::confirmed, text);
  if (2 * leak.translated >= leak.packets) {
    facts_.affirm(F::leaves_translated, leak.last, Confidence::confirmed, text);
  } else {
    facts_.deny(F::leaves_translated, leak.last);
  }
}

void LeakEvidence::advance(TimePoint now) {
  if (!last_ || now - *last_ < kOver) return;
  last_.reset();
  facts_.deny(F::leaves_in_clear, now);
  facts_.deny(F::leaves_translated, now);
}

}  // namespace tunnelwatch::diagnosis
