#pragma once

#include "agent/diagnosis/fact.h"
#include "agent/diagnosis/log_hit.h"

namespace tunnelwatch::diagnosis {

// What logs name as causes of one tunnel, and for how long that is news: until the tunnel is seen to work after it, or
// nobody has repeated it for long.
class LogEvidence {
 public:
  explicit LogEvidence(Facts& facts) : facts_(facts) {}

  // `more`: what else is known by it, to be told with the line.
  void on_hit(const LogHit& hit, TimePoint at, const std::optional<Text>& more = {});
  // The peer's ESP came in.
  void on_inbound_esp(TimePoint at);
  void advance(TimePoint now);
  bool waits() const { return !facts_.logged().empty(); }

 private:
  Facts& facts_;
};

// Whether the tunnel is seen to carry traffic, or to stand without a complaint.
bool carries(const Facts& facts);

}  // namespace tunnelwatch::diagnosis
