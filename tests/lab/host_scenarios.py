"""Scenarios of what this machine itself tells: its logs, and its IKE daemon."""

import os

from lab.door import Door
from lab.inner import cloud_hosts, end_translated_host, translated_host
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
    Scenario("healthy-daemon-heard", setup=Setup(agent={"daemon": {**HEARD["daemon"], "error_notify": "{folder}/a/charon.enfy"}}, both={
        "connections/tun/rekey_time": "4s", "connections/tun/over_time": "4s", f"{NET}/rekey_time": "3s", f"{NET}/life_time": "9s"}),
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
             on_wire=False, dark=("log_file", "vici", "conntrack"), start=steps(initiate()), fault=REFUSED, repair=REFUSED_MENDED,
             note="neither the log nor the daemon's socket may be opened, nor the connection tracking read"),
    Scenario("held-interface-down", ("public_route_missing",), GONE, FIXED, start=steps(initiate()), on_wire=False, within=SEEN + 1, dark=("capture",),
             fault=steps(at_customer("link set wan down")), repair=steps(at_customer("link set wan up", DEFAULT), forget(), initiate()), clears_within=12.0, lingers=LOSSY,
             note="nothing is captured any more: this machine's tables say why"),
]

HOST = LOGS + DAEMON + ROUTES + FLOWS + NAMES + HELD
