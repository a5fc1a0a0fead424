#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The plain data that every exporter renders: filled by the agent, read by metrics, API, page and `analyze`. Exporters
// know no diagnosis; strings that come from closed sets (causes, reasons, states) arrive as their label values.
namespace tunnelwatch::exporters {

// Wall time, nanoseconds since the epoch. JSON tells it as seconds with a fraction.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

struct Text {
  std::string en;
  std::string zh;
};

struct CauseReport {
  std::string cause;  // id of the catalogue
  bool active = false;
  std::string confidence;  // confirmed, likely, possible
  // fault: the tunnel cannot work; degraded: it works badly or will fail; notice: a finding that needs no alarm alone.
  std::string severity = "fault";
  WallTime first_seen{};
  WallTime last_seen{};
  std::optional<WallTime> cleared;    // set where active is false
  std::vector<std::string> sections;  // of the troubleshooting guide
  Text title;
  std::vector<Text> evidence;
  std::vector<std::string> alternatives;  // ids that look alike from here
  Text action;
  std::string capture;  // the file with the tunnel's packets of when the cause was raised; empty: none
};

struct EventReport {
  WallTime time{};
  std::string event;  // closed set: ike_sa_established, child_sa_rekeyed, ...
  std::string by;     // local, remote or empty
  std::string detail;
};

struct NatReport {  // absent: not known
  std::optional<bool> local;
  std::optional<bool> remote;
};

struct OffersReport {
  std::vector<std::string> local;  // one proposal a string, "AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"
  std::vector<std::string> remote;
  std::vector<std::string> differences;
};

struct EspReport {
  std::string spi;        // "0x0ab6d5ae"; in JSON only, never a label
  std::string direction;  // in, out or empty
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicates = 0;
  bool in_udp = false;
};

// Sums over all SPIs that a tunnel had, per direction: monotonic, so that they can be counters.
struct EspTotals {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lost = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicates = 0;
};

struct Histogram {
  const std::vector<double>* bounds = nullptr;  // upper bounds in seconds, ascending, without +Inf; outlives the report
  std::vector<std::uint64_t> counts;            // not cumulative, one more than bounds
  double sum = 0;
};

// One target of ICMP echo. Labels: tunnel (empty for a reference or a target of its own), target (as configured), role.
struct EchoReport {
  std::string tunnel;
  std::string target;
  std::string role;                                         // gateway, reference, inner, target
  std::vector<std::pair<std::string, std::string>> labels;  // of the configuration, name -> value, by name
  std::string address;                                      // what the name means now; JSON only
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t lost = 0;  // timed out; packets in flight are not in it
  std::uint64_t late = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t reordered = 0;
  std::uint64_t ttl_changes = 0;
  std::optional<std::uint8_t> reply_ttl;  // of the last reply
  std::optional<double> jitter_seconds;
  std::vector<std::pair<std::string, std::uint64_t>> refused;  // reason -> count, every reason of the closed set, 0 too
  Histogram rtt;
  std::optional<WallTime> last_reply;
};

// A name of the configuration that is looked up.
struct NameReport {
  std::string name;
  bool resolved = false;  // by the last look-up
  std::uint64_t lookups = 0;
  std::uint64_t failures = 0;  // of them
  std::uint64_t changes = 0;   // of the address that is used
};

// The largest packet that the way to the peer carries, as it was last measured.
struct PathMtuReport {
  std::uint32_t mtu = 0;
  bool black_hole = false;  // larger ones vanish without a word
};

// Who says what about whether a tunnel's ESP gets through.
struct EspEvidenceReport {
  std::string witness;  // closed set: traffic, inner_pings, icmp_error, esp_probe, trace
  std::string says;     // reachable, unreachable, unknown
  WallTime time{};
  bool beside = false;  // about protocol 50, while the tunnel's ESP goes in UDP: it decides nothing
  Text text;
};

struct EspReachReport {
  std::string verdict = "unknown";  // reachable, unreachable, unknown
  WallTime since{};
  std::string by;                   // the witness whose word it is; empty: unknown
  std::string reason;               // of an ICMP error or of our own kernel, closed set; empty: none
  std::optional<std::uint8_t> hop;  // where a trace of it ends
  std::optional<bool> in_udp;       // the tunnel's ESP; absent: not known
  std::vector<EspEvidenceReport> evidence;
};

// Packets of protocol 50 to one tunnel's peer.
struct EspProbeReport {
  std::string tunnel;
  std::vector<std::pair<std::string, std::uint64_t>> outcomes;  // answered, silent, refused, send_error -> count
  std::vector<std::pair<std::string, std::uint64_t>> refused;   // reason -> count
  Histogram rtt;
};

// IKE probes to one port of one tunnel's peer.
struct IkeProbeReport {
  std::string tunnel;
  std::uint16_t port = 500;
  std::vector<std::pair<std::string, std::uint64_t>> outcomes;  // answered, silent, refused, send_error -> count
  std::vector<std::pair<std::string, std::uint64_t>> refused;   // reason -> count
  Histogram rtt;
  std::optional<bool> reachable;  // of the last finished probe
  std::string last_answer;        // "IKEv2 NO_PROPOSAL_CHOSEN", for people
};

// How much of a report is wanted: a scrape of many tunnels must not wait for texts that no metric shows.
enum class Detail : std::uint8_t {
  numbers,  // what metrics tell: without events, offers, single ESP streams and the texts of causes
  all,
};

struct TunnelReport {
  std::string name;
  std::string local;  // addresses as text; empty: not known yet
  std::string remote;
  int ike_version = 0;      // 1, 2, or 0: not seen
  std::string state;        // up, negotiating, down, unknown
  bool configured = false;  // false: discovered
  std::optional<WallTime> state_since;
  std::vector<CauseReport> causes;  // ranked, active ones first, best first
  std::vector<EventReport> events;  // the newest last, bounded
  NatReport nat;
  OffersReport offers;
  // Parts of refused proposals, of a closed set, in which both ends' offers have nothing in common.
  std::vector<std::string_view> offers_differ;
  std::vector<EspReport> esp;
  EspTotals esp_in;
  EspTotals esp_out;
  std::vector<std::pair<std::string_view, std::uint64_t>>
      event_counts;                                                 // by event: what occurred, and what is ordinary
  std::vector<std::pair<std::string, std::uint64_t>> ike_messages;  // "in", "out" -> count
  std::vector<std::string> blind;  // sources that cannot see this tunnel now: capture, icmp, ike_probe
  std::optional<PathMtuReport> path_mtu;
  std::vector<std::pair<std::string_view, std::uint64_t>>
      daemon_counts;  // what the IKE daemon counted, without noughts
  std::optional<EspReachReport> esp_reach;
  std::optional<std::uint64_t> filter_dropped;  // packets between its subnets, by rules of this machine's packet filter
  std::optional<std::uint64_t> queue_dropped;   // packets, by the queue of the interface that it leaves by
};

struct CaptureReport {  // one interface
  std::string interface;
  bool up = false;
  std::string error;  // why it is not up, for people
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;  // by the kernel's ring
  std::uint64_t interface_dropped = 0;
  std::uint64_t reopened = 0;
};

// What the HTTP server counts about itself; it fills this in for the requests that it renders.
struct HttpRequestCount {
  std::string path;  // of the endpoint table, or "other"
  std::uint16_t code = 0;
  std::uint64_t count = 0;
};

struct HttpReport {
  std::vector<HttpRequestCount> requests;  // every endpoint with 200 from the start, others once seen
  std::vector<std::pair<std::string, std::uint64_t>> rejected;  // why connections were closed early -> count
  std::uint64_t connections = 0;                                // open now
  std::uint64_t renders = 0;                                    // of reports, for metrics and API
  double render_seconds_sum = 0;
};

struct ProcessReport {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  double start_time = 0;  // seconds since the epoch
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

// What arrived at the sockets of a kind of probe and answers none of them.
struct ProbeStrays {
  std::string_view probe;       // ike, esp
  std::uint64_t foreign = 0;    // not about a request of ours
  std::uint64_t unmatched = 0;  // about one that was answered already, or is too old
};

struct AgentReport {
  WallTime started{};
  std::string version;
  std::string compiler;
  bool config_last_reload_successful = true;
  WallTime config_last_reload_success{};
  std::string config_error;  // of a refused reload, for people
  std::vector<CaptureReport> captures;
  std::vector<std::pair<std::string, bool>> sources;             // capture, icmp_v4, icmp_v6, ike_probe, ... -> can see
  std::vector<std::pair<std::string, std::uint64_t>> malformed;  // reason -> count
  std::uint64_t discovered_tunnels = 0;
  std::uint64_t evicted_tunnels = 0;
  std::uint64_t evicted_ike_sas = 0;
  std::uint64_t evicted_esp_streams = 0;
  std::vector<std::pair<std::string, std::uint64_t>> flight_recordings;  // outcome -> count, every outcome, 0 too
  std::uint64_t flight_recorder_bytes = 0;                               // of the packets kept in memory
  std::uint64_t flight_recordings_stored_bytes = 0;                      // of the files
  std::uint64_t evicted_flight_packets = 0;
  std::vector<std::pair<std::string, std::uint64_t>> log_lines;  // outcome -> count, every outcome, 0 too
  std::vector<std::pair<std::string_view, std::uint64_t>>
      daemon_counts;                                                // of the whole IKE daemon, 0 too; empty: unknown
  std::vector<std::pair<std::string, std::uint64_t>> esp_requests;  // to our responder, outcome -> count; empty: off
  std::vector<ProbeStrays> probe_strays;
  std::vector<std::pair<std::string, std::uint64_t>> xfrm_errors;  // reason -> count, every one, 0 too; empty: unknown
  std::vector<std::pair<std::string, std::uint64_t>> xfrm_events;  // event -> count; likewise
  // Packets that this machine did not let through: reason -> count, every known one, 0 too; empty: unknown.
  std::vector<std::pair<std::string, std::uint64_t>> not_let_through;
  std::uint64_t timer_lag_count = 0;
  double timer_lag_seconds_sum = 0;
  double timer_lag_seconds_max = 0;
  Histogram echo_lag;  // how late echo requests were made
  std::uint64_t echo_skipped = 0;
  bool ready = false;
  std::optional<HttpReport> http;        // the HTTP server fills it where the agent did not
  std::optional<ProcessReport> process;  // as above
};

struct Report {
  WallTime generated{};
  std::vector<std::string> files;  // of `analyze`; empty when live
  std::uint64_t packets = 0;
  std::uint64_t malformed = 0;
  std::vector<TunnelReport> tunnels;
  std::vector<EchoReport> echo;
  std::vector<IkeProbeReport> ike_probes;
  std::vector<EspProbeReport> esp_probes;
  std::vector<NameReport> names;
  AgentReport agent;
};

// One row of the cause catalogue, for `causes`, for zeroed series and for the page.
struct CauseInfo {
  std::string id;
  std::string guide_words;
  std::string kind;  // nego, drop, conf, path, loss, client
  std::vector<std::string> sections;
  std::vector<std::string> sources;
  Text title;
  Text action;
  std::vector<std::pair<std::string, std::string>> tests{};  // source -> the test that raises it by that source
};

}  // namespace tunnelwatch::exporters
