#!/usr/bin/python3
"""The first process of the guest: two gateways with IPsec of the kernel's own between them, and the agent at one.

    a 192.0.2.10 (wan) --- (wan) 198.51.100.20, .21, .22 b        inner 10.1.0.1 at a, 10.2.0.1, 10.3.0.1, 10.4.0.1 at b

What it sees goes into the folder $tunnelwatch_out of the host: result.json, or error.txt. With $tunnelwatch_record the
kernel's own netlink messages are written there instead. Everything else of the host is read-only here.
"""

import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import time
import traceback

OUT = os.environ["tunnelwatch_out"]
SELF = "192.0.2.10"
LISTEN = ("127.0.0.1", 9814)
# Name, the peer's address, its inner subnet, and the SPIs of the two directions as the gateway sees them.
TUNNELS = (("expires", "198.51.100.20", "10.2.0", 0x2001, 0x2002),
           ("forgets", "198.51.100.21", "10.3.0", 0x3001, 0x3002),
           ("healthy", "198.51.100.22", "10.4.0", 0x4001, 0x4002))
FAULTS = (("expires", "phase2_hard_expiry"), ("forgets", "receive_invalid_spi_notify"))
REFERENCE = "203.0.113.1"
HARD_SECONDS = 15  # longer than the pings take to show that all is well, on a busy machine too
# Test keys, known to everybody.
AUTHENTICATION = "0x" + "a7" * 32
ENCRYPTION = "0x" + "e5" * 32
ALGORITHMS = ("auth-trunc", "hmac(sha256)", AUTHENTICATION, "128", "enc", "cbc(aes)", ENCRYPTION)
MODULES = (("veth",), ("esp4",), ("esp6",), ("xfrm_user",), ("nf_conntrack", "enable_hooks=1"))
CONNECTIONS = "/proc/sys/net/netfilter/nf_conntrack_max"
# From a new port each time: a connection of its own.
NEW_CONNECTIONS = f"""
import socket, time
while True:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        try:
            sending.sendto(b"x", ("{REFERENCE}", 9))
        except OSError:
            pass
    time.sleep(0.05)
"""


