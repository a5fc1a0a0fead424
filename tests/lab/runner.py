"""Runs one scenario: brings it up, breaks it, waits for the verdict, mends it, waits until it has cleared."""

import os
import time
from dataclasses import dataclass, field

from lab import capture
from lab.evidence import preserve
from lab.lab import Lab

_START_PATIENCE = 5.0   # until a tunnel that is up must be told as up
_LOOK_LONGER = 6.0      # past a limit, so that a late verdict is told as late and not as missing
_SETTLE = 0.6           # after a verdict: it must stay, and nothing false may join it


@dataclass
class Result:
    name: str
    verdict: str = "-"
    to_verdict: float | None = None
    to_clear: float | None = None
    problems: list = field(default_factory=list)
    evidence: str = ""

    @property
    def passed(self):
        return not self.problems


class Run:
    """One scenario with the agent."""

    def __init__(self, lab, scenario, binary):
        self._lab = lab
        self._scenario = scenario
        self._binary = binary
        self._allowed = set(scenario.expect) | set(scenario.beside)
        self.result = Result(scenario.name)

    def go(self):
        lab, scenario = self._lab, self._scenario
        self._pcap = lab.start_capture(os.path.join(lab.folder, "wan.pcap"))
        lab.start_agent(self._binary)
        self._perform(scenario.start)
        if scenario.starts_up:
            self._starts_healthy()
        if scenario.expect and self.result.passed:
            self._breaks()
            if scenario.repair and self.result.to_verdict is not None:
                self._mends()
        if lab.agent.ended() is not None:
            self._problem(f"the agent ended with status {lab.agent.ended()}")
        return self.result

    def _starts_healthy(self):
        began = time.time()
        lab, scenario = self._lab, self._scenario
        if not lab.watch.wait_for(lambda sight: sight.state == "up", _START_PATIENCE, began):
            return self._problem(f"not told as up within {_START_PATIENCE:g} s: {lab.watch.last()}")
        # Silence is told of what used to answer: before a fault the agent has seen each of its targets work.
        if scenario.expect and not lab.watch.wait_for(lambda sight: sight.all_answered(), _START_PATIENCE, began):
            return self._problem(f"not every target answered within {_START_PATIENCE:g} s: {lab.watch.last()}")
        time.sleep(scenario.watch)
        allowed = set(scenario.beside) if not scenario.expect else {"gateway_behind_nat"} & set(scenario.beside)
        self._no_other_cause(0, allowed, "before any fault")
        if not scenario.expect:
            self.result.verdict = "healthy" if self.result.passed else str(lab.watch.last())
            if lab.watch.last().state != "up":
                self._problem(f"healthy at first, then {lab.watch.last()}")

    def _breaks(self):
        lab, scenario, result = self._lab, self._scenario, self.result
        broken = time.time()
        self._perform(scenario.fault)
        first = lambda sight: bool(sight.active) and sight.active[0] in scenario.expect  # noqa: E731
        sight = lab.watch.wait_for(first, scenario.within + _LOOK_LONGER, broken)
        if sight is None:
            result.verdict = str(lab.watch.last())
            return self._problem(f"expected {' or '.join(scenario.expect)}, got {result.verdict}")
        result.verdict = sight.active[0]
        began = self._first_affected(broken)
        result.to_verdict = max(0.0, sight.time - began)
        if result.to_verdict > scenario.within:
            self._problem(f"verdict after {result.to_verdict:.2f} s, limit {scenario.within:g} s")
        time.sleep(_SETTLE)
        self._no_other_cause(broken, self._allowed, "during the fault")
        self._says_what_is_dark()
        if scenario.evidence and scenario.evidence not in lab.watch.last().evidence():
            self._problem(f"the evidence lacks {scenario.evidence!r}: {lab.watch.last().evidence()}")
        if not first(lab.watch.last()):
            self._problem(f"the verdict did not last: {lab.watch.last()}")
        if scenario.recorded and not lab.recordings():
            self._problem("no recording of the tunnel's packets")

    def _mends(self):
        lab, scenario, result = self._lab, self._scenario, self.result
        mended = time.time()
        self._perform(scenario.repair)
        well = lambda sight: not set(sight.active) - set(scenario.lingers) and sight.state == "up"  # noqa: E731
        sight = lab.watch.wait_for(well, scenario.clears_within + _LOOK_LONGER, mended)
        if sight is None:
            return self._problem(f"not cleared after the repair: {lab.watch.last()}")
        result.to_clear = sight.time - mended
        if result.to_clear > scenario.clears_within:
            self._problem(f"cleared after {result.to_clear:.2f} s, limit {scenario.clears_within:g} s")
        time.sleep(_SETTLE)
        if not well(lab.watch.last()):
            self._problem(f"cleared, but then {lab.watch.last()}")
        self._no_other_cause(mended, self._allowed, "after the repair")

    def _says_what_is_dark(self):
        """A source that is down is told as such: in the report, in the status, and in the log with its reason."""
        sources = self._lab.watch.last().sources()
        for source in self._scenario.dark:
            if sources.get(source, True):
                self._problem(f"{source} is not told as down: {sources}")
            if f"does not work: {source}" not in self._lab.agent.status():
                self._problem(f"the status does not tell of {source}")
            if source != "capture" and f"source_down source={source} " not in self._lab.agent.log(whole=True):
                self._problem(f"the log does not tell of {source}")

    def _first_affected(self, broken):
        """The wall time from which the verdict is timed."""
        wanted = {"ike": capture.is_ike, "esp": capture.is_esp}.get(self._scenario.clock)
        if wanted:
            for when, frame in capture.packets(self._pcap.path):
                if when >= broken and wanted(frame):
                    return when
        return broken

    def _no_other_cause(self, since, allowed, when):
        for sight in self._lab.watch.changes(since):
            if other := set(sight.active) - allowed:
                self._problem(f"false cause {when}: {', '.join(sorted(other))}")
                return

    def _perform(self, actions):
        for action in actions:
            action(self._lab)

    def _problem(self, text):
        self.result.problems.append(text)


