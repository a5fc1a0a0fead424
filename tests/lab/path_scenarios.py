"""Scenarios of a path of four routers: `tunnelwatch trace`, run in the customer's gateway, names the hop and the protocol."""

import json
import subprocess
import time

from lab.lab import Setup
from lab.scenario import (SILENT, Scenario, attempt, clear_faults, fault, forget, initiate, steps, terminate)
from lab.shell import CommandFailed, wait_until
from lab.topology import OUTER

WITHIN = 5.0
FAR = Setup(routers=4)
FAR6 = Setup(routers=4, family=6)
SECOND = {4: "10.99.1.2", 6: "2001:db8:99:1::2"}  # r2 towards a
# The cloud's kernel has no ESP here and says so with an ICMP error: that reaches it as well as any answer does.
HEALTHY = {"icmp": "reached", "udp_500": "reached", "udp_4500": "reached", "esp": "reached", "icmp_large": "reached"}


def command(lab, *words):
    """Runs the agent's program in the customer's gateway: (exit status, what it printed, seconds)."""
    began = time.monotonic()
    done = subprocess.run(["ip", "netns", "exec", lab.topology.name("a"), lab.agent.binary, *words],
                          capture_output=True, text=True, timeout=30, check=False)
    if done.returncode not in (0, 1):
        raise CommandFailed(f"tunnelwatch {' '.join(words)}: status {done.returncode}: {done.stderr.strip()}")
    return done.returncode, done.stdout, time.monotonic() - began


def must(condition, text):
    if not condition:
        raise CommandFailed(text)


def trace(differs=None, mtu=None, **said):
    """A trace must say what HEALTHY says, but for `differs` (protocol to outcome), of which `said` holds; `mtu` is a part
    of what it says of the path's MTU."""
    differs, mtu = differs or {}, mtu or {"outcome": "whole", "mtu": 1500}

    def action(lab):
        status, text, seconds = command(lab, "trace", "--json", OUTER[lab.setup.family]["b"])
        report = json.loads(text)
        found = {row["protocol"]: row for row in report["protocols"]}
        got = {protocol: row["outcome"] for protocol, row in found.items()}
        must(got == {**HEALTHY, **differs}, f"the trace said {report['comparison']}")
        for protocol in differs:
            row = found[protocol]
            must(said.items() <= row.items(), f"{protocol}: wanted {said}, got { {key: row.get(key) for key in said} }")
        must(mtu.items() <= report["path_mtu"].items(), f"path MTU: {report['path_mtu']}")
        must(seconds <= WITHIN, f"the trace took {seconds:.1f} s")
        fault_expected = any(outcome in ("dies", "rejected") for outcome in differs.values()) or mtu["outcome"] == "black_hole"
        must(status == (1 if fault_expected else 0), f"exit status {status}")
    return action


def probe(**outcomes):
    """A probe by hand must say this of the ports, "port_500" and "port_4500"."""
    def action(lab):
        status, text, _ = command(lab, "probe", "--json", OUTER[lab.setup.family]["b"])
        found = {f"port_{row['port']}": row["outcome"] for row in json.loads(text)["ports"]}
        must(found == outcomes, f"the probe said {text}")
        must(status == (0 if set(outcomes.values()) == {"answered"} else 1), f"exit status {status}")
    return action


def nothing_left_behind():
    """The cloud holds no half-open SA for what was asked."""
    def action(lab):
        held = lab.b.swanctl("--list-sas")
        must("CONNECTING" not in held, f"the cloud holds {held}")
    return action


def evidence(cause, text, seconds=6):
    """The agent's own trace stands in the evidence of an active cause."""
    def told(lab):
        causes = lab.agent.report()["tunnels"][0]["causes"]
        return any(text in sentence.get("en", "") if isinstance(sentence, dict) else text in sentence
                   for row in causes if row["cause"] == cause and row["active"] for sentence in row["evidence"])
    return lambda lab: wait_until(lambda: told(lab), seconds, f"\"{text}\" in the evidence of {cause}", pause=0.1)


def path_mtu(mtu, black_hole, seconds=15):
    """The agent has measured the MTU of the way."""
    wanted = {"mtu": mtu, "black_hole": black_hole}
    return lambda lab: wait_until(lambda: lab.agent.report()["tunnels"][0].get("path_mtu") == wanted, seconds, f"{wanted}", pause=0.2)


DIES = {"hop": 3, "last_hop": 2}


def dropped(name, protocol, rule, family=4, **more):
    """r2 drops one protocol: its last answer is r2's, and r3 and r4 answer the others."""
    return Scenario(name, setup=FAR6 if family == 6 else FAR, starts_up=False, on_wire=False,
                    start=steps(fault(rule, router="r2"),
                                trace({protocol: "dies"}, last_address=SECOND[family], witnesses=2, **DIES, **more.pop("said", {}), **more)))


PATH = [
    Scenario("healthy-trace", setup=FAR, start=steps(initiate(), trace(), nothing_left_behind()), watch=3, on_wire=False,
             note="beside the running agent, which must not take it for a fault"),
    Scenario("healthy-trace-ipv6", setup=FAR6, start=steps(initiate(), trace(), nothing_left_behind()), watch=3, on_wire=False),
    Scenario("healthy-probe", setup=FAR, on_wire=False, watch=2,
             start=steps(initiate(), probe(port_500="answered", port_4500="answered"), nothing_left_behind())),
    Scenario("probe-udp4500-dropped", setup=FAR, starts_up=False, on_wire=False,
             start=steps(fault("udp dport 4500 drop", router="r2"), probe(port_500="answered", port_4500="silent"))),
    Scenario("udp4500-dropped-traced", ("ike_port_4500_blocked",), ("exchange_timeout", "esp_blocked", "dpd_timeout"), FAR, on_wire=False,
             start=steps(initiate()), fault=steps(terminate(), fault("udp dport 4500 drop", router="r2"), attempt()), clock="ike", within=SILENT,
             repair=steps(evidence("ike_port_4500_blocked", f"last answer is from {SECOND[4]} at hop 2"), forget(), clear_faults(), initiate()),
             clears_within=10, note="the agent traces by itself and says at which hop"),
    Scenario("healthy-path-mtu", setup=Setup(routers=4, agent={"probes": {"path": {"interval": "10s"}}}), on_wire=False,
             start=steps(initiate(), fault("ip protocol icmp meta length > 1400 drop", router="r3"), path_mtu(1400, True))),
    dropped("trace-esp-dropped", "esp", "meta l4proto esp drop"),
    dropped("trace-udp4500-dropped", "udp_4500", "udp dport 4500 drop"),
    dropped("trace-large-dropped", "icmp_large", "meta length > 1400 drop", mtu={"outcome": "black_hole", "mtu": 1400, "smallest_silent": 1401}),
    dropped("trace-esp-dropped-ipv6", "esp", "meta l4proto esp drop", family=6),
    Scenario("trace-esp-silent-peer", setup=FAR, starts_up=False, on_wire=False,
             start=steps(fault("meta l4proto esp drop", router="r4"), trace({"esp": "to_target"}, last_hop=4, witnesses=0)),
             note="dropped on the last step, or not answered: alike, and no fault that a trace could prove"),
    Scenario("trace-udp500-rejected", setup=FAR, starts_up=False, on_wire=False,
             start=steps(fault("udp dport 500 reject with icmp type admin-prohibited", router="r2"),
                         trace({"udp_500": "rejected"}, hop=3, last_address=SECOND[4], reason="prohibited"))),
]
