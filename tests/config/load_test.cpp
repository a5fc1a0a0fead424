#include "config/load.h"

#include "config/default_config.h"
#include "config/key_list.h"
#include "config/validate.h"
#include "tests/config/config_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using namespace std::chrono_literals;
using testing::errors_of;
using testing::lines;

// One tunnel with what it needs, to be followed by more of its keys.
const std::string kTunnel = "tunnels:\n- name: a\n  remote: 198.51.100.20\n";

Settings load(const std::string& yaml) {
  auto result = load_text(yaml, "f");
  EXPECT_THAT(lines(result.errors), ::testing::IsEmpty());
  return result.settings.value_or(Settings{});
}

Tunnel load_tunnel(const std::string& keys) {
  const auto settings = load(kTunnel + keys);
  return settings.tunnels.empty() ? Tunnel{} : settings.tunnels.front();
}

IpPrefix prefix(const char* text) { return *IpPrefix::parse(text); }

TEST(Load, NothingGivenMeansTheDefaults) {
  EXPECT_EQ(load(""), Settings{});
  EXPECT_EQ(load("# nothing\n"), default_config());
}

TEST(Load, TheDefaultConfigIsValidAndWatches) {
  const auto settings = default_config();
  EXPECT_TRUE(validate(settings).errors.empty());
  EXPECT_TRUE(settings.discovery.enabled);
  EXPECT_FALSE(settings.references.empty());
}

// Each row sets one key to something other than its default and says which field that changes.
struct KeyRow {
  const char* path;
  const char* yaml;
  void (*change)(Settings&);
};

