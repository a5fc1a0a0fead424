"""ICMP echo to many targets: what one costs, whether any is lost or late, and how true the round trips are."""

import contextlib
import json
import os
import re
import signal
import time
import urllib.parse

from bench.measure import cpu_of, interleaved, median
from bench.prometheus_text import Metrics
from bench.row import Row
from bench.site import INTERFACE, Site, peer
from lab.shell import CommandFailed, Process, wait_until

MANY = 1000
MOST = 10_000
_SETTLES = 3.0  # seconds from the start of a contestant to its measured time
# Fine enough that the error of a quantile is a few microseconds, up to 20 ms; in microseconds.
BUCKETS = sorted({round(10 * 1.13 ** step) for step in range(63)})


def measure(bench):
    yield from _cost(bench)
    yield from _others(bench)
    yield from _round_trips(bench)
    yield from _most(bench)


def settings(targets, **icmp):
    """Nothing but targets: no tunnel, no reference."""
    return {"listen": "127.0.0.1:9814", "references": [], "capture": {"interfaces": [INTERFACE]},
            "probes": {"icmp": {"timeout": "900ms", **icmp}}, "targets": [{"host": peer(number)} for number in range(targets)]}


# --- what an echo costs

def _cost(bench):
    """The agent with all its histograms, fping, and a loop that keeps nothing: CPU for one round trip, 1000 targets at 1 Hz."""
    with Site(bench) as site:
        results = interleaved(bench.repeats, {
            "ours": lambda: _ours(site, MANY), "bare": lambda: _bare(site, MANY), "fping": lambda: _fping(site, MANY)})
    cost = {who: median([run["cpu"] / run["replies"] for run in runs]) for who, runs in results.items()}
    raw = {"targets": MANY, "seconds": bench.seconds, **{f"{who}_us": value * 1e6 for who, value in cost.items()}, "runs": results}
    yield Row("echo, CPU against a bare loop", "CPU of the agent a round trip", "CPU of sendmmsg and recvmmsg", cost["ours"] / cost["bare"],
              at_most=1.3, raw=raw)
    yield Row("echo, CPU against fping", "CPU of the agent a round trip", "CPU of fping", cost["ours"] / cost["fping"], at_most=1, raw=raw)


def _ours(site, targets):
    agent = site.start_agent(settings(targets))
    time.sleep(_SETTLES)
    before, cpu = _metrics(site), agent.cpu()
    time.sleep(site.bench.seconds)
    used, after = agent.cpu() - cpu, _metrics(site)
    agent.stop()
    name = "tunnelwatch_icmp_{}_total"
    requests, replies, lost = (after.sum(name.format(what)) - before.sum(name.format(what)) for what in ("requests", "replies", "lost"))
    return {"cpu": used, "requests": requests, "replies": replies, "lost": lost}


def _bare(site, targets):
    path = _addresses(site, targets)
    command = f"exec {site.bench.tool('echo_loop')} {round(site.bench.seconds)} < {path}"
    process = site.start("echo_loop.log", "sh", "-c", command)
    if not process.wait(site.bench.seconds + 10) or process.ended() != 0:
        raise CommandFailed(f"the bare loop failed: {process.output().strip()}")
    words = process.output().split()
    return {"cpu": float(words[4]), "requests": int(words[0]), "replies": int(words[2]), "lost": int(words[0]) - int(words[2])}


def _fping(site, targets):
    path = _addresses(site, targets)
    # -i is the least that lies between any two packets, in ms with one decimal.
    process = site.start("fping.log", site.bench.program("fping"), "-l", "-q", "-p", "1000", "-t", "900", "-b", "56",
                         "-i", str(max(0.1, 1000 / targets / 2)), "-f", path)
    time.sleep(_SETTLES)
    cpu = cpu_of(process.pid)
    time.sleep(site.bench.seconds)
    used = cpu_of(process.pid) - cpu
    process.stop(signal.SIGINT)
    told = re.findall(r"xmt/rcv/%loss = (\d+)/(\d+)/", process.output())
    sent, received = (sum(int(pair[i]) for pair in told) for i in (0, 1))
    if not sent:
        raise CommandFailed(f"fping told nothing: {process.output()[-300:]}")
    return {"cpu": used, "requests": sent, "lost": sent - received, "replies": targets * site.bench.seconds * received / sent}


