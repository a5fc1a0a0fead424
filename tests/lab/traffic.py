#!/usr/bin/python3
"""Something like an application: a server that echoes, and a client that sends it blocks of changing sizes over TCP.

    traffic.py serve ADDRESS PORT        traffic.py talk FROM ADDRESS PORT

Both run until they are ended. A connection that breaks is made anew: what traffic does about a fault is not this
program's to tell.
"""

import contextlib
import ipaddress
import socket
import sys
import threading
import time

_SIZES = (200, 1300, 4000, 32000)
_PAUSE = 0.25
_PATIENCE = 5


def family_of(address):
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET


def serve(address, port):
    with socket.socket(family_of(address)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
        while True:
            threading.Thread(target=_echo, args=(listener.accept()[0],), daemon=True).start()


def _echo(connection):
    with connection, contextlib.suppress(OSError):
        while data := connection.recv(65536):
            connection.sendall(data)


def talk(source, address, port):
    while True:
        with contextlib.suppress(OSError), socket.socket(family_of(address)) as connection:
            connection.settimeout(_PATIENCE)
            connection.bind((source, 0))
            connection.connect((address, port))
            _converse(connection)
        time.sleep(_PAUSE)


def _converse(connection):
    turn = 0
    while True:
        size = _SIZES[turn % len(_SIZES)]
        connection.sendall(bytes(size))
        while size > 0:
            data = connection.recv(65536)
            if not data:
                return
            size -= len(data)
        turn += 1
        time.sleep(_PAUSE)


if __name__ == "__main__":
    what, *ends, number = sys.argv[1:]
    {"serve": serve, "talk": talk}[what](*ends, int(number))
