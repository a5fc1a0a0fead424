#include "config/dump.h"

#include "tests/config/config_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using testing::lines;

void expect_round_trip(const Settings& settings) {
  const auto text = dump(settings);
  const auto result = load_text(text, "dump");
  EXPECT_THAT(lines(result.errors), ::testing::IsEmpty()) << text;
  ASSERT_TRUE(result);
  EXPECT_EQ(*result.settings, settings) << text;
}

Settings everything() {
  const auto result = load_text(R"(
listen: "[2001:db8::1]:80"
log_level: error
include_dir: "/etc/a \"b\"\\c # d"
references: []
probes:
  icmp: {interval: 1500ms, timeout: 1ms, payload_bytes: 24, dont_fragment: true}
  ike: {enabled: false, interval: 90s, timeout: 2s, burst: 7}
  path: {enabled: false, interval: 11s}
  esp: {enabled: false, interval: 99s, timeout: 3ms}
esp_responder: anyone
capture: {interfaces: [eth0, "*", "&a", "~", "null", "#x", "-", "123"], buffer: 65537B}
discovery: {enabled: false, max_tunnels: 1, idle: 3601s}
loss: {loss_ratio: 0.3333333333333333, clear_ratio: 0.00001, window: 2m}
recorder: {enabled: false, directory: "/var/a b", packets: 7, bytes: 5000B, quota: 100001B, interval: 61s}
kernel: {conntrack: false}
daemon: {vici: "/run/a b", log: false, error_notify: ""}
logs: {files: [/var/log/a, "/var/log/# b"], journal: true, units: ["a\\x2d.service"], syslog: "[2001:db8::1]:514"}
tunnels:
  - name: "true"
    remote: "2001:db8::2"
    local: "2001:db8::3"
    kind: openvpn
    ike_version: 1
    ike: [aes256-sha256-modp2048, aes128]
    esp: [aes256gcm16-modp2048]
    local_subnets: ["::/0", 10.0.0.0/8]
    remote_subnets: ["2001:db8::/32"]
    inner_hosts: ["2001:db8::9", host.example.]
    egress_interface: "no"
    bandwidth: {egress: 1500kbit, gateway: 1000Gbit}
    tunnel_interface: "on"
    local_tunnel_address: "fe80::2"
    remote_tunnel_address: "fe80::1"
    bgp: {local_as: 1.10, remote_as: 64512}
  - {name: _1.x-y, remote: n, local_interface: eth0.100}
)",
                                "f");
  EXPECT_THAT(lines(result.errors), ::testing::IsEmpty());
  return result.settings.value_or(Settings{});
}

TEST(Dump, ReadsBackToTheSame) {
  expect_round_trip(Settings{});
  expect_round_trip(everything());
  Settings none;
  none.include_dir.clear();
  expect_round_trip(none);
}

TEST(Dump, IsReadable) {
  Settings settings;
  settings.tunnels.emplace_back().name = "a";
  settings.tunnels[0].remote = {"vpn.example", {}};
  settings.tunnels[0].bandwidth.egress = 100'000'000;
  settings.tunnels[0].local_subnets = {*IpPrefix::parse("10.1.0.0/16")};
  settings.probes.icmp.rtt_buckets = {std::chrono::microseconds{50}, std::chrono::seconds{1}};
  EXPECT_EQ(dump(settings), R"(listen: 127.0.0.1:9814
log_level: info
include_dir: conf.d
references:
  - 114.114.114.114
  - 223.5.5.5
target_groups: []
targets: []
probes:
  icmp:
    interval: 1s
    timeout: 800ms
    payload_bytes: 56
    dont_fragment: false
    burst: 1
    dscp: 0
    rtt_buckets:
      - 50us
      - 1s
  ike:
    enabled: true
    interval: 10s
    timeout: 1s
    burst: 3
    daily_limit: 10000
  path:
    enabled: true
    interval: 10m
  esp:
    enabled: true
    interval: 1m
    timeout: 1s
esp_responder: false
capture:
  interfaces: []
  buffer: 4MiB
discovery:
  enabled: true
  max_tunnels: 256
  idle: 1h
loss:
  loss_ratio: 0.02
  clear_ratio: 0.01
  window: 1m
recorder:
  enabled: true
  directory: ""
  packets: 128
  bytes: 128KiB
  quota: 64MiB
  interval: 1m
kernel:
  conntrack: true
  xfrm: true
  filter: true
daemon:
  vici: "/run/charon.vici"
  log: true
  error_notify: "/run/charon.enfy"
logs:
  files: []
  journal: false
  units: []
tunnels:
  - name: a
    remote: vpn.example
    kind: ipsec
    ike_version: any
    ike: []
    esp: []
    local_subnets:
      - 10.1.0.0/16
    remote_subnets: []
    inner_hosts: []
    bandwidth:
      egress: 100Mbit
)");
}

}  // namespace
}  // namespace tunnelwatch::config
