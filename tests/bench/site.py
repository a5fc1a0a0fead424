"""A gateway's namespace and the far end of its line, with no way out of either: the gateway's peers and the hosts behind
them are all the far end itself, which answers their pings."""

import contextlib
import http.client
import json
import os
import signal
import time

from bench.measure import cpu_of, memory_of
from lab import netns
from lab.shell import CommandFailed, Process, wait_until

GATEWAY = "192.0.2.10"
FAR = "192.0.2.1"
REFERENCE = "192.0.2.2"
INTERFACE = "wan"
LISTEN = ("127.0.0.1", 9814)


def peer(number):
    """As tests/bench/traffic/frames.h numbers them."""
    number += 1
    return f"198.18.{number >> 8}.{number & 255}"


def inner_host(tunnel, number):
    return f"10.{64 + (tunnel >> 8)}.{tunnel & 255}.{number + 1}"


def configuration(tunnels, inner_hosts=0):
    """The agent's settings for so many tunnels, each with so many hosts behind it, none of them outside the site."""
    return {
        "listen": f"{LISTEN[0]}:{LISTEN[1]}",
        "references": [REFERENCE],
        "capture": {"interfaces": [INTERFACE]},
        "tunnels": [{
            "name": f"tunnel-{number:04}",
            "local": GATEWAY,
            "remote": peer(number),
            **({"inner_hosts": [inner_host(number, host) for host in range(inner_hosts)]} if inner_hosts else {}),
        } for number in range(tunnels)],
    }


class Site:
    """`with Site(bench) as site`: whatever happened, nothing is left of it."""

    def __init__(self, bench):
        self.bench = bench
        self._gateway = f"{netns.owner_tag()}-bench-a"
        self._far = f"{netns.owner_tag()}-bench-b"
        self._cleanup = contextlib.ExitStack()

    def __enter__(self):
        try:
            for name in (self._gateway, self._far):
                netns.create(name)
                self._cleanup.callback(netns.delete, name)
            netns.ip_batch(self._gateway, [
                "link set lo up",
                f"link add {INTERFACE} type veth peer name far netns {self._far}",
                f"address add {GATEWAY}/24 dev {INTERFACE}", f"link set {INTERFACE} up",
            ])
            netns.ip_batch(self._far, [
                "link set lo up", f"address add {FAR}/24 dev far", f"address add {REFERENCE}/24 dev far",
                "link set far up", "route add local 198.18.0.0/15 dev lo", "route add local 10.0.0.0/8 dev lo",
                "route add blackhole default",
            ])
            netns.ip_batch(self._gateway, [f"route add default via {FAR}"])
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    def inside(self, *command):
        return ["ip", "netns", "exec", self._gateway, *command]

    def send(self, seconds, esp=0, tunnels=1, flood=0, live=0):
        """Starts the sender on the far end, in the background."""
        log = os.path.join(self.bench.folder, "sender.log")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(log)
        command = ["ip", "netns", "exec", self._far, self.bench.tool("send_packets"), "far", seconds, esp, tunnels, flood,
                   live, 1]
        return Sender(self._started(command, log))

    def start_agent(self, settings):
        agent = Agent(self, settings)
        self._cleanup.callback(agent.stop)
        return agent

    def start(self, log, *command):
        """Another program on the gateway."""
        return self._started(self.inside(*command), os.path.join(self.bench.folder, log))

    def get(self, path):
        """Status and body of an answer of the agent; 0 where there is none."""
        try:
            with contextlib.closing(http.client.HTTPConnection(*LISTEN, timeout=10)) as connection:
                connection.sock = netns.connect(self._gateway, *LISTEN, timeout=10)
                connection.request("GET", path, headers={"Connection": "close"})
                answer = connection.getresponse()
                return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""

    def _started(self, command, log):
        process = Process(command, log)
        self._cleanup.callback(process.kill)
        return process


class Sender:
    def __init__(self, process):
        self._process = process

    def finish(self, timeout):
        """What was sent: (ESP, forged, ESP of the live tunnel, worst delay of a step in ms)."""
        if not self._process.wait(timeout) or self._process.ended() != 0:
            raise CommandFailed(f"the sender failed: status {self._process.ended()} {self._process.output().strip()}")
        words = self._process.output().split()
        return int(words[1]), int(words[2]), int(words[3]), float(words[5])

    def running(self):
        return self._process.ended() is None


class Agent:
    """The daemon on the gateway."""

    def __init__(self, site, settings):
        self._site = site
        path = os.path.join(site.bench.folder, "tunnelwatch.yaml")
        with open(path, "w") as file:
            json.dump(settings, file)  # YAML holds JSON
        began = time.monotonic()
        self._process = Process(site.inside(site.bench.binary, "run", "--config", path),
                                os.path.join(site.bench.folder, "agent.log"))
        wait_until(self._is_ready, 20, "the agent's /readyz", pause=0.001)
        self.ready_after = time.monotonic() - began

    @property
    def pid(self):
        return self._process.pid

    def _is_ready(self):
        if self._process.ended() is not None:
            raise CommandFailed(f"the agent ended: {self._process.output()[-600:].strip()}")
        return self._site.get("/readyz")[0] == 200

    def cpu(self):
        return cpu_of(self.pid)

    def memory(self):
        return memory_of(self.pid)

    def report(self):
        status, body = self._site.get("/api/v1/report")
        if status != 200:
            raise CommandFailed(f"the agent answers /api/v1/report with {status}")
        return json.loads(body)

    def capture(self):
        """What it says of its capture; not older than the last half second."""
        return self.report()["agent"]["captures"][0]

    def stop(self):
        self._process.stop(signal.SIGTERM, patience=5)