const std::vector<KeyRow> kKeyRows{
    {"listen", "listen: 192.0.2.1:80",
     [](Settings& s) {
       s.listen = {*IpAddress::parse("192.0.2.1"), 80};
     }},
    {"log_level", "log_level: warning", [](Settings& s) { s.log_level = LogLevel::warning; }},
    {"include_dir", "include_dir: /etc/x y.d", [](Settings& s) { s.include_dir = "/etc/x y.d"; }},
    {"references", "references: [192.0.2.1, ref.example]",
     [](Settings& s) {
       s.references = {{"192.0.2.1", IpAddress::parse("192.0.2.1")}, {"ref.example", {}}};
     }},
    {"probes", "probes: {icmp: {interval: 2s}}", [](Settings& s) { s.probes.icmp.interval = 2s; }},
    {"probes.icmp", "probes: {icmp: {interval: 900ms}}", [](Settings& s) { s.probes.icmp.interval = 900ms; }},
    {"probes.icmp.interval", "probes: {icmp: {interval: 1h}}", [](Settings& s) { s.probes.icmp.interval = 1h; }},
    {"probes.icmp.timeout", "probes: {icmp: {timeout: 1ms}}", [](Settings& s) { s.probes.icmp.timeout = 1ms; }},
    {"probes.icmp.payload_bytes", "probes: {icmp: {payload_bytes: 1472}}",
     [](Settings& s) { s.probes.icmp.payload_bytes = 1472; }},
    {"probes.icmp.dont_fragment", "probes: {icmp: {dont_fragment: true}}",
     [](Settings& s) { s.probes.icmp.dont_fragment = true; }},
    {"probes.icmp.burst", "probes: {icmp: {burst: 20}}", [](Settings& s) { s.probes.icmp.burst = 20; }},
    {"probes.icmp.dscp", "probes: {icmp: {dscp: 63}}", [](Settings& s) { s.probes.icmp.dscp = 63; }},
    {"probes.icmp.rtt_buckets", "probes: {icmp: {rtt_buckets: [1us, 1ms, 3600s]}}",
     [](Settings& s) {
       s.probes.icmp.rtt_buckets = {1us, 1ms, 3600s};
     }},
    {"target_groups", "target_groups: []", [](Settings&) {}},
    {"target_groups[].name", "target_groups: [{name: g}]",
     [](Settings& s) { s.target_groups.emplace_back().name = "g"; }},
    {"targets", "targets: []", [](Settings&) {}},
    {"targets[].name", "targets: [{name: t, host: a.example}]",
     [](Settings& s) {
       s.targets.emplace_back().name = "t";
       s.targets[0].host = {"a.example", {}};
     }},
    {"targets[].host", "targets: [{host: 192.0.2.1}]",
     [](Settings& s) {
       s.targets.emplace_back().host = {"192.0.2.1", IpAddress::parse("192.0.2.1")};
     }},
    {"targets[].group", "target_groups: [{name: g}]\ntargets: [{host: a.example, group: g}]",
     [](Settings& s) {
       s.target_groups.emplace_back().name = "g";
       s.targets.emplace_back().host = {"a.example", {}};
       s.targets[0].group = "g";
     }},
    {"probes.ike", "probes: {ike: {burst: 1}}", [](Settings& s) { s.probes.ike.burst = 1; }},
    {"probes.ike.enabled", "probes: {ike: {enabled: false}}", [](Settings& s) { s.probes.ike.enabled = false; }},
    {"probes.ike.interval", "probes: {ike: {interval: 5m}}", [](Settings& s) { s.probes.ike.interval = 5min; }},
    {"probes.ike.timeout", "probes: {ike: {timeout: 2s}}", [](Settings& s) { s.probes.ike.timeout = 2s; }},
    {"probes.ike.burst", "probes: {ike: {burst: 100}}", [](Settings& s) { s.probes.ike.burst = 100; }},
    {"probes.ike.daily_limit", "probes: {ike: {daily_limit: 1}}", [](Settings& s) { s.probes.ike.daily_limit = 1; }},
    {"probes.path", "probes: {path: {interval: 10s}}", [](Settings& s) { s.probes.path.interval = 10s; }},
    {"probes.path.enabled", "probes: {path: {enabled: false}}", [](Settings& s) { s.probes.path.enabled = false; }},
    {"probes.path.interval", "probes: {path: {interval: 24h}}", [](Settings& s) { s.probes.path.interval = 24h; }},
    {"probes.esp", "probes: {esp: {interval: 5m}}", [](Settings& s) { s.probes.esp.interval = 5min; }},
    {"probes.esp.enabled", "probes: {esp: {enabled: false}}", [](Settings& s) { s.probes.esp.enabled = false; }},
    {"probes.esp.interval", "probes: {esp: {interval: 10s}}", [](Settings& s) { s.probes.esp.interval = 10s; }},
    {"probes.esp.timeout", "probes: {esp: {timeout: 2s}}", [](Settings& s) { s.probes.esp.timeout = 2s; }},
    {"esp_responder", "esp_responder: true", [](Settings& s) { s.esp_responder = EspResponder::peers; }},
    {"capture", "capture: {buffer: 64KiB}", [](Settings& s) { s.capture.buffer_bytes = 65536; }},
    {"capture.interfaces", "capture: {interfaces: [eth0, wg-0]}",
     [](Settings& s) {
       s.capture.interfaces = {"eth0", "wg-0"};
     }},
    {"capture.buffer", "capture: {buffer: 64KiB}", [](Settings& s) { s.capture.buffer_bytes = 65536; }},
    {"discovery", "discovery: {idle: 2h}", [](Settings& s) { s.discovery.idle = 2h; }},
    {"discovery.enabled", "discovery: {enabled: false}\ntunnels: [{name: a, remote: 192.0.2.1}]",
     [](Settings& s) {
       s.discovery.enabled = false;
       s.tunnels.emplace_back();
       s.tunnels[0].name = "a";
       s.tunnels[0].remote = {"192.0.2.1", IpAddress::parse("192.0.2.1")};
     }},
    {"discovery.max_tunnels", "discovery: {max_tunnels: 10000}", [](Settings& s) { s.discovery.max_tunnels = 10000; }},
    {"discovery.idle", "discovery: {idle: 90s}", [](Settings& s) { s.discovery.idle = 90s; }},
    {"loss", "loss: {window: 10s}", [](Settings& s) { s.loss.window = 10s; }},
    {"loss.loss_ratio", "loss: {loss_ratio: 0.5}", [](Settings& s) { s.loss.loss_ratio = 0.5; }},
    {"loss.clear_ratio", "loss: {clear_ratio: 0}", [](Settings& s) { s.loss.clear_ratio = 0; }},
    {"loss.window", "loss: {window: 5m}", [](Settings& s) { s.loss.window = 5min; }},
    {"recorder", "recorder: {packets: 1}", [](Settings& s) { s.recorder.packets = 1; }},
    {"recorder.enabled", "recorder: {enabled: false}", [](Settings& s) { s.recorder.enabled = false; }},
    {"recorder.directory", "recorder: {directory: /var/x}", [](Settings& s) { s.recorder.directory = "/var/x"; }},
    {"recorder.packets", "recorder: {packets: 10000}", [](Settings& s) { s.recorder.packets = 10000; }},
    {"recorder.bytes", "recorder: {bytes: 4MiB}", [](Settings& s) { s.recorder.bytes = 4U << 20; }},
    {"recorder.quota", "recorder: {quota: 2GiB}", [](Settings& s) { s.recorder.quota_bytes = 1U << 31; }},
    {"recorder.interval", "recorder: {interval: 1s}", [](Settings& s) { s.recorder.interval = 1s; }},
    {"kernel", "kernel: {}", [](Settings&) {}},
    {"kernel.conntrack", "kernel: {conntrack: false}", [](Settings& s) { s.kernel.conntrack = false; }},
    {"kernel.xfrm", "kernel: {xfrm: false}", [](Settings& s) { s.kernel.xfrm = false; }},
    {"kernel.filter", "kernel: {filter: false}", [](Settings& s) { s.kernel.filter = false; }},
    {"daemon", "daemon: {}", [](Settings&) {}},
    {"daemon.vici", "daemon: {vici: \"\"}", [](Settings& s) { s.daemon.vici = ""; }},
    {"daemon.log", "daemon: {log: false}", [](Settings& s) { s.daemon.log = false; }},
    {"daemon.error_notify", "daemon: {error_notify: \"\"}", [](Settings& s) { s.daemon.error_notify = ""; }},
    {"logs", "logs: {journal: true}", [](Settings& s) { s.logs.journal = true; }},
    {"logs.files", "logs: {files: [/var/log/charon.log]}", [](Settings& s) { s.logs.files = {"/var/log/charon.log"}; }},
    {"logs.journal", "logs: {journal: true}", [](Settings& s) { s.logs.journal = true; }},
    {"logs.units", "logs: {journal: true, units: [strongswan.service]}",
     [](Settings& s) {
       s.logs.journal = true;
       s.logs.units = {"strongswan.service"};
     }},
    {"logs.syslog", "logs: {syslog: 127.0.0.1:5514}",
     [](Settings& s) {
       s.logs.syslog = ListenAddress{*IpAddress::parse("127.0.0.1"), 5514};
     }},
    {"tunnels", "tunnels: []", [](Settings&) {}},
};

