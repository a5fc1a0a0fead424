"""How true round trips are: against the kernel's stamps on the line, which tcpdump keeps."""

import time

from bench import pingers
from bench.row import Row
from bench.site import Site
from bench.wire import Wire

MANY = 1000
# Fine enough that the error of a quantile is a few microseconds, up to 20 ms; in microseconds.
BUCKETS = sorted({round(10 * 1.13 ** step) for step in range(63)})


def measure(bench):
    """One target, a thousand, and a thousand while every core is busy."""
    with Site(bench) as site:
        one = _round_trip(site, 1, interval="100ms", timeout="90ms")
        many = _round_trip(site, MANY)
        with site.busy_cores():
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
