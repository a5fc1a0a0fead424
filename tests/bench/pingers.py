"""Who is measured at pinging many targets once a second: each does it for a while and tells what it took (CPU seconds), what
it counted, and the mean round trip of each target in seconds, with the window of wall time that it speaks of."""

import collections
import json
import os
import re
import signal
import time

from bench.measure import cpu_of
from bench.prometheus_text import Metrics
from bench.site import INTERFACE, peer
from lab.shell import CommandFailed, wait_until

SETTLES = 3.0  # seconds from the start of a contestant to its measured time
PATIENCE = 30  # seconds, until it answers
_BLACKBOX_RTT = re.compile(r'^probe_icmp_duration_seconds\{phase="rtt"\} (\S+)$', re.MULTILINE)


class NoAnswer(CommandFailed):
    """A program that does not come to answer what it is asked for its metrics."""


def settings(targets, **icmp):
    """Nothing but targets: no tunnel, no reference."""
    return {"listen": "127.0.0.1:9814", "references": [], "capture": {"interfaces": [INTERFACE]},
            "probes": {"icmp": {"timeout": "900ms", **icmp}}, "targets": [{"host": peer(number)} for number in range(targets)]}


def ours(site, targets):
    agent = site.start_agent(settings(targets))
    time.sleep(SETTLES)
    before, cpu, began = metrics(site), agent.cpu(), time.time()
    time.sleep(site.bench.seconds)
    ended, used, after = time.time(), agent.cpu() - cpu, metrics(site)
    agent.stop()
    name = "tunnelwatch_icmp_{}_total"
    requests, replies, lost = (after.sum(name.format(what)) - before.sum(name.format(what)) for what in ("requests", "replies", "lost"))
    return {"cpu": used, **_counted(targets, site.bench.seconds, requests, replies, lost), "window": (began, ended),
            "means": _means(before, after, "tunnelwatch_icmp_rtt_seconds", "target")}


def bare(site, targets, tick):
    """`tick`: ms from one wake-up to the next."""
    path = _addresses(site, targets)
    command = f"exec {site.bench.tool('echo_loop')} {round(site.bench.seconds)} {tick} < {path}"
    process = site.start("echo_loop.log", "sh", "-c", command)
    if not process.wait(site.bench.seconds + 10) or process.ended() != 0:
        raise CommandFailed(f"the bare loop failed: {process.output().strip()}")
    words = process.output().split()
    requests, replies = int(words[0]), int(words[2])
    return {"cpu": float(words[4]), **_counted(targets, site.bench.seconds, requests, replies, requests - replies)}


def fping(site, targets):
    path, began = _addresses(site, targets), time.time()
    # -i is the least that lies between any two packets, in ms with one decimal.
    process = site.start("fping.log", site.bench.program("fping"), "-l", "-q", "-p", "1000", "-t", "900", "-b", "56",
                         "-i", str(max(0.1, 1000 / targets / 2)), "-f", path)
    time.sleep(SETTLES)
    cpu = cpu_of(process.pid)
    time.sleep(site.bench.seconds)
    used = cpu_of(process.pid) - cpu
    process.stop(signal.SIGINT)
    ended = time.time()
    told = re.findall(r"xmt/rcv/%loss = (\d+)/(\d+)/", process.output())
    sent, received = (sum(int(pair[i]) for pair in told) for i in (0, 1))
    if not sent:
        raise CommandFailed(f"fping told nothing: {process.output()[-300:]}")
    means = re.findall(r"^(\S+) *: xmt/rcv/%loss = \S+, min/avg/max = [\d.]+/([\d.]+)/", process.output(), re.MULTILINE)  # in ms
    # It tells of its whole life, which is longer than the time that its CPU was measured for.
    counted = _counted(targets, ended - began, sent, received, sent - received)
    return {"cpu": used, **counted, "replies": received * site.bench.seconds / (SETTLES + site.bench.seconds),
            "window": (began, ended), "means": {target: float(mean) / 1000 for target, mean in means}}


