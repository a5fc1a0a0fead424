"""A name server of the lab's own, whose answer can be changed: `names.py FILE` serves the lines "NAME ADDRESS" of FILE.

It answers on the loopback of the namespace that it runs in, and what `ip netns exec` starts there asks it.
"""

import os
import shutil
import socket
import struct
import sys

NAME = "cloud.example"
ADDRESS = ("127.0.0.1", 53)
_A, _IN = 1, 1


def answer(query, known):
    """The answer to one question: the address of a name that is known, nothing of other types, or that there is no such name."""
    identity, flags, questions = struct.unpack_from("!HHH", query)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii"))
        at += 1 + query[at]
    kind, group = struct.unpack_from("!HH", query, at + 1)
    question = query[12:at + 5]
    name = ".".join(labels).lower()
    records = b""
    if name in known and (kind, group) == (_A, _IN):
        records = struct.pack("!HHHIH", 0xC00C, _A, _IN, 1, 4) + socket.inet_aton(known[name])
    missing = 0 if name in known else 3
    return struct.pack("!HHHHHH", identity, 0x8180 | (flags & 0x0100) | missing, questions, 1 if records else 0, 0, 0) + question + records


def serve(path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(ADDRESS)
        open(path + ".served", "w").close()
        while True:
            query, client = server.recvfrom(512)
            with open(path) as file:
                known = dict(line.split() for line in file)
            try:
                server.sendto(answer(query, known), client)
            except (IndexError, struct.error, UnicodeDecodeError):
                pass  # no question


def name_server(address):
    """The customer's gateway has a name server, to which the cloud's name stands for `address`."""
    from lab.shell import Process, wait_until

    def action(lab):
        namespace = lab.topology.name("a")
        folder = os.path.join("/etc/netns", namespace)
        os.makedirs(folder)
        lab.on_close(lambda: shutil.rmtree(folder))
        with open(os.path.join(folder, "resolv.conf"), "w") as file:
            file.write(f"nameserver {ADDRESS[0]}\n")
        stands_for(address)(lab)
        server = Process(["ip", "netns", "exec", namespace, sys.executable, __file__, _zone(lab)], os.path.join(lab.folder, "names.out"))
        lab.on_close(server.kill)
        wait_until(lambda: os.path.exists(_zone(lab) + ".served"), 5, "the name server")
    return action


def stands_for(address):
    """From now on the cloud's name stands for another address; none: there is no such name."""
    def action(lab):
        with open(_zone(lab) + ".new", "w") as file:
            file.write(f"{NAME} {address}\n" if address else "")
        os.replace(_zone(lab) + ".new", _zone(lab))
    return action


def _zone(lab):
    return os.path.join(lab.folder, "names")


if __name__ == "__main__":
    serve(sys.argv[1])
