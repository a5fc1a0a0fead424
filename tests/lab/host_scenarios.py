"""Scenarios of what this machine itself tells: its logs, and its IKE daemon."""

import os

from lab.inner import cloud_hosts
from lab.lab import Setup
from lab.scenario import Scenario, attempt, change, initiate, pause, restore, steps, terminate

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

ASKED = {"daemon": {"vici": "{folder}/a/charon.vici"}}
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
]

HOST = LOGS + DAEMON
