"""Forged first messages of IKE, each from another address, while a tunnel lives: it stays what it is, and so does memory."""

import time

from bench.row import Row
from bench.site import Site, configuration
from lab.shell import CommandFailed

RATE = 100_000
LIVE_RATE = 500  # ESP packets of the living tunnel a second
TUNNELS = 10
_LIVE = "tunnel-0000"


def measure(bench):
    with Site(bench) as site:
        agent = site.start_agent(configuration(TUNNELS))
        calm, _ = _watch(site, agent, flood=0)
        flooded, sent = _watch(site, agent, flood=RATE)
        report = agent.report()["agent"]
        agent.stop()
    if sent.seconds > 1.1 * bench.seconds:
        raise CommandFailed(f"this machine sends {sent.forged / sent.seconds:.0f} forged messages/s and not {RATE}")
    raw = {"seconds": bench.seconds, "flood_per_second": sent.forged / sent.seconds, "calm": calm, "flooded": flooded,
           "capture": report["captures"][0], "timer_lag_seconds_max": report["timer_lag_seconds_max"]}
    first, last = flooded["memory_bytes"][0], max(flooded["memory_bytes"])
    yield Row("flood of forged peers, memory", "most resident", "resident after 1 s of it", last / first, at_most=1.05,
              raw=raw)
    yield Row("flood of forged peers, live tunnel", "looks that find it up and well", "looks",
              flooded["well"] / flooded["looks"], at_least=1, raw=raw)


def _watch(site, agent, flood):
    """What the living tunnel and the agent's memory look like while traffic runs, and what was sent."""
    sender = site.send(site.bench.seconds, live=1, esp=LIVE_RATE, flood=flood)
    time.sleep(1)
    looks = well = 0
    memory = []
    while sender.running():
        looks += 1
        well += _is_well(agent)
        memory.append(agent.memory())
        time.sleep(0.1)
    return {"looks": looks, "well": well, "memory_bytes": memory}, sender.finish(60)


def _is_well(agent):
    tunnel = next(tunnel for tunnel in agent.report()["tunnels"] if tunnel["name"] == _LIVE)
    faults = [cause for cause in tunnel["causes"] if cause["active"] and cause["severity"] != "notice"]
    return tunnel["state"] == "up" and not faults
