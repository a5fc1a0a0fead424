"""One lab: the namespaces, both gateways, and whatever watches; everything is undone by close(), whatever happened."""

import contextlib
import itertools
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field

from lab import agent, certificates, netns
from lab.capture import Capture
from lab.gateway import Gateway, private_tools
from lab.relay import Relay, program
from lab.shell import Process, run
from lab.topology import INNER, Topology

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Setup:
    """What a lab is made with, where it differs from the base of swanctl_conf."""
    family: int = 4
    version: object = 2            # of IKE: 1 or 2
    both: dict = field(default_factory=dict)      # swanctl.conf of both ends
    a: dict = field(default_factory=dict)         # ... of the customer alone
    b: dict = field(default_factory=dict)
    daemon: dict = field(default_factory=dict)    # strongswan.conf of both ends
    daemon_b: dict = field(default_factory=dict)
    agent: dict = field(default_factory=dict)     # top-level sections of the agent's configuration
    tunnel: dict = field(default_factory=dict)    # keys of the tunnel in it
    prepare: tuple = ()            # steps before the agent starts
    wrapper: tuple = ()            # words in front of the agent, which end in running it
    nat: str = ""                  # "local": the customer is translated; "peer": the cloud is
    peer: str = ""                 # the peer's address as the customer knows it, where that is not its own
    relay: dict = field(default_factory=dict)     # arguments of Relay
    routers: int = 1               # on the way from the customer to the cloud
    second_line: bool = False      # the customer has another way to the router: wan2
    needs_relay: bool = False      # a step will start one: compiled beforehand
    ipsec: bool = True             # the two IKE daemons run
    credentials: tuple = ()        # (role, kind, file of the certificates' folder)


class Work:
    """The folder of one run, named after its owner as namespaces are: shared tools and a folder for each lab."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix=f"{netns.owner_tag()}-")
        self.tools = private_tools(self.folder)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Lab:
    def __init__(self, work, name, setup):
        self.setup = setup
        self.work = work
        self.folder = os.path.join(work.folder, name)
        self.agent = self.watch = self.relay = None
        self._cleanup = contextlib.ExitStack()
        os.makedirs(self.folder)
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def close(self):
        self._cleanup.close()

    def on_close(self, action):
        """`action` is called at the end, before what was there earlier goes."""
        self._cleanup.callback(action)

    def gateway(self, role):
        return {"a": self.a, "b": self.b}[role]

    def start_agent(self, binary):
        recorder = {"recorder": {"directory": self._recordings}, "daemon": {"vici": "", "error_notify": ""}}
        configuration = agent.settings(self.setup.family, self.setup.version, self.setup.peer, {**recorder, **self._in_folder(self.setup.agent)},
                                       self.setup.tunnel)
        for action in self.setup.prepare:
            action(self)
        self.agent = agent.Agent(binary, self.topology.name("a"), self.folder, configuration, self.setup.wrapper)
        self._cleanup.callback(self.agent.stop)
        self.watch = agent.Watch(self.agent)
        self._cleanup.callback(self.watch.stop)

    def _in_folder(self, settings):
        """`{folder}` in a value is the lab's own, which is made after the scenario is written."""
        return json.loads(json.dumps(settings).replace("{folder}", self.folder))

    @property
    def _recordings(self):
        return os.path.join(self.folder, "recordings")

    def recordings(self):
        """The names of the captures that the agent wrote of faults."""
        return sorted(name for name in os.listdir(self._recordings) if name.endswith(".pcap"))

    def start_capture(self, path, only_ike=False):
        capture = Capture(self.topology.name("a"), self.work.tools["tcpdump"], path, only_ike)
        self._cleanup.callback(capture.stop)
        return capture

    def start_traffic(self):
        """Pings the other side's inner address twice a second, tunnel or not, as the agent otherwise would."""
        inner = INNER[self.setup.family]
        command = ["ip", "netns", "exec", self.topology.name("a"), "ping", "-q", "-i", "0.5", "-I", inner["a"], inner["b"]]
        self._cleanup.callback(Process(command, os.path.join(self.folder, "ping.out")).kill)

    def start_relay(self, **options):
        self.relay = Relay(self.topology, self.work.folder, self.folder, **options)
        self._cleanup.callback(self.relay.stop)

    def _build(self):
        self.topology = Topology(f"{netns.owner_tag()}-{next(_numbers)}", self.setup.routers)
        self._cleanup.callback(self.topology.delete)
        setup = self.setup
        version = {"connections/tun/version": setup.version}
        self.a = self._gateway("a", setup.daemon, {**version, **setup.both, **setup.a})
        self.b = self._gateway("b", {**setup.daemon, **setup.daemon_b}, {**version, **setup.both, **setup.b})
        for role, kind, name in setup.credentials:
            self.gateway(role).install(kind, os.path.join(certificates.folder_of(self.work.folder), name))
        if setup.nat == "local":
            self.topology.translate()
        elif setup.nat == "peer":
            self.topology.translate_peer()
        if setup.second_line:
            self.topology.second_line()
        if setup.needs_relay:
            program(self.work.folder)
        self.topology.warm_up(setup.family)
        if setup.relay:
            self.start_relay(**setup.relay)
        for gateway in (self.b, self.a) if setup.ipsec else ():
            gateway.start()

    def _gateway(self, role, daemon, conf):
        folder = os.path.join(self.folder, role)
        os.makedirs(folder)
        gateway = Gateway(role, self.topology.name(role), folder, self.setup.family, self.work.tools, daemon, conf)
        self._cleanup.callback(gateway.stop)
        return gateway


def remove_own(work):
    """Whatever is left of this process's run, also after a signal in the middle of a scenario."""
    for name in netns.ours():
        if name.startswith(netns.owner_tag() + "-"):
            netns.delete(name)
    work.remove()


def remove_leftovers():
    """Removes namespaces and folders of labs whose owner no longer runs; returns their names."""
    removed = [name for name in netns.ours() if not netns.owner_lives(name)]
    for name in removed:
        netns.delete(name)
    base = tempfile.gettempdir()
    for name in os.listdir(base):
        if name.startswith(netns.PREFIX + "-") and netns.owner_lives(name) is False:
            run("rm", "-rf", os.path.join(base, name), check=False)
            removed.append(name)
    return removed
