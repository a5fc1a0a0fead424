"""The scenarios. Each breaks one thing, says what the agent must call it, mends it and says how soon that must show."""

from lab.esp_scenarios import ESP as ESP_REACH
from lab.host_scenarios import HOST
from lab.lab import Setup
from lab.scenario import (ANSWERED, SILENT, Scenario, attempt, change, clear_faults, command, fault, forget, freeze, initiate,
                          kill, relay, restore, start, steps, stop_relay, terminate, thaw)
from lab.openvpn_scenarios import CLIENT
from lab.path_scenarios import PATH
from lab.traffic_scenarios import TRAFFIC

P1 = "connections/tun/proposals"
ESP = "connections/tun/children/net/esp_proposals"
DPD = "connections/tun/dpd_delay"
OTHER_SECRET = ("secrets/ike-1/secret", '"another secret"')
V1 = Setup(version=1)

AUTHENTICATION = ("psk_mismatch", "config_id_mismatch")
PHASE2 = ("flow_or_peer_mismatch", "policy_rules_not_mirrored")
NO_CONNECTION = ("peer_address_mismatch", "version_mismatch", "gateway_address_not_mirrored")
UNANSWERED = ("ike_port_500_blocked", "first_packet_limited", "exchange_timeout")
# What is also true when nothing at all comes back from the peer.
GONE = ("exchange_timeout", "esp_blocked", "ike_port_500_blocked", "ike_port_4500_blocked", "peer_path_loss", "public_route_missing",
        "dpd_timeout")
LOSSY = ("peer_path_loss",)  # pings that were lost stay in their window

# The agent's own windows, shortened so that loss shows and clears within a scenario.
FAST = {"probes": {"icmp": {"interval": "100ms", "timeout": "80ms"}}, "loss": {"window": "10s"}}
LOSS = Setup(agent=FAST)


def refused(name, expect, beside, role, path, value, setup=Setup(), **more):
    """One setting of one end changes, the customer negotiates anew and is refused; then it is changed back."""
    more.setdefault("repair", steps(restore(role), initiate()))
    return Scenario(name, expect, beside, setup, start=steps(initiate()),
                    fault=steps(terminate(), change(role, path, value), attempt()), **more)


NEGOTIATION = [
    refused("v2-ike-proposal-mismatch", ("phase1_proposal_mismatch",), ("responder_dh_mismatch",), "b", P1, "aes128-sha1-modp2048"),
    refused("v2-dh-no-common", ("phase1_proposal_mismatch", "responder_dh_mismatch"), ("phase1_proposal_mismatch", "responder_dh_mismatch"),
            "b", P1, "aes256-sha256-ecp256", note="either"),
    refused("v1-main-proposal-mismatch", ("phase1_proposal_mismatch",), (), "b", P1, "aes128-sha1-modp2048", V1),
    refused("v2-no-conn-for-address", ("phase1_proposal_mismatch", *NO_CONNECTION), NO_CONNECTION, "b",
            "connections/tun/remote_addrs", "203.0.113.99", note="any of these first"),
    refused("v2-psk-mismatch", ("authentication_fail",), AUTHENTICATION, "b", *OTHER_SECRET),
    # Only the repetition of message 5, a second later, tells a key from an identity.
    refused("v1-main-psk-mismatch", ("authentication_fail",), (*AUTHENTICATION, "exchange_mode_mismatch"), "b", *OTHER_SECRET, V1, within=1 + ANSWERED, hold=6,
            repair=steps(restore("b"), forget(), initiate())),
    refused("v2-id-mismatch", ("authentication_fail",), AUTHENTICATION, "b", "connections/tun/remote/id", "other.example"),
    refused("v2-psk-mismatch-gcm", ("authentication_fail",), AUTHENTICATION, "b", *OTHER_SECRET,
            Setup(both={P1: "aes256gcm16-prfsha384-ecp384", ESP: "aes256gcm16"})),
    refused("v2-esp-proposal-mismatch", ("phase2_proposal_or_pfs_mismatch", *PHASE2), PHASE2, "b", ESP, "aes128-sha1",
            note="either order: alike on the wire"),
    refused("v2-esp-proposal-mismatch-gcm", ("phase2_proposal_or_pfs_mismatch", *PHASE2), PHASE2, "b", ESP, "aes128-sha1",
            Setup(both={P1: "aes256gcm16-prfsha384-ecp384", ESP: "aes256gcm16"}), note="either order: alike on the wire"),
    refused("v2-ts-mismatch", ("phase2_proposal_or_pfs_mismatch", *PHASE2), PHASE2, "b", "connections/tun/children/net/local_ts",
            "10.9.0.0/24", note="either order"),
    refused("v1-quick-proposal-mismatch", ("phase2_proposal_or_pfs_mismatch", *PHASE2), PHASE2, "b", ESP, "aes128-sha1", V1, note="either"),
    refused("v1-quick-ts-mismatch", ("phase2_proposal_or_pfs_mismatch", *PHASE2), PHASE2, "b", "connections/tun/children/net/local_ts",
            "10.9.0.0/24", V1, note="either"),
    Scenario("v2-pfs-mismatch-at-rekey", ("phase2_proposal_or_pfs_mismatch",), ("rekey_fail",),
             Setup(a={ESP: "aes256-sha256-modp2048"}), start=steps(initiate()), fault=steps(command("a", "--rekey", "--child", "net")),
             repair=steps(change("b", ESP, "aes256-sha256-modp2048"), terminate(), initiate(), command("a", "--rekey", "--child", "net")),
             note="the tunnel still works: warn before it dies"),  # an SA keeps the configuration that it began with
]