def run(*command, check=True, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def at(role, *command, **options):
    return run("ip", "netns", "exec", role, *command, **options)


def mount_all():
    for kind, where in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run")):
        run("mount", "-t", kind, kind, where)
    run("mount", "-t", "hostfs", "-o", OUT, "none", OUT)
    # The guest's modules are not where this machine's would be; algorithms are loaded when they are asked for.
    loader = os.path.join(OUT, "modprobe")
    with open("/proc/sys/kernel/modprobe", "w") as file:
        file.write(loader)
    for module in MODULES:
        run(loader, *module)


def connect():
    for role in ("a", "b"):
        run("ip", "netns", "add", role)
        run("ip", "-n", role, "link", "set", "lo", "up")
    run("ip", "-n", "a", "link", "add", "wan", "type", "veth", "peer", "name", "wan", "netns", "b")
    for role, addresses, inner, far in (("a", [SELF], ["10.1.0.1/24"], "198.51.100.0/24"),
                                        ("b", [peer for _, peer, *_ in TUNNELS], [f"{net}.1/24" for _, _, net, *_ in TUNNELS], "192.0.2.0/24")):
        for address in addresses:
            run("ip", "-n", role, "addr", "add", f"{address}/32", "dev", "wan")
        for address in inner:
            run("ip", "-n", role, "addr", "add", address, "dev", "lo")
        run("ip", "-n", role, "link", "set", "wan", "up")
        run("ip", "-n", role, "route", "add", far, "dev", "wan")
    run("ip", "-n", "b", "addr", "add", f"{REFERENCE}/32", "dev", "lo")
    run("ip", "-n", "a", "route", "add", "default", "dev", "wan")
    for _, _, net, *_ in TUNNELS:
        run("ip", "-n", "a", "route", "add", f"{net}.0/24", "dev", "wan", "src", "10.1.0.1")
    run("ip", "-n", "b", "route", "add", "10.1.0.0/24", "dev", "wan")


def protect(peer, net):
    """The policies of both ends; strongSwan's are alike."""
    here, there = ("10.1.0.0/24", f"{net}.0/24")
    for role, mine, local, remote in (("a", SELF, here, there), ("b", peer, there, here)):
        other = peer if role == "a" else SELF
        for direction, source, destination, first, second in (("out", local, remote, mine, other), ("in", remote, local, other, mine),
                                                              ("fwd", remote, local, other, mine)):
            run("ip", "-n", role, "xfrm", "policy", "add", "src", source, "dst", destination, "dir", direction, "priority", "2000",
                "tmpl", "src", first, "dst", second, "proto", "esp", "reqid", str(request(peer)), "mode", "tunnel")


def request(peer):
    return int(peer.rpartition(".")[2])


def associate(peer, out_spi, in_spi, *limits):
    """The SAs of both directions at both ends; limits hold for the gateway alone."""
    for source, destination, spi in ((SELF, peer, out_spi), (peer, SELF, in_spi)):
        add_state("b", source, destination, spi)
        add_state("a", source, destination, spi, *limits)


def add_state(role, source, destination, spi, *limits):
    peer = destination if source == SELF else source
    run("ip", "-n", role, "xfrm", "state", "add", "src", source, "dst", destination, "proto", "esp", "spi", hex(spi), "reqid", str(request(peer)),
        "mode", "tunnel", "replay-window", "32", *ALGORITHMS, *limits)


def remove(role, source, destination, spi):
    run("ip", "-n", role, "xfrm", "state", "delete", "src", source, "dst", destination, "proto", "esp", "spi", hex(spi))


# --- the agent

def start_agent():
    configuration = {
        "tunnels": [{"name": name, "local": SELF, "remote": peer, "local_subnets": ["10.1.0.0/24"], "remote_subnets": [f"{net}.0/24"],
                     "inner_hosts": [f"{net}.1"]} for name, peer, net, *_ in TUNNELS],
        "references": [REFERENCE],
        "capture": {"interfaces": ["wan"]},
        "probes": {"ike": {"enabled": False}, "path": {"enabled": False}},  # nobody speaks IKE here: the keys are set by hand
        "daemon": {"vici": ""},
        "recorder": {"enabled": False},
    }
    path = "/run/tunnelwatch.yaml"
    with open(path, "w") as file:
        json.dump(configuration, file)
    log = open(os.path.join(OUT, "agent.log"), "wb")
    return subprocess.Popen(["ip", "netns", "exec", "a", os.environ["tunnelwatch_agent"], "run", "--config", path], stdout=log, stderr=log)


def get(path):
    code = f"import urllib.request as u; print(u.urlopen('http://{LISTEN[0]}:{LISTEN[1]}{path}', timeout=5).read().decode())"
    return at("a", sys.executable, "-c", code)


def report():
    try:
        return json.loads(get("/api/v1/report"))
    except RuntimeError:
        return None


def active(seen, name):
    return {cause["cause"]: cause for tunnel in seen["tunnels"] if tunnel["name"] == name for cause in tunnel["causes"] if cause["active"]}


def wait_for(what, condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = report()
        if seen is not None and condition(seen):
            return seen
        time.sleep(0.3)
    raise RuntimeError(f"{what}: not within {seconds} s; the last seen: {json.dumps({t['name']: sorted(active(seen, t['name'])) for t in seen['tunnels']} if seen else None)}")


def all_answer(seen):
    inner = [target for target in seen["echo"] if target["role"] == "inner"]
    return len(inner) == len(TUNNELS) and all(target["replies"] > 1 for target in inner)


def watch():
    """What the agent said at each stage."""
    (_, expiring, *_), (_, forgotten, _, _, lost_spi), (_, healthy, *_) = TUNNELS
    for _, peer, net, *_ in TUNNELS:
        protect(peer, net)
    agent = start_agent()
    said = {}
    wait_for("the agent", lambda seen: seen["agent"]["ready"], 20)
    began = time.monotonic()
    for name, peer, _, out_spi, in_spi in TUNNELS:
        associate(peer, out_spi, in_spi, *(() if name == "forgets" else ("limit", "time-hard", str(HARD_SECONDS))))
    # The first SAs of this one end as the other's do, but they have successors, which the peer sends with.
    associate(healthy, 0x4003, 0x4004)
    remove("b", healthy, SELF, 0x4002)
    said["healthy"] = wait_for("pings through all tunnels", all_answer, 12)
    remove("a", forgotten, SELF, lost_spi)  # while the peer still sends with it
    said["faults"] = wait_for("both causes", lambda seen: all(cause in active(seen, name) for name, cause in FAULTS) and
                              time.monotonic() - began > HARD_SECONDS + 4, HARD_SECONDS + 20)
    said["metrics"] = get("/metrics")
    said["states"] = run("ip", "-n", "a", "xfrm", "state")
    associate(expiring, 0x2003, 0x2004)
    remove("b", forgotten, SELF, lost_spi)
    for role in ("a", "b"):
        add_state(role, forgotten, SELF, 0x3004)
    said["mended"] = wait_for("both causes gone", lambda seen: not any(cause in active(seen, name) for name, cause in FAULTS), 25)
    said["full"] = fill_the_table()
    said["metrics_full"] = get("/metrics")
    agent.terminate()
    said["exit_status"] = agent.wait(10)
    return said


def fill_the_table():
    """What the agent says when no connection has found room for a while, not even one to the agent itself."""
    set_connections(4)
    asking = subprocess.Popen(["ip", "netns", "exec", "a", sys.executable, "-c", NEW_CONNECTIONS])
    try:
        time.sleep(13)  # three of its looks
    finally:
        asking.kill()
        set_connections(4096)
    return wait_for("the table's cause", lambda seen: "customer_policy_blocks_traffic" in active(seen, "healthy"), 12)


def set_connections(most):
    with open(CONNECTIONS, "w") as file:
        file.write(str(most))


# --- recorded data

def record():
    """The kernel's answers to two dumps, and its events, as datagrams with a length of four bytes before each."""
    events = netlink(0x1 | 0x2 | 0x4 | 0x8)
    _, peer, net, out_spi, in_spi = TUNNELS[0]
    protect(peer, net)
    run("ip", "-n", "a", "xfrm", "policy", "add", "src", "192.0.2.10/32", "dst", "198.51.100.20/32", "proto", "udp", "dport", "500", "dir", "out", "priority", "10")
    run("ip", "-n", "a", "xfrm", "policy", "add", "src", "10.1.0.0/24", "dst", "10.9.0.0/24", "dir", "out", "action", "block", "priority", "7", "mark", "5", "mask",
        "0xff", "if_id", "9")
    run("ip", "-n", "a", "xfrm", "policy", "add", "src", "fd01::/64", "dst", "fd02::/64", "dir", "out", "priority", "2000", "tmpl", "src", "2001:db8::10", "dst",
        "2001:db8::20", "proto", "esp", "reqid", "6", "mode", "transport")
    associate(peer, out_spi, in_spi, "limit", "time-soft", "4", "limit", "time-hard", "6", "limit", "packet-hard", "5000")
    run("ip", "-n", "a", "xfrm", "state", "add", "src", SELF, "dst", "198.51.100.22", "proto", "esp", "spi", "0x4001", "reqid", "22", "mode", "tunnel", "flag", "esn",
        "replay-window", "128", "aead", "rfc4106(gcm(aes))", "0x" + "5e" * 36, "128", "encap", "espinudp", "4500", "4501", "0.0.0.0", "sel", "src", "10.1.0.0/24", "dst",
        "10.4.0.0/24")
    at("a", "ping", "-c", "1", "-W", "1", "-I", "10.1.0.1", f"{net}.1")
    asking = netlink(0)
    write("policies.bin", dump(asking, 0x15))
    write("states.bin", dump(asking, 0x12))
    time.sleep(6.5)
    at("a", "ping", "-c", "1", "-W", "1", "-I", "10.1.0.1", f"{net}.1", check=False)  # no state: an acquire
    write("acquired.bin", dump(asking, 0x12))
    remove("a", SELF, "198.51.100.22", 0x4001)
    run("ip", "-n", "a", "xfrm", "state", "flush")
    run("ip", "-n", "a", "xfrm", "policy", "flush")
    events.setblocking(False)
    datagrams = []
    try:
        while True:
            datagrams.append(events.recv(1 << 16))
    except BlockingIOError:
        pass
    write("events.bin", datagrams)
    write("xfrm_stat.txt", None, at("a", "cat", "/proc/net/xfrm_stat"))


def netlink(groups):
    """A socket of NETLINK_XFRM in the gateway's namespace."""
    with open("/run/netns/a") as there, open("/proc/self/ns/net") as home:
        set_namespace(there.fileno())
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 6)
        made.bind((0, groups))
        set_namespace(home.fileno())
    made.settimeout(5)
    return made


def set_namespace(descriptor):
    import ctypes
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000) != 0:
        raise RuntimeError("setns")


