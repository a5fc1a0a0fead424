"""Processes and what they take: CPU time and memory, of their own and of nobody else."""

import os
import statistics
import subprocess
import time
from dataclasses import dataclass

from lab.shell import CommandFailed

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Used:
    cpu: float   # seconds, user and system
    wall: float
    output: str  # what it printed, where that was asked for


def run_to_end(*command, keep=False, allowed=(0,)):
    """Runs a command and tells what it took. Its output is thrown away as its own /dev/null would, or kept."""
    words = [str(word) for word in command]
    began = time.monotonic()
    output = subprocess.PIPE if keep else subprocess.DEVNULL
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL, text=True) as child:
        text = child.stdout.read() if keep else ""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in allowed:
        raise CommandFailed(f"{' '.join(words)}: status {child.returncode}")
    return Used(usage.ru_utime + usage.ru_stime, time.monotonic() - began, text)


def cpu_of(pid):
    """Seconds of CPU that a living process took so far, all of its threads."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid):
    """Resident bytes of a living process."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise CommandFailed(f"process {pid} has no memory: it ended")


def interleaved(repeats, contestants):
    """Runs each contestant (name -> function) once a round, so that what disturbs one disturbs all; name -> results."""
    results = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, function in contestants.items():
            results[name].append(function())
    return results


def best(results, key=lambda used: used.cpu):
    """The least disturbed of several runs."""
    return min(results, key=key)


def median(values):
    return statistics.median(values)
