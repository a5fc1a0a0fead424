"""One gateway: a strongSwan daemon of its own in a namespace, told what to do over its vici socket."""

import os
import shutil
import signal
import socket

from lab import netns, swanctl_conf
from lab.shell import CommandFailed, Process, run, wait_until

_CREDENTIAL_FOLDERS = ("x509", "x509ca", "x509ocsp", "x509aa", "x509ac", "x509crl", "pubkey", "private", "rsa", "ecdsa",
                       "bliss", "pkcs8", "pkcs12")
_TOOLS = {"charon-systemd": "/usr/sbin/charon-systemd", "swanctl": "/usr/sbin/swanctl", "tcpdump": "/usr/bin/tcpdump"}


def private_tools(folder):
    """Copies of the tools for one run: AppArmor's profiles go by path and keep the originals out of our folders."""
    copies = {}
    for name, path in _TOOLS.items():
        if not os.path.exists(path):
            raise CommandFailed(f"{path} is missing: install the packages of tests/packages/lab")
        copies[name] = shutil.copy2(path, os.path.join(folder, name))
    return copies


class Gateway:
    def __init__(self, role, namespace, folder, family, tools, daemon=None, conf=None):
        """`daemon` and `conf` are overrides of strongswan.conf and swanctl.conf that last for the whole scenario."""
        self.role = role
        self._namespace = namespace
        self._folder = folder
        self._tools = tools
        self._base = swanctl_conf.overridden(swanctl_conf.connection(role, family), conf or {})
        self._process = None
        self._clients = []
        for name in _CREDENTIAL_FOLDERS:
            os.makedirs(os.path.join(folder, "swanctl", name), exist_ok=True)
        settings = swanctl_conf.overridden(swanctl_conf.daemon(folder), daemon or {})
        self._write("strongswan.conf", settings)

    @property
    def vici(self):
        return os.path.join(self._folder, "charon.vici")

    @property
    def log(self):
        return os.path.join(self._folder, "charon.log")

    def install(self, kind, path):
        """Puts a certificate or key file where swanctl loads it: `kind` is x509, x509ca or private."""
        shutil.copy(path, os.path.join(self._folder, "swanctl", kind))

    def start(self):
        if os.path.exists(self.vici):
            os.unlink(self.vici)
        self._process = Process(["ip", "netns", "exec", self._namespace, self._tools["charon-systemd"]],
                                os.path.join(self._folder, "charon.out"), env=self._environment())
        wait_until(self._accepts, 10, f"vici socket of {self.role}")
        self.load()

    def load(self, overrides=None):
        """Loads the scenario's configuration with these differences, and forgets earlier secrets."""
        self._write("swanctl/swanctl.conf", swanctl_conf.overridden(self._base, overrides or {}))
        self.swanctl("--load-all", "--clear", "--noprompt")

    def swanctl(self, command, *arguments, check=True):
        return run(self._tools["swanctl"], command, *arguments, "--uri", f"unix://{self.vici}", check=check,
                   env=self._environment())

    def initiate(self, child="net"):
        """Brings the child up and waits for it."""
        self.swanctl("--initiate", "--child", child)

    def attempt(self, *what):
        """Starts to initiate (--child net by default) and returns at once: for what is meant to fail."""
        self.attempt_command("--initiate", *(what or ("--child", "net")))

    def attempt_command(self, *words):
        """Any swanctl command, in the background."""
        arguments = [self._tools["swanctl"], *words, "--uri", f"unix://{self.vici}"]
        self._clients.append(Process(arguments, os.path.join(self._folder, "attempts.out"), env=self._environment()))

    def terminate(self, *what, force=False):
        """Deletes in order; `force` forgets the SA without waiting for the peer, who may be gone."""
        self.swanctl("--terminate", *(what or ("--ike", "tun")), *(["--force", "--timeout", "1"] if force else []), check=not force)

    def sas(self):
        return self.swanctl("--list-sas", check=False)

    def up(self):
        return "INSTALLED" in self.sas()

    def freeze(self):
        """The daemon stays but answers nothing, while the kernel still answers pings."""
        self._process.send(signal.SIGSTOP)

    def thaw(self):
        self._process.send(signal.SIGCONT)

    def kill(self):
        """The daemon dies without a word; its TUN device goes with it."""
        self._process.kill()
        wait_until(lambda: "ipsec0" not in netns.execute(self._namespace, "ls", "/sys/class/net"), 3, "ipsec0 gone")

    def stop(self):
        for client in self._clients:
            client.kill()
        if self._process:
            self._process.stop(patience=2)

    def _accepts(self):
        if self._process.ended() is not None:
            raise CommandFailed(f"charon of {self.role} ended: {self._process.output()[-400:]}")
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(self.vici)
                return True
            except OSError:
                return False

    def _environment(self):
        return {"STRONGSWAN_CONF": os.path.join(self._folder, "strongswan.conf"),
                "SWANCTL_DIR": os.path.join(self._folder, "swanctl")}

    def _write(self, name, tree):
        with open(os.path.join(self._folder, name), "w") as file:
            file.write(swanctl_conf.render(tree) + "\n")
