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
    std::size_t i = positions_[slot];
    if (i == kNone) {
      i = entries_.size();
      entries_.push_back({at, slot});
      positions_[slot] = i;
    } else {
      entries_[i].at = at;
    }
    sift_down(sift_up(i));
  }

  void erase(std::uint32_t slot) {
    if (slot >= positions_.size() || positions_[slot] == kNone) return;
    const std::size_t hole = std::exchange(positions_[slot], kNone);
    const Entry last = entries_.back();
    entries_.pop_back();
    if (hole == entries_.size()) return;
    entries_[hole] = last;
    positions_[last.slot] = hole;
    sift_down(sift_up(hole));
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  void swap(std::size_t a, std::size_t b) {
    std::swap(entries_[a], entries_[b]);
    positions_[entries_[a].slot] = a;
    positions_[entries_[b].slot] = b;
  }
  std::size_t sift_up(std::size_t i) {
    for (; i > 0 && entries_[i].at < entries_[(i - 1) / 2].at; i = (i - 1) / 2) swap(i, (i - 1) / 2);
    return i;
  }
  void sift_down(std::size_t i) {
    while (true) {
      std::size_t least = i;
      for (std::size_t child = 2 * i + 1; child <= 2 * i + 2 && child < entries_.size(); ++child) {
        if (entries_[child].at < entries_[least].at) least = child;
      }
      if (least == i) return;
      swap(i, least);
      i = least;
    }
  }

  std::vector<Entry> entries_;
  std::vector<std::size_t> positions_;  // slot -> index in entries_
};

}  // namespace tunnelwatch::active
