#include "tests/exporters/sample_report.h"

namespace tunnelwatch::exporters {
namespace {

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

CauseReport authentication_fail() {
  return {.cause = "authentication_fail",
          .active = true,
          .confidence = "likely",
          .first_seen = at(1700000100.25),
          .last_seen = at(1700000400),
          .cleared = {},
          .sections = {"1.1"},
          .title = {"authentication fail", "认证失败"},
          .evidence = {{"IKE_AUTH was answered with a message of 80 bytes: too short for IDr and AUTH",
                        "IKE_AUTH 的应答只有 80 字节,放不下 IDr 和 AUTH"},
                       {"The peer says: <img src=x onerror=alert(1)>\x1b[31m",
                        "对端的话:<img src=x onerror=alert(1)>\x1b[31m"}},
          .alternatives = {"config_id_mismatch"},
          .action = {"Enter the same pre-shared key on both ends.", "两端配置相同的预共享密钥。"},
          .capture = "/var/lib/tunnelwatch/recordings/beijing-20231114T221500Z-authentication_fail.pcap"};
}

CauseReport flapping() {
  return {.cause = "link_flapping",
          .active = true,
          .confidence = "possible",
          .first_seen = at(1700000200),
          .last_seen = at(1700000300),
          .cleared = {},
          .sections = {"2.4", "3.1"},
          .title = {"the line flaps", "链路震荡"},
          .evidence = {{"3 losses of carrier in 60 s", "60 秒内 3 次断链"}},
          .alternatives = {},
          .action = {"Check the line.", "检查线路。"},
          .capture = {}};
}

EspReachReport unreachable() {
  return {.verdict = "unreachable",
          .since = at(1700000110),
          .by = "trace",
          .reason = "",
          .hop = 3,
          .in_udp = false,
          .evidence = {{"traffic", "unknown", at(1700000120), false, {"9 ESP packets left", "已发出 9 个 ESP 报文"}},
                       {"trace", "unreachable", at(1700000115), false, {"ESP ends at hop 3", "ESP 在第 3 跳中断"}}}};
}

EspReachReport reachable_in_udp() {
  return {.verdict = "reachable",
          .since = at(1700000010),
          .by = "traffic",
          .reason = {},
          .hop = {},
          .in_udp = true,
          .evidence = {{"traffic", "reachable", at(1700000499), false, {"ESP in UDP flows", "UDP 封装的 ESP 双向"}},
                       {"esp_probe", "unreachable", at(1700000005), true, {"protocol 50 refused", "协议 50 被拒绝"}}}};
}

TunnelReport down_tunnel() {
  TunnelReport t;
  t.name = "beijing";
  t.local = "192.0.2.10";
  t.remote = "198.51.100.20";
  t.ike_version = 2;
  t.state = "down";
  t.configured = true;
  t.state_since = at(1700000100);
  t.causes = {authentication_fail(), flapping()};
  t.events = {{at(1700000050), "ike_sa_established", "", "SPI 0x1122334455667788"},
              {at(1700000100), "ike_sa_deleted", "remote", "<script>alert(1)</script>"}};
  t.nat = {true, false};
  t.offers_differ = {"encryption", "dh_group"};
  t.offers = {{"AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"},
              {"AES_CBC-128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024"},
              {"encryption: AES_CBC-256 here, AES_CBC-128 there"}};
  t.esp = {{"0x0ab6d5ae", "in", 1000, 1500000, 7, 2, 1, true}};
  t.esp_in = {1000, 1500000, 7, 2, 1};
  t.esp_out = {18446744073709551615ULL, 9007199254740993ULL, 0, 0, 0};
  t.daemon_counts = {{"child_rekey", 12}};
  t.event_counts = {{"ike_sa_established", 1}, {"ike_sa_deleted", 1}, {"child_sa_rekeyed", 0}};
  t.ike_messages = {{"in", 12}, {"out", 14}};
  t.blind = {"icmp"};
  t.path_mtu = PathMtuReport{1400, true};
  t.esp_reach = unreachable();
  t.filter_dropped = 7;
  t.queue_dropped = 11;
  return t;
}

TunnelReport up_tunnel() {
  TunnelReport t;
  t.name = "shanghai";
  t.local = "192.0.2.10";
  t.remote = "2001:db8::20";
  t.ike_version = 1;
  t.state = "up";
  t.configured = true;
  t.state_since = at(1700000000);
  CauseReport past = flapping();
  past.active = false;
  past.cleared = at(1700000350);
  t.causes = {past};
  t.events = {{at(1700000000), "child_sa_rekeyed", "local", ""}};
  t.event_counts = {{"ike_sa_established", 0}, {"ike_sa_deleted", 0}, {"child_sa_rekeyed", 1}};
  t.ike_messages = {{"in", 2}, {"out", 2}};
  t.path_mtu = PathMtuReport{1500, false};
  t.esp_reach = reachable_in_udp();
  return t;
}

TunnelReport discovered_tunnel() {
  TunnelReport t;
  t.name = "192.0.2.10-203.0.113.7";
  t.local = "192.0.2.10";
  t.remote = "203.0.113.7";
  t.state = "unknown";
  return t;
}

EchoReport echo(std::string tunnel, std::string target, std::string role) {
  EchoReport e;
  e.tunnel = std::move(tunnel);
  e.target = std::move(target);
  e.role = std::move(role);
  e.address = "198.51.100.20";
  e.requests = 101;
  e.replies = 97;
  e.lost = 3;
  e.late = 1;
  e.duplicates = 2;
  e.reordered = 4;
  e.ttl_changes = 1;
  e.reply_ttl = 57;
  e.jitter_seconds = 0.00025;
  if (e.role == "target") e.labels = {{"kind", "hub"}, {"site", "Berlin \"Mitte\""}};
  e.refused = {{"host_unreachable", 1}, {"port_unreachable", 0}};
  e.rtt = {&sample_bounds(), {0, 90, 5, 1, 1}, 2.125};
  e.last_reply = at(1700000499.5);
  return e;
}

IkeProbeReport probe(std::string tunnel, std::uint16_t port, bool reachable) {
  IkeProbeReport p;
  p.tunnel = std::move(tunnel);
  p.port = port;
  p.outcomes = {{"answered", reachable ? 9U : 0U}, {"silent", reachable ? 0U : 9U}, {"refused", 0}, {"send_error", 0}};
  p.refused = {{"port_unreachable", reachable ? 0U : 2U}, {"prohibited", 0}};
  p.rtt = {&sample_bounds(), {0, reachable ? 9U : 0U, 0, 0, 0}, reachable ? 0.045 : 0};
  p.reachable = reachable;
  p.last_answer = reachable ? "IKEv2 NO_PROPOSAL_CHOSEN" : "";
  return p;
}

EspProbeReport esp_probe(std::string tunnel) {
  EspProbeReport p;
  p.tunnel = std::move(tunnel);
  p.outcomes = {{"answered", 1}, {"silent", 2}, {"refused", 3}, {"send_error", 0}};
  p.refused = {{"prohibited", 3}};
  p.rtt = {&sample_bounds(), {0, 1, 0, 0, 0}, 0.005};
  return p;
}

AgentReport agent() {
  AgentReport a;
  a.started = at(1699999000);
  a.version = "0.1.0";
  a.compiler = "GCC 12.2";
  a.config_last_reload_success = at(1699999000);
  a.captures = {{"eth0", true, "", 5000, 3, 0, 1}, {"ppp0", false, "no such device \"ppp0\"", 0, 0, 0, 4}};
  a.sources = {{"capture", true}, {"icmp_v4", true}, {"icmp_v6", false}, {"ike_probe", true}};
  a.malformed = {{"truncated", 2}, {"bad_length", 0}};
  a.discovered_tunnels = 1;
  a.evicted_esp_streams = 5;
  a.daemon_counts = {{"child_rekey", 12}, {"invalid_spi", 0}};
  a.log_lines = {{"ordinary", 41}, {"assigned", 2}, {"unassigned", 0}, {"dropped", 1}};
  a.xfrm_errors = {{"in_no_states", 6}, {"in_no_pols", 0}};
  a.not_let_through = {{"not_for_this_machine", 4}, {"reverse_path", 0}, {"connection_tracking", 9}};
  a.xfrm_events = {{"state_added", 12}, {"hard_expired", 1}};
  a.flight_recordings = {{"written", 3}, {"failed", 0}, {"rate_limited", 2}, {"queue_full", 0}, {"no_packets", 1}};
  a.flight_recorder_bytes = 65536;
  a.flight_recordings_stored_bytes = 98304;
  a.evicted_flight_packets = 7;
  a.esp_requests = {{"answered", 11}, {"stranger", 2}, {"limited", 0}};
  a.probe_strays = {{"ike", 7, 1}, {"esp", 0, 2}};
  a.timer_lag_count = 4000;
  a.timer_lag_seconds_sum = 0.5;
  a.timer_lag_seconds_max = 0.0025;
  a.echo_lag = {&sample_bounds(), {0, 90, 5, 1, 0}, 0.25};
  a.echo_skipped = 1;
  a.ready = true;
  a.http =
      HttpReport{{{"/metrics", 200, 17}, {"other", 404, 1}}, {{"overflow", 0}, {"header_timeout", 2}}, 3, 20, 0.25};
  a.process = ProcessReport{12.5, 20971520, 1699998999.5, 24, 1024};
  return a;
}

}  // namespace

Report sample_report() {
  Report r;
  r.generated = at(1700000500.125);
  r.packets = 123456;
  r.malformed = 2;
  r.tunnels = {down_tunnel(), up_tunnel(), discovered_tunnel()};
  r.echo = {echo("", "114.114.114.114", "reference"), echo("beijing", "198.51.100.20", "gateway"),
            echo("shanghai", "vpn.example.net", "gateway"), echo("", "branch", "target")};
  r.names = {{"vpn.example.net", true, 12, 2, 1}};
  r.ike_probes = {probe("beijing", 500, true), probe("beijing", 4500, false), probe("shanghai", 500, true)};
  r.esp_probes = {esp_probe("beijing")};
  r.agent = agent();
  return r;
}

Report large_report(std::size_t tunnels, std::size_t targets) {
  static const Counts reasons = {{"network_unreachable", 0}, {"host_unreachable", 0},     {"protocol_unreachable", 0},
                                 {"port_unreachable", 0},    {"fragmentation_needed", 0}, {"prohibited", 0},
                                 {"ttl_exceeded", 0},        {"other_icmp", 0},           {"no_route", 0},
                                 {"not_permitted", 0},       {"message_too_long", 0},     {"no_buffers", 0},
                                 {"local_error", 0}};
  const Histogram rtt{&fine_bounds(), std::vector<std::uint64_t>(fine_bounds().size() + 1, 12345), 86400.125};
  Report r = sample_report();
  const TunnelReport model = r.tunnels.front();
  r.tunnels.clear(), r.echo.clear(), r.ike_probes.clear(), r.esp_probes.clear();
  for (std::size_t i = 0; i < tunnels; ++i) {
    TunnelReport t = model;
    t.name = "tunnel-" + std::to_string(i);
    for (const char* event : {"ike_sa_rekeyed", "child_sa_established", "child_sa_deleted", "dpd_timeout", "mobike",
                              "cookie", "reauthenticated", "peer_restarted", "invalid_ke", "half_open"})
      t.event_counts.emplace_back(event, i);
    r.tunnels.push_back(t);
    for (const std::uint16_t port : {std::uint16_t{500}, std::uint16_t{4500}}) {
      IkeProbeReport p = probe(t.name, port, true);
      p.refused = reasons;
      p.rtt = rtt;
      r.ike_probes.push_back(std::move(p));
    }
  }
  for (std::size_t i = 0; i < targets; ++i) {
    EchoReport e =
        echo("tunnel-" + std::to_string(tunnels == 0 ? 0 : i % tunnels), "198.51.100." + std::to_string(i), "inner");
    e.refused = reasons;
    e.rtt = rtt;
    r.echo.push_back(std::move(e));
  }
  return r;
}

std::vector<CauseInfo> sample_causes() {
  return {{"authentication_fail",
           "authentication fail",
           "nego",
           {"1.1"},
           {"daemon", "wire", "log"},
           {"authentication fail", "认证失败"},
           {"Enter the same pre-shared key | on both ends.", "两端配置相同的预共享密钥。"}},
          {"link_flapping",
           "the line flaps",
           "drop",
           {"2.4", "3.1"},
           {"host"},
           {"the line flaps", "链路震荡"},
           {"Check the line.", "检查线路。"}}};
}

}  // namespace tunnelwatch::exporters