# --- other exporters, fewer targets: they do not stand a thousand

FEW = 100


def _others(bench):
    with Site(bench) as site:
        results = interleaved(bench.repeats, {
            "ours": lambda: _ours(site, FEW), "smokeping": lambda: _smokeping(site, FEW), "blackbox": lambda: _blackbox(site, FEW)})
    cost = {who: median([run["cpu"] / run["replies"] for run in runs]) for who, runs in results.items()}
    raw = {"targets": FEW, **{f"{who}_us": value * 1e6 for who, value in cost.items()}, "runs": results}
    for who, name in (("smokeping", "prometheus-smokeping-prober"), ("blackbox", "prometheus-blackbox-exporter")):
        yield Row(f"echo, CPU against {who}", "CPU of the agent a round trip", f"CPU of {name}", cost["ours"] / cost[who], at_most=1, raw=raw)


def _smokeping(site, targets):
    program = site.bench.program("prometheus-smokeping-prober")
    process = site.start("smokeping.log", program, "--web.listen-address=127.0.0.1:9374", "--ping.interval=1s", "--privileged",
                         *(peer(number) for number in range(targets)))
    wait_until(lambda: _fetch(site, 9374, "/metrics") is not None, 10, "the smokeping prober's start")
    time.sleep(_SETTLES)
    before, cpu = Metrics(_fetch(site, 9374, "/metrics")), cpu_of(process.pid)
    time.sleep(site.bench.seconds)
    used, after = cpu_of(process.pid) - cpu, Metrics(_fetch(site, 9374, "/metrics"))
    process.stop(signal.SIGTERM)
    requests, replies = (after.sum(name) - before.sum(name)
                         for name in ("smokeping_requests_total", "smokeping_response_duration_seconds_count"))
    return {"cpu": used, "requests": requests, "replies": replies, "lost": requests - replies}


def _blackbox(site, targets):
    """It pings once for each request: one a second for each target, as Prometheus would ask."""
    path = os.path.join(site.bench.folder, "blackbox.yml")
    with open(path, "w") as file:
        json.dump({"modules": {"icmp": {"prober": "icmp", "timeout": "900ms", "icmp": {"preferred_ip_protocol": "ip4"}}}}, file)
    process = site.start("blackbox.log", site.bench.program("prometheus-blackbox-exporter"), f"--config.file={path}",
                         "--web.listen-address=127.0.0.1:9115")
    wait_until(lambda: _fetch(site, 9115, "/metrics") is not None, 10, "the blackbox exporter's start")
    cpu, began, asked, well = cpu_of(process.pid), time.monotonic(), 0, 0
    while time.monotonic() - began < site.bench.seconds:
        target = urllib.parse.quote(peer(asked % targets))
        well += "probe_success 1" in (_fetch(site, 9115, f"/probe?module=icmp&target={target}") or "")
        asked += 1
        time.sleep(max(0.0, began + asked / targets - time.monotonic()))
    used = cpu_of(process.pid) - cpu
    process.stop(signal.SIGTERM)
    if not well:
        raise CommandFailed(f"the blackbox exporter got no reply: {process.output()[-300:]}")
    return {"cpu": used, "requests": asked, "replies": well, "lost": asked - well}


# --- how true round trips are

