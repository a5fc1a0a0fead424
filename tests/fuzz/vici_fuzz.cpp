#include "agent/diagnosis/daemon_evidence.h"
#include "agent/diagnosis/daemon_life.h"
#include "agent/diagnosis/log_hit.h"
#include "probes/host/vici.h"
#include "probes/host/vici_session.h"
#include "tests/fuzz/check.h"

#include <cstdint>

namespace {

using namespace tunnelwatch;
using fuzz::check;

void must_come_back(const host::ViciSection& section) {
  const auto packet = host::build_vici_packet(host::ViciType::command_response, "", section);
  if (packet.size() > host::kMaxViciPacket) return;
  const auto again = host::parse_vici_message(wire::Bytes(packet).subspan(5));
  check(again && again->values == section.values && again->lists == section.lists &&
        again->sections.size() == section.sections.size());
}

}  // namespace

// A daemon that says anything: one byte for how many registrations it confirms first and whether its log is wanted, the
// rest is its stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const wire::Bytes bytes(data + 1, size - 1);
  if (const auto message = host::parse_vici_message(bytes)) must_come_back(*message);
  host::ViciSession session;
  session.begin((data[0] & 8U) != 0);
  constexpr std::uint8_t kConfirmed[] = {0, 0, 0, 1, 5};
  for (int i = data[0] % 8; i > 0; --i) session.on_bytes(kConfirmed);
  session.on_bytes(bytes);
  diagnosis::LogReader reader;
  diagnosis::DaemonDeletions deletions;
  for (const std::string& line : session.take_lines()) {
    if (const auto deletion = diagnosis::deletion_of(line)) deletions.note(*deletion);
    reader.read(line, TimePoint{});
  }
  session.refresh();
  check(session.take_output().size() < 4096);
  const auto view = session.take_view();
  if (!view) return 0;
  config::Tunnel tunnel;
  tunnel.name = "tun";
  tunnel.local_subnets = {*IpPrefix::parse("10.1.0.0/24")};
  tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/24")};
  diagnosis::Facts facts;
  diagnosis::DaemonLife life;
  life.on_view(facts, IpAddress::parse("198.51.100.20"), *view, deletions, TimePoint{});
  diagnosis::judge_daemon(facts, tunnel, IpAddress::parse("198.51.100.20"), *view, TimePoint{});
  return 0;
}
