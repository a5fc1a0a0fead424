#include "probes/active/esp_responder.h"

#include "probes/wire/esp_echo.h"

#include <algorithm>

namespace tunnelwatch::active {

namespace {

constexpr Duration kSecond = std::chrono::seconds{1};

// Nobody who may be answered: multicast, broadcast, and the address that stands for none.
bool is_group(const IpAddress& a) {
  const auto bytes = a.bytes();
  if (std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; })) return true;
  return a.is_v4() ? bytes[0] >= 224 : bytes[0] == 0xff;
}

}  // namespace

std::string_view to_string(EspRequestOutcome outcome) {
  switch (outcome) {
    case EspRequestOutcome::answered:
      return "answered";
    case EspRequestOutcome::stranger:
      return "stranger";
    case EspRequestOutcome::limited:
      return "limited";
    case EspRequestOutcome::malformed:
      return "malformed";
    case EspRequestOutcome::too_long:
      return "too_long";
    case EspRequestOutcome::group:
      return "group";
    case EspRequestOutcome::send_error:
      return "send_error";
  }
  return "malformed";
}

void EspResponder::set_peers(std::vector<IpAddress> peers) {
  peers_ = std::move(peers);
  std::sort(peers_.begin(), peers_.end());
}

bool EspResponder::Bucket::has(std::uint32_t rate, TimePoint now) const {
  return full_at - now <= kSecond / rate * (rate - 1);
}

bool EspResponder::Bucket::take(std::uint32_t rate, TimePoint now) {
  if (!has(rate, now)) return false;
  full_at = std::max(full_at, now) + kSecond / rate;
  return true;
}

// All together first: a flood of forged sources is over here, and never gets to the table.
bool EspResponder::admit(const IpAddress& from, TimePoint now) {
  if (!all_.has(kInAll, now)) return false;
  auto it = sources_.find(from);
  if (it == sources_.end()) {
    if (sources_.size() >= kMostSources)
      std::erase_if(sources_, [&](const auto& s) { return s.second.full_at <= now; });
    if (sources_.size() >= kMostSources) return false;
    it = sources_.emplace(from, Bucket{}).first;
  }
  return it->second.take(kPerSource, now) && all_.take(kInAll, now);
}

EspRequestOutcome EspResponder::judge(const Request& request, TimePoint now) {
  if (request.bytes.size() > kMostBytes) return EspRequestOutcome::too_long;
  const auto echo = wire::parse_esp_echo(request.bytes);
  if (!echo || echo->reply) return EspRequestOutcome::malformed;
  if (!request.unicast || is_group(request.from)) return EspRequestOutcome::group;
  if (!anyone_ && !std::binary_search(peers_.begin(), peers_.end(), request.from)) return EspRequestOutcome::stranger;
  return admit(request.from, now) ? EspRequestOutcome::answered : EspRequestOutcome::limited;
}

std::optional<std::vector<std::uint8_t>> EspResponder::on_request(const Request& request, TimePoint now) {
  const EspRequestOutcome outcome = judge(request, now);
  ++counts_[static_cast<std::size_t>(outcome)];
  if (outcome != EspRequestOutcome::answered) return std::nullopt;
  return wire::esp_echo_reply(*wire::parse_esp_echo(request.bytes));
}

void EspResponder::on_send_error() {
  --counts_[static_cast<std::size_t>(EspRequestOutcome::answered)];
  ++counts_[static_cast<std::size_t>(EspRequestOutcome::send_error)];
}

}  // namespace tunnelwatch::active
