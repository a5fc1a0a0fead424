#include "agent/flight_recorder.h"

#include "agent/log.h"
#include "agent/watch.h"
#include "probes/wire/byte_reader.h"
#include "probes/wire/pcap.h"
#include "probes/wire/udp.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace tunnelwatch::agent {

namespace {

// Below what the service manager gave; it may name several, of which the first is the main one.
std::string default_directory() {
  const char* given = std::getenv("STATE_DIRECTORY");
  const std::string_view all = given == nullptr ? std::string_view{} : std::string_view(given);
  const std::string_view first = all.substr(0, all.find(':'));
  return first.empty() ? std::string{} : std::string(first) + "/recordings";
}

RecordingPlace place_of(const config::Recorder& settings) {
  RecordingPlace place;
  if (settings.enabled) place.directory = settings.directory.empty() ? default_directory() : settings.directory;
  place.quota_bytes = settings.quota_bytes;
  return place;
}

PacketRing::Limits limits_of(const config::Recorder& settings) {
  PacketRing::Limits limits;
  limits.packets = settings.packets;
  limits.bytes = settings.bytes - wire::kPcapHeaderSize;
  return limits;
}

// The best of the causes that were raised just now, of those that are worth a recording.
const diagnosis::VerdictChange* best_raised(const Tunnel::Settled& settled) {
  const auto it = std::find_if(settled.causes.begin(), settled.causes.end(), [](const diagnosis::VerdictChange& c) {
    return c.active && diagnosis::row_of(c.cause).severity != diagnosis::Severity::notice;
  });
  return it == settled.causes.end() ? nullptr : &*it;
}

}  // namespace

std::string_view to_string(RecordingOutcome outcome) {
  switch (outcome) {
    case RecordingOutcome::written:
      return "written";
    case RecordingOutcome::failed:
      return "failed";
    case RecordingOutcome::rate_limited:
      return "rate_limited";
    case RecordingOutcome::queue_full:
      return "queue_full";
    case RecordingOutcome::no_packets:
      return "no_packets";
  }
  return "failed";
}

FlightRecorder::FlightRecorder(boost::asio::io_context& context, const Watch& watch)
    : watch_(watch),
      ring_(limits_of({})),
      rate_(config::Recorder{}.interval),
      writer_(context,
              [this](const auto& place, const auto& name, const auto& result) { on_done(place, name, result); }) {}

void FlightRecorder::configure(const config::Recorder& settings) {
  const RecordingPlace place = place_of(settings);
  ring_.set_limits(limits_of(settings));
  rate_.set_interval(settings.interval);
  if (place == place_) return;
  place_ = place;
  if (on()) {
    writer_.submit({place_, {}, {}});
  } else {
    ring_.clear();
    stored_bytes_ = 0;
    failing_ = false;
  }
}

bool FlightRecorder::is_of_tunnel(const IpAddress& a, const IpAddress& b) const {
  const auto& tunnels = watch_.tunnels();
  return std::any_of(tunnels.begin(), tunnels.end(), [&](const auto& t) {
    if (const auto& peer = t->peer()) {
      return (peer->local == a && peer->remote == b) || (peer->local == b && peer->remote == a);
    }
    return t->remote() == a || t->remote() == b;
  });
}

void FlightRecorder::on_ike(const wire::Datagram& ike, TimePoint at, bool reassembled) {
  if (!on()) return;
  const std::uint64_t initiator = wire::ByteReader(ike.payload).u64();
  if (own_spi_ && own_spi_(initiator)) return;
  const bool of_tunnel = is_of_tunnel(ike.source, ike.destination);
  ring_.add(ike.source, ike.destination, {at, wire::ip_packet_of(ike), reassembled}, of_tunnel);
}

