#!/usr/bin/env python3
"""What the programs print on a terminal: no line wider than it, and only ASCII where the locale has nothing else.

usage: terminal_test.py TRAIN DESCRIBE RENDER SITE_INDEX COST_MODEL TRAIN_STEP

Each program runs on a pseudo terminal of its own, with the width and the environment that a test sets.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unittest

_WIDTHS = (40, 60, 80, 200)
_TEST_DATA = "reports/testdata/"
_UTF8 = {"LC_ALL": "C.UTF-8", "TERM": "xterm"}
_ASCII = {"LC_ALL": "C", "LANG": "C.UTF-8", "TERM": "xterm"}
_CLEAR_LINE = "\r\x1b[K"

_SPEC = """model: "mlp" policy: "FP16" backend: "cpu" seed: 1 epochs: 2 batch_size: 32
optimizer { sgd { learning_rate: 0.01 momentum: 0.9 } }
data { dataset: "synthetic_mnist" train_examples: 96 test_examples: 32 normalization: "unit" }
"""

programs = {}


def output(command, columns, environment, status=0):
    """What the command writes to a terminal of that many columns, as bytes with plain line ends."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                               env={"PATH": os.environ["PATH"], **environment})
    os.close(slave)
    written = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the program has ended
            break
        if not part:
            break
        written += part
    os.close(master)
    if process.wait() != status:
        raise AssertionError("%s: exit status %d: %s" % (command, process.returncode, written.decode(errors="replace")))
    return written.replace(b"\r\n", b"\n")


def lines(written):
    """The lines as they are seen, each state of one that is redrawn."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in re.split(r"\r\x1b\[K|\n", written.decode())]


def train(*flags):
    spec, out = (os.path.join(os.environ["TEST_TMPDIR"], name) for name in ("spec.textproto", "result.pb"))
    with open(spec, "w", encoding="utf-8") as file:
        file.write(_SPEC)
    return [programs["train"], "--spec=" + spec, "--out=" + out, "--threads=1", *flags]


def render(report, *flags):
    return [programs["render"], "--report=%s%s.textproto" % (_TEST_DATA, report), *flags]


def site():
    page = "=".join(["a", _TEST_DATA + "report.textproto", _TEST_DATA + "golden.textproto"])
    return [programs["site_index"], "--page=" + page, "--out=" + os.path.join(os.environ["TEST_TMPDIR"], "i.html")]


class TerminalTest(unittest.TestCase):

    def test_no_line_is_wider_than_the_terminal(self):
        for columns in _WIDTHS:
            for command in (train(), train("--progress=plain"), render("report"), render("wide"),
                            render("report", "--format=screen"), render("wide", "--format=screen"), site()):
                for environment in (_UTF8, _ASCII):
                    for line in lines(output(command, columns, environment)):
                        self.assertLessEqual(len(line), columns, "%s: %s" % (command[0], line))

    def test_a_bar_never_reaches_the_last_column(self):
        for columns in _WIDTHS:
            written = output(train(), columns, _UTF8).decode()
            bars = [line for line in written.split(_CLEAR_LINE) if line.endswith(" left")]
            self.assertGreaterEqual(len(bars), 1, written)
            for bar in bars:
                self.assertLess(len(bar), columns)
                self.assertEqual("[" in bar, columns >= 60, bar)

    def test_only_ascii_without_a_unicode_locale(self):
        golden = ["--golden=" + _TEST_DATA + "golden.textproto"]
        small = ["--policies=FP32", "--rounds=1", "--seconds=0.01", "--batch=8", "--operations"]
        commands = [
            (train("--diagnose"), 0),
            (train("--spec=\u00e4.textproto"), 2),
            ([programs["describe"], "mlp"], 0),
            ([programs["describe"], "mlp\u00e4"], 2),
            (render("report"), 0),
            (render("report") + golden, 0),
            (render("wide"), 0),
            (render("report", "--format=screen"), 0),
            (site(), 0),
            ([programs["cost_model"]], 0),
            ([programs["train_step"]] + small, 0),
            ([programs["render"], "\u00e4"], 2),
        ]
        for environment in (_ASCII, {"TERM": "xterm"}, {"LC_CTYPE": "de_DE.ISO-8859-1", "LANG": "C.UTF-8"}):
            for command, status in commands:
                written = output(command, 100, environment, status)
                self.assertTrue(written.isascii(), written.decode(errors="replace"))

    def test_unicode_where_there_is_one(self):
        for environment in (_UTF8, {"LANG": "de_DE.utf8", "TERM": "xterm"}):
            self.assertIn("\u2717 differ", "\n".join(lines(output(render("report"), 100, environment))))
        self.assertIn("\u00e4.textproto", output(train("--spec=\u00e4.textproto"), 100, _UTF8, 2).decode())

    def test_no_escapes_where_they_are_not_wanted(self):
        self.assertIn(b"\x1b[", output(render("report"), 80, _UTF8))
        for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            for command in (render("report"), site()):
                self.assertNotIn(b"\x1b", output(command, 80, {**_UTF8, **more}))
        self.assertIn(b"\x1b", output(train(), 80, _UTF8))
        self.assertNotIn(b"\x1b", output(train(), 80, {**_UTF8, "TERM": "dumb"}))


def main(arguments):
    names = ("train", "describe", "render", "site_index", "cost_model", "train_step")
    if len(arguments) != len(names):
        sys.exit(__doc__)
    programs.update(zip(names, (os.path.abspath(path) for path in arguments)))
    unittest.main(argv=sys.argv[:1])


if __name__ == "__main__":
    main(sys.argv[1:])