def dump(asking, kind):
    """The datagrams of an answer, up to the one that says that it is whole."""
    asking.send(struct.pack("=IHHII", 16, kind, 0x301, 7, 0))  # NLM_F_REQUEST | NLM_F_DUMP, sequence 7
    datagrams = []
    while not datagrams or 3 not in kinds(datagrams[-1]):  # NLMSG_DONE
        datagrams.append(asking.recv(1 << 16))
    return datagrams


def kinds(datagram):
    found, at_byte = [], 0
    while at_byte + 16 <= len(datagram):
        length, kind = struct.unpack_from("=IH", datagram, at_byte)
        found.append(kind)
        at_byte += max(16, (length + 3) // 4 * 4)
    return found


def write(name, datagrams, text=None):
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(text.encode() if text is not None else b"".join(struct.pack("=I", len(d)) + d for d in datagrams))


def main():
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        mount_all()
        connect()
        if os.environ.get("tunnelwatch_record"):
            record()
            outcome = {}
        else:
            outcome = watch()
        with open(os.path.join(OUT, "result.json"), "w") as file:
            json.dump(outcome, file)
    except BaseException:
        with open(os.path.join(OUT, "error.txt"), "w") as file:
            traceback.print_exc(file=file)
    os.sync()
    with open("/proc/sysrq-trigger", "w") as file:
        file.write("o")
    time.sleep(5)


main()
