#include "agent/diagnosis/rate_evidence.h"

#include "agent/diagnosis/traffic_wording.h"

#include <algorithm>
#include <numeric>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

constexpr Duration kWindow = 6s;
constexpr Duration kShortest = 3s;  // between the first and the last count: less tells no rate
constexpr Duration kStep = 900ms;   // counts that come closer together are one: some seconds need few of them
constexpr double kNear = 0.9;
constexpr double kClear = 0.8;

}  // namespace

void RateEvidence::on_bytes(bool outbound, std::uint64_t bytes, TimePoint at) {
  auto& samples = samples_[outbound ? 0 : 1];
  if (!samples.empty() && at - samples.back().at < kStep) {
    samples.back().bytes += bytes;
  } else {
    samples.push_back({at, bytes});
  }
  judge(at);
}

EspRate RateEvidence::rate_of(bool outbound) const {
  const auto& samples = samples_[outbound ? 0 : 1];
  EspRate rate{.outbound = outbound, .bits_per_second = 0, .over = {}, .limit = limit_};
  if (samples.size() < 2) return rate;
  rate.over = samples.back().at - samples.front().at;
  // The first count is of the time before it.
  const auto bytes = std::accumulate(samples.begin() + 1, samples.end(), std::uint64_t{0},
                                     [](std::uint64_t sum, const Sample& s) { return sum + s.bytes; });
  rate.bits_per_second = 8 * static_cast<double>(bytes) / to_seconds(rate.over);
  return rate;
}

void RateEvidence::judge(TimePoint now) {
  for (auto& samples : samples_) {
    std::erase_if(samples, [&](const Sample& s) { return now - s.at > kWindow; });
  }
  if (limit_ == 0) return facts_.forget(F::gateway_rate_high);
  const EspRate out = rate_of(true);
  const EspRate in = rate_of(false);
  const EspRate& busier = out.bits_per_second >= in.bits_per_second ? out : in;
  const auto limit = static_cast<double>(limit_);
  if (busier.over >= kShortest && busier.bits_per_second >= kNear * limit) {
    facts_.affirm(F::gateway_rate_high, now, Confidence::likely, describe_rate(busier));
  } else if (busier.over >= kShortest ? busier.bits_per_second < kClear * limit
                                      : samples_[0].empty() && samples_[1].empty()) {
    facts_.deny(F::gateway_rate_high, now);
  }
}

// Counts that stay away are no traffic.
void RateEvidence::advance(TimePoint now) {
  if (now < next_look_ || limit_ == 0) return;
  next_look_ = now + 1s;
  judge(now);
}

}  // namespace tunnelwatch::diagnosis
