"""Scenarios of what this machine itself tells: its logs, and its IKE daemon."""

import os

from lab.door import Door
from lab.inner import (cloud_hosts, end_translated_host, filtered, forwarding, lan_behind, reverse_path, strict_tunnel, translated_host,
                       unfiltered)
from lab.lab import Setup
from lab.names import NAME, name_server, stands_for
from lab.scenario import SILENT, Scenario, attempt, change, forget, initiate, pause, restore, steps, terminate

OTHER_SECRET = ("secrets/ike-1/secret", '"another secret"')
NET = "connections/tun/children/net"


def writes(name, text):
    """A line in a log of the lab's folder."""
    def action(lab):
        with open(os.path.join(lab.folder, name), "a") as file:
            file.write(text + "\n")
    return action


LOGGED = Setup(agent={"logs": {"files": ["{folder}/a/charon.log", "{folder}/device.log"]}})

LOGS = [
    Scenario("log-names-the-key", ("psk_mismatch",), ("authentication_fail", "config_id_mismatch", "exchange_timeout"), LOGGED,
             start=steps(initiate()), fault=steps(terminate(), change("b", *OTHER_SECRET), attempt(role="b")), on_wire=False,
             repair=steps(restore("b"), initiate()), note="the peer initiates: our daemon's log says what the wire cannot"),
    Scenario("log-names-the-selectors", ("flow_or_peer_mismatch",), setup=LOGGED, start=steps(initiate()), on_wire=False,
             fault=steps(terminate(), change("b", f"{NET}/local_ts", "10.9.0.0/24"), attempt()), repair=steps(restore("b"), initiate()),
             beside=("phase2_proposal_or_pfs_mismatch", "policy_rules_not_mirrored"), note="the answer's size cannot tell it from a proposal"),
    Scenario("healthy-logged", setup=LOGGED, watch=4,
             start=steps(initiate(), pause(2), writes("device.log", "%%01IKE/4/NEGO(l): route limit, peer 198.51.100.20"), pause(0.5),
                         writes("device.log", "reason=dpd timeout, peer 203.0.113.77")),
             note="a line that the traffic denies, and one of a stranger's"),
]

ASKED = {"daemon": {"vici": "{folder}/a/charon.vici", "log": False, "error_notify": ""}}
HEARD = {"daemon": {"vici": "{folder}/a/charon.vici", "error_notify": ""}}
REPORTED = {"daemon": {"vici": "{folder}/a/charon.vici", "log": False, "error_notify": "{folder}/a/charon.enfy"}}
AUTHENTICATION = ("authentication_fail", "psk_mismatch", "config_id_mismatch")
PHASE2 = ("phase2_proposal_or_pfs_mismatch", "flow_or_peer_mismatch", "policy_rules_not_mirrored")
EXPECTED = {"esp": ["aes256-sha256"]}
MORE = {"remote_subnets": ["10.2.0.0/24", "10.3.0.0/24"]}

