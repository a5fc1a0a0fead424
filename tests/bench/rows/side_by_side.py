"""The agent and what else pings many targets, at three sizes: what a reply costs, how many echoes are lost, and how true
round trips are over a line that holds packets for a while, idle and with every core busy."""

from bench import pingers
from bench.measure import interleaved, median
from bench.row import Row, Table
from bench.site import Site
from bench.wire import Wire

FEW = 100
SIZES = (FEW, 1000, 10_000)
DELAY_MS = 5  # fping tells what takes less than 10 ms to 10 us, and what takes longer to 100
TRUE_ENOUGH = 200e-6  # seconds: how far a target's mean round trip may be from the kernel's stamps
PINGERS = {"tunnelwatch": pingers.ours, "fping": pingers.fping, "prometheus-smokeping-prober": pingers.smokeping,
           "prometheus-blackbox-exporter": pingers.blackbox}
OURS, *OTHERS = PINGERS
HEAD = ("targets", "program", "CPU of a reply, of ours", "lost", "not sent", f"error of the mean over {DELAY_MS} ms, of 0.2 ms",
        "lost, busy cores", "error, busy cores")


def measure(bench):
    lines = []
    for targets in SIZES:
        contest = _contest(bench, targets)
        yield from _rows(targets, contest)
        lines += _lines(targets, contest)
    yield Table(f"Many echoes side by side, once a second to each target, {bench.seconds:g} s each:", HEAD, lines)


def _contest(bench, targets):
    """Each one's costs without a recorder beside it, then how true it is. What did not come to answer is none."""
    with Site(bench) as site:
        costs = interleaved(bench.repeats if targets == FEW else 1, {
            who: lambda ping=ping: _answered(lambda: ping(site, targets)) for who, ping in PINGERS.items()})
    contest = {who: {"cost": runs, "idle": None, "busy": None} for who, runs in costs.items() if None not in runs}
    for told in contest.values():
        for run in told["cost"]:
            run.pop("means")  # of a line without delay nobody asks how true they are
    with Site(bench) as site:
        site.delay(DELAY_MS)
        for who, told in contest.items():
            told["idle"] = _answered(lambda: _truth(site, PINGERS[who], targets))
        with site.busy_cores():
            for who, told in contest.items():
                told["busy"] = _answered(lambda: _truth(site, PINGERS[who], targets))
    return contest


def _answered(measured):
    try:
        return measured()
    except pingers.NoAnswer:
        return None


def _truth(site, ping, targets):
    """A target's mean round trip as it is told and as the kernel's stamps say: their distance, the mean of all targets."""
    stamps = Wire(site)
    told = ping(site, targets)
    wire = stamps.stop(told["window"])
    means = {target: sum(seconds) / len(seconds) for target, seconds in wire.items()}
    errors = [abs(mean - means[target]) for target, mean in told.pop("means").items() if target in means]  # one pings this machine too
    return {**told, "error": sum(errors) / len(errors), "targets": len(errors)}


def _cost(told):
    return median([run["cpu"] / run["replies"] for run in told["cost"]])


def _rows(targets, contest):
    ours = contest[OURS]
    raw = {"targets": targets, "delay_ms": DELAY_MS, **contest}
    for who in OTHERS:
        if who not in contest:
            continue
        # Of few targets it is the agent's other work that counts, which fping does not do.
        at_most = None if who == "fping" and targets == FEW else 1
        yield Row(f"echo, {targets} targets, CPU against {who}", "CPU of the agent a reply", f"CPU of {who}",
                  _cost(ours) / _cost(contest[who]), at_most=at_most, raw=raw)
    for when, name in (("idle", ""), ("busy", ", busy cores")):
        yield Row(f"echo, {targets} targets, error over {DELAY_MS} ms{name}", "a mean round trip's distance from the kernel's stamps", "0.2 ms",
                  ours[when]["error"] / TRUE_ENOUGH, at_most=1, raw=raw)
        for who in OTHERS:
            # fping's is as small as ours or smaller, of the size of the distance between the stamps' places.
            if who != "fping" and who in contest and contest[who][when]:
                yield Row(f"echo, {targets} targets, error against {who}{name}", "the same", f"that of {who}",
                          ours[when]["error"] / contest[who][when]["error"], at_most=1, raw=raw)


def _lines(targets, contest):
    for who in PINGERS:
        if who not in contest:
            yield (str(targets), who, "no answer", *[""] * (len(HEAD) - 3))
            continue
        costs, idle, busy = contest[who]["cost"], contest[who]["idle"], contest[who]["busy"]
        yield (str(targets), who, f"{_cost(contest[who]) / _cost(contest[OURS]):.2f}", _part(costs, "lost", "requests"),
               _part(costs, "not_sent", "due"), _error(idle), _part([busy], "lost", "requests") if busy else "no answer", _error(busy))


def _error(told):
    return f"{told['error'] / TRUE_ENOUGH:.2f}" if told else "no answer"


def _part(runs, what, of):
    part = sum(run[what] for run in runs) / sum(run[of] for run in runs)
    return f"{max(0.0, part):.1%}"