struct TunnelRow {
  const char* path;
  const char* yaml;
  void (*change)(Tunnel&);
};

const std::vector<TunnelRow> kTunnelRows{
    {"tunnels[].name", "", [](Tunnel&) {}},
    {"tunnels[].remote", "", [](Tunnel&) {}},
    {"tunnels[].local", "  local: 192.0.2.10", [](Tunnel& t) { t.local = IpAddress::parse("192.0.2.10"); }},
    {"tunnels[].local_interface", "  local_interface: eth0", [](Tunnel& t) { t.local_interface = "eth0"; }},
    {"tunnels[].kind", "  kind: openvpn\n  tunnel_interface: tun0",
     [](Tunnel& t) {
       t.kind = TunnelKind::openvpn;
       t.tunnel_interface = "tun0";
     }},
    {"tunnels[].ike_version", "  ike_version: 2", [](Tunnel& t) { t.version = IkeVersion::v2; }},
    {"tunnels[].ike", "  ike: [aes256-sha256-modp2048]", [](Tunnel& t) { t.ike = {"aes256-sha256-modp2048"}; }},
    {"tunnels[].esp", "  esp: [aes128, aes256gcm16]",
     [](Tunnel& t) {
       t.esp = {"aes128", "aes256gcm16"};
     }},
    {"tunnels[].local_subnets", "  local_subnets: [10.1.0.0/16, \"2001:db8::/32\"]",
     [](Tunnel& t) {
       t.local_subnets = {prefix("10.1.0.0/16"), prefix("2001:db8::/32")};
     }},
    {"tunnels[].remote_subnets", "  remote_subnets:\n  - 10.2.0.1",
     [](Tunnel& t) { t.remote_subnets = {prefix("10.2.0.1/32")}; }},
    {"tunnels[].inner_hosts", "  inner_hosts: [app.corp.example]",
     [](Tunnel& t) {
       t.inner_hosts = {{"app.corp.example", {}}};
     }},
    {"tunnels[].egress_interface", "  egress_interface: ppp0", [](Tunnel& t) { t.egress_interface = "ppp0"; }},
    {"tunnels[].bandwidth", "  bandwidth: {}", [](Tunnel&) {}},
    {"tunnels[].bandwidth.egress", "  bandwidth: {egress: 100Mbit}",
     [](Tunnel& t) { t.bandwidth.egress = 100'000'000; }},
    {"tunnels[].bandwidth.gateway", "  bandwidth: {gateway: 1Gbit}",
     [](Tunnel& t) { t.bandwidth.gateway = 1'000'000'000; }},
    {"tunnels[].tunnel_interface", "  tunnel_interface: ipsec0", [](Tunnel& t) { t.tunnel_interface = "ipsec0"; }},
    {"tunnels[].local_tunnel_address", "  local_tunnel_address: 169.254.70.2",
     [](Tunnel& t) { t.local_tunnel_address = IpAddress::parse("169.254.70.2"); }},
    {"tunnels[].remote_tunnel_address", "  remote_tunnel_address: \"fe80::1\"",
     [](Tunnel& t) { t.remote_tunnel_address = IpAddress::parse("fe80::1"); }},
    {"tunnels[].bgp", "  bgp: {}", [](Tunnel&) {}},
    {"tunnels[].bgp.local_as", "  bgp: {local_as: 1.10}", [](Tunnel& t) { t.bgp.local_as = 65546; }},
    {"tunnels[].bgp.remote_as", "  bgp: {remote_as: \"4200000001\"}", [](Tunnel& t) { t.bgp.remote_as = 4200000001; }},
};

// Keys that a group and a target share.
struct OptionRow {
  const char* key;
  const char* yaml;
  void (*change)(EchoOptions&);
};

const std::vector<OptionRow> kOptionRows{
    {"interval", "interval: 1h", [](EchoOptions& o) { o.interval = 1h; }},
    {"timeout", "timeout: 1ms", [](EchoOptions& o) { o.timeout = 1ms; }},
    {"payload_bytes", "payload_bytes: 24", [](EchoOptions& o) { o.payload_bytes = 24; }},
    {"dont_fragment", "dont_fragment: false", [](EchoOptions& o) { o.dont_fragment = false; }},
    {"burst", "burst: 20", [](EchoOptions& o) { o.burst = 20; }},
    {"dscp", "dscp: 0", [](EchoOptions& o) { o.dscp = 0; }},
    {"ttl", "ttl: 255", [](EchoOptions& o) { o.ttl = 255; }},
    {"source", "source: 192.0.2.10", [](EchoOptions& o) { o.source = IpAddress::parse("192.0.2.10"); }},
    {"interface", "interface: ppp0", [](EchoOptions& o) { o.interface = "ppp0"; }},
    {"fwmark", "fwmark: 4294967295", [](EchoOptions& o) { o.fwmark = 4294967295; }},
    {"family", "family: 6", [](EchoOptions& o) { o.family = AddressFamily::v6; }},
    {"labels", "labels: [a=b]",
     [](EchoOptions& o) {
       o.labels = {{"a", "b"}};
     }},
};

TEST(Load, EachOptionOfATargetOrAGroupSetsItsField) {
  for (const OptionRow& row : kOptionRows) {
    SCOPED_TRACE(row.key);
    Settings expected;
    expected.target_groups.emplace_back().name = "g";
    row.change(expected.target_groups[0]);
    EXPECT_EQ(load(std::string("target_groups:\n- name: g\n  ") + row.yaml), expected);
  }
  for (const OptionRow& row : kOptionRows) {
    SCOPED_TRACE(row.key);
    Settings expected;
    expected.targets.emplace_back().host = {"a.example", {}};
    row.change(expected.targets[0]);
    EXPECT_EQ(load(std::string("targets:\n- host: a.example\n  ") + row.yaml), expected);
  }
}

TEST(Load, EachKeySetsItsField) {
  for (const auto& row : kKeyRows) {
    SCOPED_TRACE(row.path);
    Settings expected;
    row.change(expected);
    EXPECT_EQ(load(row.yaml), expected);
  }
  for (const auto& row : kTunnelRows) {
    SCOPED_TRACE(row.path);
    Tunnel expected;
    expected.name = "a";
    expected.remote = {"198.51.100.20", IpAddress::parse("198.51.100.20")};
    row.change(expected);
    EXPECT_EQ(load_tunnel(row.yaml), expected);
  }
}

TEST(Load, EachKeyHasARowAbove) {
  std::vector<std::string> rows;
  for (const auto& row : kKeyRows) rows.emplace_back(row.path);
  for (const auto& row : kTunnelRows) rows.emplace_back(row.path);
  for (const auto& row : kOptionRows) {
    rows.push_back(std::string("target_groups[].") + row.key);
    rows.push_back(std::string("targets[].") + row.key);
  }
  std::vector<std::string> keys;
  for (const auto& key : list_keys()) keys.push_back(key.path);
  EXPECT_THAT(rows, ::testing::UnorderedElementsAreArray(keys));
}

TEST(Load, ListenTakesBothFamilies) {
  EXPECT_EQ(load("listen: \"[::1]:9814\"").listen, (ListenAddress{*IpAddress::parse("::1"), 9814}));
  EXPECT_EQ(load("listen: 0.0.0.0:1").listen.port, 1);
}

struct ErrorRow {
  const char* name;
  std::string yaml;
  const char* error;
  friend void PrintTo(const ErrorRow& row, std::ostream* out) { *out << row.name; }
};

class LoadErrors : public ::testing::TestWithParam<ErrorRow> {};

TEST_P(LoadErrors, IsTold) {
  const auto result = load_text(GetParam().yaml, "f");
  EXPECT_FALSE(result);
  EXPECT_EQ(lines(result.errors), std::vector<std::string>{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, LoadErrors,
    ::testing::Values(
        ErrorRow{"unknown_key", "lissten: x", "f:1:1: lissten: unknown key; did you mean listen?"},
        ErrorRow{"unknown_key_swapped", "probes:\n  icmp:\n    timoeut: 1s",
                 "f:3:5: probes.icmp.timoeut: unknown key; did you mean timeout?"},
        ErrorRow{"unknown_key_far", "zzzzzzzz: x", "f:1:1: zzzzzzzz: unknown key"},
        ErrorRow{"unknown_key_of_tunnel", kTunnel + "  remotes: x",
                 "f:4:3: tunnels[0].remotes: unknown key; did you mean remote?"},
        ErrorRow{"odd_key", "\"a\\u001b b\": x", "f:1:1: a??b: unknown key"},
        ErrorRow{"root_list", "- a", "f:1:1: must be a map of keys, not a list"},
        ErrorRow{"root_text", "hello", "f:1:1: must be a map of keys, not one value"},
        ErrorRow{"section_is_list", "probes: []", "f:1:9: probes: must be a map of keys, not a list"},
        ErrorRow{"list_is_map", "tunnels: {}", "f:1:10: tunnels: must be a list, not a map of keys"},
        ErrorRow{"list_is_text", "references: a.b", "f:1:13: references: must be a list, not one value"},
        ErrorRow{"value_is_list", "log_level: [info]", "f:1:12: log_level: must be one value, not a list"},
        ErrorRow{"no_value", "listen:\nlog_level: info", "f:1:1: listen: has no value; give one or remove the key"},
        ErrorRow{"null_value", "log_level: null", "f:1:1: log_level: has no value; give one or remove the key"},
        ErrorRow{"null_item", "references: [~]", "f:1:14: references[0]: has no value; give one or remove the key"},
        ErrorRow{"no_name", "tunnels:\n- remote: a.example", "f:2:3: tunnels[0].name: is missing"},
        ErrorRow{"no_remote", "tunnels:\n- name: a", "f:2:3: tunnels[0].remote: is missing"},
        ErrorRow{"twice", "log_level: info\nlog_level: debug", "f:2:1: log_level: is given twice, first in line 1"},
        ErrorRow{"item_twice", "references: [a.b, a.b]", "f:1:19: references[1]: is listed already"},
        ErrorRow{
            "too_many_items",
            "references: [a0.b, a1.b, a2.b, a3.b, a4.b, a5.b, a6.b, a7.b, a8.b, a9.b, aa.b, ab.b, ac.b, ad.b, ae.b, "
            "af.b, ag.b]",
            "f:1:13: references: has 17 items; 16 are allowed"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Values, LoadErrors,
    ::testing::Values(
        ErrorRow{"bool_yes", "discovery: {enabled: yes}", "f:1:22: discovery.enabled: \"yes\" is not true or false"},
        ErrorRow{"bool_case", "discovery: {enabled: True}", "f:1:22: discovery.enabled: \"True\" is not true or false"},
        ErrorRow{"bool_quoted", "discovery: {enabled: \"true\"}",
                 "f:1:22: discovery.enabled: is quoted, so it is text; write true or false without quotes"},
        ErrorRow{"octal", "probes: {ike: {burst: 010}}",
                 "f:1:23: probes.ike.burst: \"010\" is not a whole number (decimal, without leading zeros)"},
        ErrorRow{"number_quoted", "probes: {ike: {burst: \"1\"}}",
                 "f:1:23: probes.ike.burst: is quoted, so it is text; write the number without quotes"},
        ErrorRow{"number_large", "probes: {icmp: {payload_bytes: 1473}}",
                 "f:1:32: probes.icmp.payload_bytes: must be from 24 to 1472"},
        ErrorRow{"number_small", "probes: {icmp: {payload_bytes: 23}}",
                 "f:1:32: probes.icmp.payload_bytes: must be from 24 to 1472"},
        ErrorRow{
            "duration_no_unit", "loss:\n  window: 60",
            "f:2:11: loss.window: \"60\" is not a duration; write a whole number with its unit, such as 800ms, 1s, "
            "5m or 1h"},
        ErrorRow{"duration_small", "probes: {icmp: {interval: 9ms}}",
                 "f:1:27: probes.icmp.interval: must be from 10ms to 1h"},
        ErrorRow{"duration_large", "discovery: {idle: 721h}", "f:1:19: discovery.idle: must be from 1s to 720h"},
        ErrorRow{"duration_fraction", "discovery: {idle: 1500ms}", "f:1:19: discovery.idle: must be whole seconds"},
        ErrorRow{"size_no_unit", "capture: {buffer: 65536}",
                 "f:1:19: capture.buffer: \"65536\" is not a size; write a whole number with its unit, such as 512B, "
                 "64KiB or 16MiB"},
        ErrorRow{"size_large", "capture: {buffer: 2GiB}", "f:1:19: capture.buffer: must be from 64KiB to 1GiB"},
        ErrorRow{
            "bandwidth", kTunnel + "  bandwidth: {egress: 100M}",
            "f:4:23: tunnels[0].bandwidth.egress: \"100M\" is not a bandwidth; write a whole number with its unit, "
            "such as 100Mbit or 1Gbit"},
        ErrorRow{"bandwidth_small", kTunnel + "  bandwidth: {egress: 0bit}",
                 "f:4:23: tunnels[0].bandwidth.egress: must be from 1kbit to 1000Gbit"},
        ErrorRow{"as_number", kTunnel + "  bgp: {local_as: AS65001}",
                 "f:4:19: tunnels[0].bgp.local_as: \"AS65001\" is not an AS number, such as 65001 or 1.10"},
        ErrorRow{"as_trans", kTunnel + "  bgp: {remote_as: 23456}",
                 "f:4:20: tunnels[0].bgp.remote_as: \"23456\" is reserved and no one's AS number"},
        ErrorRow{"as_zero", kTunnel + "  bgp: {remote_as: 0.0}",
                 "f:4:20: tunnels[0].bgp.remote_as: \"0.0\" is reserved and no one's AS number"},
        ErrorRow{"ratio", "loss: {loss_ratio: 2}",
                 "f:1:20: loss.loss_ratio: \"2\" is not a ratio from 0 to 1, such as 0.02"},
        ErrorRow{"ratio_quoted", "loss: {loss_ratio: '0.1'}",
                 "f:1:20: loss.loss_ratio: is quoted, so it is text; write the number without quotes"},
        ErrorRow{"choice", "log_level: trace",
                 "f:1:12: log_level: \"trace\" is not one of debug, info, warning or error"},
        ErrorRow{"ike_version", kTunnel + "  ike_version: 3",
                 "f:4:16: tunnels[0].ike_version: \"3\" is not one of any, 1 or 2"},
        ErrorRow{"listen_no_port", "listen: 127.0.0.1",
                 "f:1:9: listen: \"127.0.0.1\" is not an address and a port, such as 127.0.0.1:9814 or \"[::1]:9814\""},
        ErrorRow{"listen_bare_v6", "listen: ::1:9814",
                 "f:1:9: listen: \"::1:9814\" is not an address and a port, such as 127.0.0.1:9814 or \"[::1]:9814\""},
        ErrorRow{
            "listen_name", "listen: localhost:1",
            "f:1:9: listen: \"localhost:1\" is not an address and a port, such as 127.0.0.1:9814 or \"[::1]:9814\""},
        ErrorRow{"listen_port_large", "listen: 127.0.0.1:65536",
                 "f:1:9: listen: \"127.0.0.1:65536\" is not an address and a port, such as 127.0.0.1:9814 or "
                 "\"[::1]:9814\""},
        ErrorRow{"listen_port_zero", "listen: 127.0.0.1:0", "f:1:9: listen: the port must not be 0"},
        ErrorRow{"local_name", kTunnel + "  local: gw.example",
                 "f:4:10: tunnels[0].local: \"gw.example\" is not an IPv4 or IPv6 address"},
        ErrorRow{"local_any", kTunnel + "  local: 0.0.0.0",
                 "f:4:10: tunnels[0].local: \"0.0.0.0\" is not the address of one host"},
        ErrorRow{"host_bad_address", "references: [300.1.1.1]",
                 "f:1:14: references[0]: \"300.1.1.1\" is not an IP address or a DNS name"},
        ErrorRow{"host_bad_name", "references: [a_b.c]",
                 "f:1:14: references[0]: \"a_b.c\" is not an IP address or a DNS name"},
        ErrorRow{"host_multicast", "references: [224.0.0.1]",
                 "f:1:14: references[0]: \"224.0.0.1\" is not the address of one host"},
        ErrorRow{"subnet", kTunnel + "  local_subnets: [10.1.0.0/33]",
                 "f:4:19: tunnels[0].local_subnets[0]: \"10.1.0.0/33\" is not a subnet, such as 10.1.0.0/24 or "
                 "\"2001:db8::/32\""},
        ErrorRow{
            "subnet_host_bits", kTunnel + "  local_subnets: [10.1.0.1/24]",
            "f:4:19: tunnels[0].local_subnets[0]: \"10.1.0.1/24\" has bits set behind its prefix length; write the "
            "first address of the subnet"},
        ErrorRow{
            "tunnel_name", "tunnels: [{name: a b, remote: c.d}]",
            "f:1:18: tunnels[0].name: \"a b\" is not 1 to 64 letters, digits, \"_\", \".\" and \"-\", the first no "
            "dot or hyphen"},
        ErrorRow{"interface", kTunnel + "  egress_interface: a/b",
                 "f:4:21: tunnels[0].egress_interface: \"a/b\" is not the name of an interface, such as eth0"},
        ErrorRow{"proposal", kTunnel + "  ike: [AES256]",
                 "f:4:9: tunnels[0].ike[0]: \"AES256\" is not algorithms in small letters joined by hyphens, such as "
                 "aes256-sha256-modp2048"},
        ErrorRow{"algorithm", kTunnel + "  ike: [aes256-sha256-modp2084]",
                 "f:4:9: tunnels[0].ike[0]: \"modp2084\" is not an algorithm of IKE or ESP; did you mean modp2048?"},
        ErrorRow{"hyphens", kTunnel + "  esp: [aes256--sha256]",
                 "f:4:9: tunnels[0].esp[0]: \"\" is not an algorithm of IKE or ESP"},
        ErrorRow{"directory", "include_dir: \"a\\nb\"", "f:1:14: include_dir: \"a?b\" is not the path of a directory"}),
    [](const auto& row) { return row.param.name; });

TEST(Load, TellsAllErrorsInTheirOrder) {
  const auto errors = errors_of(
      "listen: 1\n"
      "log_levl: info\n"
      "probes:\n"
      "  icmp: {interval: 500ms}\n"
      "  ike: {burst: x}\n"
      "tunnels:\n"
      "- name: a\n"
      "  remote: &r 192.0.2.1\n"
      "- name: a\n"
      "  remote: c.example\n"
      "  local_interface: toolonganinterface\n");
  EXPECT_THAT(
      errors,
      ::testing::ElementsAre(
          ::testing::StartsWith("f:1:9: listen: \"1\" is not"), "f:2:1: log_levl: unknown key; did you mean log_level?",
          "f:4:9: probes.icmp.timeout: must be shorter than the interval: 800ms is not below 500ms",
          ::testing::StartsWith("f:5:16: probes.ike.burst:"), "f:8:11: tunnels[0].remote: anchors are not allowed",
          "f:9:9: tunnels[1].name: \"a\" is the name of another tunnel, at f:7:9",
          ::testing::StartsWith("f:11:20: tunnels[1].local_interface:")));
}

TEST(Load, RulesAboutABrokenValueAreNotTold) {
  EXPECT_THAT(errors_of("probes: {icmp: {interval: 20ms, timeout: 5}}"), ::testing::SizeIs(1));
  EXPECT_THAT(errors_of("discovery: {enabled: false}\ntunnels: x"), ::testing::SizeIs(1));
  EXPECT_THAT(errors_of(kTunnel + "  remote_subnets: [10.2.0.0/16, x]\n  inner_hosts: [10.3.0.1]"),
              ::testing::SizeIs(1));
  EXPECT_THAT(errors_of("tunnels:\n- name: 'x y'\n  remote: a.b\n- name: 'x y'\n  remote: a.b"), ::testing::SizeIs(2));
}

TEST(Load, ListsAHundredErrorsAtMost) {
  std::string yaml = "tunnels:\n";
  for (int i = 0; i < 500; ++i) yaml += "- {}\n";
  EXPECT_EQ(load_text(yaml, "f").errors.size(), kMaxErrors);
}

TEST(Load, LongTextIsCutInMessages) {
  const auto errors = errors_of("log_level: " + std::string(1000, 'x'));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_LT(errors[0].size(), 140U);
}

}  // namespace
}  // namespace tunnelwatch::config
