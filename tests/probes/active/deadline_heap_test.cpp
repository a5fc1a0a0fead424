#include "probes/active/deadline_heap.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace tunnelwatch::active {
namespace {

TEST(DeadlineHeap, AgreesWithAMapUnderRandomChanges) {
  DeadlineHeap heap;
  std::map<std::uint32_t, TimePoint> model;
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    const std::uint32_t slot = random() % 64;
    if (random() % 4 == 0) {
      heap.erase(slot);
      model.erase(slot);
    } else {
      const TimePoint at{Duration{random() % 1000}};
      heap.set(slot, at);
      model[slot] = at;
    }
    ASSERT_EQ(heap.size(), model.size());
    ASSERT_EQ(heap.empty(), model.empty());
    if (model.empty()) continue;
    TimePoint least = TimePoint::max();
    for (const auto& entry : model) least = std::min(least, entry.second);
    ASSERT_EQ(heap.top().at, least);
    ASSERT_EQ(model.at(heap.top().slot), least);
  }
}

TEST(DeadlineHeap, ErasingWhatIsNotThereChangesNothing) {
  DeadlineHeap heap;
  heap.erase(9);
  heap.set(1, TimePoint{Duration{1}});
  heap.erase(2);
  EXPECT_EQ(heap.size(), 1U);
}

}  // namespace
}  // namespace tunnelwatch::active
