"""Judges a long healthy run: what the agent may never say of it, and what it must have seen."""

import re
from dataclasses import dataclass, field

# After this share of the run the agent has seen all there is to see; what it grows by later, it would grow for ever.
WARM_UP = 1 / 3
GROWTH = 1.25
GROWTH_BYTES = 2 << 20
# Of the rekeyings that the daemon made, those the agent must have seen. The rest may stand at either end of the run.
SEEN = 0.8

CHILD_EVENTS = ("child_sa_rekeyed", "child_sa_established")


@dataclass
class Soaked:
    """One lab's tally, fed once a second."""
    name: str
    seconds: float                                  # how long it shall run
    problems: list = field(default_factory=list)
    events: dict = field(default_factory=dict)
    memory: int = 0
    _told: set = field(default_factory=set)
    _warm: int = 0
    _state: str = "up"

    def look(self, passed, report, memory):
        """`passed` seconds after the start; `memory` in bytes. The problems that are new."""
        before = len(self.problems)
        if report is None:
            self._say("silent", passed, "the agent does not answer")
        else:
            for tunnel in report.get("tunnels", []):
                self._look_at(passed, tunnel)
        self._weigh(passed, memory)
        return self.problems[before:]

    def finish(self, children, ikes, agent_log=""):
        """The daemon made so many child SAs and IKE SAs. The log has the states that lasted less than a second too."""
        states = re.findall(r"tunnel_state tunnel=\S+ state=(\w+)", agent_log)
        later = states[states.index("up"):] if "up" in states else []
        for state in sorted(set(later) - {"up"}):
            self._say(("log", state), self.seconds, f"logged as {state} {later.count(state)} times")
        seen = sum(self.events.get(event, 0) for event in CHILD_EVENTS)
        if children < 1 or ikes < 1 or children + ikes < 3:
            self._say("idle", self.seconds, f"nothing was rekeyed: {children} child SAs, {ikes} IKE SAs")
        if seen < SEEN * children:
            self._say("unseen", self.seconds, f"of {children} child SAs the agent saw {seen}")

    def _look_at(self, passed, tunnel):
        self.events.update(tunnel.get("event_counts", {}))
        for cause in tunnel.get("causes", []):
            if cause["severity"] != "notice":
                # Cleared ones stay listed: none is missed, however short it was.
                self._say((cause["cause"], cause["first_seen"]), passed, describe(cause))
        state = tunnel.get("state", "")
        if state != self._state and state != "up":
            self._say(("state", passed), passed, f"told as {state}")
        self._state = state

    def _weigh(self, passed, memory):
        self.memory = memory
        if passed < self.seconds * WARM_UP:
            self._warm = max(self._warm, memory)
        elif self._warm and memory > max(self._warm * GROWTH, self._warm + GROWTH_BYTES):
            self._say("memory", passed, f"grew from {self._warm >> 10} to {memory >> 10} KiB after the warm-up")

    def _say(self, key, passed, text):
        if key not in self._told:
            self._told.add(key)
            self.problems.append(f"{self.name}, after {passed:.0f} s: {text}")


def describe(cause):
    evidence = "; ".join(cause.get("evidence", []))
    return (f"{cause['cause']} ({cause['confidence']}{'' if cause['active'] else ', cleared'}), "
            f"first seen {cause['first_seen']:.3f}: {evidence} {cause.get('capture', '')}").strip()


def made(log):
    """(child SAs, IKE SAs) that a charon.log tells of."""
    children = set(re.findall(r"CHILD_SA \w+\{(\d+)\} established", log))
    ikes = set(re.findall(r"IKE_SA \w+\[(\d+)\] (?:established|rekeyed) between", log))
    return len(children), len(ikes)


def resident(pid):
    """Bytes of memory of a process; 0 where it is gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE)[1]) << 10
    except (OSError, TypeError):
        return 0
