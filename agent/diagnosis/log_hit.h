#pragma once

#include "agent/diagnosis/log_patterns.h"
#include "agent/diagnosis/log_proposals.h"
#include "probes/time.h"

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tunnelwatch::diagnosis {

// A line that names a cause, and of whose tunnel it speaks as far as the log tells.
struct LogHit {
  LogMatch match;
  std::string connection;                    // the name that the daemon's configuration gives it; empty: not told
  std::optional<IpAddress> peer;             // in the line, or known from earlier lines
  std::optional<LoggedProposals> proposals;  // of a refused one, where the daemon has listed them
  std::string line;                          // fit to be shown: printable, cut at kMaxShownLine bytes
};
inline constexpr std::size_t kMaxShownLine = 240;

// Reads one log, line by line: what matches, and whom it is about where the line itself does not say so. A connection's
// name stands for the peer that an earlier line gave it; a thread of charon speaks of the peer whose packet it has just
// got. No I/O, no clock; memory is bounded. One for each log.
class LogReader {
 public:
  std::optional<LogHit> read(std::string_view line, TimePoint at);

 private:
  struct Heard {
    IpAddress peer;
    TimePoint at{};
  };

  void note(std::string_view line, TimePoint at, std::string_view connection, std::optional<std::size_t> thread);
  std::optional<IpAddress> peer_of(Cause cause, TimePoint at, const std::string& connection,
                                   std::optional<std::size_t> thread) const;

  std::map<std::string, IpAddress, std::less<>> peers_;  // by connection
  std::array<std::optional<Heard>, 100> threads_;        // of charon, by number
  ProposalLines proposals_;
};

}  // namespace tunnelwatch::diagnosis
