#include "probes/passive/esp_streams.h"

#include "probes/wire/esp.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tunnelwatch::passive {

namespace {

constexpr std::uint32_t kHandSteps = 32;  // live streams looked at for room, a packet
constexpr std::size_t kSlotsPerStream = 4;

std::uint64_t mixed(std::uint64_t h, std::uint64_t word) {
  h = (h ^ word) * 0x9e3779b97f4a7c15U;
  return h ^ h >> 29;
}

template <typename Word>
Word word_at(const IpAddress& address, std::size_t at) {
  Word word = 0;
  std::memcpy(&word, address.bytes().data() + at, sizeof word);
  return word;
}

}  // namespace

EspStreams::EspStreams(const EspLimits& limits, std::uint64_t seed)
    : limits_(limits), seed_(seed), slots_(std::bit_ceil(std::max<std::size_t>(limits.streams, 1) * kSlotsPerStream)) {
  mask_ = static_cast<std::uint32_t>(slots_.size() - 1);
  changed_.reserve(limits.streams);
  still_changed_.reserve(limits.streams);
}

bool EspStreams::on_packet(const wire::Datagram& esp, TimePoint now) {
  const auto header = wire::read_esp_header(esp.payload);
  if (!header) return false;
  if (header->spi < wire::kFirstOwnSpi) {
    ++counters_.packets;
    ++counters_.reserved_spi;
    return false;
  }
  const Key key = key_of(esp, header->spi);
  const std::uint32_t hash = hash_of(key);
  std::uint32_t index = find(key, hash);
  const bool is_new = index == kNone;
  if (is_new) {
    index = open(esp, key, hash, now);
    if (index == kNone) {
      ++counters_.packets;
      return false;
    }
    newest_ = index;
    streams_[index].gaps = gaps_;
    streams_[index].direction = esp.link_direction;
    streams_[index].sequence.start(header->sequence, now);
  } else if (is_second_sight(streams_[index], esp.link_direction, now)) {
    ++counters_.packets;
    return false;
  } else {
    advance(streams_[index], header->sequence, now);
  }
  account(index,
          {.spi = header->spi,
           .sequence = header->sequence,
           .wire_length = esp.wire_length,
           .source_port = esp.source_port,
           .destination_port = esp.destination_port,
           .in_udp = esp.kind == wire::DatagramKind::esp_in_udp},
          now);
  return is_new;
}

// A machine that forwards shows each packet twice where it is captured on all its interfaces: coming in, and going out.
// A stream's packets count the way they were seen first, for as long as they are.
bool EspStreams::is_second_sight(Stream& s, wire::LinkDirection direction, TimePoint now) {
  constexpr Duration kMoved = std::chrono::seconds(1);
  if (direction == wire::LinkDirection::unknown || direction == s.direction) return false;
  if (s.direction != wire::LinkDirection::unknown && now - s.last < kMoved) return true;
  s.direction = direction;
  return false;
}

bool EspStreams::on_known(const wire::EspGlance& esp, TimePoint now) {
  const Key key{.source = esp.source, .destination = esp.destination, .spi = esp.spi};
  const std::uint32_t index = find(key, hash_of(key));
  if (index == kNone) return false;
  advance(streams_[index], esp.sequence, now);
  account(index, esp, now);
  return true;
}

void EspStreams::advance(Stream& s, std::uint32_t sequence, TimePoint now) {
  if (s.gaps != gaps_ || now < blind_until_) {
    s.sequence.on_packet_after_gap(sequence, now);
    s.gaps = gaps_;
  } else {
    s.sequence.on_packet(sequence, now);
  }
}

void EspStreams::account(std::uint32_t index, const wire::EspGlance& esp, TimePoint now) {
  ++counters_.packets;
  Stream& s = streams_[index];
  s.in_udp = esp.in_udp;
  s.source_port = esp.source_port;
  s.destination_port = esp.destination_port;
  ++s.packets;
  s.bytes += esp.wire_length;
  s.last = now;
  if (!s.live && s.sequence.live()) {
    s.live = true;
    unqueue(index);
  }
  touch(index);
}

void EspStreams::on_capture_gap(TimePoint until) {
  ++gaps_;
  blind_until_ = std::max(blind_until_, until);
}

EspStreams::Key EspStreams::key_of(const wire::Datagram& esp, std::uint32_t spi) {
  Key key;
  key.spi = spi;
  key.v6 = !esp.source.is_v4();
  if (key.v6) {
    key.source = word_at<std::uint64_t>(esp.source, 0);
    key.source_rest = word_at<std::uint64_t>(esp.source, 8);
    key.destination = word_at<std::uint64_t>(esp.destination, 0);
    key.destination_rest = word_at<std::uint64_t>(esp.destination, 8);
  } else {
    key.source = word_at<std::uint32_t>(esp.source, 0);
    key.destination = word_at<std::uint32_t>(esp.destination, 0);
  }
  return key;
}

