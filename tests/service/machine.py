"""A Debian with a systemd of its own in a container, in a network namespace that has no way out."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CGROUPS = pathlib.Path("/sys/fs/cgroup")
AGENT_ADDRESS = "192.0.2.10"
PEER_ADDRESS = "192.0.2.20"
REFERENCE_ADDRESS = "192.0.2.30"


class MachineError(Exception):
    """The machine could not be started or asked; the text says why."""


def run(*argv: str, timeout: float = 30, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise MachineError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Network:
    """Two namespaces joined by a veth: the machine's, and one whose only work is to answer pings."""

    def __init__(self, name: str):
        self.machine = name
        self.peer = name + "p"

    def start(self) -> None:
        for namespace in (self.machine, self.peer):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.machine, "link", "add", "wan0", "type", "veth", "peer", "name", "wan0", "netns", self.peer)
        run("ip", "-n", self.machine, "address", "add", f"{AGENT_ADDRESS}/24", "dev", "wan0")
        for address in (PEER_ADDRESS, REFERENCE_ADDRESS):
            run("ip", "-n", self.peer, "address", "add", f"{address}/24", "dev", "wan0")
        for namespace in (self.machine, self.peer):
            run("ip", "-n", namespace, "link", "set", "wan0", "up")
        # What is asked for by mistake ends at the peer, which forwards nothing.
        run("ip", "-n", self.machine, "route", "add", "default", "via", PEER_ADDRESS)

    def stop(self) -> None:
        for namespace in (self.machine, self.peer):
            run("ip", "netns", "delete", namespace, check=False)


class ControlGroup:
    """Where this machine's own systemd does not give the container a control group, one made by hand."""

    def __init__(self, name: str):
        self.managed = pathlib.Path("/run/systemd/system").is_dir()
        self.folders: list[pathlib.Path] = []
        if self.managed:
            return
        if (CGROUPS / "cgroup.controllers").exists():
            hierarchies = [CGROUPS]
        else:
            hierarchies = [CGROUPS / "unified", CGROUPS / "systemd"]
        self.folders = [hierarchy / name for hierarchy in hierarchies if hierarchy.is_dir()]
        if not self.folders:
            raise MachineError(f"no cgroup2 and no systemd hierarchy is mounted below {CGROUPS}")

    def start(self) -> None:
        for folder in self.folders:
            folder.mkdir()

    def enter(self) -> None:
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def stop(self) -> None:
        for folder in self.folders:
            until = time.monotonic() + 5
            while folder.exists() and time.monotonic() < until:
                for path, _, _ in os.walk(folder, topdown=False):
                    with contextlib.suppress(OSError):  # busy for a moment after the last process
                        os.rmdir(path)
                time.sleep(0.05)
            if folder.exists():
                print(f"left behind: {folder}")


class Machine:
    """`with Machine() as m`: then copy(), changes to `m.root`, start(). Whatever happened, nothing is left of it."""

    def __init__(self):
        self.name = f"twsvc{os.getpid()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=self.name))
        self.root = self.folder / "root"
        self.network = Network(self.name)
        self.cgroup = ControlGroup(self.name)
        self.console = self.folder / "console"
        self.container: subprocess.Popen | None = None
        self.leader = 0

    def __enter__(self) -> "Machine":
        return self

    def copy(self, debian: pathlib.Path) -> None:
        run("cp", "-a", str(debian), str(self.root), timeout=120)

    def __exit__(self, *_) -> None:
        try:
            self.power_off()
        finally:
            self.network.stop()
            self.cgroup.stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        self.network.start()
        self.cgroup.start()
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ready:
            ready.bind(str(self.folder / "notify"))
            with open(self.console, "w") as console:
                self.container = subprocess.Popen(
                    self._command(), stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
                    start_new_session=True, preexec_fn=self.cgroup.enter,
                    env=os.environ | {"NOTIFY_SOCKET": str(self.folder / "notify"),
                                      "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
            self._wait_until_ready(ready, 60)

    def _command(self) -> list[str]:
        # The container gets what the unit may ask for and what its systemd needs to confine it; a seccomp filter of
        # nspawn's own would forbid the unit's.
        return ["systemd-nspawn", "--directory", str(self.root), f"--machine={self.name}", "--register=no",
                *([] if self.cgroup.managed else ["--keep-unit"]), "--link-journal=no", "--notify-ready=yes",
                "--console=passive", "--system-call-filter=bpf", "--capability=CAP_BPF,CAP_NET_ADMIN,CAP_NET_RAW",
                "--resolv-conf=off", "--timezone=off", f"--network-namespace-path=/run/netns/{self.name}", "--boot"]

    def _wait_until_ready(self, ready: socket.socket, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.container.poll() is not None:
                break
            if not select.select([ready], [], [], 0.2)[0]:
                continue
            message = ready.recv(4096).decode()
            if found := re.search(r"^X_NSPAWN_LEADER_PID=(\d+)$", message, re.MULTILINE):
                self.leader = int(found.group(1))
            if self.leader and re.search(r"^READY=1$", message, re.MULTILINE):
                return
        raise MachineError(f"the machine did not boot within {seconds:.0f} s\n{self.console.read_text()[-3000:]}")

    def power_off(self) -> None:
        if self.container is None or self.container.poll() is not None:
            return
        with contextlib.suppress(OSError):
            os.kill(self.leader or self.container.pid, signal.SIGRTMIN + 4 if self.leader else signal.SIGTERM)
        try:
            self.container.wait(20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                if self.leader:
                    os.kill(self.leader, signal.SIGKILL)  # its pid namespace goes with it
            self.container.kill()
            self.container.wait(10)

    def inside(self, *argv: str, timeout: float = 30, check: bool = True) -> subprocess.CompletedProcess:
        return run("nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--", *argv,
                   timeout=timeout, check=check)

    def journal(self, unit: str) -> str:
        return self.inside("journalctl", "--no-pager", "-o", "short-precise", "-u", unit, check=False).stdout
