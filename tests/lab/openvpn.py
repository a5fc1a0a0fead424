"""OpenVPN of chapter 3 of the guide: a server in the cloud, a client in the customer's gateway, and the client's profile."""

import os
import ssl
import threading

from lab.shell import CommandFailed, Process, run, wait_until
from lab.topology import OUTER

PORT = 1194
SERVER_INSIDE = "10.8.0.1"
SUBNET_BEHIND = "10.3.0.0/24"
HOST_BEHIND = "10.3.0.7"  # in the cloud: scenarios put it on b's loopback
_DONE = "Initialization Sequence Completed"
_SERVER_USAGE = "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
_lock = threading.Lock()


# --- certificates and keys, made once for a run

def material(lab, name):
    """The path of one of them: ca, other (another authority), server, plain (without a key usage), old (expired), client, stranger
    (of the other authority), each .crt and .key; damaged.crt; static.key, v2-server.key, v2-client.key."""
    folder = os.path.join(lab.work.folder, "openvpn")
    with _lock:
        if not os.path.exists(os.path.join(folder, "done")):
            os.makedirs(folder, exist_ok=True)
            _make(folder)
            open(os.path.join(folder, "done"), "w").close()
    return os.path.join(folder, name)


def _make(folder):
    def openssl(*words, stdin=None):
        run("openssl", *words, stdin=stdin, timeout=30)

    def path(name):
        return os.path.join(folder, name)

    def key(name):
        openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", path(f"{name}.key"))

    def issue(name, authority, usage, days="3650"):
        if not os.path.exists(path(f"{name}.key")):
            key(name)
        with open(path(f"{name}.ext"), "w") as file:
            file.write(usage)
        openssl("req", "-new", "-key", path(f"{name}.key"), "-subj", f"/CN={name}", "-out", path(f"{name}.csr"))
        openssl("x509", "-req", "-in", path(f"{name}.csr"), "-CA", path(f"{authority}.crt"), "-CAkey", path(f"{authority}.key"),
                "-days", days, "-extfile", path(f"{name}.ext"), "-out", path(f"{name}.crt"))

    for authority in ("ca", "other"):
        key(authority)
        openssl("req", "-x509", "-new", "-key", path(f"{authority}.key"), "-subj", f"/CN={authority}", "-days", "3650", "-out", path(f"{authority}.crt"))
    issue("server", "ca", _SERVER_USAGE)
    issue("plain", "ca", "keyUsage=digitalSignature\n")
    issue("client", "ca", "extendedKeyUsage=clientAuth\n")
    issue("stranger", "other", "extendedKeyUsage=clientAuth\n")
    issue("old", "ca", "extendedKeyUsage=clientAuth\n", days="-1")
    with open(path("client.crt")) as file:
        der = bytearray(ssl.PEM_cert_to_DER_cert(file.read()))
    der[4] = 0x31  # a SET where a SEQUENCE belongs
    with open(path("damaged.crt"), "w") as file:
        file.write(ssl.DER_cert_to_PEM_cert(bytes(der)))
    run("openvpn", "--genkey", "secret", path("static.key"))
    run("openvpn", "--genkey", "tls-crypt-v2-server", path("v2-server.key"))
    run("openvpn", "--tls-crypt-v2", path("v2-server.key"), "--genkey", "tls-crypt-v2-client", path("v2-client.key"))


# --- the server

def serve(*options, certificate="server", protocol="udp", port=PORT, login=""):
    """A server in the cloud; `login`: the password of every user, which it asks for then."""
    def action(lab):
        folder = _folder(lab)
        device = f"tun{port - PORT}"
        words = ["openvpn", "--dev", device, "--dev-type", "tun", "--topology", "subnet", "--server", f"10.{8 + port - PORT}.0.0", "255.255.255.0",
                 "--local", OUTER[4]["b"], "--port", port, "--proto", "tcp-server" if protocol == "tcp" else "udp", "--dh", "none",
                 "--ca", material(lab, "ca.crt"), "--cert", material(lab, f"{certificate}.crt"), "--key", material(lab, f"{certificate}.key"),
                 "--keepalive", "1", "10", "--push", "route 10.3.0.0 255.255.255.0", "--duplicate-cn", "--verb", "4"]
        words += [word.replace("{keys}", os.path.dirname(material(lab, "done"))) for word in options]
        if login:
            script = os.path.join(folder, "login")
            with open(script, "w") as file:
                file.write(f'#!/bin/sh\n[ "$password" = "{login}" ]\n')
            os.chmod(script, 0o755)
            words += ["--script-security", "3", "--auth-user-pass-verify", script, "via-env"]
        _stop(lab, f"server-{port}")
        _start(lab, "b", f"server-{port}", words)
        wait_until(lambda: _DONE in _log(lab, f"server-{port}"), 5, "the OpenVPN server", pause=0.02)
    return action


def end_server(port=PORT):
    return lambda lab: _stop(lab, f"server-{port}")


# --- the client and its profile

def profile(lab, name="client.ovpn", *, ca="ca", cert="client", key="client", protocol="udp", port=PORT, blocks=(), lines=()):
    """Writes a profile as the cloud's console gives it, each part in a block of its own; None leaves a part out, "" leaves it empty.
    `blocks`: (option, file of the keys). Returns its path."""
    text = ["client", "dev tun0", "dev-type tun", f"proto {protocol}", f"remote {OUTER[4]['b']} {port}", "nobind", "remote-cert-tls server",
            "connect-retry 1 1", "resolv-retry 1", "hand-window 3", "tls-timeout 1", *lines]
    if protocol == "udp":
        text.append("explicit-exit-notify 1")
    for option, file in (("ca", f"{ca}.crt" if ca else ca), ("cert", f"{cert}.crt" if cert else cert), ("key", f"{key}.key" if key else key), *blocks):
        if file is None:
            continue
        content = ""
        if file:
            with open(material(lab, file)) as source:
                content = source.read()
        text += [f"<{option}>", content.rstrip("\n"), f"</{option}>"]
    path = os.path.join(_folder(lab), name)
    with open(path, "w") as file:
        file.write("\n".join(text) + "\n")
    return path


def connect(up=True, **differs):
    """The client starts with a profile; `up`: and gets as far as its routes."""
    def action(lab):
        path = profile(lab, **differs)
        _stop(lab, "client")
        before = len(_log(lab, "client"))
        _start(lab, "a", "client", ["openvpn", "--config", path, "--verb", "3"])
        if up:
            wait_until(lambda: _DONE in _log(lab, "client")[before:], 8, "the OpenVPN client", pause=0.02)
    return action


def disconnect():
    return lambda lab: _stop(lab, "client")


def _processes(lab):
    if not hasattr(lab, "openvpn"):
        lab.openvpn = {}
    return lab.openvpn


def _start(lab, role, name, words):
    process = Process(["ip", "netns", "exec", lab.topology.name(role), *words], os.path.join(_folder(lab), f"{name}.log"))
    _processes(lab)[name] = process
    lab.on_close(process.stop)


def _stop(lab, name):
    process = _processes(lab).pop(name, None)
    if process:
        process.stop()


def said(lab, text, name="client"):
    """The real program's own words, which the agent's patterns must be made of."""
    if text not in _log(lab, name):
        raise CommandFailed(f"the {name} did not say \"{text}\": {_log(lab, name)[-600:]}")


def _log(lab, name):
    try:
        with open(os.path.join(_folder(lab), f"{name}.log"), errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _folder(lab):
    folder = os.path.join(lab.folder, "openvpn")
    os.makedirs(folder, exist_ok=True)
    return folder
