#include "probes/passive/reassembly.h"

#include "probes/wire/frame.h"
#include "probes/wire/udp.h"

#include <algorithm>

namespace tunnelwatch::passive {

using wire::Datagram;
using wire::DatagramKind;

namespace {

constexpr std::uint32_t kMaxDatagram = 65535;

// One fragment's place in the datagram and in the train's store, which keeps the order of arrival: memory follows what
// was received, never what an offset claims.
struct Piece {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::size_t stored_at = 0;
};

}  // namespace

struct Reassembly::Train {
  Datagram first;  // addresses, id and protocol at once; the rest when the first fragment is there. No payload
  bool first_seen = false;
  bool quiet = false;       // finished, refused or not ours: known so that copies and stragglers open no new train
  std::uint32_t total = 0;  // 0 until the last fragment told
  std::uint32_t received = 0;
  TimePoint first_at{};
  TimePoint last_at{};
  TimePoint deadline{};
  std::vector<Piece> pieces;
  std::vector<std::uint8_t> store;

  bool same(const Datagram& f) const {
    return first.fragment_id == f.fragment_id && first.source == f.source && first.destination == f.destination;
  }
};

Reassembly::Reassembly(const ReassemblyLimits& limits) : limits_(limits) { trains_.reserve(limits.trains); }
Reassembly::~Reassembly() = default;

std::size_t Reassembly::trains() const { return trains_.size(); }

const Datagram* Reassembly::add(const Datagram& fragment, TimePoint now) {
  events_.clear();
  expire_trains(now);
  Train* known = find(fragment);
  Train& train = known != nullptr ? *known : open(fragment, now);
  if (train.quiet) return nullptr;
  train.last_at = now;
  if (fragment.cut) {
    ++counters_.cut;
    quiet(train, train.deadline);
    return nullptr;
  }
  if (fragment.fragment_offset == 0 && !take_first(train, fragment)) return nullptr;
  if (!store(train, fragment)) return nullptr;
  return train.first_seen && train.total != 0 && train.received == train.total ? complete(train) : nullptr;
}

void Reassembly::expire(TimePoint now) {
  events_.clear();
  expire_trains(now);
}

void Reassembly::expire_trains(TimePoint now) {
  if (now < next_deadline_) return;
  for (Train& train : trains_) {
    if (train.deadline <= now && !train.quiet) finish(train, FragmentEventKind::timed_out);
  }
  std::erase_if(trains_, [now](const Train& train) { return train.deadline <= now; });
  next_deadline_ = TimePoint::max();
  for (const Train& train : trains_) next_deadline_ = std::min(next_deadline_, train.deadline);
}

Reassembly::Train* Reassembly::find(const Datagram& fragment) {
  const auto at = std::find_if(trains_.begin(), trains_.end(), [&](const Train& t) { return t.same(fragment); });
  return at == trains_.end() ? nullptr : &*at;
}

Reassembly::Train& Reassembly::open(const Datagram& fragment, TimePoint now) {
  if (trains_.size() >= limits_.trains) make_room();
  Train& train = trains_.emplace_back();
  train.first = fragment;
  train.first.payload = {};
  train.first_at = train.last_at = now;
  train.deadline = now + limits_.timeout;
  next_deadline_ = std::min(next_deadline_, train.deadline);
  return train;
}

// Who goes first: trains that ended, then those that may not be ours, then the oldest.
void Reassembly::make_room() {
  const auto rank = [](const Train& t) { return t.quiet ? 0 : t.first_seen ? 2 : 1; };
  const auto victim = std::min_element(trains_.begin(), trains_.end(), [&](const Train& a, const Train& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.first_at < b.first_at;
  });
  if (!victim->quiet) ++counters_.evicted;
  bytes_ -= victim->store.size();
  if (victim != trains_.end() - 1) *victim = std::move(trains_.back());
  trains_.pop_back();
}

// Learns the ports; false when they make the train none of ours.
bool Reassembly::take_first(Train& train, const Datagram& fragment) {
  if (train.first_seen) return true;
  const auto begun = wire::decode_first_fragment(fragment);
  if (!begun || begun->kind != DatagramKind::ike) {
    quiet(train, train.last_at + limits_.memory);
    return false;
  }
  const std::uint32_t header = fragment.wire_length - static_cast<std::uint32_t>(fragment.payload.size());
  train.first = fragment;
  train.first.payload = {};
  train.first.wire_length = header;
  train.first_seen = true;
  return true;
}

// Keeps the fragment's bytes; false when it is a copy or ends the train.
bool Reassembly::store(Train& train, const Datagram& fragment) {
  const Piece piece{fragment.fragment_offset, static_cast<std::uint32_t>(fragment.payload.size()), train.store.size()};
  const std::uint32_t end = piece.offset + piece.length;
  for (const Piece& other : train.pieces) {
    if (other.offset >= end || piece.offset >= other.offset + other.length) continue;
    const bool copy = other.offset == piece.offset && other.length == piece.length &&
                      std::equal(fragment.payload.begin(), fragment.payload.end(),
                                 train.store.begin() + static_cast<std::ptrdiff_t>(other.stored_at));
    if (!copy) finish(train, FragmentEventKind::overlapping);
    return false;
  }
  const bool beyond_the_end = train.total != 0 && (end > train.total || !fragment.more_fragments);
  const bool end_before_another =
      !fragment.more_fragments &&
      std::any_of(train.pieces.begin(), train.pieces.end(), [end](const Piece& p) { return p.offset >= end; });
  if (beyond_the_end || end_before_another) {
    finish(train, FragmentEventKind::overlapping);
    return false;
  }
  if (train.pieces.size() >= limits_.fragments || end > kMaxDatagram || !evict_for_bytes(train, piece.length)) {
    finish(train, FragmentEventKind::too_many);
    return false;
  }
  train.pieces.push_back(piece);
  train.store.insert(train.store.end(), fragment.payload.begin(), fragment.payload.end());
  bytes_ += piece.length;
  train.received += piece.length;
  if (!fragment.more_fragments) train.total = end;
  return true;
}

bool Reassembly::evict_for_bytes(const Train& keep, std::size_t wanted) {
  while (bytes_ + wanted > limits_.total_bytes) {
    Train* victim = nullptr;
    for (Train& train : trains_) {
      if (&train == &keep || train.store.empty()) continue;
      const bool better = victim == nullptr || (victim->first_seen && !train.first_seen) ||
                          (victim->first_seen == train.first_seen && train.first_at < victim->first_at);
      if (better) victim = &train;
    }
    if (victim == nullptr) return false;
    ++counters_.evicted;
    quiet(*victim, victim->deadline);
  }
  return true;
}

const Datagram* Reassembly::complete(Train& train) {
  std::sort(train.pieces.begin(), train.pieces.end(),
            [](const Piece& a, const Piece& b) { return a.offset < b.offset; });
  whole_bytes_.clear();
  for (const Piece& piece : train.pieces) {
    const auto from = train.store.begin() + static_cast<std::ptrdiff_t>(piece.stored_at);
    whole_bytes_.insert(whole_bytes_.end(), from, from + static_cast<std::ptrdiff_t>(piece.length));
  }
  const auto decoded = wire::decode_reassembled(train.first, whole_bytes_);
  finish(train, FragmentEventKind::completed);
  if (!decoded) {
    ++counters_.malformed;
    return nullptr;
  }
  whole_ = *decoded;
  return &whole_;
}

void Reassembly::finish(Train& train, FragmentEventKind kind) {
  FragmentEvent event{.kind = kind, .source = train.first.source, .destination = train.first.destination};
  event.ports_known = train.first_seen;
  event.source_port = train.first_seen ? train.first.source_port : std::uint16_t{0};
  event.destination_port = train.first_seen ? train.first.destination_port : std::uint16_t{0};
  event.id = train.first.fragment_id;
  event.fragments = static_cast<std::uint32_t>(train.pieces.size());
  event.bytes = train.received;
  event.first = train.first_at;
  event.last = train.last_at;
  events_.push_back(event);
  switch (kind) {
    case FragmentEventKind::completed:
      ++counters_.completed;
      break;
    case FragmentEventKind::timed_out:
      ++counters_.timed_out;
      break;
    case FragmentEventKind::too_many:
      ++counters_.too_many;
      break;
    case FragmentEventKind::overlapping:
      ++counters_.overlapping;
      break;
  }
  // A refused train stays known for its whole time: what still comes of it must not make a new one.
  quiet(train, kind == FragmentEventKind::completed ? train.last_at + limits_.memory : train.deadline);
}

void Reassembly::quiet(Train& train, TimePoint until) {
  bytes_ -= train.store.size();
  train.store = {};
  train.pieces = {};
  train.quiet = true;
  train.deadline = until;
  next_deadline_ = std::min(next_deadline_, until);
}

}  // namespace tunnelwatch::passive
