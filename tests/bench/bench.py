"""What all rows share: the programs, the folder for what is made, how often and how long to measure."""

import os
import shutil

from lab.shell import CommandFailed, run


class Missing(Exception):
    """A program that a row needs is not there."""


class Bench:
    def __init__(self, binary, tools, folder, repeats, seconds, scale):
        self.binary = binary
        self.folder = folder
        self.repeats = repeats
        self.seconds = seconds
        self._tools = tools
        self._scale = scale
        self._captures = {}

    def tool(self, name):
        """One of the programs built from tests/bench/traffic."""
        path = os.path.join(self._tools, f"tunnelwatch_bench_{name}")
        if not os.access(path, os.X_OK):
            raise CommandFailed(f"{path} is not there: build it with TUNNELWATCH_BENCH=ON")
        return path

    def program(self, name):
        """A program of the system that we are measured against."""
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if path is None:
            raise Missing(f"{name} is not installed (tests/install-packages bench)")
        return path

    def scaled(self, number):
        return max(1000, int(number * self._scale))

    def capture(self, *arguments):
        """A capture file by make_capture's arguments without its name; made once, and in the page cache by then."""
        if arguments not in self._captures:
            kind, *rest = arguments
            path = os.path.join(self.folder, "-".join(str(word) for word in arguments) + ".pcap")
            run(self.tool("make_capture"), kind, path, *rest, timeout=600)
            self._captures[arguments] = path
        return self._captures[arguments]
