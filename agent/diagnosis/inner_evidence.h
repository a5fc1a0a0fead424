#pragma once

#include "agent/diagnosis/fact.h"
#include "config/settings.h"
#include "probes/active/echo_statistics.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tunnelwatch::diagnosis {

// Who is pinged through a tunnel: its inner hosts and, where it is configured, the peer's own address inside.
std::vector<config::Host> pinged_inside(const config::Tunnel& tunnel);

// A host behind the peer that is pinged.
struct InnerTarget {
  std::string_view host;  // as configured
  std::optional<IpAddress> address;
  bool fits = true;  // the pings leave from a subnet that the tunnel carries; from elsewhere silence is no wonder
};

// How it takes our pings.
struct InnerHost {
  std::string name;
  std::optional<IpAddress> address;
  bool expected = true;  // to answer: the peer's own address need not, but where it does it speaks for the tunnel
  bool answers = false;
  bool ever_answered = false;
  bool silent = false;       // for long enough, while the tunnel carried traffic both ways
  std::uint32_t losses = 0;  // in a row, since the tunnel carries traffic
  TimePoint silent_since{};  // its last reply, or since it is asked over a tunnel that carries traffic
  std::optional<TimePoint> last_reply;

  std::uint32_t consecutive = 0;  // losses, as its window told them last
  std::uint32_t baseline = 0;     // of them, from before the tunnel carried traffic
  std::optional<TimePoint> asked_since;
};

// Which hosts behind the peer are silent while the tunnel itself carries traffic: one of them, or a whole subnet. A
// host that never answered is told too, late and with less certainty: the configuration calls it one that answers.
class InnerEvidence {
 public:
  InnerEvidence(Facts& facts, const config::Tunnel& tunnel) : facts_(facts) { reconfigure(tunnel); }

  void reconfigure(const config::Tunnel& tunnel);
  // The windows of all hosts in the order of the configuration, about once a second. `inbound`: the peer's last ESP.
  void on_echo(const InnerTarget& target, const active::EchoWindow& window, TimePoint now, bool last,
               const std::optional<TimePoint>& inbound);

 private:
  InnerHost* host_of(std::string_view name);
  void note_carrying();
  bool is_silent(const InnerHost& host, const active::EchoWindow& window, TimePoint now) const;
  void judge(TimePoint now, const std::optional<TimePoint>& inbound);
  void judge_beside(const InnerHost& answering, const std::vector<const InnerHost*>& silent, TimePoint now);
  void judge_alone(const std::vector<const InnerHost*>& silent, TimePoint now, const std::optional<TimePoint>& inbound);
  std::size_t subnet_of(const InnerHost& host) const;

  Facts& facts_;
  std::vector<IpPrefix> subnets_;
  std::vector<InnerHost> hosts_;
  std::size_t cursor_ = 0;
  std::optional<TimePoint> carrying_since_;
};

}  // namespace tunnelwatch::diagnosis