def smokeping(site, targets):
    program = site.bench.program("prometheus-smokeping-prober")
    process = site.start("smokeping.log", program, "--web.listen-address=127.0.0.1:9374", "--ping.interval=1s", "--privileged",
                         *(peer(number) for number in range(targets)))
    _wait_for(site, 9374)
    time.sleep(SETTLES)
    before, cpu, began = Metrics(_scrape(site, 9374)), cpu_of(process.pid), time.time()
    time.sleep(site.bench.seconds)
    ended, used, after = time.time(), cpu_of(process.pid) - cpu, Metrics(_scrape(site, 9374))
    process.stop(signal.SIGTERM)
    requests, replies = (after.sum(name) - before.sum(name)
                         for name in ("smokeping_requests_total", "smokeping_response_duration_seconds_count"))
    return {"cpu": used, **_counted(targets, ended - began, requests, replies, requests - replies), "window": (began, ended),
            "means": _means(before, after, "smokeping_response_duration_seconds", "ip")}


def blackbox(site, targets):
    """It pings once for each request: one a second for each target, as Prometheus would ask."""
    path = os.path.join(site.bench.folder, "blackbox.yml")
    with open(path, "w") as file:
        json.dump({"modules": {"icmp": {"prober": "icmp", "timeout": "900ms", "icmp": {"preferred_ip_protocol": "ip4"}}}}, file)
    process = site.start("blackbox.log", site.bench.program("prometheus-blackbox-exporter"), f"--config.file={path}",
                         "--web.listen-address=127.0.0.1:9115")
    _wait_for(site, 9115)
    cpu, began, asked, well, took = cpu_of(process.pid), time.time(), 0, 0, collections.defaultdict(list)
    while time.time() - began < site.bench.seconds:
        target = peer(asked % targets)
        said = _fetch(site, 9115, f"/probe?module=icmp&target={target}") or ""
        if "probe_success 1" in said:
            well += 1
            took[target].append(float(_BLACKBOX_RTT.search(said)[1]))
        asked += 1
        time.sleep(max(0.0, began + asked / targets - time.time()))
    used = cpu_of(process.pid) - cpu
    process.stop(signal.SIGTERM)
    if not well:
        raise CommandFailed(f"the blackbox exporter got no reply: {process.output()[-300:]}")
    return {"cpu": used, **_counted(targets, site.bench.seconds, asked, well, asked - well), "window": (began, time.time()),
            "means": {target: sum(seconds) / len(seconds) for target, seconds in took.items()}}


def metrics(site):
    status, body = site.get("/metrics")
    if status != 200:
        raise CommandFailed(f"/metrics answered with {status}")
    return Metrics(body.decode())


def _counted(targets, seconds, requests, replies, lost):
    due = targets * seconds
    return {"due": due, "requests": requests, "replies": replies, "lost": lost, "not_sent": due - requests}


def _wait_for(site, port):
    try:
        wait_until(lambda: _fetch(site, port, "/metrics") is not None, PATIENCE, f"an answer on port {port}")
    except CommandFailed as late:
        raise NoAnswer(str(late)) from late


def _scrape(site, port):
    said = _fetch(site, port, "/metrics")
    if said is None:
        raise NoAnswer(f"no answer on port {port}")
    return said


def _fetch(site, port, path):
    status, body = site.get_from(port, path)
    return body.decode() if status == 200 else None


def _addresses(site, targets):
    path = os.path.join(site.bench.folder, f"targets-{targets}")
    with open(path, "w") as file:
        file.writelines(peer(number) + "\n" for number in range(targets))
    return path


def _means(before, after, histogram, label):
    """Of each target between two scrapes."""
    counts, sums = ({target: value - before.by(label, histogram + suffix).get(target, 0)
                     for target, value in after.by(label, histogram + suffix).items()} for suffix in ("_count", "_sum"))
    return {target: sums[target] / count for target, count in counts.items() if count}
