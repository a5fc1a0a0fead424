"""The IKE daemons of all peers at once: every first message is answered, under the address that was asked, with the
refusal that a daemon gives to a probe."""

import select
import socket
import struct
import threading

from lab import netns

PORTS = (500, 4500)
_MARKER = bytes(4)  # RFC 3948: what follows on UDP 4500 is IKE
_IP_PKTINFO = 8  # which Python does not name
_PKTINFO = struct.Struct("=I4s4s")
_HEADER = struct.Struct("!8s8s4BII")
_NO_PROPOSAL_CHOSEN = struct.pack("!BBHBBH", 0, 0, 8, 0, 0, 14)


class Responder:
    def __init__(self, namespace):
        with netns.entered(namespace):
            self._sockets = {_listen(port): port for port in PORTS}
        self._wake, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self):
        self._end.close()
        self._thread.join()
        for listener in (*self._sockets, self._wake):
            listener.close()

    def _serve(self):
        while True:
            ready, _, _ = select.select([*self._sockets, self._wake], [], [])
            if self._wake in ready:
                return
            for listener in ready:
                message, ancillary, _, sender = listener.recvmsg(4096, 256)
                reply = answer(message, self._sockets[listener])
                if reply:
                    listener.sendmsg([reply], [_as_source(ancillary)], 0, sender)


def answer(message, port):
    marker = _MARKER if port == 4500 else b""
    if not message.startswith(marker) or len(message) < len(marker) + _HEADER.size:
        return None
    initiator, responder, _, version, exchange, flags, number, _ = _HEADER.unpack_from(message, len(marker))
    if version != 0x20 or exchange != 34 or flags & 0x20:
        return None
    length = _HEADER.size + len(_NO_PROPOSAL_CHOSEN)
    return marker + _HEADER.pack(initiator, responder, 41, version, exchange, 0x20, number, length) + _NO_PROPOSAL_CHOSEN


def _listen(port):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    listener.bind(("", port))
    return listener


def _as_source(ancillary):
    """Control data that makes the answer leave from the address that was asked."""
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            _, _, asked = _PKTINFO.unpack_from(data)
            return level, kind, _PKTINFO.pack(0, asked, bytes(4))
    return socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO.pack(0, bytes(4), bytes(4))
