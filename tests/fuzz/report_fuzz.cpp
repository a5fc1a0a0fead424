#include "exporters/json/report_json.h"
#include "exporters/prometheus/metrics_text.h"
#include "exporters/report.h"
#include "exporters/text/printable.h"
#include "exporters/text/report_text.h"
#include "probes/wire/byte_reader.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

// A report whose texts and numbers are anything: JSON parses and has as many tunnels, metrics are lines of the text
// format, and a terminal gets nothing that moves its cursor.
namespace {

using namespace tunnelwatch;
using namespace tunnelwatch::exporters;
using fuzz::check;

class Source {
 public:
  explicit Source(wire::Bytes bytes) : reader_(bytes) {}
  std::string text() {
    const auto part = reader_.take(std::min<std::size_t>(reader_.u8() % 32, reader_.left()));
    return {part.begin(), part.end()};
  }
  std::uint64_t number() { return reader_.u64() >> (reader_.u8() % 64); }
  WallTime time() { return WallTime{std::chrono::nanoseconds(static_cast<std::int64_t>(reader_.u64() >> 1))}; }
  bool flag() { return (reader_.u8() & 1) != 0; }
  bool more() { return reader_.left() > 0; }

 private:
  wire::ByteReader reader_;
};

CauseReport cause(Source& s) {
  CauseReport c;
  c.cause = s.text();
  c.active = s.flag();
  c.confidence = s.text();
  c.severity = s.flag() ? "fault" : s.text();
  c.first_seen = s.time();
  if (s.flag()) c.cleared = s.time();
  c.sections = {s.text()};
  c.title = {s.text(), s.text()};
  c.evidence = {{s.text(), s.text()}};
  c.alternatives = {s.text()};
  c.capture = s.text();
  return c;
}

TunnelReport tunnel(Source& s) {
  TunnelReport t;
  t.name = s.text();
  t.local = s.text();
  t.remote = s.text();
  t.state = s.flag() ? "up" : s.text();
  if (s.flag()) t.state_since = s.time();
  while (s.flag() && t.causes.size() < 4) t.causes.push_back(cause(s));
  while (s.flag() && t.events.size() < 4) t.events.push_back({s.time(), s.text(), s.text(), s.text()});
  t.offers = {{s.text()}, {s.text()}, {s.text()}};
  t.esp_in = {s.number(), s.number(), s.number(), 0, 0};
  t.event_counts = {{"ike_sa_established", s.number()}};
  t.blind = {s.text()};
  return t;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Source s(wire::Bytes(data, size));
  Report report;
  report.generated = s.time();
  if (s.flag()) report.files = {s.text()};
  report.agent.config_error = s.text();
  report.agent.config_last_reload_successful = s.flag();
  while (s.more() && report.tunnels.size() < 4) report.tunnels.push_back(tunnel(s));

  boost::system::error_code error;
  const auto json = boost::json::parse(report_json(report), error);
  check(!error);
  check(json.at("tunnels").as_array().size() == report.tunnels.size());
  const std::string text = report_text(report, {Language::zh, false, 60, 5});
  for (const char c : text) check(c == '\n' || !((c >= 0 && c < 0x20) || c == 0x7f));
  const std::string metrics = metrics_text(report);
  check(!metrics.empty() && metrics.back() == '\n' && valid_utf8(metrics) == metrics);
  std::size_t begin = 0;
  for (auto end = metrics.find('\n'); end != std::string::npos; begin = end + 1, end = metrics.find('\n', begin)) {
    check(metrics.compare(begin, 1, "#") == 0 || metrics.compare(begin, 11, "tunnelwatch") == 0 ||
          metrics.compare(begin, 7, "process") == 0);
  }
  return 0;
}
