#include "agent/diagnosis/log_patterns.h"

#include "agent/diagnosis/catalogue.h"
#include "agent/diagnosis/log_line.h"
#include "agent/diagnosis/log_pattern_table.h"

#include <array>
#include <vector>

namespace tunnelwatch::diagnosis {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Patterns {
  std::vector<LogPattern> all;
  std::array<std::vector<const LogPattern*>, 128> by_first;  // lower case; patterns are ASCII
};

// The guide's own words of a row that no device says as such, without its remark in parentheses; empty where the texts
// of OpenVPN are the guide's words.
std::string_view stated_words(const CauseRow& row) {
  if (row.kind == Kind::client && row.sections[0].starts_with("3.1")) return {};
  return row.words.substr(0, row.words.find(" ("));
}

Patterns make_patterns() {
  Patterns out;
  for (const CauseRow& row : catalogue()) {
    if (row.kind != Kind::nego && row.kind != Kind::drop) {
      if (const auto words = stated_words(row); !words.empty())
        out.all.push_back({.family = LogFamily::vendor, .cause = row.cause, .words = words, .stated = true});
      continue;
    }
    out.all.push_back({LogFamily::vendor, row.cause, row.words});
    if (!row.alias.empty()) out.all.push_back({LogFamily::vendor, row.cause, row.alias});
  }
  for (const auto part : {detail::vendor_variants(), detail::daemon_patterns()}) {
    out.all.insert(out.all.end(), part.begin(), part.end());
  }
  for (const LogPattern& pattern : out.all) {
    out.by_first[static_cast<unsigned char>(lower(pattern.words.front())) & 0x7fU].push_back(&pattern);
  }
  return out;
}

const Patterns& patterns() {
  static const Patterns made = make_patterns();
  return made;
}

struct Candidate {
  const LogPattern* pattern = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// A clear pattern before a vague one, a daemon's sentence before the guide's words inside it, then the leftmost, then
// the longest.
bool better(const Candidate& a, const Candidate& b) {
  if (b.pattern == nullptr) return true;
  if (a.pattern->vague != b.pattern->vague) return b.pattern->vague;
  const bool a_vendor = a.pattern->family == LogFamily::vendor;
  const bool b_vendor = b.pattern->family == LogFamily::vendor;
  if (a_vendor != b_vendor) return b_vendor;
  if (a.begin != b.begin) return a.begin < b.begin;
  return a.end > b.end;
}

bool counts(const LogPattern& pattern, const LogLine& line, std::size_t begin, std::size_t end) {
  if (pattern.stated) return line.in_reason(begin, end);
  return pattern.family == LogFamily::vendor ? line.states_reason(begin, end) : !line.is_echo();
}

Candidate find_best(const LogLine& line) {
  const std::string_view text = line.text();
  Candidate best;
  for (std::size_t pos = 0; pos < text.size(); ++pos) {
    const auto first = static_cast<unsigned char>(text[pos]);
    if (first >= 128 || patterns().by_first[first].empty() || !line.word_starts_at(pos)) continue;
    for (const LogPattern* pattern : patterns().by_first[first]) {
      const auto end = line.match(pattern->words, pos);
      if (!end) continue;
      if (!counts(*pattern, line, pos, *end)) continue;
      const Candidate found{pattern, pos, *end};
      if (better(found, best)) best = found;
    }
  }
  return best;
}

}  // namespace

std::string_view to_string(LogFamily family) {
  switch (family) {
    case LogFamily::vendor:
      return "vendor";
    case LogFamily::strongswan:
      return "strongswan";
    case LogFamily::libreswan:
      return "libreswan";
    case LogFamily::openvpn:
      return "openvpn";
    case LogFamily::routing:
      return "routing";
  }
  return "unknown";
}

std::span<const LogPattern> log_patterns() { return patterns().all; }

std::optional<LogMatch> match_line(std::string_view raw) {
  const LogLine line(raw);
  const Candidate best = find_best(line);
  if (best.pattern != nullptr) {
    const LogPattern& found = *best.pattern;
    return LogMatch{found.cause, found.words, line.peer(), found.family, found.vague, found.repeats};
  }
  const auto code = line.negotiation_reason_code();
  if (!code) return std::nullopt;
  for (const detail::ReasonCode& row : detail::negotiation_reason_codes()) {
    if (row.code == *code) return LogMatch{row.cause, row.words, line.peer(), LogFamily::vendor, false};
  }
  return std::nullopt;
}

}  // namespace tunnelwatch::diagnosis
