"""What the agent takes and how fast it is there and answers: figures that are kept, whatever others take."""

import time

from bench.measure import median
from bench.row import Row
from bench.site import Site, configuration
from lab.shell import CommandFailed

MEGABYTE = 1_000_000
_SETTLES = 15  # seconds until every probe has gone round several times


def measure(bench):
    with Site(bench) as site:
        yield from _small(bench, site)
        yield from _many_tunnels(bench, site)
        yield from _many_targets(site)


def _small(bench, site):
    """Ten tunnels, as most gateways have."""
    starts = []
    for _ in range(max(3, bench.repeats)):
        agent = site.start_agent(configuration(10))
        starts.append(agent.ready_after)
        agent.stop()
    yield Row("start to ready", "time until /readyz is well", "100 ms", median(starts) / 0.1, at_most=1,
              raw={"seconds": starts})
    agent = site.start_agent(configuration(10))
    time.sleep(_SETTLES)
    memory = agent.memory()
    agent.stop()
    yield Row("memory, 10 tunnels", "resident", "20 MB", memory / (20 * MEGABYTE), at_most=1, raw={"bytes": memory})


def _many_tunnels(bench, site):
    """A thousand of them, all up, and a scrape."""
    agent = site.start_agent(configuration(1000))
    site.send(_SETTLES, tunnels=1000, live=1000, esp=10_000).finish(2 * _SETTLES)
    scrapes = [_scrape(site) for _ in range(5 * bench.repeats)]
    up = sum(tunnel["state"] == "up" for tunnel in agent.report()["tunnels"])
    agent.stop()
    if up != 1000:
        raise CommandFailed(f"{up} of 1000 tunnels are up: this is not the load that was meant")
    times = [took for took, _ in scrapes]
    yield Row("scrape, 1000 tunnels", "time of GET /metrics", "20 ms", min(times) / 0.02, at_most=1,
              raw={"seconds": times, "bytes": scrapes[-1][1]})


def _many_targets(site):
    """As many hosts as the configuration allows, the reference among them; all tunnels up."""
    settings = configuration(1000, inner_hosts=9)
    settings["tunnels"][-1]["inner_hosts"].pop()
    agent = site.start_agent(settings)
    site.send(_SETTLES, tunnels=1000, live=1000, esp=10_000).finish(2 * _SETTLES)
    _scrape(site)
    memory, peak = agent.memory(), agent.memory("VmHWM")
    echoes = agent.report()["echo"]
    answered = sum(echo["replies"] > 0 for echo in echoes)
    agent.stop()
    if len(echoes) != 10_000 or answered < 9_900:
        raise CommandFailed(f"{answered} of {len(echoes)} targets answered: this is not the load that was meant")
    yield Row("memory, 1000 tunnels, 10,000 targets", "resident", "80 MB", memory / (80 * MEGABYTE), at_most=1,
              raw={"bytes": memory, "most_bytes_during_a_scrape": peak, "targets": len(echoes), "answered": answered})


def _scrape(site):
    began = time.monotonic()
    status, body = site.get("/metrics")
    took = time.monotonic() - began
    if status != 200:
        raise CommandFailed(f"/metrics answered with {status}")
    return took, len(body)