std::uint32_t EspStreams::hash_of(const Key& key) const {
  std::uint64_t h = mixed(seed_, key.spi);
  if (key.v6) {
    h = mixed(mixed(h, key.source), key.source_rest);
    h = mixed(mixed(h, key.destination), key.destination_rest);
  } else {
    h = mixed(h, key.source << 32 | key.destination);
  }
  return static_cast<std::uint32_t>(h >> 32 ^ h);
}

std::uint32_t EspStreams::find(const Key& key, std::uint32_t hash) const {
  for (std::uint32_t at = hash & mask_; slots_[at].stream != kNone; at = (at + 1) & mask_) {
    if (slots_[at].hash == hash && streams_[slots_[at].stream].key == key) return slots_[at].stream;
  }
  return kNone;
}

std::uint32_t EspStreams::open(const wire::Datagram& esp, const Key& key, std::uint32_t hash, TimePoint now) {
  const std::uint32_t index = make_room(now);
  if (index == kNone) {
    ++counters_.refused;
    return kNone;
  }
  Stream& s = streams_[index];
  const bool dirty = s.dirty;  // the place may still be on the list of changed ones
  s = Stream{};
  s.dirty = dirty;
  s.source = esp.source;
  s.destination = esp.destination;
  s.key = key;
  s.hash = hash;
  s.first = now;
  insert_slot(hash, index);
  enqueue(index);
  return index;
}

std::uint32_t EspStreams::make_room(TimePoint now) {
  if (streams_.size() < limits_.streams) {
    streams_.emplace_back();
    return static_cast<std::uint32_t>(streams_.size() - 1);
  }
  std::uint32_t victim = oldest_unproven_;
  for (std::uint32_t step = 0; victim == kNone && step < kHandSteps && !streams_.empty(); ++step) {
    if (++hand_ >= streams_.size()) hand_ = 0;
    if (now - streams_[hand_].last > limits_.idle) victim = hand_;
  }
  if (victim == kNone) return kNone;
  ++counters_.evicted;
  if (!streams_[victim].live) unqueue(victim);
  erase_slot(victim);
  return victim;
}

void EspStreams::enqueue(std::uint32_t index) {
  streams_[index].older = newest_unproven_;
  streams_[index].newer = kNone;
  (newest_unproven_ == kNone ? oldest_unproven_ : streams_[newest_unproven_].newer) = index;
  newest_unproven_ = index;
}

void EspStreams::unqueue(std::uint32_t index) {
  const Stream& s = streams_[index];
  (s.older == kNone ? oldest_unproven_ : streams_[s.older].newer) = s.newer;
  (s.newer == kNone ? newest_unproven_ : streams_[s.newer].older) = s.older;
}

void EspStreams::insert_slot(std::uint32_t hash, std::uint32_t index) {
  std::uint32_t at = hash & mask_;
  while (slots_[at].stream != kNone) at = (at + 1) & mask_;
  slots_[at] = Slot{hash, index};
}

// Linear probing without tombstones: what follows in the run moves up where its home allows it.
void EspStreams::erase_slot(std::uint32_t index) {
  std::uint32_t hole = streams_[index].hash & mask_;
  while (slots_[hole].stream != index) hole = (hole + 1) & mask_;
  for (std::uint32_t at = (hole + 1) & mask_; slots_[at].stream != kNone; at = (at + 1) & mask_) {
    const std::uint32_t home = slots_[at].hash & mask_;
    if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = Slot{};
}

void EspStreams::touch(std::uint32_t index) {
  if (streams_[index].dirty) return;
  streams_[index].dirty = true;
  changed_.push_back(index);
}

EspStreamSummary EspStreams::newest() const {
  return newest_ == kNone ? EspStreamSummary{} : summary(streams_[newest_]);
}

void EspStreams::collect(std::vector<EspStreamSummary>& out) {
  still_changed_.clear();
  for (const std::uint32_t index : changed_) {
    Stream& s = streams_[index];
    s.dirty = s.sequence.settle();
    if (s.dirty) still_changed_.push_back(index);
    out.push_back(summary(s));
  }
  changed_.swap(still_changed_);
}

void EspStreams::collect_final(std::vector<EspStreamSummary>& out) {
  changed_.clear();
  for (Stream& s : streams_) {
    s.dirty = false;
    s.sequence.settle_all();
    out.push_back(summary(s));
  }
}

EspStreamSummary EspStreams::summary(const Stream& s) const {
  return EspStreamSummary{.source = s.source,
                          .destination = s.destination,
                          .spi = s.key.spi,
                          .in_udp = s.in_udp,
                          .live = s.live,
                          .source_port = s.source_port,
                          .destination_port = s.destination_port,
                          .packets = s.packets,
                          .bytes = s.bytes,
                          .lost = s.sequence.lost(),
                          .reordered = s.sequence.reordered(),
                          .duplicates = s.sequence.duplicates(),
                          .out_of_window = s.sequence.out_of_window(),
                          .jumps = s.sequence.jumps(),
                          .sequence = s.sequence.highest(),
                          .first = s.first,
                          .last = s.last};
}

}  // namespace tunnelwatch::passive
