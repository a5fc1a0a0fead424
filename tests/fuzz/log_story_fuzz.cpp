#include "agent/diagnosis/log_hit.h"
#include "probes/host/line_splitter.h"
#include "probes/host/log_record.h"
#include "probes/host/log_stamp.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace tunnelwatch;
using fuzz::check;

std::vector<std::string> lines_of(std::string_view bytes, std::size_t step, std::size_t longest) {
  host::LineSplitter splitter(longest);
  std::vector<std::string> lines;
  const auto tell = [&](std::string_view line) { lines.emplace_back(line); };
  for (std::size_t at = 0; at < bytes.size(); at += step) splitter.feed(bytes.substr(at, step), tell);
  splitter.finish(tell);
  return lines;
}

}  // namespace

// A log of any bytes: the lines are the same in whatever pieces it comes, and what is shown of one is fit for it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::size_t kLongest = 256;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto lines = lines_of(bytes, 1U + data[0], kLongest);
  check(lines == lines_of(bytes, size, kLongest));
  diagnosis::LogReader reader;
  const WallTime reference{std::chrono::seconds(1'700'000'000)};
  TimePoint now{};
  for (const std::string& line : lines) {
    check(!line.empty() && line.size() <= kLongest && line.find('\n') == std::string::npos);
    const auto record = host::open_log_record(line);
    if (const auto stamp = host::find_stamp(record.text)) {
      const auto at = host::resolve(*stamp, reference, std::chrono::hours(8));
      check(at > WallTime{-std::chrono::hours(24)});
    }
    const auto hit = reader.read(record.text, now);
    now += std::chrono::seconds(1);
    if (!hit) continue;
    check(!hit->line.empty() && hit->line.size() <= diagnosis::kMaxShownLine);
    for (const char c : hit->line) check(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  return 0;
}
