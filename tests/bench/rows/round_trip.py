"""How true round trips are: against the kernel's stamps on the line, which tcpdump keeps, and as others tell them of a line
of a known delay."""

import contextlib
import os
import time

from bench import pingers
from bench.measure import median
from bench.row import Row
from bench.site import Site
from bench.wire import Wire
from lab.shell import Process

FEW = 100
MANY = 1000
# Fine enough that the error of a quantile is a few microseconds, up to 20 ms; in microseconds.
BUCKETS = sorted({round(10 * 1.13 ** step) for step in range(63)})
DELAY_MS = 5  # fping tells what takes less than 10 ms to 10 us, and what takes longer to 100
OTHERS = ("smokeping", "blackbox")  # fping's is as small as ours or smaller, of the size of the distance between the stamps' places
PINGERS = {"ours": pingers.ours, "fping": pingers.fping, "smokeping": pingers.smokeping, "blackbox": pingers.blackbox}


def measure(bench):
    yield from _against_the_wire(bench)
    yield from _against_others(bench)


def _against_the_wire(bench):
    """One target, a thousand, and a thousand while every core is busy."""
    with Site(bench) as site:
        one = _round_trip(site, 1, interval="100ms", timeout="90ms")
        many = _round_trip(site, MANY)
        with _busy_cores(site):
            loaded = _round_trip(site, MANY)
    raw = {"one": one, "many": many, "loaded": loaded}
    yield Row("echo, median with 1000 targets", "median round trip", "median with one target", many["median"] / one["median"], at_most=1.1, raw=raw)
    yield Row("echo, median with busy cores", "median round trip, 1000 targets", "median with one target, cores idle",
              loaded["median"] / one["median"], at_most=1.1, raw=raw)
    for name, told in (("", many), (", busy cores", loaded)):
        yield Row(f"echo, p99 against the wire{name}", "p99's distance from the kernel's stamps", "0.2 ms",
                  abs(told["p99"] - told["wire_p99"]) / 200e-6, at_most=1, raw=told)


def _round_trip(site, targets, **how):
    agent = site.start_agent(pingers.settings(targets, rtt_buckets=[f"{bound}us" for bound in BUCKETS], **how))
    time.sleep(pingers.SETTLES)
    stamps = Wire(site)
    before, began = pingers.metrics(site), time.time()
    time.sleep(site.bench.seconds)
    after, ended = pingers.metrics(site), time.time()
    wire = sorted(seconds for target in stamps.stop((began, ended)).values() for seconds in target)
    agent.stop()
    histogram = after.histogram("tunnelwatch_icmp_rtt_seconds") - before.histogram("tunnelwatch_icmp_rtt_seconds")
    return {"targets": targets, "median": histogram.quantile(0.5), "p99": histogram.quantile(0.99), "count": histogram.count,
            "wire_median": _rank(wire, 0.5), "wire_p99": _rank(wire, 0.99), "wire_count": len(wire)}


def _rank(values, part):
    return values[min(len(values) - 1, int(part * len(values)))]


def _against_others(bench):
    """The mean round trip of each target over a line that holds packets for DELAY_MS, as everybody tells it and as the kernel's
    stamps do. One round: ten round trips of each of a hundred targets."""
    with Site(bench) as site:
        site.delay(DELAY_MS)
        idle = {who: _error(site, ping) for who, ping in PINGERS.items()}
        with _busy_cores(site):
            busy = {who: _error(site, ping) for who, ping in PINGERS.items()}
    for name, runs in (("", idle), (", busy cores", busy)):
        raw = {"targets": FEW, "delay_ms": DELAY_MS, **runs}
        yield Row(f"echo over {DELAY_MS} ms, error{name}", "a target's mean round trip's distance from the kernel's stamps", "0.2 ms",
                  runs["ours"]["error_us"] / 200, at_most=1, raw=raw)
        for who in OTHERS:
            yield Row(f"echo over {DELAY_MS} ms, error against {who}{name}", "the same", f"that of {who}",
                      runs["ours"]["error_us"] / runs[who]["error_us"], at_most=1, raw=raw)


def _error(site, ping):
    stamps = Wire(site)
    told = ping(site, FEW)
    wire = stamps.stop(told["window"])
    means = {target: sum(seconds) / len(seconds) for target, seconds in wire.items()}
    errors = [abs(mean - means[target]) for target, mean in told["means"].items() if target in means]  # one pings this machine too
    return {"error_us": 1e6 * sum(errors) / len(errors), "targets": len(errors), "replies": told["replies"],
            "told_us": 1e6 * median(told["means"].values()), "wire_us": 1e6 * median(means.values())}


@contextlib.contextmanager
def _busy_cores(site):
    with contextlib.ExitStack() as stack:
        for core in range(os.cpu_count()):
            busy = Process(["sh", "-c", "while :; do :; done"], os.path.join(site.bench.folder, f"busy-{core}.log"))
            stack.callback(busy.kill)
        yield
