"""What a scenario is, and the steps that scenarios are written in: each is a function that is given the lab."""

import time
from dataclasses import dataclass, field

from lab.lab import Setup

# Until an answered fault, and a silence, must be named. Silence shows after two missed probes and a probe's timeout.
ANSWERED = 1.0
SILENT = 2.5 + 1.0


@dataclass(frozen=True)
class Scenario:
    name: str
    expect: tuple = ()             # causes of which one must rank first; empty: no cause may ever be active
    beside: tuple = ()             # other causes that may be active with it
    setup: Setup = field(default_factory=Setup)
    start: tuple = ()              # from daemons that run to the state in which the fault comes
    starts_up: bool = True         # the tunnel is up and without a cause before the fault
    fault: tuple = ()
    clock: str = "fault"           # verdicts are timed from the fault, or from the first "ike" or "esp" that a sends after it
    within: float = ANSWERED
    repair: tuple = ()
    clears_within: float = 3.0     # the expected causes are gone and the tunnel is up
    lingers: tuple = ()            # of `beside`: causes with a window of their own, which may outlast the repair
    watch: float = 0               # healthy: how long it must stay so after the start
    hold: float = 1.5              # in a capture without the agent: how long the fault is recorded
    on_wire: bool = True           # a capture without the agent's probes shows it
    evidence: str = ""             # words that must stand in the evidence of the expected cause
    dark: tuple = ()               # sources that must be told as down while the fault lasts: the verdict is another's
    recorded: bool = True          # there are packets of the tunnel, and the agent writes them down
    note: str = ""


def steps(*actions):
    return tuple(actions)


def initiate(role="a", child="net"):
    return lambda lab: lab.gateway(role).initiate(child)


def attempt(*what, role="a"):
    return lambda lab: lab.gateway(role).attempt(*what)


def terminate(role="a", *what):
    return lambda lab: lab.gateway(role).terminate(*what)


def forget(role="a"):
    """Drops the SA without its peer's consent, as an operator does who cannot reach it."""
    return lambda lab: lab.gateway(role).terminate(force=True)


def restore(role="b"):
    """The scenario's own configuration again."""
    return lambda lab: lab.gateway(role).load()


def change(role, path, value):
    """One setting differs from now on; it takes a new negotiation to matter."""
    return lambda lab: lab.gateway(role).load({path: value})


def command(role, *words):
    """A swanctl command whose failure is part of the scenario."""
    return lambda lab: lab.gateway(role).swanctl(*words, check=False)


def fault(*rules, chain="forward", router="r"):
    return lambda lab: lab.topology.fault(*rules, chain=chain, router=router)


def clear_faults():
    return lambda lab: lab.topology.clear_faults()


def kill(role="b"):
    return lambda lab: lab.gateway(role).kill()


def start(role="b"):
    return lambda lab: lab.gateway(role).start()


def freeze(role="b"):
    return lambda lab: lab.gateway(role).freeze()


def thaw(role="b"):
    return lambda lab: lab.gateway(role).thaw()


def relay(**options):
    return lambda lab: lab.start_relay(**options)


def stop_relay():
    return lambda lab: lab.relay.stop()


def half_open(count):
    """Handshakes that stop after their first message, from the customer's address: the peer keeps them half open."""
    def action(lab):
        lab.topology.fault("udp dport 4500 drop")
        for _ in range(count):
            lab.a.attempt()
            time.sleep(0.15)
            lab.a.terminate(force=True)
        lab.topology.clear_faults()
    return action


def pause(seconds):
    return lambda lab: time.sleep(seconds)
