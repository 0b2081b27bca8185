#!/usr/bin/env python3
"""Holds the kit's archive to what it promises; on a machine without a driver also what the kit says there.

usage: archive_test.py ARCHIVE NETWORK,...
"""

import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

_MAX_BYTES = 60 * 10**6
_PROGRAMS = ("bits_test", "model_bits_test", "train", "train_step")
# What Debian 12 and Ubuntu 22.04 have, and later ones.
_NEWEST = {"GLIBC_2": 35, "GLIBCXX_3.4": 30}


class ArchiveTest(unittest.TestCase):

    def test_is_small(self):
        self.assertLess(pathlib.Path(archive).stat().st_size, _MAX_BYTES)

    def test_has_what_the_kit_needs(self):
        policies = ("fp32", "fp16", "mp")
        expected = {"MANIFEST", "README.md", "kit_report.py", "model_bits.golden", "networks", "programs.py", "run_kit",
                    "torch_networks.py", "torch_steps.py", "recorded/mobilenet_v2_fp16_seed1.textproto",
                    "recorded/mobilenet_v2_fp32_seed1.textproto", *("bin/" + program for program in _PROGRAMS),
                    *("specs/%s_%s_seed1.textproto" % (network, policy) for network in networks for policy in policies)}
        with tarfile.open(archive) as entries:
            names = entries.getnames()
            self.assertEqual(names, sorted(names))
            for entry in entries:
                self.assertEqual((entry.mtime, entry.uid, entry.gid, entry.uname), (0, 0, 0, ""), entry.name)
                can_run = "/bin/" in entry.name or entry.name.endswith("/run_kit")
                self.assertEqual(entry.mode, 0o755 if can_run else 0o644)
        found = {name.split("/", 1)[1] for name in names}
        self.assertEqual({name for name in found if "_fp16_bn32_" not in name}, expected)

    def test_networks_are_those_of_the_table(self):
        with tarfile.open(archive) as entries:
            self.assertEqual(entries.extractfile("gpu_kit/networks").read().decode().split(), networks)


class UnpackedTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls._scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._scratch.cleanup)
        cls.folder = pathlib.Path(cls._scratch.name)
        with tarfile.open(archive) as entries:
            entries.extractall(cls.folder)
        cls.kit = cls.folder / "gpu_kit"

    def test_manifest_has_every_file(self):
        subprocess.run(["sha256sum", "--quiet", "--check", "MANIFEST"], cwd=self.kit, check=True)
        lines = (self.kit / "MANIFEST").read_text().splitlines()
        self.assertEqual(len(lines) + 1, sum(path.is_file() for path in self.kit.rglob("*")))

    def test_programs_need_no_newest_system(self):
        for program in _PROGRAMS:
            contents = (self.kit / "bin" / program).read_bytes()
            for library, newest in _NEWEST.items():
                needed = re.findall(rb"\0%s\.(\d+)[.\0]" % re.escape(library).encode(), contents)
                self.assertLessEqual(max(int(minor) for minor in needed), newest, (program, library))
            self.assertIn(b".nv_fatbin", contents, program)

    @unittest.skipIf(pathlib.Path("/proc/driver/nvidia").exists(), "there is a driver")
    def test_without_a_driver_the_kit_is_one_line(self):
        ended = subprocess.run([str(self.kit / "run_kit"), "--out=%s" % (self.folder / "out")], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertRegex(ended.stderr, r"^run_kit: no GPU can be used: [^\n]*\n$")
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    archive, networks = sys.argv[1], sys.argv[2].split(",")
    unittest.main(argv=sys.argv[:1])
