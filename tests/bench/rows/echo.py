"""ICMP echo to many targets: what one costs, and whether any is lost or late."""

import time

from bench import pingers
from bench.measure import interleaved, median
from bench.row import Row
from bench.site import Site

MANY = 1000
MOST = 10_000
TICK = 8  # ms, that the agent's targets share wake-ups for
SHORT_TICK = 4  # at which a bare loop costs half of fping, as the one did that the bound was made from


def measure(bench):
    yield from _cost(bench)
    yield from _most(bench)


# --- what an echo costs

def _cost(bench):
    """The agent with all its histograms, and a loop that keeps nothing: CPU for one round trip, 1000 targets at 1 Hz.
    How often a bare loop wakes is nearly all of its cost: it is measured at the wake-ups that the bound was made for and at
    the agent's."""
    with Site(bench) as site:
        results = interleaved(bench.repeats, {
            "ours": lambda: pingers.ours(site, MANY),
            "bare": lambda: pingers.bare(site, MANY, SHORT_TICK), "bare_agents_tick": lambda: pingers.bare(site, MANY, TICK)})
    cost = {who: median([run["cpu"] / run["replies"] for run in runs]) for who, runs in results.items()}
    raw = {"targets": MANY, "seconds": bench.seconds, **{f"{who}_us": value * 1e6 for who, value in cost.items()}, "runs": results}
    yield Row("echo, CPU against a bare loop", "CPU of the agent a round trip", f"CPU of sendmmsg and recvmmsg every {SHORT_TICK} ms",
              cost["ours"] / cost["bare"], at_most=1.3, raw=raw)
    yield Row(f"echo, CPU against a bare loop of {TICK} ms", "CPU of the agent a round trip", f"CPU of sendmmsg and recvmmsg every {TICK} ms",
              cost["ours"] / cost["bare_agents_tick"], raw=raw)


# --- as many as the configuration allows

def _most(bench):
    with Site(bench) as site:
        agent = site.start_agent(pingers.settings(MOST))
        time.sleep(pingers.SETTLES)
        before, cpu = pingers.metrics(site), agent.cpu()
        time.sleep(bench.seconds)
        used, after = agent.cpu() - cpu, pingers.metrics(site)
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
