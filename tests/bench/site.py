"""A gateway's namespace and the far end of its line, with no way out of either: the gateway's peers and the hosts behind
them are all the far end itself, which answers their pings and the probes of their IKE."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import time
from dataclasses import dataclass

from bench.measure import cpu_of, memory_of
from bench.responder import Responder
from lab import netns, relay
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
            "ike_version": 2,
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
        self._seeds = itertools.count(1)  # no two senders' negotiations have the same SPIs

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
            self._cleanup.callback(Responder(self._far).stop)
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    def inside(self, *command):
        return ["ip", "netns", "exec", self._gateway, *command]

    def send(self, seconds, tunnels=1, live=0, esp=0, flood=0):
        """Starts the sender on the far end, in the background: tests/bench/traffic/send_packets.cpp."""
        # Before all others: nobody may be spared packets because the sender waited for its turn.
        command = ["chrt", "--fifo", "10", "ip", "netns", "exec", self._far, self.bench.tool("send_packets"), "far",
                   seconds, tunnels, live, esp, flood, next(self._seeds)]
        return Sender(self._started(command, "sender.log"))

    def delay(self, milliseconds):
        """From now on the far end holds every packet to a peer for so long before it takes it."""
        # Before all others, else the delay would be another when the cores are busy.
        self._started(["chrt", "--fifo", "10", "ip", "netns", "exec", self._far, relay.program(self.bench.folder), "held", 1,
                       milliseconds, 0, 0, 0, 0], "relay.log")
        wait_until(lambda: "held" in netns.execute(self._far, "ls", "/sys/class/net").split(), 5, "the relay's device")
        netns.execute(self._far, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.held.rp_filter=0")
        netns.ip_batch(self._far, [
            "link set held up", "route add default dev held table 100",
            # What the kernel would take for its own at once goes to the relay first, and is its own behind it.
            "rule add pref 100 iif far to 198.18.0.0/15 lookup 100", "rule add pref 200 lookup local", "rule del pref 0",
        ])

    @contextlib.contextmanager
    def busy_cores(self):
        """Meanwhile somebody else wants all of every core."""
        with contextlib.ExitStack() as stack:
            for core in range(os.cpu_count()):
                busy = Process(["sh", "-c", "while :; do :; done"], os.path.join(self.bench.folder, f"busy-{core}.log"))
                stack.callback(busy.kill)
            yield

    def start_agent(self, settings):
        agent = Agent(self, settings)
        self._cleanup.callback(agent.stop)
        return agent

    def start(self, log, *command):
        """Another program on the gateway."""
        return self._started(self.inside(*command), log)

    def get(self, path):
        """Status and body of an answer of the agent; 0 where there is none."""
        return self.get_from(LISTEN[1], path)

    def get_from(self, port, path):
        """The same of another program on the gateway."""
        try:
            with contextlib.closing(http.client.HTTPConnection(LISTEN[0], port, timeout=10)) as connection:
                connection.sock = netns.connect(self._gateway, LISTEN[0], port, timeout=10)
                connection.request("GET", path, headers={"Connection": "close"})
                answer = connection.getresponse()
                return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""

    def _started(self, command, log):
        path = os.path.join(self.bench.folder, log)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # what an earlier round said
        process = Process(command, path)
        self._cleanup.callback(process.kill)
        return process


@dataclass(frozen=True)
class Sent:
    esp: int
    forged: int
    seconds: float
    late_ms: float  # the worst delay of what was to be sent in one millisecond


class Sender:
    def __init__(self, process):
        self._process = process

    def running(self):
        return self._process.ended() is None

    def finish(self, timeout):
        """Waits for its end; what it sent."""
        if not self._process.wait(timeout):
            raise CommandFailed("the sender is not done in time")
        if self._process.ended() != 0:
            raise CommandFailed(f"the sender failed: {self._process.output().strip()}")
        words = self._process.output().split()
        return Sent(int(words[1]), int(words[2]), float(words[4]), float(words[6]))


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

    def memory(self, which="VmRSS"):
        return memory_of(self.pid, which)

    def report(self):
        status, body = self._site.get("/api/v1/report")
        if status != 200:
            raise CommandFailed(f"the agent answers /api/v1/report with {status}")
        return json.loads(body)

    def stop(self):
        self._process.stop(signal.SIGTERM, patience=5)
