"""Programs that run beside the kit, each with an end to its time."""

import json
import os
import queue
import signal
import subprocess
import threading
import time

_GRACE_SECONDS = 12  # from the wish that a program ends to its end


class Ended:
    """How a program ended: its exit code, and whether that was for its time."""

    def __init__(self, code, cut_off):
        self.code = code
        self.cut_off = cut_off

    def __str__(self):
        return "ended by signal %d" % -self.code if self.code < 0 else "exit code %d" % self.code


def _end(process):
    """Ends a program and all that it started."""
    for wish in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, wish)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass


def run(command, log, seconds):
    """Runs a program, for at most so long; its output is added to a file."""
    with open(log, "ab") as out:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait(max(seconds, 0))
            return Ended(process.returncode, False)
        except subprocess.TimeoutExpired:
            _end(process)
            return Ended(process.returncode, True)
        finally:
            _end(process)


def output(command):
    """What a program of the machine prints, or nothing."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20,
                              universal_newlines=True).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def last_line(path):
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1].strip() if lines else "no output"


class Servant:
    """A program that answers a line of JSON with one, and greets with one; it sleeps in between.

    Where there is no answer in time the program ends, and starts again with the next question.
    """

    def __init__(self, command, log, until):
        """`missing` is then why there is none, if so; else `greeting` what it said."""
        self._command = command
        self._log = log
        self._process = None
        self.greeting = self._start(until)
        self.missing = self.greeting.get("error", "")

    def _start(self, until):
        try:
            with open(self._log, "ab") as log:
                self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                 stderr=log, universal_newlines=True, start_new_session=True)
        except OSError as error:
            return {"error": str(error)}
        self._lines = queue.Queue()
        threading.Thread(target=self._read, args=(self._process.stdout, self._lines), daemon=True).start()
        return self._next(until)

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line)
        lines.put("")

    def _next(self, until):
        try:
            line = self._lines.get(timeout=max(until - time.monotonic(), 0))
            error = "it ended: see " + self._log.name
        except queue.Empty:
            line, error = "", "no answer in time"
        if line:
            return json.loads(line)
        self.close()
        return {"error": error}

    def ask(self, question, until):
        """The answer, or {"error": why there is none}."""
        if self.missing:
            return {"error": self.missing}
        if time.monotonic() >= until:
            return {"error": "no time left for it"}
        if self._process is None or self._process.poll() is not None:
            greeting = self._start(until)
            if "error" in greeting:
                return greeting
        try:
            print(json.dumps(question), file=self._process.stdin, flush=True)
        except OSError:
            pass  # it has ended: there will be no answer
        return self._next(until)

    def close(self):
        if self._process is not None:
            _end(self._process)
            self._process.stdin.close()
            self._process = None
