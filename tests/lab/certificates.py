"""Certificates for the two ends, made by strongSwan's `pki`, once for a run."""

import os
import threading

from lab.shell import run

_lock = threading.Lock()


def folder_of(work):
    """Makes authority.pem, other.pem (another authority), a.pem, b.pem, a-expired.pem and the keys, once; returns the folder."""
    folder = os.path.join(work, "certificates")
    with _lock:
        if not os.path.exists(os.path.join(folder, "done")):
            os.makedirs(folder, exist_ok=True)
            _make(folder)
            open(os.path.join(folder, "done"), "w").close()
    return folder


def _make(folder):
    for authority in ("authority", "other"):
        _key(folder, authority)
        _save(folder, f"{authority}.pem", "--self", "--ca", "--in", _path(folder, f"{authority}.key"), "--dn", f"CN={authority}")
    for role in "ab":
        _key(folder, role)
        _issue(folder, role, f"{role}.pem")
    _issue(folder, "a", "a-expired.pem", "--not-before", "01.01.20 00:00:00", "--not-after", "01.01.21 00:00:00")


def _issue(folder, role, name, *dates):
    public = _path(folder, f"{role}.pub")
    with open(public, "w") as file:
        file.write(run("pki", "--pub", "--in", _path(folder, f"{role}.key"), "--outform", "pem"))
    _save(folder, name, "--issue", "--cacert", _path(folder, "authority.pem"), "--cakey", _path(folder, "authority.key"),
          "--in", public, "--dn", f"CN={role}.example", "--san", f"{role}.example", *dates)


def _key(folder, name):
    # RSA with 3072 bits: an IKE_AUTH with such a certificate does not fit one packet.
    _write(folder, f"{name}.key", run("pki", "--gen", "--type", "rsa", "--size", 3072, "--outform", "pem", timeout=60))


def _save(folder, name, *arguments):
    _write(folder, name, run("pki", *arguments, "--outform", "pem"))


def _write(folder, name, text):
    with open(_path(folder, name), "w") as file:
        file.write(text)


def _path(folder, name):
    return os.path.join(folder, name)
