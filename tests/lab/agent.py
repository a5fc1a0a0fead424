"""The agent under test, on the customer's gateway, and what it says over its API."""

import contextlib
import http.client
import json
import os
import threading
import time

from lab import netns
from lab.shell import CommandFailed, Process, wait_until
from lab.topology import INNER, OUTER, REFERENCE, SUBNET

TUNNEL = "lab"
LISTEN = ("127.0.0.1", 9814)


def settings(family, version, peer, overrides, tunnel=None):
    """The configuration, the only place that knows its keys. `overrides` replaces whole top-level sections,
    `tunnel` single keys of the tunnel."""
    return {
        "listen": f"{LISTEN[0]}:{LISTEN[1]}",
        "tunnels": [{
            "name": TUNNEL,
            "local": OUTER[family]["a"],
            "remote": peer or OUTER[family]["b"],
            "ike_version": version,
            "local_subnets": [SUBNET[family]["a"]],
            "remote_subnets": [SUBNET[family]["b"]],
            "inner_hosts": [INNER[family]["b"]],
            **(tunnel or {}),
        }],
        "references": [REFERENCE[family]],  # in the router: nothing outside the lab is ever asked
        "capture": {"interfaces": ["wan"]},
        **overrides,
    }


class Agent:
    def __init__(self, binary, namespace, folder, configuration, wrapper=()):
        """`wrapper`: words in front of the binary, which end in running it."""
        self.binary = binary
        self.config = os.path.join(folder, "tunnelwatch.yaml")
        self._namespace = namespace
        with open(self.config, "w") as file:
            json.dump(configuration, file, indent=2)  # YAML holds JSON
            file.write("\n")
        command = ["ip", "netns", "exec", namespace, *wrapper, binary, "run", "--config", self.config]
        self._process = Process(command, os.path.join(folder, "agent.log"))
        wait_until(self._ready, 10, "the agent's /readyz and its capture", pause=0.02)

    def report(self):
        """The parsed /api/v1/report, or None where nothing answers."""
        status, body = self._get("/api/v1/report")
        return json.loads(body) if status == 200 else None

    @property
    def pid(self):
        return self._process.pid  # `ip netns exec` becomes what it runs

    def ended(self):
        return self._process.ended()

    def status(self):
        """What `tunnelwatch status` prints in the gateway; its exit status (1: a fault) is part of its answer."""
        return netns.execute(self._namespace, self.binary, "status", check=False)

    def log(self, whole=False):
        """What it logged, or the end of that."""
        return self._process.output()[0 if whole else -2000:]

    def stop(self):
        self._process.stop(patience=3)

    def _ready(self):
        if self.ended() is not None:
            raise CommandFailed(f"the agent ended with status {self.ended()}: {self._process.output()[-600:].strip()}")
        if self._get("/readyz")[0] != 200:
            return False
        captures = (self.report() or {}).get("agent", {}).get("captures", [])
        return bool(captures) and all(interface["up"] for interface in captures)

    def _get(self, path):
        try:
            connection = http.client.HTTPConnection(*LISTEN, timeout=2)
            connection.sock = netns.connect(self._namespace, *LISTEN, timeout=2)
            with contextlib.closing(connection):
                connection.request("GET", path, headers={"Connection": "close"})
                answer = connection.getresponse()
                return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""


class Sight:
    """What one poll saw: when, the tunnel's state, and its active causes, best first."""

    def __init__(self, report):
        self.time = time.time()
        self.report = report
        tunnels = [tunnel for tunnel in (report or {}).get("tunnels", []) if tunnel.get("name") == TUNNEL]
        self.state = tunnels[0].get("state", "") if tunnels else ""
        self.active = tuple(cause["cause"] for tunnel in tunnels for cause in tunnel.get("causes", []) if cause.get("active"))

    def evidence(self):
        """The evidence of the cause that ranks first, one text."""
        causes = [cause for tunnel in (self.report or {}).get("tunnels", []) if tunnel.get("name") == TUNNEL for cause in tunnel["causes"]]
        return "; ".join(causes[0].get("evidence", [])) if causes else ""

    def sources(self):
        return (self.report or {}).get("agent", {}).get("sources", {})

    def all_answered(self):
        """Whether each target that the agent pings has answered it at least once."""
        echo = (self.report or {}).get("echo", [])
        return bool(echo) and all(target.get("replies", 0) > 0 for target in echo)

    def __str__(self):
        if self.report is None:
            return "no answer"
        return f"{self.state or 'no tunnel'}, {', '.join(self.active) or 'no active cause'}"


class Watch:
    """Asks the agent every 50 ms from a thread of its own; keeps each change with its time, so that nothing short is missed."""

    PERIOD = 0.05

    def __init__(self, agent):
        self._agent = agent
        self._changed = threading.Condition()
        self._last = None
        self._changes = []
        self._stopping = False
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    def wait_for(self, predicate, seconds, since=0.0):
        """The first sight after wall time `since` that fits, or None after `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for sight in self._since(since):
                    if predicate(sight):
                        return sight
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def changes(self, since=0.0, until=float("inf")):
        """The changes seen between two wall times."""
        with self._changed:
            return [sight for sight in self._changes if since <= sight.time <= until]

    def last(self):
        with self._changed:
            return self._last

    def stop(self):
        self._stopping = True
        self._thread.join(3)

    def _since(self, since):
        fresh = [sight for sight in self._changes if sight.time >= since]
        if not fresh and self._last and self._last.time >= since:
            return [self._last]
        # A state that began before `since` and still holds counts from `since` on.
        return fresh + ([self._last] if self._last and self._last.time >= since else [])

    def _poll(self):
        while not self._stopping:
            sight = Sight(self._agent.report())
            with self._changed:
                if self._last is None or str(self._last) != str(sight):
                    self._changes.append(sight)
                self._last = sight
                self._changed.notify_all()
            time.sleep(self.PERIOD)
