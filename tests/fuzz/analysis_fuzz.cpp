#include "agent/analysis.h"
#include "exporters/json/report_json.h"
#include "exporters/text/report_text.h"
#include "probes/wire/pcap.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/conversation.h"
#include "tests/fuzz/memory_file.h"

#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>

// What `analyze` does, with the whole of a file: half of the inputs are files as they are, half are conversations
// written to one, whose stamps may lie anywhere and go back. The report is valid, and nothing is said of no packets.
namespace {

using namespace tunnelwatch;
using fuzz::check;

std::vector<std::uint8_t> file_of(wire::Bytes script) {
  std::vector<std::uint8_t> out;
  wire::put_pcap_header(out);
  wire::ByteReader begin(script);
  WallTime now{std::chrono::seconds(begin.u32())};
  fuzz::Conversation conversation(begin.rest());
  while (const auto step = conversation.next()) {
    now += step->pause;
    for (const auto& packet : step->packets) {
      wire::put_pcap_record(out, now, packet, static_cast<std::uint32_t>(packet.size()));
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 4096;  // each packet may be ten minutes of ticks away from the last
  if (size == 0 || size > kMost) return 0;
  const wire::Bytes input(data + 1, size - 1);
  const fuzz::MemoryFile file((data[0] & 1) != 0 ? wire::Bytes(file_of(input)) : input);
  const std::vector<std::string> paths{file.path()};
  std::vector<std::string> warnings;
  const auto report = agent::analyze_captures(paths, warnings);
  if (!report) {
    check(!report.error().empty() && (data[0] & 1) == 0);
    return 0;
  }
  if (report->packets == 0) check(report->tunnels.empty());
  boost::system::error_code error;
  boost::json::parse(exporters::report_json(*report), error);
  check(!error);
  exporters::report_text(*report);
  return 0;
}
