"""A minimal Debian with systemd in a folder, made once by debootstrap and kept between runs."""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

PACKAGES = ("systemd", "systemd-sysv")
# What a boot without users, mail or documentation does not read.
TRIMMED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/cache/apt", "var/lib/apt/lists")


class RootError(Exception):
    """The folder could not be made; the text says why."""


def host_release() -> str:
    """The code name of this machine's Debian: its libraries and those in the folder are then the same."""
    text = pathlib.Path("/etc/os-release").read_text()
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.MULTILINE)
    if not found or not re.search(r'^ID="?debian"?$', text, re.MULTILINE):
        raise RootError("this machine is not a Debian: /etc/os-release names no code name of one")
    return found.group(1)


def mirror_of_host(release: str) -> str:
    """Where this machine's own apt takes `release` from."""
    lines = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)", "Created-By: Packages"],
        check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        uri, suite, component, *origin = line.split()
        if suite in (release, "stable") and component == "main" and origin in ([], ["Debian"]):
            return uri
    raise RootError(f"apt's sources name no mirror of {release} main")


def proxy_of_host() -> dict[str, str]:
    said = subprocess.run(["apt-config", "shell", "proxy", "Acquire::http::Proxy"],
                          check=True, capture_output=True, text=True).stdout
    found = re.match(r"proxy='(.+)'", said)
    return {"http_proxy": found.group(1)} if found and found.group(1) != "DIRECT" else {}


def key(release: str) -> str:
    said = repr((release, PACKAGES, TRIMMED)) + pathlib.Path(__file__).read_text()
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def provide(cache: pathlib.Path) -> pathlib.Path:
    """The folder, from `cache` or made now. Two runs at once make it once."""
    release = host_release()
    root = cache / f"debian-{release}-{key(release)}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "debian.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            make(root, release)
    return root


def make(root: pathlib.Path, release: str) -> None:
    if shutil.which("debootstrap") is None:
        raise RootError("debootstrap is not installed")
    for old in root.parent.glob("debian-*"):  # other keys, and what an interrupted run left
        if old.is_dir():
            shutil.rmtree(old)
    unfinished = root.with_name(root.name + ".unfinished")
    log = root.with_name("debootstrap.log")
    try:
        with open(log, "w") as out:
            subprocess.run(
                ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", release, str(unfinished),
                 mirror_of_host(release)],
                check=True, stdout=out, stderr=subprocess.STDOUT, timeout=400, env=os.environ | proxy_of_host())
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise RootError(f"debootstrap failed: {error}\n{tail}") from error
    for folder in TRIMMED:
        shutil.rmtree(unfinished / folder, ignore_errors=True)
    (unfinished / "etc/machine-id").write_text("")  # empty: systemd makes one at each boot
    unfinished.rename(root)
