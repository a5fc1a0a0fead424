#include "agent/cli/probe_words.h"

#include "agent/path_words.h"
#include "probes/wire/ike_names.h"

#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace tunnelwatch::cli {

namespace json = boost::json;

namespace {

constexpr std::uint16_t kInvalidMajorVersion = 5;  // in both registries
constexpr std::uint16_t kNoProposalChosen = 14;
constexpr std::uint16_t kCookie = 16390;

std::string notify_name(const IkeProbeObservation& o) {
  return std::string(o.answer_version == 1 ? wire::notify_name_v1(o.answer_notify)
                                           : wire::notify_name_v2(o.answer_notify));
}

std::string answer_meaning(const IkeProbeObservation& o) {
  const std::string who = fmt::format("an IKEv{} responder answers", o.answer_version);
  if (o.full_answer) return who + " and accepts an offer that nobody should";
  switch (o.answer_notify) {
    case 0:
      return who;
    case kInvalidMajorVersion:
      return fmt::format("{}: {}, as it should to version {}", who, notify_name(o), o.sent_version);
    case kNoProposalChosen:
      return fmt::format("{}: {}, as it should to this offer; without a connection for this address it says the same",
                         who, notify_name(o));
    case kCookie:
      return fmt::format("{}: {}, it is under load and asks for proof of the address first", who, notify_name(o));
    default:
      return fmt::format("{}: {}", who, notify_name(o));
  }
}

double milliseconds(Duration d) { return std::round(to_seconds(d) * 1e6) / 1e3; }

}  // namespace

std::string probe_meaning(const IkeProbeObservation& o) {
  switch (o.outcome) {
    case IkeProbeOutcome::answered:
      return answer_meaning(o);
    case IkeProbeOutcome::silent:
      return fmt::format(
          "no answer to any kind of request: UDP {} is dropped on the way or at the peer, its answers are, "
          "or no IKE listens there",
          o.port);
    case IkeProbeOutcome::refused:
      if (o.reason == RefusalReason::port_unreachable)
        return fmt::format("no IKE listens on UDP {} of {}", o.port, o.from.to_string());
      return fmt::format("{} refuses UDP {}: {}", o.from.to_string(), o.port, to_string(o.reason));
    case IkeProbeOutcome::send_error:
      return fmt::format("it never left this machine: {}", to_string(o.reason));
  }
  return "";
}

std::string probe_line(const IkeProbeObservation& o) {
  const bool answered = o.outcome == IkeProbeOutcome::answered;
  const std::string time = answered ? " in " + agent::rtt_words(o.rtt) : "";
  return fmt::format("UDP {:<4}  {}{}: {}", o.port, to_string(o.outcome), time, probe_meaning(o));
}

std::string esp_line(const ProbedEsp& esp) { return fmt::format("ESP       {}: {}", esp.verdict, esp.meaning); }

bool is_esp_blocked(const ProbedEsp& esp) {
  return esp.verdict == "unreachable" && esp.observation && !esp.observation->by_peer;
}

namespace {

json::object esp_json(const ProbedEsp& esp) {
  json::object out{{"protocol", 50}, {"verdict", esp.verdict}};
  if (const auto& o = esp.observation) {
    out["outcome"] = to_string(o->outcome);
    if (o->outcome == EspProbeOutcome::answered) out["rtt_ms"] = milliseconds(o->rtt);
    if (o->reason != RefusalReason::none) out["reason"] = to_string(o->reason);
    if (o->outcome == EspProbeOutcome::refused) out["refused_by"] = o->from.to_string();
  } else {
    out["outcome"] = "not_asked";
  }
  out["meaning"] = esp.meaning;
  return out;
}

}  // namespace

std::string probe_json(const std::string& peer, const IpAddress& address,
                       const std::vector<IkeProbeObservation>& observations, const std::optional<ProbedEsp>& esp) {
  json::array ports;
  for (const auto& o : observations) {
    json::object port{{"port", o.port}, {"outcome", to_string(o.outcome)}, {"sent_version", o.sent_version}};
    if (o.outcome == IkeProbeOutcome::answered) {
      port["rtt_ms"] = milliseconds(o.rtt);
      port["answer_version"] = o.answer_version;
      if (o.answer_notify != 0) port["notify"] = notify_name(o);
    }
    if (o.reason != RefusalReason::none) port["reason"] = to_string(o.reason);
    if (o.outcome == IkeProbeOutcome::refused) port["refused_by"] = o.from.to_string();
    port["meaning"] = probe_meaning(o);
    ports.push_back(std::move(port));
  }
  json::object told{{"peer", peer}, {"address", address.to_string()}, {"ports", std::move(ports)}};
  if (esp) told["esp"] = esp_json(*esp);
  return json::serialize(told);
}

}  // namespace tunnelwatch::cli