REACHABILITY = [
    Scenario("v2-peer-unreachable", ("exchange_timeout",), GONE, start=steps(initiate(), terminate()), starts_up=False,
             fault=steps(fault("ip daddr 198.51.100.20 drop", "ip saddr 198.51.100.20 drop"), attempt()), clock="ike", within=SILENT,
             repair=steps(forget(), clear_faults(), initiate()), lingers=LOSSY, hold=9, note="nothing comes back, pings neither"),
    Scenario("v2-udp500-drop", ("ike_port_500_blocked", "exchange_timeout"), UNANSWERED, start=steps(initiate()),
             fault=steps(terminate(), fault("udp dport 500 drop", "udp sport 500 drop"), attempt()), clock="ike", within=SILENT,
             repair=steps(forget(), clear_faults(), initiate()), hold=9, note="either of the first two first; pings are answered"),
    Scenario("v2-udp500-reply-dropped", ("ike_port_500_blocked", "exchange_timeout"), UNANSWERED, start=steps(initiate()),
             fault=steps(terminate(), fault("ip saddr 198.51.100.20 udp sport 500 drop"), attempt()), clock="ike", within=SILENT,
             repair=steps(forget(), clear_faults(), initiate()), hold=9, note="either"),
    Scenario("v1-udp500-drop", ("ike_port_500_blocked", "exchange_timeout"), UNANSWERED, V1, start=steps(initiate()),
             fault=steps(terminate(), fault("udp dport 500 drop", "udp sport 500 drop"), attempt()), clock="ike", within=SILENT,
             repair=steps(forget(), clear_faults(), initiate()), hold=9, note="either"),
    Scenario("v2-udp500-reject-admin", ("ike_port_500_blocked",), ("exchange_timeout",), start=steps(initiate()),
             fault=steps(terminate(), fault("udp dport 500 reject with icmp type admin-prohibited"), attempt()),
             repair=steps(forget(), clear_faults(), initiate()), hold=9, note="ICMP 3/13 from a middle box"),
    Scenario("v2-daemon-down", ("ike_port_500_blocked",), ("exchange_timeout", "ike_port_4500_blocked", "esp_blocked"),
             start=steps(initiate()), fault=steps(terminate(), kill(), attempt()),
             repair=steps(forget(), start(), initiate()), hold=9, note="ICMP 3/3 from the peer: no daemon there"),
    Scenario("v2-udp4500-drop", ("ike_port_4500_blocked",), ("exchange_timeout", "esp_blocked"), start=steps(initiate()),
             fault=steps(terminate(), fault("udp dport 4500 drop", "udp sport 4500 drop"), attempt()), clock="ike", within=SILENT,
             repair=steps(forget(), clear_faults(), initiate()), hold=9),
    Scenario("v1-udp4500-drop", ("ike_port_4500_blocked",), ("exchange_timeout", "esp_blocked"), V1, start=steps(initiate()),
             fault=steps(terminate(), fault("udp dport 4500 drop", "udp sport 4500 drop"), attempt()), clock="ike", within=SILENT,
             repair=steps(forget(), clear_faults(), initiate()), hold=9),
]

ESP_BEYOND = "udp dport 4500 @th,64,32 != 0"  # ESP in UDP: no marker of four zero bytes
DPD_SETUP = Setup(both={DPD: "1s"})
VANISH = steps(fault("ip daddr 198.51.100.20 drop", "ip saddr 198.51.100.20 drop"))

