#include "config/validate.h"

#include "config/keys.h"
#include "tests/config/config_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnelwatch::config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::lines;

Host host(const char* text) { return {text, IpAddress::parse(text)}; }

Settings healthy() {
  Settings settings;
  Tunnel& tunnel = settings.tunnels.emplace_back();
  tunnel.name = "a";
  tunnel.remote = host("198.51.100.20");
  tunnel.local_subnets = {*IpPrefix::parse("10.1.0.0/16")};
  tunnel.remote_subnets = {*IpPrefix::parse("10.2.0.0/16")};
  tunnel.inner_hosts = {host("10.2.0.1"), host("app.corp.example")};
  return settings;
}

struct Row {
  const char* name;
  void (*change)(Settings&);
  std::vector<std::string> errors;
  std::vector<std::string> warnings = {};
  friend void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
};

class Validate : public ::testing::TestWithParam<Row> {};

TEST_P(Validate, Tells) {
  Settings settings = healthy();
  GetParam().change(settings);
  const auto findings = validate(settings);
  EXPECT_EQ(lines(findings.errors), GetParam().errors);
  EXPECT_EQ(lines(findings.warnings), GetParam().warnings);
}

INSTANTIATE_TEST_SUITE_P(
    All, Validate,
    ::testing::Values(
        Row{"healthy", [](Settings&) {}, {}},
        Row{"port", [](Settings& s) { s.listen.port = 0; }, {"listen: the port must not be 0"}},
        Row{"icmp_timeout_equal",
            [](Settings& s) { s.probes.icmp.timeout = 1s; },
            {"probes.icmp.timeout: must be shorter than the interval: 1s is not below 1s"}},
        Row{"ike_timeout",
            [](Settings& s) { s.probes.ike.timeout = 11s; },
            {"probes.ike.timeout: must be shorter than the interval: 11s is not below 10s"}},
        Row{"esp_timeout",
            [](Settings& s) { s.probes.esp.timeout = 60s; },
            {"probes.esp.timeout: must be shorter than the interval: 1m is not below 1m"}},
        Row{"buckets_not_ascending",
            [](Settings& s) {
              s.probes.icmp.rtt_buckets = {1ms, 3ms, 2ms};
            },
            {"probes.icmp.rtt_buckets[2]: 2ms is not above the bound before it"}},
        Row{"no_buckets",
            [](Settings& s) { s.probes.icmp.rtt_buckets.clear(); },
            {"probes.icmp.rtt_buckets: a histogram wants a bound at least"}},
        Row{"recorder_directory",
            [](Settings& s) { s.recorder.directory = "var/lib"; },
            {"recorder.directory: \"var/lib\" is not an absolute path"}},
        Row{"recorder_quota",
            [](Settings& s) { s.recorder.quota_bytes = 64U << 10; },
            {"recorder.quota: must hold a file: 64KiB is below 128KiB of recorder.bytes"}},
        Row{"syslog_port",
            [](Settings& s) {
              s.logs.syslog = ListenAddress{s.listen.address, 0};
            },
            {"logs.syslog: the port must not be 0"}},
        Row{"syslog_at_our_own_address",
            [](Settings& s) { s.logs.syslog = s.listen; },
            {"logs.syslog: is the address and port of listen"}},
        Row{"units_without_journal",
            [](Settings& s) { s.logs.units = {"a.service"}; },
            {},
            {"logs.units: are not heard: logs.journal is false"}},
        Row{"loss",
            [](Settings& s) { s.loss.clear_ratio = 0.02; },
            {"loss.clear_ratio: must be below loss_ratio: 0.02 is not below 0.02"}},
        Row{"nothing_to_watch",
            [](Settings& s) {
              s.tunnels.clear();
              s.discovery.enabled = false;
            },
            {"discovery.enabled: nothing to watch: there are no tunnels, no targets, and discovery is off"}},
        Row{"tunnels_without_discovery", [](Settings& s) { s.discovery.enabled = false; }, {}},
        Row{"same_name",
            [](Settings& s) { s.tunnels.push_back(s.tunnels[0]); },
            {"tunnels[1].name: \"a\" is the name of another tunnel, at tunnels[0].name"}},
        Row{"two_locals",
            [](Settings& s) {
              s.tunnels[0].local = IpAddress::parse("192.0.2.1");
              s.tunnels[0].local_interface = "eth0";
            },
            {"tunnels[0].local_interface: stands beside local; give one of the two"}},
        Row{"families",
            [](Settings& s) { s.tunnels[0].local = IpAddress::parse("2001:db8::1"); },
            {"tunnels[0].local: is of another address family than remote 198.51.100.20"}},
        Row{"families_of_a_name_are_unknown",
            [](Settings& s) {
              s.tunnels[0].local = IpAddress::parse("2001:db8::1");
              s.tunnels[0].remote = {"vpn.example", {}};
            },
            {}},
        Row{"own_peer",
            [](Settings& s) { s.tunnels[0].local = s.tunnels[0].remote.address; },
            {"tunnels[0].local: is the same address as remote"}},
        Row{"same_subnet",
            [](Settings& s) { s.tunnels[0].local_subnets = s.tunnels[0].remote_subnets; },
            {"tunnels[0].remote_subnets[0]: 10.2.0.0/16 is in local_subnets too"}},
        Row{"overlapping_subnets",
            [](Settings& s) { s.tunnels[0].local_subnets = {*IpPrefix::parse("10.0.0.0/8")}; },
            {},
            {"tunnels[0].remote_subnets[0]: 10.2.0.0/16 overlaps 10.0.0.0/8 of local_subnets"}},
        Row{"route_based",
            [](Settings& s) {
              s.tunnels[0].local_subnets = s.tunnels[0].remote_subnets = {*IpPrefix::parse("0.0.0.0/0")};
            },
            {}},
        Row{"inner_host_outside",
            [](Settings& s) { s.tunnels[0].inner_hosts.push_back(host("10.3.0.1")); },
            {"tunnels[0].inner_hosts[2]: 10.3.0.1 is in none of remote_subnets"}},
        Row{"inner_host_without_subnets",
            [](Settings& s) {
              s.tunnels[0].remote_subnets.clear();
              s.tunnels[0].inner_hosts.push_back(host("10.3.0.1"));
            },
            {}},
        Row{"the_peers_inside_is_an_inner_host",
            [](Settings& s) {
              s.tunnels[0].remote_tunnel_address = IpAddress::parse("169.254.70.1");
              s.tunnels[0].inner_hosts.push_back(host("169.254.70.1"));
            },
            {}},
        Row{"inside_families",
            [](Settings& s) {
              s.tunnels[0].local_tunnel_address = IpAddress::parse("169.254.70.2");
              s.tunnels[0].remote_tunnel_address = IpAddress::parse("fe80::1");
            },
            {"tunnels[0].remote_tunnel_address: is of another address family than local_tunnel_address"}},
        Row{"inside_twice",
            [](Settings& s) {
              s.tunnels[0].local_tunnel_address = IpAddress::parse("169.254.70.1");
              s.tunnels[0].remote_tunnel_address = IpAddress::parse("169.254.70.1");
            },
            {"tunnels[0].remote_tunnel_address: is the same address as local_tunnel_address"}},
        Row{"client_without_interface",
            [](Settings& s) { s.tunnels[0].kind = TunnelKind::openvpn; },
            {"tunnels[0].tunnel_interface: is needed for an OpenVPN client: whether it stands is told by its interface, "
             "such as tun0"}},
        Row{"outside_as_inside",
            [](Settings& s) { s.tunnels[0].tunnel_interface = s.tunnels[0].egress_interface = "eth0"; },
            {"tunnels[0].tunnel_interface: is the interface that the tunnel's outer packets leave by; give "
             "the one whose packets are inside"}},
        Row{"bgp_of_nobody",
            [](Settings& s) { s.tunnels[0].bgp.local_as = 65001; },
            {},
            {"tunnels[0].bgp: is not compared: which BGP is this tunnel's only tunnel_interface or "
             "remote_tunnel_address tells"}},
        Row{"bgp",
            [](Settings& s) {
              s.tunnels[0].bgp.local_as = 65001;
              s.tunnels[0].tunnel_interface = "ipsec0";
            },
            {}},
        Row{"many_references",
            [](Settings& s) { s.references.resize(17, host("192.0.2.1")); },
            {"references: 17 references; 16 are allowed"}},
        Row{"many_tunnels",
            [](Settings& s) {
              for (int i = 0; i < 1000; ++i) s.tunnels.emplace_back().name = "t" + std::to_string(i);
            },
            {"tunnels: 1001 tunnels in all; 1000 are allowed"}},
        Row{"most_tunnels",
            [](Settings& s) {
              for (int i = 0; i < 999; ++i) s.tunnels.emplace_back().name = "t" + std::to_string(i);
            },
            {}},
        Row{"many_targets",
            [](Settings& s) {
              s.tunnels[0].remote_subnets.clear();
              s.tunnels[0].inner_hosts.resize(9998, host("10.2.0.1"));
            },
            {"tunnels: 10001 hosts to probe in all; 10000 are allowed"}},
        Row{"most_targets",
            [](Settings& s) {
              s.tunnels[0].remote_subnets.clear();
              s.tunnels[0].inner_hosts.resize(9997, host("10.2.0.1"));
            },
            {}}),
    [](const auto& row) { return row.param.name; });

