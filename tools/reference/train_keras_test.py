#!/usr/bin/env python3
"""What train_keras.py writes and refuses, without Keras.

usage: train_keras_test.py TRAIN_KERAS CURVE.textproto
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

_SCRIPT, _CURVE = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))


def _load():
    spec = importlib.util.spec_from_file_location("train_keras", _SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TrainKerasTest(unittest.TestCase):

    def test_the_text_is_what_reports_read(self):
        provenance = {"software": "of the tests", "machine": "a machine of the tests", "date": "2024-02-29",
                      "note": "made up for tests"}
        text = _load().curve_text(provenance, "mobilenet_v2", 1, [(0.375, 0.1), (0.5, 0.25)])
        self.assertEqual(text, _CURVE.read_text(encoding="utf-8"))

    def test_a_write_leaves_the_file_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "curve.textproto"
            path.write_text("old")
            _load().write(path, "new\n")
            self.assertEqual(path.read_text(), "new\n")
            self.assertEqual(os.listdir(folder), ["curve.textproto"])

    def test_only_whole_images_are_taken(self):
        module = _load()
        self.assertEqual(module.split_records("a.bin", bytes(2 * 3073)), 2)
        for size in (0, 3072):
            with self.assertRaisesRegex(module.Refused, "a.bin: %d bytes" % size):
                module.split_records("a.bin", bytes(size))

    def _refuses(self, what, *flags):
        done = subprocess.run([sys.executable, _SCRIPT, "--data=.", "--machine=m", *flags],
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(what, done.stderr.decode())
        self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_bad_input(self):
        self._refuses("--epochs: 101 is not in [1, 100]", "--out=a.textproto", "--epochs=101")
        self._refuses("--out: ", "--out=/nonexistent/a.textproto")


if __name__ == "__main__":
    unittest.main()
