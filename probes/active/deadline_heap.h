#pragma once

#include "probes/time.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tunnelwatch::active {

// The next deadline of each of many slots, as an indexed binary heap: one entry a slot, moved in place, so that it is
// bounded by the number of slots however often a deadline changes. Slots are small integers that the owner hands out.
class DeadlineHeap {
 public:
  struct Entry {
    TimePoint at;
    std::uint32_t slot;
  };

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  // The earliest entry; not on an empty heap.
  const Entry& top() const { return entries_.front(); }

  // Sets the deadline of a slot, whether or not it has one.
  void set(std::uint32_t slot, TimePoint at) {
    if (slot >= positions_.size()) positions_.resize(slot + 1U, kNone);
    if (positions_[slot] == kNone) {
      positions_[slot] = static_cast<std::uint32_t>(entries_.size());
      entries_.push_back({at, slot});
    }
    settle(positions_[slot], {at, slot});
  }

  void erase(std::uint32_t slot) {
    if (slot >= positions_.size() || positions_[slot] == kNone) return;
    const std::size_t hole = std::exchange(positions_[slot], kNone);
    const Entry last = entries_.back();
    entries_.pop_back();
    if (hole != entries_.size()) settle(hole, last);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // Moves the hole at i to where the entry belongs, and puts it there.
  void settle(std::size_t i, const Entry& entry) {
    for (; i > 0 && entry.at < entries_[(i - 1) / 2].at; i = (i - 1) / 2) put(i, entries_[(i - 1) / 2]);
    for (std::size_t child = 2 * i + 1; child < entries_.size(); child = 2 * i + 1) {
      if (child + 1 < entries_.size() && entries_[child + 1].at < entries_[child].at) ++child;
      if (entry.at <= entries_[child].at) break;
      put(i, entries_[child]);
      i = child;
    }
    put(i, entry);
  }
  void put(std::size_t i, const Entry& entry) {
    entries_[i] = entry;
    positions_[entry.slot] = static_cast<std::uint32_t>(i);
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> positions_;  // slot -> index in entries_
};

}  // namespace tunnelwatch::active