DAEMON = [
    Scenario("daemon-lacks-a-subnet", ("policy_rules_not_mirrored",), setup=Setup(agent=ASKED, tunnel=MORE, a={f"{NET}/remote_ts": "10.2.0.0/24,10.3.0.0/24"},
                                                                                  b={f"{NET}/local_ts": "10.2.0.0/24,10.3.0.0/24"}),
             start=steps(cloud_hosts("10.3.0.7"), initiate()), fault=steps(change("a", f"{NET}/remote_ts", "10.2.0.0/24")), within=12.0, on_wire=False,
             repair=steps(restore("a")), clears_within=12.0, note="the configuration changes under a tunnel that stands: asked every 10 s"),
    Scenario("daemon-has-a-part", ("interesting_flow_uses_address_group",), setup=Setup(agent=ASKED), start=steps(initiate()), on_wire=False,
             fault=steps(change("a", f"{NET}/remote_ts", "10.2.0.0/25")), within=12.0, repair=steps(restore("a")), clears_within=12.0),
    Scenario("peer-narrows-the-selectors", ("netmask_mismatch",), setup=Setup(agent=ASKED), start=steps(initiate()), on_wire=False,
             fault=steps(terminate(), change("b", f"{NET}/local_ts", "10.2.0.0/25"), initiate()),
             repair=steps(terminate(), restore("b"), initiate()), note="the tunnel is up and carries half of what it is meant to"),
    Scenario("healthy-daemon-asked", setup=Setup(agent=ASKED), start=steps(initiate()), watch=4),
    Scenario("daemon-says-the-key", ("psk_mismatch",), AUTHENTICATION, Setup(agent=HEARD), start=steps(initiate()), on_wire=False,
             fault=steps(terminate(), change("b", *OTHER_SECRET), attempt(role="b")), repair=steps(restore("b"), initiate()),
             evidence="the IKE daemon says", note="its log, over its socket: no file is followed"),
    Scenario("daemon-says-the-proposal", ("phase2_proposal_or_pfs_mismatch",), PHASE2, Setup(agent=HEARD, tunnel=EXPECTED), start=steps(initiate()), on_wire=False,
             fault=steps(terminate(), change("b", f"{NET}/esp_proposals", "aes128-sha1"), attempt(role="b")),
             repair=steps(terminate(), restore("b"), initiate()), evidence="the peer offers AES_CBC-128",
             note="encrypted on the wire, and compared from what the daemon lists"),
    Scenario("daemon-reports-the-key", ("authentication_fail", "psk_mismatch"), AUTHENTICATION, Setup(agent=REPORTED), start=steps(initiate()), on_wire=False,
             fault=steps(terminate(), change("b", *OTHER_SECRET), attempt(role="b")), repair=steps(restore("b"), initiate()),
             evidence='the IKE daemon reports "peer authentication failed"', note="by its plugin error-notify"),
    Scenario("daemon-reports-the-selectors", ("flow_or_peer_mismatch",), PHASE2, Setup(agent=REPORTED), start=steps(initiate()), on_wire=False,
             fault=steps(terminate(), change("b", f"{NET}/local_ts", "10.9.0.0/24"), attempt(role="b")),
             repair=steps(terminate(), restore("b"), initiate()), evidence='the IKE daemon reports "the received traffic selectors did not match'),
    Scenario("healthy-daemon-heard", setup=Setup(agent={"daemon": {**HEARD["daemon"], "error_notify": "{folder}/a/charon.enfy"}}, a={
        # One end alone, and lifetimes far beyond: where both rekey at once charon may lose an SA at its hard limit.
        "connections/tun/rekey_time": "4s", "connections/tun/over_time": "60s", "connections/tun/rand_time": "1s",
        f"{NET}/rekey_time": "6s", f"{NET}/life_time": "60s", f"{NET}/rand_time": "1s"}),
             start=steps(initiate()), watch=12, note="rekeys of both kinds, heard and counted"),
]


def at_customer(*commands):
    """iproute2 commands in the customer's gateway."""
    return lambda lab: [lab.topology.execute("a", "ip", *command.split()) for command in commands]


FIXED = Setup(both={"connections/tun/mobike": "no"})  # routes that change are no reason to move


def peer_route_gone(lab):
    """The daemon's own route to its peer, by which ESP in user space keeps clear of the tunnel."""
    lab.topology.execute("a", "ip", "route", "del", "198.51.100.20", "table", "220", check=False)


DEFAULT = "route replace default via 192.0.2.1 dev wan"
INSIDE = {"tunnel_interface": "ipsec0"}
# What is also true when nothing can leave any more.
GONE = ("exchange_timeout", "esp_blocked", "ike_port_500_blocked", "ike_port_4500_blocked", "peer_path_loss", "dpd_timeout",
        "tunnel_only_loss", "next_hop_unresolved", "public_network_loss", "public_route_missing", "local_address_mismatch",
        "private_route_missing", "customer_policy_blocks_traffic", "first_packet_limited")
LOSSY = ("peer_path_loss", "public_network_loss", "tunnel_only_loss")
SEEN = SILENT + 1.0  # the machine's tables are read half a second after they changed

