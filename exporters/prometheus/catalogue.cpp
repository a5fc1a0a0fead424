#include "exporters/prometheus/catalogue.h"

#include "exporters/seconds.h"

#include <algorithm>
#include <string>
#include <tuple>

// A row a metric: this file is as long as the catalogue.
//
// Why cause_active has no series at zero for causes that were never raised: 105 causes x 1000 tunnels would be most of
// every scrape and say nothing. A cause gets its series when it is first raised and keeps it, at 0 once it cleared, as
// long as the agent runs; `tunnel_faults` is there for each tunnel from the start, so that an alert on any fault needs
// no series that may not exist yet. The reasons of refusals and the rarer events are told likewise: 13 and 46 series
// at zero for each target and tunnel would be half of a large scrape.
namespace tunnelwatch::exporters {
namespace {

using Sink = SeriesSink;
using In = const OrderedReport;
constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kGauge = prometheus::MetricType::Gauge;
constexpr auto kHistogram = prometheus::MetricType::Histogram;
constexpr auto kSummary = prometheus::MetricType::Summary;

constexpr std::array<std::string_view, 4> kStates = {"up", "negotiating", "down", "unknown"};
constexpr std::array<std::string_view, 3> kConfidences = {"confirmed", "likely", "possible"};
constexpr std::array<std::string_view, 4> kBlindSources = {"capture", "icmp", "ike_probe", "esp_probe"};

constexpr std::array<std::string_view, 3> kEspVerdicts = {"reachable", "unreachable", "unknown"};

std::uint64_t flag(bool value) { return value ? 1 : 0; }

const AgentReport& agent(In& in) { return in.report.agent; }

template <typename Counts>
void counts(Sink& out, std::string_view tunnel, const Counts& values) {
  for (const auto& [name, count] : values) out.value({tunnel, name}, count);
}

// The causes of one tunnel, each id once: one series twice would cost the whole scrape.
template <typename Tell>
void each_cause(In& in, Tell tell) {
  for (const TunnelReport* t : in.tunnels) {
    for (auto c = t->causes.begin(); c != t->causes.end(); ++c) {
      const auto same = [&](const CauseReport& other) { return other.cause == c->cause; };
      if (std::none_of(t->causes.begin(), c, same)) tell(*t, *c);
    }
  }
}

void esp(In& in, Sink& out, std::uint64_t EspTotals::*member) {
  for (const TunnelReport* t : in.tunnels) {
    out.value({t->name, "in"}, t->esp_in.*member);
    out.value({t->name, "out"}, t->esp_out.*member);
  }
}

void echo(In& in, Sink& out, std::uint64_t EchoReport::*member) {
  for (const EchoReport* e : in.echo) out.value({e->tunnel, e->target, e->role}, e->*member);
}

void capture(In& in, Sink& out, std::uint64_t CaptureReport::*member) {
  for (const CaptureReport& c : agent(in).captures) out.value({c.interface}, c.*member);
}

void tell_state(In& in, Sink& out) {
  for (const TunnelReport* t : in.tunnels) {
    for (const std::string_view state : kStates) out.value({t->name, state}, flag(t->state == state));
  }
}

void tell_blind(In& in, Sink& out) {
  for (const TunnelReport* t : in.tunnels) {
    const auto blind = [&](std::string_view source) {
      return std::find(t->blind.begin(), t->blind.end(), source) != t->blind.end();
    };
    for (const std::string_view source : kBlindSources) out.value({t->name, source}, flag(blind(source)));
    for (const std::string& source : t->blind) {
      if (std::find(kBlindSources.begin(), kBlindSources.end(), source) == kBlindSources.end())
        out.value({t->name, source}, std::uint64_t{1});
    }
  }
}

void tell_info(In& in, Sink& out) {
  for (const TunnelReport* t : in.tunnels) {
    const std::string version = t->ike_version == 0 ? "" : std::to_string(t->ike_version);
    out.value({t->name, t->local, t->remote, version, t->configured ? "true" : "false"}, std::uint64_t{1});
  }
}

void tell_nat(In& in, Sink& out) {
  for (const TunnelReport* t : in.tunnels) {
    if (t->nat.local) out.value({t->name, "local"}, flag(*t->nat.local));
    if (t->nat.remote) out.value({t->name, "remote"}, flag(*t->nat.remote));
  }
}

void tell_offers_differ(In& in, Sink& out) {
  for (const TunnelReport* t : in.tunnels) {
    for (const std::string_view part : t->offers_differ) out.value({t->name, part}, std::uint64_t{1});
  }
}

void tell_confidence(In& in, Sink& out) {
  each_cause(in, [&](const TunnelReport& t, const CauseReport& c) {
    for (const std::string_view level : kConfidences)
      out.value({t.name, c.cause, level}, flag(c.active && c.confidence == level));
  });
}

void tell_refused(In& in, Sink& out) {
  for (const EchoReport* e : in.echo)
    for (const auto& [reason, count] : e->refused)
      if (count > 0) out.value({e->tunnel, e->target, e->role, reason}, count);
}

void tell_lookups(In& in, Sink& out) {
  for (const NameReport& n : in.report.names) {
    out.value({n.name, "failed"}, n.failures);
    out.value({n.name, "resolved"}, n.lookups - n.failures);
  }
}

void tell_probe_results(In& in, Sink& out) {
  for (const IkeProbeReport* p : in.ike_probes)
    for (const auto& [outcome, count] : p->outcomes) out.value({p->tunnel, std::to_string(p->port), outcome}, count);
}

void tell_probe_refused(In& in, Sink& out) {
  for (const IkeProbeReport* p : in.ike_probes)
    for (const auto& [reason, count] : p->refused)
      if (count > 0) out.value({p->tunnel, std::to_string(p->port), reason}, count);
}

void tell_esp_reach(In& in, Sink& out) {
  for (const TunnelReport* t : in.tunnels) {
    if (!t->esp_reach) continue;
    for (const std::string_view verdict : kEspVerdicts)
      out.value({t->name, verdict}, flag(t->esp_reach->verdict == verdict));
  }
}

void tell_esp_probe_results(In& in, Sink& out) {
  for (const EspProbeReport* p : in.esp_probes)
    for (const auto& [outcome, count] : p->outcomes) out.value({p->tunnel, outcome}, count);
}

void tell_esp_probe_refused(In& in, Sink& out) {
  for (const EspProbeReport* p : in.esp_probes)
    for (const auto& [reason, count] : p->refused)
      if (count > 0) out.value({p->tunnel, reason}, count);
}

std::uint64_t active_faults(const TunnelReport& t) {
  return static_cast<std::uint64_t>(std::count_if(
      t.causes.begin(), t.causes.end(), [](const CauseReport& c) { return c.active && c.severity != "notice"; }));
}

constexpr auto kMetrics =
    std::to_array<Metric>({
        {{kCounter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", {}},
         [](In& in, Sink& out) {
           if (const auto& p = agent(in).process) out.value({}, p->cpu_seconds);
         }},
        {{kGauge, "process_max_fds", "Maximum number of open file descriptors.", {}},
         [](In& in, Sink& out) {
           if (const auto& p = agent(in).process) out.value({}, p->max_fds);
         }},
        {{kGauge, "process_open_fds", "Number of open file descriptors.", {}},
         [](In& in, Sink& out) {
           if (const auto& p = agent(in).process) out.value({}, p->open_fds);
         }},
        {{kGauge, "process_resident_memory_bytes", "Resident memory size in bytes.", {}},
         [](In& in, Sink& out) {
           if (const auto& p = agent(in).process) out.value({}, p->resident_bytes);
         }},
        {{kGauge, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", {}},
         [](In& in, Sink& out) {
           if (const auto& p = agent(in).process) out.value({}, p->start_time);
         }},
        {{kGauge, "tunnelwatch_build_info", "What this agent is: always 1.", {"version", "compiler"}},
         [](In& in, Sink& out) {
           out.value({agent(in).version, agent(in).compiler}, std::uint64_t{1});
         }},
        {{kCounter,
          "tunnelwatch_capture_dropped_packets_total",
          "Packets lost because the ring of the capture was full.",
          {"interface"}},
         [](In& in, Sink& out) { capture(in, out, &CaptureReport::dropped); }},
        {{kCounter,
          "tunnelwatch_capture_interface_dropped_packets_total",
          "Packets that the interface or its driver dropped.",
          {"interface"}},
         [](In& in, Sink& out) { capture(in, out, &CaptureReport::interface_dropped); }},
        {{kCounter,
          "tunnelwatch_capture_received_packets_total",
          "Packets that the kernel handed to the capture.",
          {"interface"}},
         [](In& in, Sink& out) { capture(in, out, &CaptureReport::received); }},
        {{kCounter,
          "tunnelwatch_capture_reopened_total",
          "How often a failed capture was opened again.",
          {"interface"}},
         [](In& in, Sink& out) { capture(in, out, &CaptureReport::reopened); }},
        {{kGauge, "tunnelwatch_capture_up", "Whether packets are captured on the interface.", {"interface"}},
         [](In& in, Sink& out) {
           for (const CaptureReport& c : agent(in).captures) out.value({c.interface}, flag(c.up));
         }},
        {{kGauge,
          "tunnelwatch_cause_active",
          "Whether the cause is active on the tunnel; a series for each cause that was raised since the start.",
          {"tunnel", "cause"}},
         [](In& in, Sink& out) {
           each_cause(in, [&](const TunnelReport& t, const CauseReport& c) {
             out.value({t.name, c.cause}, flag(c.active));
           });
         }},
        {{kGauge,
          "tunnelwatch_cause_confidence",
          "How sure the active cause is: 1 for the level that holds.",
          {"tunnel", "cause", "confidence"}},
         [](In& in, Sink& out) { tell_confidence(in, out); }},
        {{kGauge,
          "tunnelwatch_cause_first_seen_timestamp_seconds",
          "When the cause was first seen, in seconds since the epoch.",
          {"tunnel", "cause"}},
         [](In& in, Sink& out) {
           each_cause(in, [&](const TunnelReport& t, const CauseReport& c) {
             out.value({t.name, c.cause}, seconds_since_epoch(c.first_seen));
           });
         }},
        {{kGauge,
          "tunnelwatch_cause_last_seen_timestamp_seconds",
          "When the cause was last seen, in seconds since the epoch.",
          {"tunnel", "cause"}},
         [](In& in, Sink& out) {
           each_cause(in, [&](const TunnelReport& t, const CauseReport& c) {
             out.value({t.name, c.cause}, seconds_since_epoch(c.last_seen));
           });
         }},
        {{kGauge,
          "tunnelwatch_config_last_reload_success_timestamp_seconds",
          "When a configuration was last accepted, in seconds since the epoch.",
          {}},
         [](In& in, Sink& out) { out.value({}, seconds_since_epoch(agent(in).config_last_reload_success)); }},
        {{kGauge,
          "tunnelwatch_config_last_reload_successful",
          "Whether the last reload of the configuration was accepted.",
          {}},
         [](In& in, Sink& out) { out.value({}, flag(agent(in).config_last_reload_successful)); }},
        {{kCounter,
          "tunnelwatch_daemon_counts_total",
          "What the IKE daemon of this machine counted, by its own counters; no series while they are not known.",
          {"counter"}},
         [](In& in, Sink& out) {
           for (const auto& [counter, count] : agent(in).daemon_counts) out.value({counter}, count);
         }},
        {{kGauge, "tunnelwatch_discovered_tunnels", "Tunnels found in the traffic that no configuration names.", {}},
         [](In& in, Sink& out) { out.value({}, agent(in).discovered_tunnels); }},
        {{kCounter, "tunnelwatch_esp_bytes_total", "Bytes of the ESP packets seen.", {"tunnel", "direction"}},
         [](In& in, Sink& out) { esp(in, out, &EspTotals::bytes); }},
        {{kCounter,
          "tunnelwatch_esp_duplicate_packets_total",
          "ESP packets that came more than once.",
          {"tunnel", "direction"}},
         [](In& in, Sink& out) { esp(in, out, &EspTotals::duplicates); }},
        {{kCounter,
          "tunnelwatch_esp_lost_packets_total",
          "ESP packets missing in the sequence numbers; of direction out: lost by our own capture.",
          {"tunnel", "direction"}},
         [](In& in, Sink& out) { esp(in, out, &EspTotals::lost); }},
        {{kCounter, "tunnelwatch_esp_packets_total", "ESP packets seen.", {"tunnel", "direction"}},
         [](In& in, Sink& out) { esp(in, out, &EspTotals::packets); }},
        {{kCounter,
          "tunnelwatch_esp_probe_refused_total",
          "Packets of protocol 50 to the peer that the network or our own kernel refused, by reason; a series for each "
          "reason that occurred.",
          {"tunnel", "reason"}},
         [](In& in, Sink& out) { tell_esp_probe_refused(in, out); }},
        {{kCounter,
          "tunnelwatch_esp_probe_results_total",
          "Packets of protocol 50 to the peer, by outcome; silence proves nothing.",
          {"tunnel", "outcome"}},
         [](In& in, Sink& out) { tell_esp_probe_results(in, out); }},
        {{kHistogram, "tunnelwatch_esp_probe_rtt_seconds", "Round trip time of answered ESP echoes.", {"tunnel"}},
         [](In& in, Sink& out) {
           for (const EspProbeReport* p : in.esp_probes) out.histogram({p->tunnel}, p->rtt);
         }},
        {{kGauge,
          "tunnelwatch_esp_reachability",
          "Whether ESP gets through to the peer and back, by all that tells of it: 1 for the verdict that holds.",
          {"tunnel", "verdict"}},
         [](In& in, Sink& out) { tell_esp_reach(in, out); }},
        {{kCounter,
          "tunnelwatch_esp_reordered_packets_total",
          "ESP packets that came after a later one.",
          {"tunnel", "direction"}},
         [](In& in, Sink& out) { esp(in, out, &EspTotals::reordered); }},
        {{kCounter,
          "tunnelwatch_esp_responder_requests_total",
          "ESP echo requests to this agent's responder, by what became of them; none where it is off.",
          {"outcome"}},
         [](In& in, Sink& out) {
           for (const auto& [outcome, count] : agent(in).esp_requests) out.value({outcome}, count);
         }},
        {{kCounter, "tunnelwatch_evicted_esp_streams_total", "ESP streams whose state was dropped to make room.", {}},
         [](In& in, Sink& out) { out.value({}, agent(in).evicted_esp_streams); }},
        {{kCounter,
          "tunnelwatch_evicted_flight_packets_total",
          "IKE packets that the flight recorder dropped for want of memory, beyond those that newer ones replaced.",
          {}},
         [](In& in, Sink& out) { out.value({}, agent(in).evicted_flight_packets); }},
        {{kCounter,
          "tunnelwatch_evicted_ike_sas_total",
          "IKE security associations whose state was dropped to make room.",
          {}},
         [](In& in, Sink& out) { out.value({}, agent(in).evicted_ike_sas); }},
        {{kCounter, "tunnelwatch_evicted_tunnels_total", "Discovered tunnels dropped to make room for newer ones.", {}},
         [](In& in, Sink& out) { out.value({}, agent(in).evicted_tunnels); }},
        {{kGauge, "tunnelwatch_flight_recorder_bytes", "Memory of the IKE packets that are kept for a recording.", {}},
         [](In& in, Sink& out) { out.value({}, agent(in).flight_recorder_bytes); }},
        {{kGauge, "tunnelwatch_flight_recordings_stored_bytes", "Size of the recordings in their directory.", {}},
         [](In& in, Sink& out) { out.value({}, agent(in).flight_recordings_stored_bytes); }},
        {{kCounter,
          "tunnelwatch_flight_recordings_total",
          "Recordings of a tunnel's IKE packets when a fault was found, by what became of them.",
          {"outcome"}},
         [](In& in, Sink& out) {
           for (const auto& [outcome, count] : agent(in).flight_recordings) out.value({outcome}, count);
         }},
        {{kCounter,
          "tunnelwatch_http_closed_connections_total",
          "Connections that this HTTP server closed before they were done, by reason.",
          {"reason"}},
         [](In& in, Sink& out) {
           if (const auto& http = agent(in).http) {
             for (const auto& [reason, count] : http->rejected) out.value({reason}, count);
           }
         }},
        {{kGauge, "tunnelwatch_http_connections", "Connections to this HTTP server that are open.", {}},
         [](In& in, Sink& out) {
           if (const auto& http = agent(in).http) {
             out.value({}, http->connections);
           }
         }},
        {{kSummary, "tunnelwatch_http_render_seconds", "Time to render a report for a scrape or the API.", {}},
         [](In& in, Sink& out) {
           if (const auto& http = agent(in).http) {
             out.summary({}, http->renders, http->render_seconds_sum);
           }
         }},
        {{kCounter, "tunnelwatch_http_requests_total", "Requests answered by this HTTP server.", {"path", "code"}},
         [](In& in, Sink& out) {
           if (const auto& http = agent(in).http) {
             for (const auto& r : http->requests) out.value({r.path, std::to_string(r.code)}, r.count);
           }
         }},
        {{kCounter,
          "tunnelwatch_icmp_duplicates_total",
          "Further ICMP echo replies to an answered request.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) { echo(in, out, &EchoReport::duplicates); }},
        {{kGauge,
          "tunnelwatch_icmp_jitter_seconds",
          "How much round trip times of ICMP echo differ from one to the next, smoothed (RFC 3550 section 6.4.1).",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) {
           for (const EchoReport* e : in.echo)
             if (e->jitter_seconds) out.value({e->tunnel, e->target, e->role}, *e->jitter_seconds);
         }},
        {{kGauge,
          "tunnelwatch_icmp_last_reply_timestamp_seconds",
          "When the target last replied, in seconds since the epoch.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) {
           for (const EchoReport* e : in.echo)
             if (e->last_reply) out.value({e->tunnel, e->target, e->role}, seconds_since_epoch(*e->last_reply));
         }},
        {{kCounter,
          "tunnelwatch_icmp_late_total",
          "ICMP echo replies after their timeout; they were counted as lost.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) { echo(in, out, &EchoReport::late); }},
        {{kCounter,
          "tunnelwatch_icmp_lost_total",
          "ICMP echo requests without a reply in time; those in flight are not in it.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) { echo(in, out, &EchoReport::lost); }},
        {{kCounter,
          "tunnelwatch_icmp_refused_total",
          "ICMP echo requests refused by the network or by our own kernel, by reason; a series for each reason that "
          "occurred.",
          {"tunnel", "target", "role", "reason"}},
         [](In& in, Sink& out) { tell_refused(in, out); }},
        {{kCounter,
          "tunnelwatch_icmp_reordered_total",
          "ICMP echo replies that came behind the reply to a later request.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) { echo(in, out, &EchoReport::reordered); }},
        {{kCounter, "tunnelwatch_icmp_replies_total", "ICMP echo replies in time.", {"tunnel", "target", "role"}},
         [](In& in, Sink& out) { echo(in, out, &EchoReport::replies); }},
        {{kGauge,
          "tunnelwatch_icmp_reply_ttl",
          "TTL or hop limit of the last ICMP echo reply.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) {
           for (const EchoReport* e : in.echo)
             if (e->reply_ttl) out.value({e->tunnel, e->target, e->role}, std::uint64_t{*e->reply_ttl});
         }},
        {{kCounter,
          "tunnelwatch_icmp_reply_ttl_changes_total",
          "ICMP echo replies with another TTL than the one before: the path is another.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) { echo(in, out, &EchoReport::ttl_changes); }},
        {{kCounter, "tunnelwatch_icmp_requests_total", "ICMP echo requests sent.", {"tunnel", "target", "role"}},
         [](In& in, Sink& out) { echo(in, out, &EchoReport::requests); }},
        {{kHistogram,
          "tunnelwatch_icmp_rtt_seconds",
          "Round trip time of ICMP echo replies in time.",
          {"tunnel", "target", "role"}},
         [](In& in, Sink& out) {
           for (const EchoReport* e : in.echo) out.histogram({e->tunnel, e->target, e->role}, e->rtt);
         }},
        {{kCounter,
          "tunnelwatch_icmp_skipped_total",
          "ICMP echo requests that were not sent because the agent was held up.",
          {}},
         [](In& in, Sink& out) { out.value({}, agent(in).echo_skipped); }},
        {{kGauge,
          "tunnelwatch_icmp_target_info",
          "What the target is: always 1; with the labels that the configuration gives it.",
          {"tunnel", "target", "role", "address"}},
         [](In& in, Sink& out) {
           for (const EchoReport* e : in.echo) out.info({e->tunnel, e->target, e->role, e->address}, e->labels);
         }},
        {{kHistogram, "tunnelwatch_icmp_timer_lag_seconds", "How late ICMP echo requests were made.", {}},
         [](In& in, Sink& out) { out.histogram({}, agent(in).echo_lag); }},
        {{kCounter, "tunnelwatch_ike_messages_total", "IKE messages seen for the tunnel.", {"tunnel", "direction"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels) counts(out, t->name, t->ike_messages);
         }},
        {{kGauge,
          "tunnelwatch_ike_probe_reachable",
          "Whether the last finished IKE probe was answered.",
          {"tunnel", "port"}},
         [](In& in, Sink& out) {
           for (const IkeProbeReport* p : in.ike_probes)
             if (p->reachable) out.value({p->tunnel, std::to_string(p->port)}, flag(*p->reachable));
         }},
        {{kCounter,
          "tunnelwatch_ike_probe_refused_total",
          "IKE probes refused by the network or by our own kernel, by reason; a series for each reason that occurred.",
          {"tunnel", "port", "reason"}},
         [](In& in, Sink& out) { tell_probe_refused(in, out); }},
        {{kCounter,
          "tunnelwatch_ike_probe_results_total",
          "IKE probes finished, by outcome.",
          {"tunnel", "port", "outcome"}},
         [](In& in, Sink& out) { tell_probe_results(in, out); }},
        {{kHistogram,
          "tunnelwatch_ike_probe_rtt_seconds",
          "Round trip time of answered IKE probes.",
          {"tunnel", "port"}},
         [](In& in, Sink& out) {
           for (const IkeProbeReport* p : in.ike_probes) out.histogram({p->tunnel, std::to_string(p->port)}, p->rtt);
         }},
        {{kCounter,
          "tunnelwatch_log_lines_total",
          "Lines of the logs that are followed, by what became of them.",
          {"outcome"}},
         [](In& in, Sink& out) {
           for (const auto& [outcome, count] : agent(in).log_lines) out.value({outcome}, count);
         }},
        {{kCounter,
          "tunnelwatch_malformed_packets_total",
          "Packets that could not be understood, by reason.",
          {"reason"}},
         [](In& in, Sink& out) {
           for (const auto& [reason, count] : agent(in).malformed) out.value({reason}, count);
         }},
        {{kCounter,
          "tunnelwatch_name_changes_total",
          "How often the address that is used for a name became another.",
          {"name"}},
         [](In& in, Sink& out) {
           for (const NameReport& n : in.report.names) out.value({n.name}, n.changes);
         }},
        {{kCounter, "tunnelwatch_name_lookups_total", "Look-ups of a name, by outcome.", {"name", "outcome"}},
         [](In& in, Sink& out) { tell_lookups(in, out); }},
        {{kGauge, "tunnelwatch_name_resolved", "Whether the last look-up of a name gave an address.", {"name"}},
         [](In& in, Sink& out) {
           for (const NameReport& n : in.report.names) out.value({n.name}, flag(n.resolved));
         }},
        {{kCounter, "tunnelwatch_observed_packets_total", "Packets that were looked at, on all interfaces.", {}},
         [](In& in, Sink& out) { out.value({}, in.report.packets); }},
        {{kGauge,
          "tunnelwatch_path_mtu_black_hole",
          "Whether packets above the MTU of the way to the peer vanish without a word.",
          {"tunnel"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels)
             if (t->path_mtu) out.value({t->name}, flag(t->path_mtu->black_hole));
         }},
        {{kGauge,
          "tunnelwatch_path_mtu_bytes",
          "The largest ping that the way to the peer carries, as it was last measured; no series while that is not "
          "known.",
          {"tunnel"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels)
             if (t->path_mtu) out.value({t->name}, std::uint64_t{t->path_mtu->mtu});
         }},
        {{kCounter,
          "tunnelwatch_probe_strays_total",
          "Packets at the sockets of our probes that answer none of them: of nothing that we asked (foreign), or of "
          "what "
          "was answered or given up before (unmatched).",
          {"probe", "reason"}},
         [](In& in, Sink& out) {
           for (const ProbeStrays& s : agent(in).probe_strays) {
             out.value({s.probe, "foreign"}, s.foreign);
             out.value({s.probe, "unmatched"}, s.unmatched);
           }
         }},
        {{kGauge, "tunnelwatch_ready", "Whether the agent watches all that it was told to.", {}},
         [](In& in, Sink& out) { out.value({}, flag(agent(in).ready)); }},
        {{kCounter,
          "tunnelwatch_refused_packets_total",
          "Packets that this machine did not let through, by reason, since it started.",
          {"reason"}},
         [](In& in, Sink& out) {
           for (const auto& [reason, count] : agent(in).not_let_through) out.value({reason}, count);
         }},
        {{kGauge, "tunnelwatch_source_up", "Whether a source of observations works.", {"source"}},
         [](In& in, Sink& out) {
           for (const auto& [source, up] : agent(in).sources) out.value({source}, flag(up));
         }},
        {{kGauge, "tunnelwatch_start_time_seconds", "When the agent began to watch, in seconds since the epoch.", {}},
         [](In& in, Sink& out) { out.value({}, seconds_since_epoch(agent(in).started)); }},
        {{kGauge,
          "tunnelwatch_timer_lag_max_seconds",
          "The most that a timer of the agent was late since the start.",
          {}},
         [](In& in, Sink& out) { out.value({}, agent(in).timer_lag_seconds_max); }},
        {{kSummary, "tunnelwatch_timer_lag_seconds", "How late the timers of the agent fired.", {}},
         [](In& in, Sink& out) { out.summary({}, agent(in).timer_lag_count, agent(in).timer_lag_seconds_sum); }},
        {{kGauge, "tunnelwatch_tunnel_blind", "Whether a source cannot see this tunnel now.", {"tunnel", "source"}},
         [](In& in, Sink& out) { tell_blind(in, out); }},
        {{kCounter,
          "tunnelwatch_tunnel_daemon_counts_total",
          "What the IKE daemon counted for the connections of the tunnel; a series for each counter that is not "
          "nought.",
          {"tunnel", "counter"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels) counts(out, t->name, t->daemon_counts);
         }},
        {{kCounter,
          "tunnelwatch_tunnel_egress_queue_dropped_packets_total",
          "Packets that the queue of the interface which the tunnel leaves by has dropped; no series while that is not "
          "known.",
          {"tunnel"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels)
             if (t->queue_dropped) out.value({t->name}, *t->queue_dropped);
         }},
        {{kCounter,
          "tunnelwatch_tunnel_events_total",
          "What happened to the tunnel, by event; a series for each event that occurred, and from nought for "
          "establishing, rekeying and deleting.",
          {"tunnel", "event"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels) counts(out, t->name, t->event_counts);
         }},
        {{kGauge,
          "tunnelwatch_tunnel_faults",
          "How many causes are active on the tunnel, mere findings (such as NAT) not counted.",
          {"tunnel"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels) out.value({t->name}, active_faults(*t));
         }},
        {{kCounter,
          "tunnelwatch_tunnel_filter_dropped_packets_total",
          "Packets between the tunnel's subnets that rules of nftables have dropped, as they count them; no series "
          "while they cannot be read.",
          {"tunnel"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels)
             if (t->filter_dropped) out.value({t->name}, *t->filter_dropped);
         }},
        {{kGauge,
          "tunnelwatch_tunnel_info",
          "What is known of the tunnel: always 1.",
          {"tunnel", "local", "remote", "ike_version", "configured"}},
         [](In& in, Sink& out) { tell_info(in, out); }},
        {{kGauge,
          "tunnelwatch_tunnel_nat",
          "Whether this side of the tunnel is behind NAT; no series while that is not known.",
          {"tunnel", "side"}},
         [](In& in, Sink& out) { tell_nat(in, out); }},
        {{kGauge,
          "tunnelwatch_tunnel_offers_differ",
          "1 for each part of the IKE proposals in which both ends have nothing in common, while one refuses the "
          "other.",
          {"tunnel", "part"}},
         [](In& in, Sink& out) { tell_offers_differ(in, out); }},
        {{kGauge, "tunnelwatch_tunnel_state", "The state of the tunnel: 1 for the one it is in.", {"tunnel", "state"}},
         [](In& in, Sink& out) { tell_state(in, out); }},
        {{kGauge,
          "tunnelwatch_tunnel_state_since_timestamp_seconds",
          "When the tunnel entered its state, in seconds since the epoch.",
          {"tunnel"}},
         [](In& in, Sink& out) {
           for (const TunnelReport* t : in.tunnels)
             if (t->state_since) out.value({t->name}, seconds_since_epoch(*t->state_since));
         }},
        {{kCounter,
          "tunnelwatch_xfrm_errors_total",
          "Packets that IPsec in the kernel dropped, by reason, since the machine started; no series where the kernel "
          "does not count.",
          {"reason"}},
         [](In& in, Sink& out) {
           for (const auto& [reason, count] : agent(in).xfrm_errors) out.value({reason}, count);
         }},
        {{kCounter,
          "tunnelwatch_xfrm_events_total",
          "What happened to the kernel's IPsec states and policies, by event.",
          {"event"}},
         [](In& in, Sink& out) {
           for (const auto& [event, count] : agent(in).xfrm_events) out.value({event}, count);
         }},
    });

constexpr bool sorted_by_name() {
  for (std::size_t i = 1; i < kMetrics.size(); ++i)
    if (kMetrics[i - 1].def.name >= kMetrics[i].def.name) return false;
  return true;
}
static_assert(sorted_by_name(), "series are told in the order of this table");

template <typename T, typename Key>
std::vector<const T*> ordered(const std::vector<T>& values, Key key) {
  std::vector<const T*> out;
  out.reserve(values.size());
  for (const T& value : values) out.push_back(&value);
  std::stable_sort(out.begin(), out.end(), [&](const T* a, const T* b) { return key(*a) < key(*b); });
  return out;
}

}  // namespace

OrderedReport::OrderedReport(const Report& r)
    : report(r),
      tunnels(ordered(r.tunnels, [](const TunnelReport& t) { return std::string_view(t.name); })),
      echo(ordered(r.echo, [](const EchoReport& e) { return std::tie(e.tunnel, e.target, e.role); })),
      ike_probes(ordered(r.ike_probes, [](const IkeProbeReport& p) { return std::tie(p.tunnel, p.port); })),
      esp_probes(ordered(r.esp_probes, [](const EspProbeReport& p) { return std::string_view(p.tunnel); })) {}

std::span<const Metric> metric_catalogue() { return kMetrics; }

}  // namespace tunnelwatch::exporters
