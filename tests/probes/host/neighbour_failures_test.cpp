#include "probes/host/neighbour_failures.h"

#include <gtest/gtest.h>

namespace tunnelwatch::host {
namespace {

using enum NeighbourState;

KernelNeighbour neighbour(NeighbourState state, std::uint32_t link = 3, const char* address = "192.0.2.1") {
  return {link, *IpAddress::parse(address), state};
}

NeighbourState seen(NeighbourFailures& failures, KernelNeighbour in_table) {
  std::vector table{std::move(in_table)};
  failures.complete(table);
  return table.front().state;
}

TEST(NeighbourFailures, OneThatIsAskedForAgainHasFailedStill) {
  NeighbourFailures failures;
  EXPECT_EQ(seen(failures, neighbour(resolving)), resolving) << "asked for the first time";
  failures.note({neighbour(failed), neighbour(resolving)});
  EXPECT_EQ(seen(failures, neighbour(resolving)), failed);
  EXPECT_EQ(seen(failures, neighbour(resolving)), failed) << "also when the table is read once more";
}

TEST(NeighbourFailures, AnAnswerEndsIt) {
  NeighbourFailures failures;
  failures.note({neighbour(failed), neighbour(resolved)});
  EXPECT_EQ(seen(failures, neighbour(resolving)), resolving) << "told as an event";
  failures.note({neighbour(failed)});
  EXPECT_EQ(seen(failures, neighbour(resolved)), resolved) << "read in the table: the event may have been lost";
  EXPECT_EQ(seen(failures, neighbour(resolving)), resolving);
}

TEST(NeighbourFailures, AFailureThatOnlyTheTableToldIsKeptToo) {
  NeighbourFailures failures;
  EXPECT_EQ(seen(failures, neighbour(failed)), failed);
  EXPECT_EQ(seen(failures, neighbour(resolving)), failed);
}

TEST(NeighbourFailures, TheSameAddressOnAnotherLinkIsAnother) {
  NeighbourFailures failures;
  failures.note({neighbour(failed, 3)});
  std::vector table{neighbour(resolving, 3), neighbour(resolving, 4), neighbour(resolving, 3, "192.0.2.2")};
  failures.complete(table);
  EXPECT_EQ(table[0].state, failed);
  EXPECT_EQ(table[1].state, resolving);
  EXPECT_EQ(table[2].state, resolving);
}

TEST(NeighbourFailures, WhatLeftTheTableIsForgotten) {
  NeighbourFailures failures;
  failures.note({neighbour(failed)});
  std::vector<KernelNeighbour> empty;
  failures.complete(empty);
  EXPECT_EQ(seen(failures, neighbour(resolving)), resolving);
}

}  // namespace
}  // namespace tunnelwatch::host
