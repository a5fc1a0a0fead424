"""The seeded relay in r: delay, jitter, loss, duplicates and reordering of what goes between the two gateways."""

import os
import threading

from lab.shell import Process, run, wait_until

_lock = threading.Lock()
_DEVICE = "rl0"
_TABLE = 100


def program(work):
    """The compiled relay; it is built once for a run."""
    program = os.path.join(work, "relay")
    with _lock:
        if not os.path.exists(program):
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.cpp")
            run("c++", "-std=c++20", "-O2", "-o", program + ".new", source, timeout=120)
            os.rename(program + ".new", program)
    return program


class Relay:
    """Holds what r forwards until stop(). r's own addresses answer as before: the kernel looks at them first."""

    def __init__(self, topology, work, folder, seed=1, delay=0, jitter=0, loss=0, duplicate=0, reorder=0):
        """`delay` and `jitter` in milliseconds, the others in percent of the packets of each direction together."""
        self._topology = topology
        command = ["ip", "netns", "exec", topology.name("r"), program(work), _DEVICE, seed, delay, jitter, loss, duplicate, reorder]
        self._process = Process(command, os.path.join(folder, "relay.out"))
        wait_until(lambda: _DEVICE in topology.execute("r", "ls", "/sys/class/net"), 5, "the relay's device")
        self._ip(f"link set {_DEVICE} up")
        for family in ("-4", "-6"):
            self._ip(f"{family} route add default dev {_DEVICE} table {_TABLE}")
            for port in ("ra", "rb"):
                self._ip(f"{family} rule add pref {_TABLE} iif {port} lookup {_TABLE}")

    def stop(self):
        for family in ("-4", "-6"):
            for port in ("ra", "rb"):
                self._topology.execute("r", "ip", family, "rule", "del", "pref", _TABLE, "iif", port, check=False)
        self._process.kill()

    def _ip(self, command):
        self._topology.execute("r", "ip", *command.split())
