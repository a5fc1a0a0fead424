#include "agent/cli/progress_bar.h"

#include <algorithm>

#include <fmt/format.h>

namespace tunnelwatch::cli {

using namespace std::chrono_literals;

namespace {

constexpr Duration kEvery = 200ms;
// A rate over less than this is a guess.
constexpr Duration kKnown = 500ms;
constexpr char kToLineStart[] = "\r\x1b[K";

std::string bytes_text(double bytes) {
  constexpr double kMega = 1e6;
  return bytes >= 1000 * kMega ? fmt::format("{:.1f} GB", bytes / (1000 * kMega))
                               : fmt::format("{:.0f} MB", bytes / kMega);
}

std::string seconds_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

std::optional<std::string> ProgressBar::update(std::uint64_t read, std::uint64_t total, TimePoint now) {
  if (total < kWorthIt || (shown_ && now - *shown_ < kEvery)) return std::nullopt;
  shown_ = now;
  const auto done = static_cast<double>(std::min(read, total));
  const auto all = static_cast<double>(total);
  std::string text =
      fmt::format("{}analyze: {} of {}, {:.0f} %", kToLineStart, bytes_text(done), bytes_text(all), 100 * done / all);
  const double seconds = to_seconds(now - begun_);
  if (now - begun_ >= kKnown && done > 0) {
    const double rate = done / seconds;
    text += fmt::format(", {}/s, {} left", bytes_text(rate), seconds_text((all - done) / rate));
  }
  return text;
}

std::string ProgressBar::erase() const { return shown_ ? kToLineStart : ""; }

}  // namespace tunnelwatch::cli
