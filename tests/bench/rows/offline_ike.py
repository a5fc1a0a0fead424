"""IKE from files: dissecting and tracking a mix of both versions against two dissectors."""

import json

from bench.measure import best, interleaved, run_to_end
from bench.row import Row
from lab.shell import CommandFailed

PEERS = 1000


def measure(bench):
    messages = bench.scaled(1_000_000)
    peers = min(PEERS, messages // 100)
    path = bench.capture("ike", messages, peers, 1)
    report = json.loads(run_to_end(bench.binary, "analyze", "--json", path, keep=True, allowed=(0, 1)).output)
    _check(report, messages, peers)
    ours = lambda: run_to_end(bench.binary, "analyze", "--json", path, allowed=(0, 1))  # noqa: E731
    rounds = max(5, bench.repeats)  # ours is short: the least disturbed of a few
    tcpdump = bench.program("tcpdump")
    results = interleaved(rounds, {
        "ours": ours, "theirs": lambda: run_to_end(tcpdump, "-nn", "-v", "-r", path)})
    yield _row("offline IKE against tcpdump -v", "tcpdump -v", results, 2, messages)
    tshark = bench.program("tshark")
    results = interleaved(rounds, {
        "ours": ours, "theirs": lambda: run_to_end(tshark, "-r", path, "-T", "fields", "-e", "isakmp.exchangetype")})
    yield _row("offline IKE against tshark", "tshark, one field", results, 10, messages)


def _row(name, theirs, results, bound, messages):
    cpu = {who: best(runs).cpu for who, runs in results.items()}
    return Row(name, "messages/s of analyze", f"messages/s of {theirs}", cpu["theirs"] / cpu["ours"], at_least=bound,
               digits=1, raw={"messages": messages, "ours_cpu_s": cpu["ours"], "theirs_cpu_s": cpu["theirs"]})


def _check(report, messages, peers):
    """Speed counts only where the work was done."""
    up = sum(tunnel["state"] == "up" for tunnel in report["tunnels"])
    causes = {cause["cause"] for tunnel in report["tunnels"] for cause in tunnel["causes"]}
    wanted = {"authentication_fail", "phase1_proposal_mismatch", "dpd_timeout", "exchange_timeout"}
    if report["malformed"] or report["packets"] < messages or len(report["tunnels"]) != peers or up < peers / 2:
        raise CommandFailed(f"analyze read {report['packets']} packets of {messages} messages, {report['malformed']} "
                            f"malformed, and found {len(report['tunnels'])} of {peers} tunnels, {up} up")
    if peers == PEERS and not wanted <= causes:
        raise CommandFailed(f"analyze missed causes that are in the capture: {', '.join(sorted(wanted - causes))}")
