"""ESP from files: analysis against reading the file and doing nothing."""

import json

from bench.measure import best, interleaved, run_to_end
from bench.row import Row
from lab.shell import CommandFailed

TUNNELS = 100
CUT = 96        # bytes of each frame: headers and a little more, as captures for long times are taken
WHOLE = 2000


def measure(bench):
    yield _row(bench, "offline ESP, frames cut", CUT, bench.scaled(4_000_000))
    yield _row(bench, "offline ESP, whole frames", WHOLE, bench.scaled(2_000_000))


def _row(bench, name, snap, packets):
    path = bench.capture("esp", packets, TUNNELS, snap, 1)
    report = json.loads(run_to_end(bench.binary, "analyze", "--json", path, keep=True, allowed=(0, 1)).output)
    _check(report, packets)
    results = interleaved(max(5, bench.repeats), {  # each is short: the least disturbed of a few
        "ours": lambda: run_to_end(bench.binary, "analyze", "--json", path, allowed=(0, 1)),
        "empty": lambda: run_to_end(bench.tool("read_capture"), path),
    })
    ours, empty = best(results["ours"]).cpu, best(results["empty"]).cpu
    return Row(name, "CPU of analyze", "CPU of an empty libpcap loop", ours / empty, at_most=2,
               raw={"packets": report["packets"], "ours_cpu_s": ours, "empty_cpu_s": empty})


def _check(report, packets):
    """Speed counts only where the work was done."""
    seen = sum(stream["packets"] for tunnel in report["tunnels"] for stream in tunnel["esp"])
    up = sum(tunnel["state"] == "up" for tunnel in report["tunnels"])
    if report["malformed"] or seen != packets or up != TUNNELS:
        raise CommandFailed(f"analyze saw {seen} of {packets} ESP packets, {up} of {TUNNELS} tunnels up, "
                            f"{report['malformed']} malformed")