ROUTES = [
    Scenario("public-route-missing", ("public_route_missing",), GONE, FIXED, start=steps(initiate()), on_wire=False, within=SEEN,
             fault=steps(at_customer("route del default"), peer_route_gone), repair=steps(at_customer(DEFAULT)), clears_within=SEEN, lingers=LOSSY),
    Scenario("next-hop-unresolved", ("next_hop_unresolved",), GONE, FIXED, start=steps(initiate()), on_wire=False, within=SEEN + 3,
             fault=steps(at_customer("route replace default via 192.0.2.77 dev wan")), repair=steps(at_customer(DEFAULT)),
             clears_within=SEEN, lingers=LOSSY, note="nobody has that address"),
    Scenario("next-hop-is-the-peer", ("route_next_hop_is_peer",), GONE, FIXED, start=steps(initiate()), on_wire=False, within=SEEN + 3,
             fault=steps(at_customer("route replace default via 198.51.100.20 dev wan onlink")), repair=steps(at_customer(DEFAULT)),
             clears_within=SEEN, lingers=LOSSY),
    Scenario("route-without-next-hop", ("route_interface_without_next_hop",), GONE, FIXED, start=steps(initiate()), on_wire=False, within=SEEN + 3,
             fault=steps(at_customer("route replace default dev wan scope link")), repair=steps(at_customer(DEFAULT)),
             clears_within=SEEN, lingers=LOSSY, note="ARP asks for the peer itself, and nobody answers"),
    Scenario("local-address-absent", ("local_address_mismatch",), GONE, FIXED, start=steps(initiate()), on_wire=False, within=SEEN,
             fault=steps(at_customer("addr del 192.0.2.10/24 dev wan", "addr add 192.0.2.11/24 dev wan", DEFAULT)),
             repair=steps(at_customer("addr del 192.0.2.11/24 dev wan", "addr add 192.0.2.10/24 dev wan", DEFAULT), forget(), initiate()),
             clears_within=SEEN, lingers=LOSSY),
    Scenario("private-route-in-part", ("route_prefix_mismatch",), setup=Setup(tunnel=INSIDE), start=steps(initiate()), on_wire=False, within=2.0,
             fault=steps(at_customer("route add 10.2.0.0/25 dev ipsec0 table 220", "route del 10.2.0.0/24 table 220")),
             repair=steps(at_customer("route add 10.2.0.0/24 dev ipsec0 table 220", "route del 10.2.0.0/25 table 220")), clears_within=2.0),
    Scenario("private-route-missing", ("private_route_missing",), ("esp_blocked", "tunnel_only_loss"), Setup(tunnel=INSIDE), start=steps(initiate()),
             fault=steps(at_customer("route del 10.2.0.0/24 table 220")), on_wire=False, within=9.0,
             repair=steps(at_customer("route add 10.2.0.0/24 dev ipsec0 table 220")), clears_within=SEEN, lingers=LOSSY,
             note="the tunnel stands and its packets end in the blackhole"),
    Scenario("healthy-routes-change", setup=Setup(tunnel=INSIDE), watch=8,
             start=steps(initiate(), at_customer("route add 198.51.100.0/24 via 192.0.2.1 dev wan", "addr add 192.0.2.12/24 dev wan",
                                                 "route add 10.2.0.0/25 dev ipsec0 table 220", "route add 10.2.0.128/25 dev ipsec0 table 220",
                                                 "route add 203.0.113.64/26 via 192.0.2.77 dev wan", DEFAULT)),
             note="halves of the subnet beside the whole, another address, and a dead next hop that leads elsewhere"),
]

FLOWS = [
    Scenario("nonat-missing-inside", ("nonat_missing",), start=steps(initiate()), fault=steps(translated_host()), on_wire=False, within=14.0,
             repair=steps(end_translated_host()), clears_within=14.0, evidence="this machine translates",
             note="nothing leaves beside the tunnel and nothing gets into it: the connection tracking tells alone"),
]

MOVED = "198.51.100.21"
NAMES = [
    Scenario("name-changes", ("dns_resolution_status_change",), GONE, Setup(prepare=(name_server("198.51.100.20"),), tunnel={"remote": NAME}),
             start=steps(initiate()), fault=steps(stands_for(MOVED)), within=66.0, on_wire=False,
             repair=steps(lambda lab: lab.topology.execute("b", "ip", "addr", "add", f"{MOVED}/24", "dev", "wan"), terminate(),
                          change("b", "connections/tun/local_addrs", MOVED), change("a", "connections/tun/remote_addrs", MOVED), initiate()),
             clears_within=5.0, recorded=False, evidence=f"{NAME} stood for 198.51.100.20 and stands for {MOVED}",
             note="a name is looked up once a minute; the gateways follow it in the end"),
]


def moved(name):
    """A log is moved away, as logrotate does, and begins anew."""
    def action(lab):
        path = os.path.join(lab.folder, name)
        os.rename(path, path + ".1")
        open(path, "w").close()
    return action


def taken_away(*names):
    """Files and sockets that only another user may open."""
    def action(lab):
        for name in names:
            path = os.path.join(lab.folder, name)
            open(path, "a").close() if not os.path.exists(path) else None
            os.chown(path, 65534, 65534)
            os.chmod(path, 0o600)
    return action


def through_a_door(lab):
    """The daemon's socket by another name, which can be shut while the daemon lives on."""
    lab.door = Door(os.path.join(lab.folder, "door.vici"), lab.a.vici)
    lab.on_close(lab.door.shut)


def shut_the_door(lab):
    lab.door.shut()