def run(work, scenario, binary, evidence, keep=False):
    """Runs a scenario in a lab of its own and returns (Result, Lab or None). What failed leaves its evidence behind."""
    lab = None
    result = Result(scenario.name)
    try:
        lab = Lab(work, scenario.name, scenario.setup)
        running = Run(lab, scenario, binary)
        result = running.result
        running.go()
    except Exception as error:  # a scenario that cannot be made is a failed one; the others go on
        result.problems.append(f"{type(error).__name__}: {error}")
    if lab and not result.passed:
        result.evidence = preserve(lab, result, evidence)
    if lab and not keep:
        lab.close()
    return result, lab if keep else None


def record(work, scenario, folder, evidence):
    """Runs a scenario without the agent and leaves NAME.pcap in `folder`, which ends while the fault lasts, and
    NAME+repaired.pcap, which ends after the repair. Returns the Result."""
    result = Result(scenario.name, verdict="recorded")
    lab = None
    try:
        lab = Lab(work, scenario.name, scenario.setup)
        whole = lab.start_capture(os.path.join(folder, f"{scenario.name}+repaired.pcap"))
        fault = lab.start_capture(os.path.join(folder, f"{scenario.name}.pcap"))
        if scenario.starts_up:
            lab.start_traffic()
        for action in scenario.start:
            action(lab)
        time.sleep(max(scenario.watch, 1.0))
        if scenario.starts_up and not lab.a.up():
            result.problems.append("the tunnel is not up before the fault")
        if scenario.expect:
            for action in scenario.fault:
                action(lab)
            time.sleep(scenario.hold)
        fault.stop()
        for action in scenario.repair:
            action(lab)
        if scenario.repair:
            time.sleep(1.2)
            if not lab.a.up():
                result.problems.append("the tunnel is not up after the repair")
        whole.stop()
        if not scenario.repair:
            os.unlink(whole.path)
    except Exception as error:
        result.problems.append(f"{type(error).__name__}: {error}")
    if lab:
        if not result.passed:
            result.evidence = preserve(lab, result, evidence)
        lab.close()
    return result
