#include "agent/timeline_lines.h"

#include "agent/timeline_words.h"
#include "exporters/text/printable.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace tunnelwatch::agent {

namespace {

constexpr std::size_t kMostPairs = 1024;
constexpr std::size_t kTimeColumns = 23;  // "18:59:01.000     0.000 "

// Mark in front of the text, and ANSI colour.
struct Look {
  std::string_view mark;
  std::string_view colour;
};

constexpr Look look_of(LineKind kind) {
  switch (kind) {
    case LineKind::out:
      return {"->", ""};
    case LineKind::in:
      return {"<-", ""};
    case LineKind::note:
      return {"   =", "36"};
    case LineKind::raised:
      return {"   !", "1;31"};
    case LineKind::cleared:
      return {"   !", "32"};
    case LineKind::state:
      return {"   *", "1"};
  }
  return {"", ""};
}

}  // namespace

const std::string& TimelineLines::in_language(const exporters::Text& text) const {
  return options_.language == exporters::Language::zh && !text.zh.empty() ? text.zh : text.en;
}

std::string TimelineLines::coloured(std::string_view text, std::string_view code) const {
  if (!options_.colour || code.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

TimelinePair& TimelineLines::pair(const passive::PeerKey& key, bool ends_known, TimePoint at) {
  if (!first_) first_ = at;
  date(at);
  const Ends ends = std::minmax(key.local, key.remote);
  auto it = pairs_.find(ends);
  if (it == pairs_.end()) {
    if (pairs_.size() == kMostPairs) make_room();
    it = pairs_.emplace(ends, TimelinePair{}).first;
    TimelinePair& p = it->second;
    p.number = ++numbers_;
    p.key = key;
    p.ends_known = ends_known;
    // From the second pair on lines are numbered: the first one's number is told now.
    if (numbers_ == 2) {
      for (const auto& [other, known] : pairs_) {
        if (known.number == 1) header(known, "");
      }
    }
    header(p, "");
  } else if (ends_known && (!it->second.ends_known || it->second.key != key)) {
    const bool reversed = it->second.key != key;
    it->second.key = key;
    it->second.ends_known = true;
    header(it->second, reversed ? std::string_view(in_language(kWordsReversed)) : std::string_view());
  }
  it->second.last = at;
  return it->second;
}

void TimelineLines::make_room() {
  pairs_.erase(std::min_element(pairs_.begin(), pairs_.end(),
                                [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

void TimelineLines::header(const TimelinePair& p, std::string_view remark) {
  const std::string tag = numbers_ > 1 ? fmt::format("[{}] ", p.number) : std::string();
  const std::string ends =
      p.ends_known
          ? fmt::format("{}{} - {}{}", p.key.local.to_string(), in_language(kWordsThisGateway),
                        p.key.remote.to_string(), in_language(kWordsPeer))
          : fmt::format("{} - {}{}", p.key.local.to_string(), p.key.remote.to_string(), in_language(kWordsEndsUnknown));
  out_ += coloured(fmt::format("-- {}{}{}", tag, ends, remark), "1") + "\n";
  last_at_ = TimePoint::min();
}

void TimelineLines::date(TimePoint at) {
  using namespace std::chrono;
  const auto days = floor<std::chrono::days>(WallClock::of_capture_file().at(at));
  if (day_ == days.time_since_epoch().count()) return;
  day_ = days.time_since_epoch().count();
  const year_month_day d{days};
  out_ += coloured(fmt::format("-- {:04}-{:02}-{:02} UTC", static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
                               static_cast<unsigned>(d.day())),
                   "1") +
          "\n";
  last_at_ = TimePoint::min();
}

std::string TimelineLines::times(TimePoint at) {
  using namespace std::chrono;
  const auto wall = WallClock::of_capture_file().at(at);
  const hh_mm_ss<milliseconds> t{floor<milliseconds>(wall - floor<std::chrono::days>(wall))};
  return fmt::format("{:02}:{:02}:{:02}.{:03} {:9.3f} ", t.hours().count(), t.minutes().count(), t.seconds().count(),
                     t.subseconds().count(), to_seconds(at - *first_));
}

void TimelineLines::line(LineKind kind, const TimelinePair& p, TimePoint at, const exporters::Text& text) {
  if (!first_) first_ = at;
  date(at);
  const bool is_packet = kind == LineKind::out || kind == LineKind::in;
  const bool same_moment = !is_packet && at == last_at_ && p.number == last_pair_;
  const Look look = look_of(kind);
  out_ += same_moment ? std::string(kTimeColumns, ' ') : times(at);
  if (numbers_ > 1) out_ += fmt::format("[{}] ", p.number);
  out_ += coloured(fmt::format("{} {}", look.mark, exporters::printable(in_language(text))), look.colour) + "\n";
  last_at_ = at;
  last_pair_ = p.number;
}

}  // namespace tunnelwatch::agent