def _round_trips(bench):
    """The agent's histogram against the kernel's stamps on the line, which tcpdump keeps; one target, a thousand, and a thousand while
    every core is busy."""
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
    agent = site.start_agent(settings(targets, rtt_buckets=[f"{bound}us" for bound in BUCKETS], **how))
    time.sleep(_SETTLES)
    pcap = site.start("wire.log", site.bench.program("tcpdump"), "-i", INTERFACE, "-nn", "-tt", "--time-stamp-precision=nano", "-B", "8192",
                      "icmp[icmptype] == icmp-echo or icmp[icmptype] == icmp-echoreply")
    wait_until(lambda: "listening on" in pcap.output(), 10, "tcpdump's start")
    before = _metrics(site)
    time.sleep(site.bench.seconds)
    after = _metrics(site)
    time.sleep(1)  # replies that are on their way, and tcpdump's buffer
    pcap.stop(signal.SIGINT)
    agent.stop()
    wire = _wire_round_trips(pcap.output())
    histogram = after.histogram("tunnelwatch_icmp_rtt_seconds") - before.histogram("tunnelwatch_icmp_rtt_seconds")
    return {"targets": targets, "median": histogram.quantile(0.5), "p99": histogram.quantile(0.99), "count": histogram.count,
            "wire_median": _rank(wire, 0.5), "wire_p99": _rank(wire, 0.99), "wire_count": len(wire)}


def _wire_round_trips(text):
    asked, took = {}, []
    pattern = re.compile(r"^(\d+)\.(\d+) IP (\S+) > (\S+): ICMP echo (request|reply), id (\d+), seq (\d+),", re.MULTILINE)
    for seconds, fraction, source, to, kind, ident, sequence in pattern.findall(text):
        at = int(seconds) * 10**9 + int(fraction)
        if kind == "request":
            asked[(to, ident, sequence)] = at
        elif (sent := asked.pop((source, ident, sequence), None)) is not None:
            took.append((at - sent) / 1e9)
    if not took:
        raise CommandFailed(f"tcpdump saw no echo: {text[-300:]}")
    return sorted(took)


def _rank(values, part):
    return values[min(len(values) - 1, int(part * len(values)))]


@contextlib.contextmanager
def _busy_cores(site):
    with contextlib.ExitStack() as stack:
        for core in range(os.cpu_count()):
            busy = Process(["sh", "-c", "while :; do :; done"], os.path.join(site.bench.folder, f"busy-{core}.log"))
            stack.callback(busy.kill)
        yield


# --- as many as the configuration allows

def _most(bench):
    with Site(bench) as site:
        agent = site.start_agent(settings(MOST))
        time.sleep(_SETTLES)
        before, cpu = _metrics(site), agent.cpu()
        time.sleep(bench.seconds)
        used, after = agent.cpu() - cpu, _metrics(site)
        agent.stop()
    lag = after.histogram("tunnelwatch_icmp_timer_lag_seconds") - before.histogram("tunnelwatch_icmp_timer_lag_seconds")
    name = "tunnelwatch_icmp_{}_total"
    grown = {what: after.sum(name.format(what)) - before.sum(name.format(what))
             for what in ("requests", "replies", "lost", "refused", "skipped")}
    raw = {**grown, "seconds": bench.seconds, "cpu_s": used, "timer_lag_p99_s": lag.quantile(0.99), "timer_lag": lag.raw()}
    lost = grown["lost"] + grown["refused"] + grown["skipped"]
    yield Row("echo, 10,000 targets, none lost", "echoes sent", "echoes sent, lost and not sent in time",
              grown["requests"] / (grown["requests"] + lost), at_least=1, digits=6, raw=raw)
    yield Row("echo, 10,000 targets, timers", "p99 of the delay of a request", "20 ms", lag.quantile(0.99) / 0.02, at_most=1, raw=raw)


# --- shared

def _metrics(site):
    status, body = site.get("/metrics")
    if status != 200:
        raise CommandFailed(f"/metrics answered with {status}")
    return Metrics(body.decode())


def _fetch(site, port, path):
    status, body = site.get_from(port, path)
    return body.decode() if status == 200 else None


def _addresses(site, targets):
    path = os.path.join(site.bench.folder, f"targets-{targets}")
    with open(path, "w") as file:
        file.writelines(peer(number) + "\n" for number in range(targets))
    return path


