#include "agent/diagnosis/log_patterns.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

using namespace tunnelwatch::diagnosis;
using tunnelwatch::fuzz::check;

bool same(const std::optional<LogMatch>& a, const std::optional<LogMatch>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || (a->cause == b->cause && a->family == b->family && a->words == b->words && a->peer == b->peer);
}

std::string in_capitals(std::string line) {
  std::transform(line.begin(), line.end(), line.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return line;
}

}  // namespace

// Whatever a log says: the answer is one of the table's, and the same in capitals, with blanks around it, and with more
// behind what is looked at.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  const auto match = match_line(line);
  if (match) {
    const auto patterns = log_patterns();
    const bool listed = std::any_of(patterns.begin(), patterns.end(), [&](const LogPattern& p) {
      return p.cause == match->cause && p.family == match->family && p.words == match->words;
    });
    check(listed || match->words.starts_with("ReasonCode="));
    check(!to_string(match->cause).empty() && !to_string(match->family).empty());
  }
  check(same(match_line(in_capitals(line)), match));
  if (size + 2 <= kMaxLogLine) {
    check(same(match_line("  " + line), match));
    check(same(match_line(line + "\t"), match));
  }
  if (size >= kMaxLogLine) check(same(match_line(line.substr(0, kMaxLogLine)), match));
  return 0;
}
