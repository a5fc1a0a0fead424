"""A capture beside the agent: evidence of failing scenarios, and the clock from which verdicts are timed."""

import os
import signal
import struct

from lab import netns
from lab.shell import CommandFailed, Process, wait_until

# For long runs: IKE on both ports (4500 has a marker of four zero bytes before it) and what ICMP says but echoes.
_IKE_AND_ERRORS = ("udp port 500 or (ip and udp port 4500 and udp[8:4] = 0) or (ip6 and udp port 4500 and ip6[48:4] = 0) or "
                   "(icmp and icmp[0] != 0 and icmp[0] != 8) or (icmp6 and ip6[40] < 128)")


class Capture:
    def __init__(self, namespace, tool, path, only_ike=False, interface="wan"):
        self.path = path
        what = [_IKE_AND_ERRORS] if only_ike else []
        self._process = Process(["ip", "netns", "exec", namespace, tool, "--immediate-mode", "-U", "-n", "-Z", "root",
                                 "-i", interface, "-w", path, *what], path + ".out")
        wait_until(self._listens, 5, "tcpdump")

    def stop(self):
        self._process.stop(signal.SIGINT)
        if os.path.exists(self.path + ".out"):
            os.unlink(self.path + ".out")

    def _listens(self):
        if self._process.ended() is not None:
            raise CommandFailed(f"tcpdump ended: {self._process.output()}")
        return "listening on" in self._process.output()


def packets(path):
    """(time, frame) of each whole packet of a pcap file in the byte order of this machine."""
    with open(path, "rb") as file:
        header = file.read(24)
        unit = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}[struct.unpack("=I", header[:4])[0]]
        while len(head := file.read(16)) == 16:
            seconds, fraction, length, _ = struct.unpack("=IIII", head)
            frame = file.read(length)
            if len(frame) < length:
                return
            yield seconds + fraction * unit, frame


def is_ike(frame):
    """Whether an Ethernet frame is an IKE message, on 500 or behind the marker on 4500."""
    ports = udp(frame)
    if ports is None:
        return False
    source, target, payload = ports
    return 500 in (source, target) or (4500 in (source, target) and payload[:4] == bytes(4))


def is_esp(frame):
    ports = udp(frame)
    return ports is not None and 4500 in ports[:2] and len(ports[2]) > 8 and ports[2][:4] != bytes(4)


def udp(frame):
    """(source port, destination port, payload) of an Ethernet frame that holds UDP, else None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 17:
        start = 14 + (frame[14] & 15) * 4
    elif kind == b"\x86\xdd" and frame[20] == 17:
        start = 54
    else:
        return None
    if len(frame) < start + 8:
        return None
    return (*struct.unpack(">HH", frame[start:start + 4]), frame[start + 8:])
