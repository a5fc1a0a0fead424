"""Commands and long-lived processes: every failure names the command and what it printed."""

import os
import signal
import subprocess
import time


class CommandFailed(Exception):
    pass


def run(*command, stdin=None, check=True, timeout=20, env=None):
    """Runs a command to its end and returns what it printed. Raises CommandFailed on a status that is not 0."""
    words = [str(word) for word in command]
    environment = {**os.environ, **env} if env else None
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=timeout, env=environment)
    except subprocess.TimeoutExpired as expired:
        raise CommandFailed(f"{' '.join(words)}: not done after {timeout} s") from expired
    except OSError as error:
        raise CommandFailed(f"{words[0]}: {error.strerror}") from error
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(words)}: status {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Process:
    """A process in the background, its output in a file. stop() always leaves it ended and reaped."""

    def __init__(self, command, log, env=None):
        self.command = [str(word) for word in command]
        self.log = log
        environment = {**os.environ, **env} if env else None
        with open(log, "ab") as output:
            self._popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                           env=environment, start_new_session=True)

    @property
    def pid(self):
        return self._popen.pid

    def ended(self):
        """The exit status, or None while it runs."""
        return self._popen.poll()

    def send(self, number):
        if self.ended() is None:
            self._popen.send_signal(number)

    def wait(self, timeout):
        """Whether it ended within `timeout` seconds."""
        try:
            self._popen.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self, first=signal.SIGTERM, patience=3):
        self.send(signal.SIGCONT)  # a frozen process cannot end in order
        self.send(first)
        if not self.wait(patience):
            self.send(signal.SIGKILL)
            self._popen.wait()

    def kill(self):
        self.stop(signal.SIGKILL)

    def output(self):
        with open(self.log, errors="replace") as file:
            return file.read()


def wait_until(condition, seconds, what, pause=0.005):
    """Waits for condition() to be true and returns its value; raises CommandFailed after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise CommandFailed(f"{what}: not after {seconds} s")
        time.sleep(pause)