// What is refused is refused between the ends that the error quotes, whoever refuses it.
void FlightRecorder::on_icmp_error(const wire::Datagram& error, const wire::Datagram& quoted, TimePoint at) {
  // Our own probes leave from ephemeral ports.
  const bool of_probe = quoted.kind != wire::DatagramKind::esp && !wire::is_ike_port(quoted.source_port);
  if (!on() || of_probe) return;
  const bool of_tunnel = is_of_tunnel(quoted.source, quoted.destination);
  ring_.add(quoted.source, quoted.destination, {at, wire::ip_packet_of(error), false}, of_tunnel);
}

std::vector<const PacketRing::Packet*> FlightRecorder::packets_of(const Tunnel& tunnel) const {
  if (const auto& peer = tunnel.peer()) return ring_.between(peer->local, peer->remote);
  if (tunnel.remote()) return ring_.with(*tunnel.remote());
  return {};
}

std::string FlightRecorder::on_change(const Tunnel& tunnel, const Tunnel::Settled& settled, TimePoint now) {
  const auto* raised = best_raised(settled);
  if (!on() || raised == nullptr) return {};
  const auto packets = packets_of(tunnel);
  if (packets.empty()) {
    count_one(RecordingOutcome::no_packets);
    return {};
  }
  if (!rate_.take(tunnel.name(), now)) {
    count_one(RecordingOutcome::rate_limited);
    return {};
  }
  const auto clock = WallClock::of_this_machine();
  const std::string name = recording_name(tunnel.name(), clock.at(now), to_string(raised->cause));
  if (!writer_.submit({place_, name, recording_bytes(packets, clock)})) {
    count_one(RecordingOutcome::queue_full);
    return {};
  }
  const std::string path = place_.directory + "/" + name;
  auto& recorded = recorded_[tunnel.name()];
  for (const auto& change : settled.causes) {
    if (!change.active || diagnosis::row_of(change.cause).severity == diagnosis::Severity::notice) continue;
    std::erase_if(recorded, [&](const Recorded& r) { return r.cause == change.cause; });
    recorded.push_back({change.cause, path, false});
  }
  return failing_ ? std::string{} : path;
}

void FlightRecorder::on_done(const RecordingPlace& place, const std::string& name, const RecordingResult& result) {
  for (const auto& removed : result.removed) settle_path(place.directory + "/" + removed, false);
  if (!name.empty()) {
    settle_path(place.directory + "/" + name, result.error.empty());
    count_one(result.error.empty() ? RecordingOutcome::written : RecordingOutcome::failed);
  }
  if (!(place == place_)) return;  // reconfigured since
  stored_bytes_ = result.stored_bytes;
  const bool failed = !result.error.empty();
  if (failed == failing_) return;
  failing_ = failed;
  if (failed) {
    log::warning("recording_failed", "reason=" + log::quoted(result.error));
  } else {
    log::info("recording_works", "directory=" + log::quoted(place.directory));
  }
}

// Of each path that was being written, what became of it; of one that is gone, nothing is told any more.
void FlightRecorder::settle_path(const std::string& path, bool there) {
  for (auto& [tunnel, recorded] : recorded_) {
    if (there) {
      for (Recorded& r : recorded) r.there = r.there || r.path == path;
    } else {
      std::erase_if(recorded, [&](const Recorded& r) { return r.path == path; });
    }
  }
  std::erase_if(recorded_, [](const auto& entry) { return entry.second.empty(); });
}

void FlightRecorder::report(exporters::Report& report) const {
  for (std::size_t i = 0; i < kRecordingOutcomeCount; ++i) {
    report.agent.flight_recordings.emplace_back(to_string(static_cast<RecordingOutcome>(i)), outcomes_[i]);
  }
  report.agent.flight_recorder_bytes = ring_.memory();
  report.agent.flight_recordings_stored_bytes = stored_bytes_;
  report.agent.evicted_flight_packets = ring_.evicted();
  for (auto& tunnel : report.tunnels) {
    const auto found = recorded_.find(tunnel.name);
    if (found == recorded_.end()) continue;
    for (auto& cause : tunnel.causes) {
      for (const Recorded& r : found->second) {
        if (r.there && cause.cause == to_string(r.cause)) cause.capture = r.path;
      }
    }
  }
}

}  // namespace tunnelwatch::agent