REFUSED = steps(terminate(), change("b", *OTHER_SECRET), attempt())
REFUSED_MENDED = steps(restore("b"), initiate())
BEHIND_A_DOOR = {"daemon": {"vici": "{folder}/door.vici", "error_notify": ""}}
# Root that may not look into what is another user's, nor into the kernel: an agent whose unit gives it CAP_NET_RAW and no group.
UNPRIVILEGED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-net_admin")

# What the agent cannot see any more it says, and what another source shows it still names.
HELD = [
    Scenario("held-daemon-gone", ("authentication_fail",), AUTHENTICATION, Setup(agent=BEHIND_A_DOOR, prepare=(through_a_door,)), start=steps(initiate()),
             fault=steps(shut_the_door, *REFUSED), repair=REFUSED_MENDED, on_wire=False, dark=("vici",), note="the wire shows what its socket cannot tell any more"),
    Scenario("held-log-rotated", ("route_limit",), ("config_modify_or_manual_offline",), LOGGED, on_wire=False,
             start=steps(writes("device.log", "device starts"), initiate(), pause(1)),
             fault=steps(terminate(), moved("device.log"), writes("device.log", "%%01IKE/4/NEGO(l): reason=route limit, peer 198.51.100.20")),
             repair=steps(initiate()), within=14.0, clears_within=5.0, note="the line stands in the file that came behind the rotation; ESP counts as seen for 12 s"),
    Scenario("held-log-gone", ("authentication_fail",), AUTHENTICATION, LOGGED, on_wire=False, dark=("log_file",),
             start=steps(writes("device.log", "device starts"), initiate(), pause(1)),
             fault=steps(lambda lab: os.remove(os.path.join(lab.folder, "device.log")), pause(10.5), *REFUSED), within=12.0, repair=REFUSED_MENDED,
             note="a rotation may take ten seconds"),
    Scenario("held-permissions-missing", ("authentication_fail",), AUTHENTICATION,
             Setup(agent={**HEARD, "logs": {"files": ["{folder}/device.log"]}}, wrapper=UNPRIVILEGED, prepare=(taken_away("device.log", "a/charon.vici"),)),
             on_wire=False, dark=("log_file", "vici", "conntrack", "xfrm", "nftables"), start=steps(initiate()), fault=REFUSED, repair=REFUSED_MENDED,
             note="neither the log nor the daemon's socket may be opened, nor the kernel be asked for what takes CAP_NET_ADMIN"),
    Scenario("held-interface-down", ("public_route_missing",), GONE, FIXED, start=steps(initiate()), on_wire=False, within=SEEN + 1, dark=("capture",),
             fault=steps(at_customer("link set wan down")), repair=steps(at_customer("link set wan up", DEFAULT), forget(), initiate()), clears_within=12.0, lingers=LOSSY,
             note="nothing is captured any more: this machine's tables say why"),
]


def policy(flow, peer="198.51.100.20", priority=2000, protocol=""):
    """What adds or deletes an outbound policy of the kernel's. ESP itself is in user space here: TCP alone keeps clear of the lab's pings."""
    source, destination = flow.split(">")
    selector = f"src {source} dst {destination} {protocol and 'proto ' + protocol} dir out"
    template = f"tmpl src 192.0.2.10 dst {peer} proto esp mode tunnel" if peer else ""
    return f"xfrm policy add {selector} priority {priority} {template}", f"xfrm policy delete {selector}"


NET_POLICY = policy("10.1.0.0/24>10.2.0.0/24", protocol="tcp")
ELSEWHERE = policy("10.1.0.0/24>10.7.0.0/24")
AROUND = policy("192.0.2.0/24>198.51.100.0/24")
CLAIM = policy("10.1.0.0/16>10.2.0.0/16", peer="203.0.113.7", protocol="tcp")
HARMLESS = (NET_POLICY, policy("10.1.0.0/25>10.2.0.0/25", peer="203.0.113.7", priority=1000, protocol="tcp"),
            policy("10.0.0.0/8>10.0.0.0/8", peer="203.0.113.7", priority=3000, protocol="tcp"),
            policy("10.1.0.0/24>0.0.0.0/0", priority=4000, protocol="tcp"), policy("10.1.0.1/32>10.2.0.1/32", peer="", priority=10))
READ_TWICE = 7.0  # what is told only when it lasts: the kernel's policies are read every 5 s

