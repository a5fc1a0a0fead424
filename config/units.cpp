#include "config/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace tunnelwatch::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Smallest first.
constexpr std::array kDurations{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};
constexpr std::array kFineDurations{Unit{"us", 1}, Unit{"ms", 1000}, Unit{"s", 1'000'000}};
constexpr std::array kSizes{Unit{"B", 1}, Unit{"KiB", 1U << 10}, Unit{"MiB", 1U << 20}, Unit{"GiB", 1U << 30}};
constexpr std::array kBandwidths{Unit{"bit", 1}, Unit{"kbit", 1'000}, Unit{"Mbit", 1'000'000},
                                 Unit{"Gbit", 1'000'000'000}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  const auto number = parse_whole(text.substr(0, digits));
  const auto unit =
      std::find_if(units.begin(), units.end(), [name = text.substr(digits)](const Unit& u) { return u.name == name; });
  if (!number || unit == units.end()) return std::nullopt;
  // Also a duration's signed count must hold it.
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (*number > kMost / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

std::string format_with_unit(std::uint64_t value, std::span<const Unit> units) {
  const auto largest = std::find_if(units.rbegin(), units.rend(),
                                    [value](const Unit& u) { return value >= u.factor && value % u.factor == 0; });
  const Unit& unit = largest == units.rend() ? units.front() : *largest;
  return std::to_string(value / unit.factor).append(unit.name);
}

}  // namespace

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto count = parse_with_unit(text, kDurations);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*count));
}

std::string format_duration(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  return format_with_unit(static_cast<std::uint64_t>(duration.count()), kDurations);
}

std::optional<std::chrono::microseconds> parse_fine_duration(std::string_view text) {
  const auto count = parse_with_unit(text, kFineDurations);
  if (!count) return std::nullopt;
  return std::chrono::microseconds(static_cast<std::int64_t>(*count));
}

std::string format_fine_duration(std::chrono::microseconds duration) {
  return format_with_unit(static_cast<std::uint64_t>(duration.count()), kFineDurations);
}

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse_with_unit(text, kSizes); }

std::string format_size(std::uint64_t bytes) { return format_with_unit(bytes, kSizes); }

std::optional<std::uint64_t> parse_bandwidth(std::string_view text) { return parse_with_unit(text, kBandwidths); }

std::string format_bandwidth(std::uint64_t bits_per_second) { return format_with_unit(bits_per_second, kBandwidths); }

std::optional<std::uint32_t> parse_as_number(std::string_view text) {
  const auto dot = text.find('.');
  const auto low = parse_whole(dot == std::string_view::npos ? text : text.substr(dot + 1));
  if (!low) return std::nullopt;
  if (dot == std::string_view::npos) {
    if (*low > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(*low);
  }
  const auto high = parse_whole(text.substr(0, dot));
  if (!high || *high > 0xffff || *low > 0xffff) return std::nullopt;
  return static_cast<std::uint32_t>(*high << 16 | *low);
}

std::optional<double> parse_ratio(std::string_view text) {
  constexpr std::size_t kLongest = 20;
  const auto dot = text.find('.');
  const auto fraction = dot == std::string_view::npos ? std::string_view("0") : text.substr(dot + 1);
  if (text.size() > kLongest || !parse_whole(text.substr(0, dot)) || fraction.empty() ||
      !std::all_of(fraction.begin(), fraction.end(), is_digit)) {
    return std::nullopt;
  }
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (value < 0 || value > 1) return std::nullopt;
  return value;
}

std::string format_ratio(double ratio) {
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), ratio, std::chars_format::fixed);
  return error == std::errc{} ? std::string(buffer.data(), end) : "0";
}

bool is_dns_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    const bool spelled =
        std::all_of(label.begin(), label.end(), [](char c) { return is_digit(c) || is_letter(c) || c == '-'; });
    if (!spelled || label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (dot == std::string_view::npos) return !std::all_of(label.begin(), label.end(), is_digit);
    text.remove_prefix(dot + 1);
  }
}

}  // namespace tunnelwatch::config
