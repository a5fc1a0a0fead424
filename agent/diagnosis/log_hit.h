#pragma once

#include "agent/diagnosis/log_patterns.h"
#include "agent/diagnosis/log_proposals.h"
#include "probes/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tunnelwatch::diagnosis {

// Who said it.
enum class LogTeller : std::uint8_t {
  log,           // a file, the journal, syslog
  daemon_log,    // the IKE daemon, over its socket
  daemon_alert,  // the same, by a notification of an error
};

// A line that names a cause, and of whose tunnel it speaks as far as the log tells.
struct LogHit {
  LogMatch match;
  std::string connection;                    // the name that the daemon's configuration gives it; empty: not told
  std::optional<IpAddress> peer;             // in the line, or known from earlier lines
  std::optional<LoggedProposals> proposals;  // of a refused one, where the daemon has listed them
  std::string line;                          // fit_to_show()
  LogTeller teller = LogTeller::log;
};
inline constexpr std::size_t kMaxShownLine = 240;
// Printable, cut at kMaxShownLine bytes.
std::string fit_to_show(std::string_view line);

// Reads one log, line by line: what matches, and whom it is about where the line itself does not say so. A connection's
// name, and the number of an IKE SA, stand for the peer that an earlier line gave them; a thread of charon speaks of
// the peer whose packet it has just got. An OpenVPN client whose negotiation runs out says the same whether the server
// is silent or refuses it: what came from the server before tells the two apart. No I/O, no clock; memory is bounded.
// One for each log.
class LogReader {
 public:
  std::optional<LogHit> read(std::string_view line, TimePoint at);
  // An IKE SA of charon's is known to be with this peer, by this connection; empty: not known by which.
  void know(std::uint32_t sa, std::string_view connection, const IpAddress& peer);

 private:
  struct Heard {
    IpAddress peer;
    TimePoint at{};
  };

  void note_client(std::string_view line);
  Cause told_apart(const LogMatch& match) const;
  // Whom a line is about, as it says itself.
  struct About {
    std::string_view connection;
    std::optional<std::uint32_t> sa;
    std::optional<std::size_t> thread;
  };
  void note(std::string_view line, TimePoint at, const About& about);
  std::optional<IpAddress> peer_of(Cause cause, TimePoint at, const About& about) const;

  std::map<std::string, IpAddress, std::less<>> peers_;  // by connection
  struct KnownSa {
    std::string connection;
    IpAddress peer;
  };
  std::map<std::uint32_t, KnownSa> sas_;           // by number
  std::array<std::optional<Heard>, 100> threads_;  // of charon, by number
  ProposalLines proposals_;
  // Of an OpenVPN client's attempt: whether the server has said anything yet, and whether the client has refused it.
  enum class Server : std::uint8_t { unknown, asked, heard, refused } server_ = Server::unknown;
  bool undecodable_ = false;  // what it could not load was there, and damaged
};

}  // namespace tunnelwatch::diagnosis
