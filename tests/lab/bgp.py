"""BGP over the tunnel: a BIRD at each end, in its gateway's namespace."""

import os
import shutil

from lab.shell import CommandFailed, Process, run, wait_until
from lab.topology import INNER

AS = {"a": 65001, "b": 64512}
BIRD = "/usr/sbin/bird"


def speakers():
    """Both ends, each as the other expects it; the session stands when the step ends."""
    def action(lab):
        if not os.path.exists(BIRD):
            raise CommandFailed(f"{BIRD} is missing: install the packages of tests/packages/lab")
        for role in "ab":
            folder = _folder(lab, role)
            os.makedirs(folder)
            shutil.copy2(BIRD, folder)  # as the other tools: AppArmor's profiles go by path
            _write(lab, role, AS["a"], AS["b"])
            bird = Process(["ip", "netns", "exec", lab.topology.name(role), f"{folder}/bird", "-f", "-c", f"{folder}/bird.conf",
                            "-s", f"{folder}/bird.ctl", "-P", f"{folder}/bird.pid"], f"{folder}/bird.out")
            lab.on_close(bird.stop)
        wait_until(lambda: "Established" in birdc(lab, "a", "show", "protocols", check=False), 10, "a BGP session", pause=0.1)
    return action


def as_numbers(role, a, b):
    """What this end takes the numbers of both for; it begins its session anew."""
    def action(lab):
        _write(lab, role, a, b)
        birdc(lab, role, "configure")
    return action


def birdc(lab, role, *words, check=True):
    return run("/usr/sbin/birdc", "-s", f"{_folder(lab, role)}/bird.ctl", *words, check=check)


def _folder(lab, role):
    return os.path.join(lab.folder, f"bird-{role}")


def _write(lab, role, a, b):
    far = "b" if role == "a" else "a"
    numbers = {"a": a, "b": b}
    with open(f"{_folder(lab, role)}/bird.conf", "w") as file:
        file.write(f"""
router id {INNER[4][role]};
protocol device {{ }}
protocol bgp cloud {{
  local {INNER[4][role]} as {numbers[role]};
  neighbor {INNER[4][far]} as {numbers[far]};
  multihop 4;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  ipv4 {{ import none; export none; }};
}}
""")
