#include "exporters/json/report_json.h"

#include "exporters/histogram_quantile.h"
#include "exporters/seconds.h"
#include "exporters/text/printable.h"

#include <algorithm>
#include <cmath>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace json = boost::json;

namespace tunnelwatch::exporters {
namespace {

json::value seconds(WallTime time) { return seconds_since_epoch(time); }

json::value seconds(const std::optional<WallTime>& time) { return time ? seconds(*time) : json::value(nullptr); }

json::value number(double value) { return std::isfinite(value) ? json::value(value) : json::value(nullptr); }

json::value number(const std::optional<double>& value) { return value ? number(*value) : json::value(nullptr); }

json::value known(const std::optional<bool>& value) { return value ? json::value(*value) : json::value(nullptr); }

json::string text(std::string_view value) { return json::string(valid_utf8(value)); }

json::array texts(const std::vector<std::string>& values) {
  json::array out;
  out.reserve(values.size());
  for (const std::string& value : values) out.emplace_back(text(value));
  return out;
}

json::array texts(const std::vector<Text>& values, std::string Text::*language) {
  json::array out;
  out.reserve(values.size());
  for (const Text& value : values) out.emplace_back(text(value.*language));
  return out;
}

template <typename Counts>
json::object counts(const Counts& values) {
  json::object out;
  for (const auto& [name, count] : values) out[text(name)] = count;
  return out;
}

json::object json_of(const CauseReport& c) {
  return {{"cause", text(c.cause)},
          {"active", c.active},
          {"severity", text(c.severity)},
          {"confidence", text(c.confidence)},
          {"first_seen", seconds(c.first_seen)},
          {"last_seen", seconds(c.last_seen)},
          {"cleared", seconds(c.cleared)},
          {"sections", texts(c.sections)},
          {"title", text(c.title.en)},
          {"title_zh", text(c.title.zh)},
          {"evidence", texts(c.evidence, &Text::en)},
          {"evidence_zh", texts(c.evidence, &Text::zh)},
          {"alternatives", texts(c.alternatives)},
          {"action", text(c.action.en)},
          {"action_zh", text(c.action.zh)},
          {"capture", text(c.capture)}};
}

json::object json_of(const EspReport& e) {
  return {{"spi", text(e.spi)}, {"direction", text(e.direction)}, {"packets", e.packets},       {"bytes", e.bytes},
          {"lost", e.lost},     {"reordered", e.reordered},       {"duplicates", e.duplicates}, {"in_udp", e.in_udp}};
}

json::object json_of(const EspTotals& e) {
  return {{"packets", e.packets},
          {"bytes", e.bytes},
          {"lost", e.lost},
          {"reordered", e.reordered},
          {"duplicates", e.duplicates}};
}

json::object json_of(const OffersReport& o) {
  return {{"local", texts(o.local)}, {"remote", texts(o.remote)}, {"differences", texts(o.differences)}};
}

// Quantiles rather than buckets: who wants buckets scrapes.
json::object json_of(const Histogram& h) {
  return {{"count", total_count(h)},
          {"sum", number(h.sum)},
          {"median", number(quantile(h, 0.5))},
          {"p99", number(quantile(h, 0.99))}};
}

json::object json_of(const EspEvidenceReport& e) {
  return {{"witness", text(e.witness)}, {"says", text(e.says)},    {"time", seconds(e.time)},
          {"beside", e.beside},         {"text", text(e.text.en)}, {"text_zh", text(e.text.zh)}};
}

json::object json_of(const EspReachReport& r) {
  json::array evidence;
  for (const EspEvidenceReport& e : r.evidence) evidence.emplace_back(json_of(e));
  return {{"verdict", text(r.verdict)},
          {"since", seconds(r.since)},
          {"by", text(r.by)},
          {"reason", text(r.reason)},
          {"hop", r.hop ? json::value(*r.hop) : json::value()},
          {"in_udp", known(r.in_udp)},
          {"evidence", std::move(evidence)}};
}

json::object json_of(const EspProbeReport& p) {
  return {{"tunnel", text(p.tunnel)},
          {"outcomes", counts(p.outcomes)},
          {"refused", counts(p.refused)},
          {"rtt", json_of(p.rtt)}};
}

json::object json_of(const CaptureReport&);
json::object json_of(const EchoReport&);
json::object json_of(const IkeProbeReport&);
json::object json_of(const TunnelReport&);

template <typename T>
json::array list(const std::vector<T>& values) {
  json::array out;
  out.reserve(values.size());
  for (const T& value : values) out.emplace_back(json_of(value));
  return out;
}

json::object json_of(const TunnelReport& t) {
  json::object o{{"name", text(t.name)},
                 {"local", text(t.local)},
                 {"remote", text(t.remote)},
                 {"ike_version", t.ike_version},
                 {"state", text(t.state)},
                 {"state_since", seconds(t.state_since)},
                 {"configured", t.configured},
                 {"causes", list(t.causes)},
                 {"event_counts", counts(t.event_counts)},
                 {"nat", {{"local", known(t.nat.local)}, {"remote", known(t.nat.remote)}}},
                 {"offers", json_of(t.offers)},
                 {"esp", list(t.esp)},
                 {"esp_totals", {{"in", json_of(t.esp_in)}, {"out", json_of(t.esp_out)}}},
                 {"ike_messages", counts(t.ike_messages)},
                 {"blind", texts(t.blind)}};
  if (t.filter_dropped) o["filter_dropped"] = *t.filter_dropped;
  if (t.queue_dropped) o["queue_dropped"] = *t.queue_dropped;
  if (t.path_mtu) o["path_mtu"] = {{"mtu", t.path_mtu->mtu}, {"black_hole", t.path_mtu->black_hole}};
  if (t.esp_reach) o["esp_reachability"] = json_of(*t.esp_reach);
  return o;
}

json::object labels_of(const EchoReport& e) {
  json::object labels;
  for (const auto& [name, value] : e.labels) labels[text(name)] = text(value);
  return labels;
}

json::object json_of(const EchoReport& e) {
  return {{"tunnel", text(e.tunnel)},
          {"target", text(e.target)},
          {"role", text(e.role)},
          {"address", text(e.address)},
          {"labels", labels_of(e)},
          {"requests", e.requests},
          {"replies", e.replies},
          {"lost", e.lost},
          {"late", e.late},
          {"duplicates", e.duplicates},
          {"reordered", e.reordered},
          {"ttl_changes", e.ttl_changes},
          {"reply_ttl", e.reply_ttl ? json::value(*e.reply_ttl) : json::value()},
          {"jitter", e.jitter_seconds ? json::value(*e.jitter_seconds) : json::value()},
          {"refused", counts(e.refused)},
          {"rtt", json_of(e.rtt)},
          {"last_reply", seconds(e.last_reply)}};
}

json::object json_of(const IkeProbeReport& p) {
  return {{"tunnel", text(p.tunnel)},          {"port", p.port},        {"outcomes", counts(p.outcomes)},
          {"refused", counts(p.refused)},      {"rtt", json_of(p.rtt)}, {"reachable", known(p.reachable)},
          {"last_answer", text(p.last_answer)}};
}

json::object json_of(const CaptureReport& c) {
  return {{"interface", text(c.interface)}, {"up", c.up},           {"error", text(c.error)},
          {"received", c.received},         {"dropped", c.dropped}, {"interface_dropped", c.interface_dropped},
          {"reopened", c.reopened}};
}

json::object json_of(const AgentReport& a) {
  json::object sources;
  for (const auto& [name, up] : a.sources) sources[text(name)] = up;
  json::object strays;
  for (const ProbeStrays& s : a.probe_strays)
    strays[text(s.probe)] = json::object{{"foreign", s.foreign}, {"unmatched", s.unmatched}};
  return {{"version", text(a.version)},
          {"compiler", text(a.compiler)},
          {"started", seconds(a.started)},
          {"ready", a.ready},
          {"config_last_reload_successful", a.config_last_reload_successful},
          {"config_last_reload_success", seconds(a.config_last_reload_success)},
          {"config_error", text(a.config_error)},
          {"captures", list(a.captures)},
          {"sources", std::move(sources)},
          {"malformed", counts(a.malformed)},
          {"discovered_tunnels", a.discovered_tunnels},
          {"evicted_tunnels", a.evicted_tunnels},
          {"evicted_ike_sas", a.evicted_ike_sas},
          {"evicted_esp_streams", a.evicted_esp_streams},
          {"evicted_flight_packets", a.evicted_flight_packets},
          {"log_lines", counts(a.log_lines)},
          {"xfrm_errors", counts(a.xfrm_errors)},
          {"xfrm_events", counts(a.xfrm_events)},
          {"not_let_through", counts(a.not_let_through)},
          {"flight_recordings", counts(a.flight_recordings)},
          {"flight_recorder_bytes", a.flight_recorder_bytes},
          {"flight_recordings_stored_bytes", a.flight_recordings_stored_bytes},
          {"esp_requests", counts(a.esp_requests)},
          {"probe_strays", std::move(strays)},
          {"timer_lag_count", a.timer_lag_count},
          {"timer_lag_seconds_sum", number(a.timer_lag_seconds_sum)},
          {"timer_lag_seconds_max", number(a.timer_lag_seconds_max)}};
}

json::object json_of(const CauseInfo& c) {
  return {{"cause", text(c.id)},           {"guide_words", text(c.guide_words)}, {"kind", text(c.kind)},
          {"sections", texts(c.sections)}, {"sources", texts(c.sources)},        {"title", text(c.title.en)},
          {"title_zh", text(c.title.zh)},  {"action", text(c.action.en)},        {"action_zh", text(c.action.zh)}};
}

// A Markdown cell: one line, with nothing that ends it.
std::string cell(std::string_view value) {
  std::string out;
  for (const char c : printable(value)) {
    if (c == '|' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + value;
  return out;
}

// The sources by which a test raises it, best first; and a log, whose lines may name any cause.
std::string told_by(const CauseInfo& c) {
  std::vector<std::string> sources;
  for (const std::string& source : c.sources) {
    const bool tested = std::any_of(c.tests.begin(), c.tests.end(), [&](const auto& t) { return t.first == source; });
    if (tested) sources.push_back(source);
  }
  if (std::find(sources.begin(), sources.end(), "log") == sources.end()) sources.emplace_back("log");
  return joined(sources);
}

std::string serialized(const auto& element) { return json::serialize(json_of(element)); }

void append_quoted(std::string& out, std::string_view value) {
  if (is_plain_ascii(value) && value.find_first_of("\"\\") == std::string_view::npos) {
    out += '"';
    out += value;
    out += '"';
  } else {
    out += json::serialize(text(value));
  }
}

// A large report is mostly events: they go without a tree.
void append_event(std::string& out, const EventReport& e) {
  out += "{\"time\":";
  out += json::serialize(seconds(e.time));
  out += ",\"event\":";
  append_quoted(out, e.event);
  out += ",\"by\":";
  append_quoted(out, e.by);
  out += ",\"detail\":";
  append_quoted(out, e.detail);
  out += '}';
}

std::string serialized(const TunnelReport& t) {
  std::string out = json::serialize(json_of(t));
  out.pop_back();  // the events follow
  out += ",\"events\":[";
  for (const EventReport& e : t.events) {
    if (&e != &t.events.front()) out += ',';
    append_event(out, e);
  }
  return out += "]}";
}

template <typename Element>
void write_list(const std::function<void(std::string_view)>& out, std::string_view key,
                const std::vector<Element>& elements) {
  out(",\"");
  out(key);
  out("\":[");
  for (const Element& element : elements) {
    if (&element != &elements.front()) out(",");
    out(serialized(element));
  }
  out("]");
}

}  // namespace

void write_report_json(const Report& report, const std::function<void(std::string_view)>& out) {
  json::object root{{"generated", seconds(report.generated)},
                    {"files", texts(report.files)},
                    {"packets", report.packets},
                    {"malformed", report.malformed}};
  if (report.files.empty()) root["agent"] = json_of(report.agent);  // an analysis of files has no agent to tell of
  std::string begin = json::serialize(root);
  begin.pop_back();  // the lists follow
  out(begin);
  write_list(out, "tunnels", report.tunnels);
  write_list(out, "echo", report.echo);
  write_list(out, "ike_probes", report.ike_probes);
  if (!report.esp_probes.empty()) write_list(out, "esp_probes", report.esp_probes);
  out("}");
}

std::string report_json(const Report& report) {
  std::string text;
  write_report_json(report, [&](std::string_view piece) { text += piece; });
  return text;
}

Report only_tunnel(Report report, std::string_view name) {
  std::erase_if(report.tunnels, [&](const TunnelReport& t) { return t.name != name; });
  std::erase_if(report.echo, [&](const EchoReport& e) { return e.tunnel != name; });
  std::erase_if(report.esp_probes, [&](const EspProbeReport& p) { return p.tunnel != name; });
  std::erase_if(report.ike_probes, [&](const IkeProbeReport& p) { return p.tunnel != name; });
  return report;
}

std::string causes_json(std::span<const CauseInfo> causes) {
  json::array rows;
  for (const CauseInfo& cause : causes) rows.emplace_back(json_of(cause));
  return json::serialize(json::object{{"causes", std::move(rows)}});
}

std::string causes_markdown(std::span<const CauseInfo> causes) {
  std::string out =
      "| cause | guide | in the guide's words | meaning | told by | shown by the test |\n|---|---|---|---|---|---|\n";
  for (const CauseInfo& c : causes) {
    std::string tests;
    for (const auto& [source, test] : c.tests) tests += (tests.empty() ? "" : ", ") + source + ": " + test;
    out += "| `" + cell(c.id) + "` | " + cell(joined(c.sections)) + " | " + cell(c.guide_words) + " | " +
           cell(c.title.en) + " | " + cell(told_by(c)) + " | " + cell(tests) + " |\n";
  }
  return out;
}

}  // namespace tunnelwatch::exporters
