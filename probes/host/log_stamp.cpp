#include "probes/host/log_stamp.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tunnelwatch::host {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLookedAt = 512;  // bytes; a stamp behind them is somebody else's
constexpr std::int64_t kFirstYear = 1970;
constexpr std::int64_t kLastYear = 2200;  // what is beyond does not fit into a WallTime

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// A cursor whose steps fail or take something.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  // A number of `fewest` to `most` digits that ends there.
  std::optional<std::int64_t> number(std::size_t fewest, std::size_t most) {
    std::size_t length = 0;
    std::int64_t value = 0;
    while (length < text_.size() && length <= most && is_digit(text_[length]))
      value = 10 * value + (text_[length++] - '0');
    if (length < fewest || length > most) return std::nullopt;
    text_.remove_prefix(length);
    return value;
  }
  bool any_of(std::string_view chars) {
    if (text_.empty() || chars.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::size_t skip(std::string_view chars) {
    std::size_t skipped = 0;
    while (any_of(chars)) ++skipped;
    return skipped;
  }
  std::optional<unsigned> month() {
    constexpr std::array<std::string_view, 12> kNames{"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
    if (text_.size() < 4 || is_letter(text_[3])) return std::nullopt;
    for (unsigned i = 0; i < kNames.size(); ++i) {
      if (!std::equal(kNames[i].begin(), kNames[i].end(), text_.begin(), [](char a, char b) { return a == lower(b); }))
        continue;
      text_.remove_prefix(3);
      return i + 1;
    }
    return std::nullopt;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

// The fraction behind a second, which is passed by.
Duration fraction(Scan& scan) {
  Scan ahead = scan;
  if (!ahead.any_of(".,")) return {};
  Duration value{};
  Duration unit = 100ms;
  std::size_t digits = 0;
  for (; !ahead.rest().empty() && is_digit(ahead.rest().front()) && digits < 9; ++digits, unit /= 10) {
    value += unit * (ahead.rest().front() - '0');
    ahead.any_of("0123456789");
  }
  if (digits != 0) scan = ahead;
  return value;
}

// "10:00:00", with a fraction.
std::optional<Duration> clock(Scan& scan) {
  const auto hour = scan.number(2, 2);
  if (!hour || !scan.any_of(":")) return std::nullopt;
  const auto minute = scan.number(2, 2);
  if (!minute || !scan.any_of(":")) return std::nullopt;
  const auto second = scan.number(2, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second) + fraction(scan);
}

// "Z", "+08:00", "+0800"; nothing else is a zone.
std::optional<std::chrono::seconds> zone(Scan scan) {
  if (scan.any_of("Zz")) return 0s;
  const bool west = scan.rest().starts_with('-');
  if (!scan.any_of("+-")) return std::nullopt;
  auto hours = scan.number(4, 4);
  std::optional<std::int64_t> minutes;
  if (hours) {
    minutes = *hours % 100;
    hours = *hours / 100;
  } else {
    hours = scan.number(2, 2);
    if (!hours) return std::nullopt;
    minutes = scan.any_of(":") ? scan.number(2, 2) : std::optional<std::int64_t>(0);
  }
  if (!minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  const std::chrono::seconds offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return west ? -offset : offset;
}

bool is_day(std::optional<std::int64_t> year, std::int64_t month, std::int64_t day) {
  if (year && (*year < kFirstYear || *year > kLastYear)) return false;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year.value_or(2000))),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return date.ok();
}

LogStamp stamp_of(std::optional<std::int64_t> year, std::int64_t month, std::int64_t day, Duration of_day) {
  LogStamp stamp;
  if (year) stamp.year = static_cast<int>(*year);
  stamp.month = static_cast<unsigned>(month);
  stamp.day = static_cast<unsigned>(day);
  stamp.of_day = of_day;
  return stamp;
}

// "2025-02-05T10:00:00.123+08:00", "2025/02/05  10:00:00".
std::optional<LogStamp> numeric_date(std::string_view text) {
  Scan scan(text);
  const auto year = scan.number(4, 4);
  if (!year || !scan.any_of("-/")) return std::nullopt;
  const auto month = scan.number(1, 2);
  if (!month || !scan.any_of("-/")) return std::nullopt;
  const auto day = scan.number(1, 2);
  if (!day || !is_day(year, *month, *day)) return std::nullopt;
  if (!scan.any_of("Tt") && scan.skip(" ") == 0) return std::nullopt;
  const auto of_day = clock(scan);
  if (!of_day) return std::nullopt;
  LogStamp stamp = stamp_of(year, *month, *day, *of_day);
  stamp.zone = zone(scan);
  return stamp;
}

// "Feb  5 10:00:00", "Feb  5 2025 10:00:00", "Feb 05, 2025, 10:00:00", "Feb  5 10:00:00 2025".
std::optional<LogStamp> named_date(std::string_view text) {
  Scan scan(text);
  const auto month = scan.month();
  if (!month || scan.skip(" ") == 0) return std::nullopt;
  const auto day = scan.number(1, 2);
  if (!day || scan.skip(" ,") == 0) return std::nullopt;
  std::optional<std::int64_t> year;
  Scan ahead = scan;
  if (year = ahead.number(4, 4); year && ahead.skip(" ,") != 0) {
    scan = ahead;
  } else {
    year.reset();
  }
  const auto of_day = clock(scan);
  if (!of_day) return std::nullopt;
  if (!year && scan.skip(" ") != 0) {
    year = scan.number(4, 4);
    if (year && (*year < kFirstYear || *year > kLastYear)) year.reset();
  }
  if (!is_day(year, *month, *day)) return std::nullopt;
  return stamp_of(year, *month, *day, *of_day);
}

// "10:00:00.123 05[IKE] ..."
std::optional<LogStamp> bare_clock(std::string_view text) {
  Scan scan(text);
  const auto of_day = clock(scan);
  if (!of_day || (!scan.rest().empty() && scan.rest().front() != ' ')) return std::nullopt;
  LogStamp stamp;
  stamp.of_day = *of_day;
  return stamp;
}

// "1738750000.123456 gw charon: ...": as journalctl writes it.
std::optional<LogStamp> epoch(std::string_view text) {
  Scan scan(text);
  const auto seconds = scan.number(10, 10);
  if (!seconds || !scan.rest().starts_with('.')) return std::nullopt;
  const Duration rest = fraction(scan);
  if (scan.rest().empty() || scan.rest().front() != ' ') return std::nullopt;
  const std::chrono::sys_seconds whole{std::chrono::seconds(*seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::year_month_day date{midnight};
  LogStamp stamp = stamp_of(static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                            static_cast<unsigned>(date.day()), whole - midnight + rest);
  stamp.zone = 0s;
  return stamp;
}

// A year whose month and day are those of the stamp: the 29th of February is not in all.
WallTime at(const LogStamp& stamp, std::chrono::sys_days day, std::chrono::seconds local) {
  return WallTime{std::chrono::time_point_cast<Duration>(day).time_since_epoch() + stamp.of_day -
                  stamp.zone.value_or(local)};
}

}  // namespace

std::optional<LogStamp> find_stamp(std::string_view line) {
  line = line.substr(0, kLookedAt);
  if (const auto stamp = epoch(line)) return stamp;
  if (const auto stamp = bare_clock(line)) return stamp;
  for (std::size_t pos = 0; pos < line.size(); ++pos) {
    const bool starts = pos == 0 || (!is_digit(line[pos - 1]) && !is_letter(line[pos - 1]));
    if (!starts) continue;
    if (is_digit(line[pos])) {
      if (const auto stamp = numeric_date(line.substr(pos))) return stamp;
    } else if (is_letter(line[pos])) {
      if (const auto stamp = named_date(line.substr(pos))) return stamp;
    }
  }
  return std::nullopt;
}

WallTime resolve(const LogStamp& stamp, WallTime reference, std::chrono::seconds local) {
  using std::chrono::day;
  using std::chrono::month;
  using std::chrono::sys_days;
  using std::chrono::year;
  const auto today = std::chrono::floor<std::chrono::days>(reference);
  std::optional<WallTime> best;
  const auto consider = [&](WallTime candidate) {
    const auto off = [&](WallTime t) { return t > reference ? t - reference : reference - t; };
    if (!best || off(candidate) < off(*best)) best = candidate;
  };
  if (!stamp.month) {
    for (const int days : {-1, 0, 1}) consider(at(stamp, today + std::chrono::days(days), local));
    return *best;
  }
  const auto date = [&](int y) { return std::chrono::year_month_day{year(y), month(*stamp.month), day(stamp.day)}; };
  if (stamp.year) return at(stamp, sys_days{date(*stamp.year)}, local);
  const int now = static_cast<int>(std::chrono::year_month_day{today}.year());
  for (int y = now - 4; y <= now + 4; ++y) {
    if (date(y).ok()) consider(at(stamp, sys_days{date(y)}, local));
  }
  return best.value_or(reference);
}

}  // namespace tunnelwatch::host
