#include "probes/io/capture_handover.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace tunnelwatch::io {

using wire::Datagram;

namespace {

// A datagram whose payload lies in its batch's bytes.
struct Kept {
  Datagram datagram;
  std::size_t offset = 0;
};
struct KeptIke {
  Kept ike;
  TimePoint at;
  bool reassembled;
};
struct KeptError {
  Kept error;
  Kept quoted;
  TimePoint at;
};
struct KeptKeepalive {
  Kept keepalive;
  TimePoint at;
};
using Item = std::variant<KeptIke, KeptError, KeptKeepalive, passive::EspStreamSummary, passive::FragmentEvent,
                          passive::LeakSummary, passive::BgpObservation, passive::TunnelPingSummary,
                          passive::OuterPathSummary, CaptureState>;

}  // namespace

struct CaptureHandover::Batch {
  std::vector<Item> items;
  std::vector<std::uint8_t> bytes;

  std::size_t cost() const { return items.size() * sizeof(Item) + bytes.size(); }
  Kept keep(const Datagram& d) {
    const Kept kept{d, bytes.size()};
    bytes.insert(bytes.end(), d.payload.begin(), d.payload.end());
    return kept;
  }
  Datagram open(const Kept& kept) const {
    Datagram d = kept.datagram;
    d.payload = wire::Bytes(bytes).subspan(kept.offset, d.payload.size());
    return d;
  }
};

struct CaptureHandover::Shared {
  Shared(boost::asio::io_context& context_, passive::PacketSink& target_, CaptureStateHandler handler, std::size_t most)
      : context(context_), target(&target_), on_state(std::move(handler)), budget(most) {}

  boost::asio::io_context& context;
  passive::PacketSink* target;  // null once closed; the io_context's thread only
  CaptureStateHandler on_state;
  const std::size_t budget;
  std::atomic<std::uint64_t> dropped{0};
  std::mutex mutex;  // guards what follows
  std::vector<Batch> queue;
  std::size_t queued = 0;
  bool posted = false;

  void deliver();
  void tell(const Batch& batch, const Item& item);
};

CaptureHandover::CaptureHandover(boost::asio::io_context& context, passive::PacketSink& target,
                                 CaptureStateHandler on_state, std::size_t budget)
    : shared_(std::make_shared<Shared>(context, target, std::move(on_state), budget)),
      batch_(std::make_unique<Batch>()) {}

CaptureHandover::~CaptureHandover() = default;

bool CaptureHandover::has_room(std::size_t payload) {
  if (batch_->cost() + sizeof(Item) + payload <= shared_->budget) return true;
  shared_->dropped.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void CaptureHandover::on_ike(const Datagram& ike, TimePoint at, bool reassembled) {
  if (has_room(ike.payload.size())) batch_->items.emplace_back(KeptIke{batch_->keep(ike), at, reassembled});
}

void CaptureHandover::on_icmp_error(const Datagram& error, const Datagram& quoted, TimePoint at) {
  if (!has_room(error.payload.size() + quoted.payload.size())) return;
  batch_->items.emplace_back(KeptError{batch_->keep(error), batch_->keep(quoted), at});
}

void CaptureHandover::on_nat_keepalive(const Datagram& keepalive, TimePoint at) {
  if (has_room(keepalive.payload.size())) batch_->items.emplace_back(KeptKeepalive{batch_->keep(keepalive), at});
}

void CaptureHandover::on_esp(const passive::EspStreamSummary& stream) {
  if (has_room(0)) batch_->items.emplace_back(stream);
}

void CaptureHandover::on_fragments(const passive::FragmentEvent& event) {
  if (has_room(0)) batch_->items.emplace_back(event);
}

void CaptureHandover::on_leak(const passive::LeakSummary& leak) {
  if (has_room(0)) batch_->items.emplace_back(leak);
}

void CaptureHandover::on_outer_path(const passive::OuterPathSummary& path) {
  if (has_room(0)) batch_->items.emplace_back(path);
}

void CaptureHandover::on_tunnel_pings(const passive::TunnelPingSummary& pings) {
  if (has_room(0)) batch_->items.emplace_back(pings);
}

void CaptureHandover::on_bgp(const passive::BgpObservation& observation) {
  if (has_room(0)) batch_->items.emplace_back(observation);
}

// Never dropped: states are rare and bounded by the backoff of whoever tells them.
void CaptureHandover::on_state(CaptureState state) { batch_->items.emplace_back(std::move(state)); }

void CaptureHandover::flush() {
  if (batch_->items.empty()) return;
  Batch batch = std::exchange(*batch_, Batch{});
  bool post = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->queued + batch.cost() > shared_->budget) {
      std::size_t kept = 0;
      for (Item& item : batch.items) {
        if (std::holds_alternative<CaptureState>(item)) std::swap(batch.items[kept++], item);
      }
      shared_->dropped.fetch_add(batch.items.size() - kept, std::memory_order_relaxed);
      batch.items.resize(kept);
      batch.bytes.clear();
    }
    if (batch.items.empty()) return;
    shared_->queued += batch.cost();
    shared_->queue.push_back(std::move(batch));
    post = !std::exchange(shared_->posted, true);
  }
  if (post) boost::asio::post(shared_->context, [shared = shared_] { shared->deliver(); });
}

void CaptureHandover::Shared::deliver() {
  std::vector<Batch> batches;
  {
    const std::lock_guard lock(mutex);
    batches.swap(queue);
    queued = 0;
    posted = false;
  }
  for (const Batch& batch : batches) {
    for (const Item& item : batch.items) {
      if (target == nullptr) return;  // closed, perhaps by what was told just now
      tell(batch, item);
    }
  }
}

void CaptureHandover::Shared::tell(const Batch& batch, const Item& item) {
  if (const auto* ike = std::get_if<KeptIke>(&item)) {
    target->on_ike(batch.open(ike->ike), ike->at, ike->reassembled);
  } else if (const auto* error = std::get_if<KeptError>(&item)) {
    target->on_icmp_error(batch.open(error->error), batch.open(error->quoted), error->at);
  } else if (const auto* keepalive = std::get_if<KeptKeepalive>(&item)) {
    target->on_nat_keepalive(batch.open(keepalive->keepalive), keepalive->at);
  } else if (const auto* stream = std::get_if<passive::EspStreamSummary>(&item)) {
    target->on_esp(*stream);
  } else if (const auto* fragments = std::get_if<passive::FragmentEvent>(&item)) {
    target->on_fragments(*fragments);
  } else if (const auto* leak = std::get_if<passive::LeakSummary>(&item)) {
    target->on_leak(*leak);
  } else if (const auto* bgp = std::get_if<passive::BgpObservation>(&item)) {
    target->on_bgp(*bgp);
  } else if (const auto* pings = std::get_if<passive::TunnelPingSummary>(&item)) {
    target->on_tunnel_pings(*pings);
  } else if (const auto* path = std::get_if<passive::OuterPathSummary>(&item)) {
    target->on_outer_path(*path);
  } else if (const auto* state = std::get_if<CaptureState>(&item)) {
    if (on_state) on_state(*state);
  }
}

void CaptureHandover::close() {
  shared_->target = nullptr;
  shared_->on_state = nullptr;
}

std::uint64_t CaptureHandover::dropped() const { return shared_->dropped.load(std::memory_order_relaxed); }

}  // namespace tunnelwatch::io
