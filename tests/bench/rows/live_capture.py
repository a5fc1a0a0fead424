"""A line full of ESP: nothing of it lost, and less CPU than writing it to nowhere takes."""

import re
import signal
import time

from bench.measure import cpu_of, interleaved, median
from bench.row import Row
from bench.site import INTERFACE, Site, configuration
from lab.shell import CommandFailed, run, wait_until

RATE = 300_000
TUNNELS = 100


def measure(bench):
    with Site(bench) as site:
        results = interleaved(bench.repeats, {"ours": lambda: _ours(site), "tcpdump": lambda: _tcpdump(site)})
    cpu = {who: median([used for used, _ in runs]) for who, runs in results.items()}
    raw = {"seconds": bench.seconds, "packets_per_second": RATE, "ours_cpu_s": cpu["ours"], "tcpdump_cpu_s": cpu["tcpdump"],
           "ours": [told for _, told in results["ours"]], "tcpdump": [told for _, told in results["tcpdump"]]}
    yield Row("live ESP, CPU", "CPU of the whole agent", "CPU of tcpdump -w /dev/null", cpu["ours"] / cpu["tcpdump"],
              at_most=1, raw=raw)
    sent = sum(told["sent"] for _, told in results["ours"])
    counted = sum(told["counted"] for _, told in results["ours"])
    yield Row("live ESP, none dropped", "packets counted", "packets sent", counted / sent, at_least=1, digits=7, raw=raw)


def _ours(site):
    agent = site.start_agent(configuration(TUNNELS))
    time.sleep(1)  # the start is not measured
    before = agent.cpu()
    sent, late = _send(site)
    used = agent.cpu() - before
    time.sleep(1.5)  # the counters are told once a second
    capture = agent.capture()
    counted = sum(direction["packets"] for tunnel in agent.report()["tunnels"]
                  for direction in (tunnel["esp_in"], tunnel["esp_out"]))
    agent.stop()
    return used, {"sent": sent, "counted": counted, "dropped": capture["dropped"],
                  "interface_dropped": capture["interface_dropped"], "sender_late_ms": late}


def _tcpdump(site):
    expression = run(site.bench.tool("show_filter")).strip()
    tcpdump = site.start("tcpdump.log", site.bench.program("tcpdump"), "-i", INTERFACE, "-w", "/dev/null", expression)
    wait_until(lambda: "listening on" in tcpdump.output(), 10, "tcpdump's start")
    before = cpu_of(tcpdump.pid)
    sent, late = _send(site)
    used = cpu_of(tcpdump.pid) - before
    time.sleep(1.5)
    tcpdump.stop(signal.SIGINT)
    told = tcpdump.output()
    numbers = {what: int(found[1]) if (found := re.search(rf"(\d+) packets? {what}", told)) else None
               for what in ("captured", "dropped by kernel")}
    return used, {"sent": sent, "counted": numbers["captured"], "dropped": numbers["dropped by kernel"],
                  "sender_late_ms": late}


def _send(site):
    seconds = site.bench.seconds
    sent, _, _, late = site.send(seconds, esp=RATE, tunnels=TUNNELS).finish(seconds + 30)
    if sent < 0.95 * RATE * seconds:
        raise CommandFailed(f"this machine sends {sent / seconds:.0f} packets/s instead of {RATE}: nothing was measured")
    return sent, late
