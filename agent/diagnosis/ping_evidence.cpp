#include "agent/diagnosis/ping_evidence.h"

#include "agent/diagnosis/traffic_wording.h"

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

constexpr std::uint64_t kFewest = 4;
constexpr Duration kShortest = 1500ms;  // between the first and the last of a row
constexpr Duration kOver = 60s;         // nobody asks any more

}  // namespace

void PingEvidence::on_pings(const passive::TunnelPingSummary& pings, std::string_view address,
                            std::optional<bool> stands_here, const std::optional<TimePoint>& outbound) {
  last_ = pings.last;
  if (pings.inside && pings.unanswered_in_a_row == 0) {
    if (pings.answered != 0) facts_.deny(F::tunnel_pings_unanswered, pings.last);
    return;
  }
  if (!pings.inside && outbound && *outbound >= pings.row_since) {
    facts_.forget(F::tunnel_pings_unanswered);  // our answer may be in it
    return;
  }
  if (pings.unanswered_in_a_row < kFewest || pings.last - pings.row_since < kShortest) return;
  // An address that stands here answers, unless something drops its packets.
  Confidence confidence = Confidence::likely;
  if (stands_here) confidence = *stands_here ? Confidence::possible : Confidence::confirmed;
  if (!pings.inside) confidence = Confidence::possible;
  facts_.affirm(F::tunnel_pings_unanswered, pings.last, confidence,
                describe_unanswered_pings(pings, address, stands_here));
}

void PingEvidence::advance(TimePoint now) {
  if (!last_ || now - *last_ < kOver) return;
  last_.reset();
  facts_.forget(F::tunnel_pings_unanswered);
}

}  // namespace tunnelwatch::diagnosis
