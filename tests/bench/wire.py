"""The kernel's own stamps of what passes the gateway's interface: the truth about round trips."""

import re
import signal
import time

from bench.site import INTERFACE
from lab.shell import CommandFailed, wait_until


class Wire:
    """Records echoes until stop()."""

    def __init__(self, site):
        self._tcpdump = site.start(
            "wire.log", site.bench.program("tcpdump"), "-i", INTERFACE, "-nn", "-tt", "--time-stamp-precision=nano", "-B", "8192",
            "icmp[icmptype] == icmp-echo or icmp[icmptype] == icmp-echoreply")
        wait_until(lambda: "listening on" in self._tcpdump.output(), 10, "tcpdump's start")

    def stop(self, window):
        """The round trips of each target, in seconds, of requests between two times of the wall clock."""
        time.sleep(1)  # replies that are on their way, and tcpdump's buffer
        self._tcpdump.stop(signal.SIGINT)
        return _round_trips(self._tcpdump.output(), *(round(at * 10**9) for at in window))


def _round_trips(text, began, ended):
    asked, took = {}, {}
    pattern = re.compile(r"^(\d+)\.(\d+) IP (\S+) > (\S+): ICMP echo (request|reply), id (\d+), seq (\d+),", re.MULTILINE)
    for seconds, fraction, source, to, kind, ident, sequence in pattern.findall(text):
        at = int(seconds) * 10**9 + int(fraction)
        if kind == "request":
            if began <= at <= ended:
                asked[(to, ident, sequence)] = at
        elif (sent := asked.pop((source, ident, sequence), None)) is not None:
            took.setdefault(source, []).append((at - sent) / 1e9)
    if not took:
        raise CommandFailed(f"tcpdump saw no echo: {text[-300:]}")
    return took
