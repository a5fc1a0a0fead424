#pragma once

#include "probes/passive/ike_lengths.h"
#include "probes/time.h"

// How long a decision about IKEv2 waits for what would contradict it. All below the second in which a verdict is due,
// but where a whole exchange of people or of another SA may follow.
namespace tunnelwatch::passive {

using namespace std::chrono_literals;

inline constexpr Duration kAuthDoubt2 = 600ms;  // a round of EAP or a second authentication may follow
inline constexpr Duration kGroupDoubt = 900ms;  // the initiator comes back with the group that it was asked for
inline constexpr Duration kRekeyDoubt = 700ms;  // a retry with another group, or the peer's own rekey that collided
inline constexpr Duration kRefusalDoubt =
    1500ms;                                   // an address update (MOBIKE) is a lone notify too, but the SA lives on
inline constexpr Duration kEapDoubt = 900ms;  // the client's AUTH may follow EAP-Success, which looks like EAP-Failure
inline constexpr Duration kPpkDoubt = 2s;     // an initiator that goes on without the further key does it at once
inline constexpr Duration kAbandons = 1s;     // who cannot use what was made begins anew within this
inline constexpr Duration kDeleteDoubt = 700ms;    // a reauthentication, or the next child, may follow
inline constexpr Duration kDeleteUnanswered = 5s;  // its answer, or the traffic that denies it, may still come
inline constexpr Duration kAfterDeletion = 2s;     // in-flight packets of a deleted child are over
// An INFORMATIONAL that refuses what IKE_AUTH brought follows it at once.
inline constexpr Duration kRefusalFollows = 3s;
// A rekeyed SA is deleted soon after its successor exists.
inline constexpr Duration kRekeyDeletes = 10s;
// Rekeys of both ends that cross are answered within this of each other.
inline constexpr Duration kRekeysCross = 5s;
// The first word about a request that waits, before its sender repeats it: longer than an answer takes on any honest
// path.
inline constexpr Duration kFirstTell = 600ms;
// A request that nobody repeats any more is not waited for.
inline constexpr Duration kForget = 300s;

// What the least CREATE_CHILD_SA answer holds behind a notify in front of it; anything smaller refuses.
inline constexpr std::size_t kLeastChildAnswer = kEmptyNotify + kShortestChildSa + kShortestNonce;
inline constexpr std::size_t kChildNotFound = kEmptyNotify + 4;  // CHILD_SA_NOT_FOUND names a 4-byte SPI

}  // namespace tunnelwatch::passive
