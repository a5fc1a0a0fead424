"""A door for a browser on the host: a loopback port whose connections continue inside a namespace. The host's network
configuration is not touched."""

import contextlib
import errno
import select
import socket
import threading

from lab import netns

_LIMIT = 32      # connections at a time; more wait in the listen queue
_IDLE = 300      # seconds without a byte until a connection is closed


class Forward:
    def __init__(self, namespace, target, host="127.0.0.1", port=9814, attempts=20):
        """Listens on the first free port from `port` on."""
        self._namespace = namespace
        self._target = target
        self._slots = threading.BoundedSemaphore(_LIMIT)
        self._listener = _listen(host, port, attempts)
        self.address = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            self._slots.acquire()
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client, netns.connect(self._namespace, *self._target, timeout=3) as inside:
                _pump(client, inside)
        except OSError:
            pass  # the agent is gone: the browser sees a closed connection
        finally:
            self._slots.release()


def _listen(host, port, attempts):
    for candidate in range(port, port + attempts):
        try:
            return socket.create_server((host, candidate))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"no free port from {port} on")


def _pump(one, other):
    """Copies both ways until either side ends."""
    far = {one: other, other: one}
    while True:
        readable, _, _ = select.select([one, other], [], [], _IDLE)
        if not readable:
            return
        for side in readable:
            data = side.recv(65536)
            if not data:
                return
            far[side].sendall(data)
