"""Whether ESP gets through, as the agent says it: reachable, unreachable or unknown, and who says so."""

import json
import os

from lab.agent import LISTEN, Agent
from lab.inner import cloud_drops
from lab.lab import Setup
from lab.path_scenarios import SECOND, command, must
from lab.scenario import Scenario, clear_faults, fault, initiate, steps
from lab.shell import wait_until
from lab.topology import OUTER, REFERENCE

OFTEN = {"probes": {"esp": {"interval": "10s", "timeout": "500ms"}}}
FAR = Setup(routers=4, agent=OFTEN)
FAR6 = Setup(routers=4, family=6, agent=OFTEN)
NEXT_PROBE = 15.0   # an interval, a second probe and its timeout
TRACED = 12.0       # the trace begins by itself and takes some seconds
PROTOCOL_50 = "meta l4proto esp"


def responder(remote=None):
    """Another agent on the cloud's gateway, which answers ESP echo of `remote`: the customer, where none is told."""
    def action(lab):
        family = lab.setup.family
        folder = os.path.join(lab.folder, "responder")
        os.makedirs(folder)
        off = {"enabled": False}
        lab.responder = Agent(lab.agent.binary, lab.topology.name("b"), folder, {
            "listen": f"{LISTEN[0]}:{LISTEN[1]}",
            "tunnels": [{"name": "back", "local": OUTER[family]["b"], "remote": remote or OUTER[family]["a"]}],
            "references": [REFERENCE[family]],
            "capture": {"interfaces": ["wan"]},
            "probes": {"ike": off, "path": off, "esp": off},
            "recorder": off,
            "daemon": {"vici": ""},
            "esp_responder": True,
        })
        lab.on_close(lab.responder.stop)
    return action


def responded(**least):
    """The responder has counted at least so many requests, by what became of them, and none of the other kinds."""
    def told(lab):
        counts = lab.responder.report()["agent"]["esp_requests"]
        others = {outcome: count for outcome, count in counts.items() if count and outcome not in least}
        must(not others, f"the responder counted {others}")
        return all(counts[outcome] >= count for outcome, count in least.items())
    return lambda lab: wait_until(lambda: told(lab), NEXT_PROBE, f"{least} of the responder", pause=0.1)


def reach(verdict, seconds=NEXT_PROBE, beside=None, says="", **also):
    """The tunnel's ESP is told as such: `also` (by, reason, hop, in_udp) as the report says it, `says` stands in one of
    the texts, and `beside` is the verdict of what was asked with protocol 50 of a tunnel whose ESP goes in UDP."""
    def told(lab):
        tunnel = lab.agent.report()["tunnels"][0].get("esp_reachability") or {}
        lab.last_reach = tunnel
        evidence = tunnel.get("evidence", [])
        if tunnel.get("verdict") != verdict or not also.items() <= tunnel.items():
            return False
        if says and not any(says in row["text"] and row["text_zh"] for row in evidence):
            return False
        return beside is None or any(row["beside"] and row["says"] == beside for row in evidence)
    def action(lab):
        try:
            wait_until(lambda: told(lab), seconds, f"ESP told as {verdict} {also}", pause=0.1)
        except Exception as error:
            raise type(error)(f"{error}: {json.dumps(lab.last_reach)}") from error
    return action


def probe_says(verdict, status, **said):
    """`tunnelwatch probe` of a person."""
    def action(lab):
        got, text, _ = command(lab, "probe", "--json", OUTER[lab.setup.family]["b"])
        esp = json.loads(text)["esp"]
        must(esp["verdict"] == verdict and said.items() <= esp.items(), f"the probe said {text}")
        must(got == status, f"exit status {got}: {text}")
    return action


def status_says(text):
    return lambda lab: must(text in lab.agent.status(), f"status: {lab.agent.status()}")


def nothing_raised():
    """Whatever is known of ESP alone, it is no fault of a tunnel that nobody has started."""
    def action(lab):
        for sight in lab.watch.changes(0):
            must(not sight.active, f"false cause: {sight}")
    return action


def watches(name, *start, setup=FAR, **more):
    return Scenario(name, setup=setup, starts_up=False, on_wire=False, start=steps(*start, nothing_raised()), **more)


ESP = [
    watches("esp-echo-answered", responder(), reach("reachable", by="esp_probe", says="answered an ESP echo"), responded(answered=1),
            probe_says("reachable", 0, outcome="answered"), status_says("ESP path  reachable"), note="by another agent"),
    watches("esp-echo-answered-ipv6", responder(), reach("reachable", by="esp_probe"), responded(answered=1),
            probe_says("reachable", 0, outcome="answered"), setup=FAR6),
    watches("esp-echo-of-a-stranger", responder(remote="203.0.113.77"), reach("unknown", says="proves nothing"), responded(stranger=1),
            probe_says("unknown", 0, outcome="silent"), note="the other agent answers its own peers only"),
    watches("esp-dropped-traced", responder(), reach("reachable", by="esp_probe"), fault(f"{PROTOCOL_50} drop", router="r2"),
            reach("unknown", says="of a peer that answered before"), reach("unreachable", TRACED, by="trace", hop=3, says=f"{SECOND[4]} at hop 2"),
            clear_faults(), reach("reachable", by="esp_probe"), note="silence is unknown, and then the trace says where it ends"),
    watches("esp-rejected", fault(f"{PROTOCOL_50} reject with icmp type admin-prohibited", router="r2"),
            reach("unreachable", by="esp_probe", reason="prohibited", says=f"{SECOND[4]} (a device on the path)"),
            probe_says("unreachable", 1, reason="prohibited", refused_by=SECOND[4]), status_says("ESP path  unreachable")),
    watches("esp-rejected-ipv6", fault(f"{PROTOCOL_50} reject with icmpv6 type admin-prohibited", router="r2"),
            reach("unreachable", by="esp_probe", reason="prohibited", says="a device on the path"),
            probe_says("unreachable", 1, reason="prohibited", refused_by=SECOND[6]), setup=FAR6),
    watches("esp-refused-by-the-peer", reach("unreachable", by="esp_probe", reason="protocol_unreachable", says="the peer itself, which it reached"),
            probe_says("unreachable", 0, reason="protocol_unreachable", refused_by=OUTER[4]["b"]),
            note="a host without ESP in its kernel; it may speak ESP in UDP"),
    watches("esp-silent-peer", cloud_drops(PROTOCOL_50), reach("unknown", says="proves nothing"), probe_says("unknown", 0, outcome="silent"),
            note="no responder there, or none that answers: nobody can tell"),
    Scenario("healthy-esp-only-in-udp", setup=FAR, on_wire=False, watch=4,
             start=steps(fault(f"{PROTOCOL_50} reject with icmp type admin-prohibited", router="r2"), reach("unreachable", reason="prohibited"),
                         initiate(), reach("reachable", by="traffic", in_udp=True, beside="unreachable", says="ESP in UDP")),
             note="the way refuses protocol 50, and the tunnel does without"),
]