CONNECTED = [
    Scenario("v2-esp-blocked", ("esp_blocked",), ("tunnel_only_loss",), DPD_SETUP, start=steps(initiate()), fault=steps(fault(ESP_BEYOND + " drop")),
             clock="esp", within=SILENT, repair=steps(clear_faults()), clears_within=SILENT, hold=5),
    Scenario("v2-esp-blocked-inbound", ("esp_blocked",), ("tunnel_only_loss",), DPD_SETUP, start=steps(initiate()),
             fault=steps(fault("ip saddr 198.51.100.20 " + ESP_BEYOND + " drop")), clock="esp", within=SILENT,
             repair=steps(clear_faults()), clears_within=SILENT, hold=5),
    Scenario("v2-esp-blocked-without-dpd", ("esp_blocked",), ("tunnel_only_loss",), start=steps(initiate()),
             fault=steps(fault(ESP_BEYOND + " drop")), clock="esp", within=SILENT, repair=steps(clear_faults()), clears_within=SILENT, hold=5),
    Scenario("v2-peer-vanished", ("dpd_timeout",), GONE, DPD_SETUP, start=steps(initiate()), fault=VANISH, clock="ike", within=SILENT,
             repair=steps(clear_faults(), forget(), initiate()), clears_within=SILENT, lingers=LOSSY, hold=7),
    Scenario("v2-peer-frozen", ("dpd_timeout",), GONE, DPD_SETUP, start=steps(initiate()), fault=steps(freeze()), clock="ike", within=SILENT,
             repair=steps(thaw(), forget(), initiate()), clears_within=SILENT, hold=7,
             note="the kernel of the peer still answers pings"),
    Scenario("v1-peer-vanished", ("dpd_timeout",), GONE, Setup(version=1, both={DPD: "1s", "connections/tun/dpd_timeout": "10s"}),
             start=steps(initiate()), fault=VANISH, clock="ike", within=SILENT, repair=steps(clear_faults(), forget(), initiate()),
             clears_within=SILENT, lingers=LOSSY, hold=12),
    Scenario("v2-peer-deletes-ike", ("peer_request",), start=steps(initiate()), fault=steps(terminate("b")), repair=steps(initiate())),
    Scenario("v2-peer-deletes-child", ("peer_request",), start=steps(initiate()), fault=steps(terminate("b", "--child", "net")),
             repair=steps(initiate())),
    Scenario("public-network-loss", ("public_network_loss",), ("peer_path_loss", "tunnel_only_loss"), LOSS, start=steps(initiate()), on_wire=False,
             fault=steps(fault("iifname ra numgen inc mod 10 < 3 drop", chain="early")), within=SILENT,
             repair=steps(clear_faults()), clears_within=13, hold=8, note="30 % of what the customer sends"),
    Scenario("peer-path-loss", ("peer_path_loss",), ("tunnel_only_loss",), LOSS, start=steps(initiate()), on_wire=False,
             fault=steps(fault("iifname ra oifname rb numgen inc mod 10 < 3 drop")), within=SILENT,
             repair=steps(clear_faults()), clears_within=13, hold=8, note="30 % behind the router, the reference is well"),
    Scenario("peer-path-loss-relay", ("peer_path_loss",), ("tunnel_only_loss",), Setup(agent=FAST, needs_relay=True), start=steps(initiate()), on_wire=False,
             fault=steps(relay(seed=7, delay=10, jitter=5, loss=25)), within=SILENT + 1, repair=steps(stop_relay()), clears_within=13, hold=8,
             note="a slow, jittering path with seeded loss"),
]

REKEYING = {"connections/tun/rekey_time": "7s", "connections/tun/over_time": "3s", "connections/tun/rand_time": "0s",
            "connections/tun/children/net/rekey_time": "4s", "connections/tun/children/net/life_time": "8s",
            "connections/tun/children/net/rand_time": "0s"}
PFS = {ESP: "aes256-sha256-modp2048"}
UP = steps(initiate())


def healthy(name, setup=Setup(), watch=4, **more):
    return Scenario(name, setup=setup, start=more.pop("start", UP), watch=watch, **more)


HEALTHY = [
    healthy("healthy-v2"),
    healthy("healthy-v1", V1),
    healthy("healthy-ipv6", Setup(family=6)),
    healthy("healthy-v1-ipv6", Setup(family=6, version=1)),
    healthy("healthy-nat", Setup(nat="local", b={"connections/tun/remote_addrs": "%any"}), beside=("gateway_behind_nat",)),
    healthy("healthy-v1-nat", Setup(version=1, nat="local", b={"connections/tun/remote_addrs": "%any"}), beside=("gateway_behind_nat",)),
    healthy("healthy-rekey", Setup(a=REKEYING, both=PFS), watch=16, note="child and IKE rekeys"),
    healthy("healthy-v1-rekey", Setup(version=1, a=REKEYING, both=PFS), watch=16),
    healthy("healthy-reauth", Setup(a={"connections/tun/reauth_time": "5s", "connections/tun/over_time": "4s",
                                       "connections/tun/rand_time": "0s"}), watch=12, note="break before make"),
    healthy("healthy-dpd", DPD_SETUP, watch=6),
    healthy("healthy-slow-path", Setup(relay={"seed": 3, "delay": 25, "jitter": 10, "duplicate": 2, "reorder": 2}), watch=8,
            note="delay, jitter, duplicates and reordering, no loss"),
    healthy("healthy-invalid-ke-retry", Setup(a={P1: "aes256-sha256-ecp256-modp2048"})),
    healthy("healthy-peer-initiates", start=steps(initiate("b"))),
]

CORE = NEGOTIATION + REACHABILITY + CONNECTED + HEALTHY + TRAFFIC + PATH + HOST + CLIENT + ESP_REACH


def every():
    """All scenarios, those of variants.py after the core."""
    from lab.variants import VARIANTS
    return CORE + VARIANTS