XFRM = [
    Scenario("kernel-lacks-a-policy", ("no_policy_applied_on_interface",), start=steps(initiate()), fault=steps(at_customer(ELSEWHERE[0])), within=READ_TWICE,
             repair=steps(at_customer(NET_POLICY[0])), on_wire=False, note="a policy for the peer, and none for the subnets"),
    Scenario("kernel-policies-in-conflict", ("flow_conflict",), start=steps(initiate(), at_customer(NET_POLICY[0])), fault=steps(at_customer(CLAIM[0])),
             within=READ_TWICE, repair=steps(at_customer(CLAIM[1])), on_wire=False, note="of the same priority, for another peer"),
    Scenario("peer-inside-a-policy", ("flow_overlap",), GONE, FIXED, start=steps(initiate()), fault=steps(at_customer(AROUND[0])), within=SEEN,
             repair=steps(at_customer(AROUND[1])), clears_within=SEEN, lingers=LOSSY, on_wire=False, note="the daemon's own sockets pass, our pings do not"),
    Scenario("healthy-kernel-policies", start=steps(initiate(), at_customer(*(add for add, _ in HARMLESS))), watch=READ_TWICE + 4,
             note="narrower before, wider behind, the peer in a subnet that this gateway is not in, a bypass between two hosts"),
]

POLICY = "customer_policy_blocks_traffic"
BETWEEN = "ip saddr 10.1.0.0/24 ip daddr 10.2.0.0/24"
KEPT = ("ct state invalid counter drop", "ip saddr 10.1.0.0/24 ip daddr 10.9.0.0/16 counter drop", "ip saddr 10.1.0.130 ip daddr 10.2.0.9 counter drop",
        f"{BETWEEN} icmp type echo-request accept", f"{BETWEEN} counter drop")
COUNTED_TWICE = READ_TWICE + 5.0  # what is counted between two readings, twice in a row

OWN_POLICY = [
    Scenario("forwarding-is-off", (POLICY,), start=steps(forwarding(True), lan_behind(), initiate()), fault=steps(forwarding(False)),
             within=COUNTED_TWICE, repair=steps(forwarding(True)), clears_within=7.0, on_wire=False, note="a host behind the gateway pings the cloud"),
    Scenario("own-filter-drops", (POLICY,), start=steps(forwarding(True), lan_behind(), filtered("accept"), initiate()),
             fault=steps(filtered(f"{BETWEEN} counter drop")), within=COUNTED_TWICE + 5, repair=steps(unfiltered()), clears_within=21.0, on_wire=False,
             note="what is forwarded; the gateway's own pings get through"),
    Scenario("reverse-path-filter", (POLICY,), ("tunnel_only_loss", "cloud_security_group_blocks_traffic", "subnet_acl_blocks_traffic"), start=steps(initiate()), fault=steps(reverse_path(True)),
             within=COUNTED_TWICE, repair=steps(reverse_path(False)), clears_within=SEEN, lingers=LOSSY, on_wire=False,
             note="the answers arrive by the tunnel and the way back leads elsewhere"),
    Scenario("healthy-own-policy", watch=COUNTED_TWICE + 4,
             start=steps(forwarding(True), lan_behind("10.2.0.9"), filtered(*KEPT), initiate(), strict_tunnel()),
             note="rules that drop others, a part of it, and the rest behind what is let pass; a strict filter that nothing offends"),
]

SHARED = "nexthop via 192.0.2.1 dev wan nexthop via {} dev {}"
TO_PEER = "route replace 198.51.100.20 table 220 {}"
ONE_LINE = Setup(second_line=True, both={"connections/tun/mobike": "no"}, tunnel={"egress_interface": "wan"})

EGRESS = [
    Scenario("next-hops-on-two-lines", ("multi_egress",), setup=ONE_LINE, start=steps(initiate()), within=READ_TWICE, on_wire=False,
             fault=steps(at_customer(TO_PEER.format(SHARED.format("192.0.3.1", "wan2")))), repair=steps(at_customer(TO_PEER.format("via 192.0.2.1 dev wan"))),
             clears_within=3 + 5 + 4.0, note="ECMP, and only one of the two is configured"),
    Scenario("healthy-next-hops-on-one-line", setup=ONE_LINE, watch=READ_TWICE + 2,
             start=steps(initiate(), lambda lab: lab.topology.execute("r", "ip", "addr", "add", "192.0.2.2/24", "dev", "ra"),
                         at_customer(TO_PEER.format(SHARED.format("192.0.2.2", "wan"))), at_customer("route replace 203.0.113.0/24 " + SHARED.format("192.0.3.1", "wan2"))),
             note="two routers of one line, and another destination on two"),
]

HOST = LOGS + DAEMON + ROUTES + FLOWS + NAMES + HELD + XFRM + OWN_POLICY + EGRESS
