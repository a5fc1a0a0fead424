"""Network namespaces with names that tell who owns them, so that leftovers of dead runs can be told from living ones.

A name is twlab-PID-START-N-ROLE: the owner's process id and its start time in clock ticks (a reused id has another),
the lab's number within the process, and the role (a: customer, r: router, b: cloud).
"""

import contextlib
import ctypes
import os
import re
import signal
import socket
import threading
import time

from lab.shell import CommandFailed, run

PREFIX = "twlab"
FOLDER = "/run/netns"
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_create_lock = threading.Lock()  # the first `ip netns add` of a machine mounts /run/netns: not twice at once


def start_time(pid):
    """Clock ticks from boot to the start of a process; None where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def owner_tag():
    """What names of this process's things begin with."""
    return f"{PREFIX}-{os.getpid()}-{start_time(os.getpid())}"


def owner_lives(name):
    """Whether the process that made a thing of this name still runs; None where the name is not one of ours."""
    match = re.match(PREFIX + r"-(\d+)-(\d+)(-|$)", name)
    if not match:
        return None
    return start_time(int(match[1])) == int(match[2])


def create(name):
    with _create_lock:
        run("ip", "netns", "add", name)


def delete(name):
    """Ends every process in the namespace, then removes it. Quiet where it is gone already."""
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        pids = members(name)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, wanted)
        deadline = time.monotonic() + 1
        while members(name) and time.monotonic() < deadline:
            time.sleep(0.01)
    run("ip", "netns", "delete", name, check=False)


def members(name):
    return [int(pid) for pid in run("ip", "netns", "pids", name, check=False).split()]


def ours():
    """The names of every lab's namespaces on this machine."""
    try:
        return sorted(name for name in os.listdir(FOLDER) if owner_lives(name) is not None)
    except FileNotFoundError:
        return []


def ip_batch(name, lines):
    """Runs `ip` commands in one namespace, one a line."""
    run("ip", "-n", name, "-batch", "-", stdin="\n".join(lines) + "\n")


def execute(name, *command, **options):
    return run("ip", "netns", "exec", name, *command, **options)


@contextlib.contextmanager
def entered(name):
    """The calling thread, and it alone, is in the namespace within the block: sockets made there stay there."""
    with open(f"{FOLDER}/{name}") as there, open("/proc/thread-self/ns/net") as home:
        _set_namespace(there.fileno())
        try:
            yield
        finally:
            _set_namespace(home.fileno())


def connect(name, address, port, timeout):
    """A TCP connection made from inside the namespace."""
    with entered(name):
        return socket.create_connection((address, port), timeout)


def _set_namespace(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise CommandFailed(f"setns: {os.strerror(ctypes.get_errno())}")
