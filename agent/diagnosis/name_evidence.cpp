#include "agent/diagnosis/name_evidence.h"

#include <fmt/format.h>

namespace tunnelwatch::diagnosis {

using namespace std::chrono_literals;
using F = FactId;

namespace {

// One look-up may meet a resolver that restarts.
constexpr std::uint32_t kFailures = 2;
// Where nobody sees IKE, a change is old news after this.
constexpr Duration kNews = 10min;

}  // namespace

void NameEvidence::on_change(std::string_view name, const IpAddress& before, const IpAddress& after, bool stands,
                             TimePoint at) {
  facts_.forget(F::ike_up);
  facts_.forget(F::child_up);
  facts_.deny(F::name_unresolved, at);
  if (stands) return;
  changed_ = at;
  facts_.affirm(F::name_changed, at, Confidence::likely,
                {fmt::format("{} stood for {} and stands for {} now, with which no IKE SA has stood yet", name,
                             before.to_string(), after.to_string()),
                 fmt::format("{} 的解析结果由 {} 变为 {}，尚未与新地址建立 IKE SA", name, before.to_string(),
                             after.to_string())});
}

void NameEvidence::on_lookup(std::string_view name, std::uint32_t failures, std::string_view error, TimePoint at) {
  if (failures == 0) {
    facts_.deny(F::name_unresolved, at);
  } else if (failures >= kFailures) {
    facts_.affirm(F::name_unresolved, at, Confidence::likely,
                  {fmt::format("{} look-ups of {} in a row failed: {}", failures, name, error),
                   fmt::format("对 {} 的解析连续 {} 次失败：{}", name, failures, error)});
  }
}

void NameEvidence::on_established(TimePoint at) {
  if (!changed_ || at < *changed_) return;
  changed_.reset();
  facts_.deny(F::name_changed, at);
}

void NameEvidence::advance(TimePoint now) {
  if (!changed_ || now - *changed_ < kNews) return;
  changed_.reset();
  facts_.deny(F::name_changed, now);
}

}  // namespace tunnelwatch::diagnosis
