#include "probes/passive/bgp_sessions.h"

#include "probes/wire/bgp.h"

#include <algorithm>

namespace tunnelwatch::passive {

using wire::Bytes;

BgpSessions::Connection& BgpSessions::connection_of(const Key& key) {
  const auto known = by_key_.find(key);
  if (known != by_key_.end()) {
    connections_.splice(connections_.begin(), connections_, known->second);
    return connections_.front();
  }
  if (connections_.size() == kConnections) {
    by_key_.erase(connections_.back().key);
    connections_.pop_back();
    ++counters_.evicted;
  }
  ++counters_.connections;
  connections_.emplace_front().key = key;
  by_key_[key] = connections_.begin();
  return connections_.front();
}

void BgpSessions::finish(Direction& direction) {
  direction.done = true;
  direction.buffer = {};
}

// Finds where a direction's first message begins: behind its SYN, or where a segment begins with a message.
bool BgpSessions::begins(const wire::TcpSegment& segment, Direction& direction) {
  if (!direction.begun) {
    if (!wire::parse_bgp_header(segment.payload)) return false;
    direction.begun = true;
    direction.next = segment.sequence;
  }
  return true;
}

void BgpSessions::on_packet(const wire::Datagram& packet, TimePoint at, std::vector<BgpObservation>& out) {
  const auto segment = wire::parse_tcp(packet.payload);
  if (!segment || (segment->source_port != wire::kBgpPort && segment->destination_port != wire::kBgpPort)) return;
  if (!segment->syn && segment->payload.empty()) return;
  const std::pair source(packet.source, segment->source_port);
  const std::pair destination(packet.destination, segment->destination_port);
  const bool from_low = source < destination;
  const auto& [low, high] = from_low ? std::tie(source, destination) : std::tie(destination, source);
  Connection& connection = connection_of({low.first, high.first, low.second, high.second});
  Direction& mine = connection.directions[from_low ? 0 : 1];
  Direction& other = connection.directions[from_low ? 1 : 0];
  if (segment->syn) {
    if (!segment->ack) other = {};  // a new connection between the same ports
    mine = {};
    mine.begun = true;
    mine.next = segment->sequence + 1;
    return;
  }
  if (!begins(*segment, mine)) return;
  const std::uint32_t behind = mine.next - segment->sequence;  // huge for a segment that comes too early
  if (behind >= segment->payload.size()) return;               // all of it was read before
  read({packet, mine, other, at}, segment->payload.subspan(behind), out);
  if (packet.cut) finish(mine);  // what follows does not follow on what was captured
}

void BgpSessions::read(const Place& place, Bytes fresh, std::vector<BgpObservation>& out) {
  Direction& mine = place.mine;
  while (!fresh.empty() && !mine.done) {
    const std::size_t room = wire::kBgpMaxMessage - mine.buffer.size();
    const Bytes taken = fresh.first(std::min(room, fresh.size()));
    mine.buffer.insert(mine.buffer.end(), taken.begin(), taken.end());
    mine.next += static_cast<std::uint32_t>(taken.size());
    fresh = fresh.subspan(taken.size());
    while (!mine.done && read_message(place, out)) {
    }
  }
}

// Reads the message at the front of the buffer, if it is all there, and takes it away.
bool BgpSessions::read_message(const Place& place, std::vector<BgpObservation>& out) {
  Direction& mine = place.mine;
  if (mine.buffer.size() < wire::kBgpHeaderSize) return false;
  const auto header = wire::parse_bgp_header(mine.buffer);
  if (!header) {
    ++counters_.malformed;
    finish(mine);
    return false;
  }
  if (mine.buffer.size() < header->length) return false;
  const Bytes message = Bytes(mine.buffer).first(header->length);
  BgpObservation seen{.speaker = place.packet.source, .other = place.packet.destination, .at = place.at};
  seen.other_as = place.other.as_number;
  bool last = true;
  if (header->type == wire::BgpType::open) {
    if (const auto open = wire::parse_bgp_open(message)) {
      mine.as_number = open->as_number;
      seen.sight = BgpSight::open;
      last = false;
    } else {
      ++counters_.malformed;
      finish(mine);
      return false;
    }
  } else if (header->type == wire::BgpType::keepalive) {
    seen.sight = BgpSight::accepted;
  } else if (header->type == wire::BgpType::notification) {
    const auto notification = wire::parse_bgp_notification(message);
    seen.sight = BgpSight::refused;
    seen.code = notification->code;
    seen.subcode = notification->subcode;
  } else {  // routes already: the session stood before it was seen
    finish(mine);
    return false;
  }
  seen.as_number = mine.as_number;
  out.push_back(seen);
  if (last) {
    finish(mine);
  } else {
    mine.buffer.erase(mine.buffer.begin(), mine.buffer.begin() + header->length);
  }
  return !last;
}

}  // namespace tunnelwatch::passive