TEST(ValidatePlaces, ADefaultIsToldAtTheSectionAroundIt) {
  Origins origins;
  origins.record("", {"f", 0, 0, ""});
  origins.record("probes", {"f", 3, 1, "probes"});
  origins.record("probes.icmp", {"f", 4, 5, "probes.icmp"});
  Settings settings;
  settings.probes.icmp.timeout = 2s;
  settings.listen.port = 0;
  EXPECT_THAT(lines(validate(settings, origins).errors),
              ElementsAre("f: listen: the port must not be 0",
                          "f:4:5: probes.icmp.timeout: must be shorter than the interval: 2s is not below 1s"));
}

TEST(ValidatePlaces, BrokenPartsSilenceTheirRules) {
  for (const char* broken : {"probes", "probes.icmp", "probes.icmp.interval", "probes.icmp.timeout", ""}) {
    Origins origins;
    origins.mark_broken(broken);
    Settings settings;
    settings.probes.icmp.timeout = 2s;
    EXPECT_THAT(validate(settings, origins).errors, IsEmpty()) << broken;
  }
  Origins origins;
  origins.mark_broken("probes.icmp.interval_like");
  Settings settings;
  settings.probes.icmp.timeout = 2s;
  EXPECT_EQ(validate(settings, origins).errors.size(), 1U);
}

}  // namespace
}  // namespace tunnelwatch::config
