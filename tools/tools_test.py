#!/usr/bin/env python3
"""Tests of the checks, of the README's extraction, of the gate's count and of the archives' scripts."""

import gzip
import io
import os
import pathlib
import tarfile
import tempfile
import unittest
import unittest.mock

import check_ascii
import check_device_headers
import check_floors
import check_layout
import check_ptx
import check_readme
import check_tree
import count_tests
import fill_distdir
import kernel_resources
import readme_commands
import reprefix

_Path = pathlib.PurePosixPath


class CheckTreeTest(unittest.TestCase):

    def test_names_line_and_fault(self):
        text = "fine\nsee http://" + "deb.debian" + ".org\n"
        self.assertEqual(len(check_tree.problems(_Path("a.md"), text)), 1)
        self.assertTrue(check_tree.problems(_Path("a.md"), text)[0].startswith("a.md:2: "))

    def test_finds_each_fault(self):
        for text in ("/ro" + "ot/x\n", "/wo" + "rk/x\n", "TO" + "DO: x\n", "the session" + " was long\n",
                     "blank \n", "no end"):
            self.assertEqual(len(check_tree.problems(_Path("a.md"), text)), 1, text)

    def test_accepts_other_paths(self):
        self.assertEqual(check_tree.problems(_Path("a.md"), "engine/network/x $root/" + "work/x\n"), [])

    def test_limits_the_length_of_code_only(self):
        text = "x\n" * 601
        self.assertEqual(len(check_tree.problems(_Path("a.cc"), text)), 1)
        self.assertEqual(check_tree.problems(_Path("a.md"), text), [])
        self.assertEqual(check_tree.problems(_Path("a.cc"), "x\n" * 600), [])


class CheckAsciiTest(unittest.TestCase):

    def test_finds_an_unknown_character_however_it_is_written(self):
        known = check_ascii.table('    {"\\u2212", "-"},\n    {"\u201c", "\\""},  // a note\n')
        self.assertEqual(known, {"\u2212": "-", "\u201c": '\\"'})
        text = "a \u2212 b\n\\u2212 \u201c\nx \u2245 \u2245 y\n\\u2245\n"
        self.assertEqual([problem.split(" ")[0] for problem in check_ascii.problems(_Path("a.cc"), text, known)],
                         ["a.cc:3:", "a.cc:4:"])

    def test_finds_a_wrong_entry(self):
        self.assertEqual(check_ascii.table_problems({"\u2212": "-"}), [])
        for wrong in ({"-": "-"}, {"\u2212": ""}, {"\u2212": "\u2013"}, {"\u2212\u2212": "-"}):
            self.assertEqual(len(check_ascii.table_problems(wrong)), 1, wrong)


class CheckFloorsTest(unittest.TestCase):

    def test_up_is_a_fault_down_and_level_are_not(self):
        text = '#include <vector>\n#include "%s"\n'
        below = _Path("engine/cpu/product/dense.cc")
        self.assertEqual(len(check_floors.problems(below, text % "engine/training/trainer.h")), 1)
        self.assertEqual(check_floors.problems(below, text % "engine/cpu/kernel.h"), [])
        self.assertEqual(check_floors.problems(below, text % "engine/numerics/policy.h"), [])
        self.assertEqual(check_floors.problems(below, text % "absl/status/status.h"), [])

    def test_a_backend_stands_alone(self):
        text = '#include "engine/cpu/machine/thread_pool.h"\n'
        for outside in ("engine/cuda/stream.cc", "engine/training/trainer.cc", "tests/bits_test.cc"):
            self.assertEqual(len(check_floors.problems(_Path(outside), text)), 1, outside)
        for inside in ("engine/cpu/conv/conv.cc", "engine/create_backend.cc"):
            self.assertEqual(check_floors.problems(_Path(inside), text), [], inside)

    def test_protos_import_too(self):
        self.assertEqual(len(check_floors.problems(_Path("engine/run/run.proto"),
                                                   'import "reports/report.proto";\n')), 1)

    def test_every_folder_needs_a_floor(self):
        self.assertEqual(len(check_floors.problems(_Path("elsewhere/a.cc"), "")), 1)


class CheckDeviceHeadersTest(unittest.TestCase):

    def _faults(self, text):
        return len(check_device_headers.problems("a.h", text, {"a.h", "b.h"}))

    def test_accepts_its_own_kind(self):
        self.assertEqual(self._faults('#include <cmath>\n#include "b.h"\nstatic constexpr int k = 1;\n'
                                      "static_assert(k == 1);\nint x = static_cast<int>(2);  // a new way\n"), 0)

    def test_finds_each_fault(self):
        for text in ("#include <vector>\n", '#include "absl/types/span.h"\n', "static int calls = 0;\n",
                     "int* p = new int;\n", "throw 1;\n"):
            self.assertEqual(self._faults(text), 1, text)


class CheckPtxTest(unittest.TestCase):

    _KERNEL = ".version 9.0\n.visible .entry K(\n)\n{\n\t%s \t%%f3, %%f1, %%f2;\n\tret;\n}\n"

    def test_accepts_what_rounds_to_nearest(self):
        for opcode in ("add.rn.f32", "@%p1 fma.rn.f32", "div.rn.f64", "cvt.rn.f16.f32", "cvt.f32.f16", "cvt.rn.f32.s32",
                       "add.rn.f16x2", "mul.wide.u32", "max.s32", "neg.f32", "setp.lt.f32", "atom.global.add.u64",
                       "cvt.u32.u16"):
            self.assertEqual(check_ptx.problems("a.ptx", self._KERNEL % opcode), [], opcode)

    def test_accepts_a_known_bound(self):
        for opcode, bound, faults in (("min.f32", "0f42B20000", 0), ("max.f32", "0fC2D00000", 0),
                                      ("min.f32", "0f80000000", 0), ("min.f32", "0f00000000", 1),
                                      ("max.f32", "0f00000000", 0), ("max.f32", "0f80000000", 1)):
            kernel = self._KERNEL.replace("%%f2", bound) % opcode
            self.assertEqual(len(check_ptx.problems("a.ptx", kernel)), faults, bound)

    def test_finds_each_fault(self):
        for opcode in ("ex2.approx.f32", "add.rn.ftz.f32", "div.full.f32", "mul.f32", "@%p1 add.rz.f32", "fma.rp.f64",
                       "fma.rn.f16x2", "max.f32", "cvt.rz.f16.f32", "cvt.f32.f64", "cvt.rz.f32.s32",
                       "atom.global.add.f32", "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32"):
            found = check_ptx.problems("a.ptx", self._KERNEL % opcode)
            self.assertEqual(len(found), 1, opcode)
            self.assertTrue(found[0].startswith("a.ptx:5: %s in K: " % opcode.split()[-1]), found[0])


class KernelResourcesTest(unittest.TestCase):

    _PTX = ("// Cuda compilation tools, release 13.0, V13.0.88\n.target sm_90\n.visible .entry _Z1KIfEvi(\n)\n"
            ".maxntid 256, 1, 1\n.minnctapersm 2\n{\n\t// SharedMemory 16912\n}\n")
    _SAID = ("ptxas info    : Compiling entry function '_Z1KIfEvi' for 'sm_%d'\n"
             "ptxas info    : Function properties for _Z1KIfEvi\n"
             "    8 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads\n"
             "ptxas info    : Used 128 registers, used 1 barriers, 8 bytes stack\n")

    def test_makes_a_row_of_a_kernel(self):
        found = kernel_resources.table({"k.90.ptx": self._PTX}, {"a/k.resources": self._SAID % 75 + self._SAID % 90})
        self.assertEqual(found[0], "# nvcc 13.0.88 for 75, 90")
        self.assertEqual(found[1].split(), ["k", "256", "16912", "|", "75:", "128", "20", "16/32", "|", "90:", "128", "20",
                                            "16/64", "K<float>"])

    def test_finds_what_limits_the_warps(self):
        for threads, registers, shared, expected in ((1024, 32, 0, 64), (32, 16, 0, 32), (256, 255, 0, 8), (96, 16, 0, 63),
                                                     (64, 16, 48 << 10, 8), (256, 33, 0, 48)):
            self.assertEqual(kernel_resources.warps(90, threads, registers, shared), (expected, 64))

    def test_a_name_is_the_kernel_s(self):
        self.assertEqual(kernel_resources.short(
            "void repro16::on_device::(anonymous namespace)::K<repro16::Binary16, 4>(float (*)(int), A<b>)"),
            "K<Binary16, 4>")


class CheckLayoutTest(unittest.TestCase):

    def _faults(self, text, name="BUILD"):
        return len(check_layout.problems(_Path(name), text))

    def test_accepts_what_buildifier_writes(self):
        self.assertEqual(self._faults(
            'cc_library(\n    name = "a",\n    srcs = [\n        "a.cc",\n        "b.cc",\n    ],\n'
            '    hdrs = ["a.h"],\n    copts = ["-w"],\n    deps = [\n        ":b",\n        "//c",\n'
            '        "@d//e",\n    ],\n)\n'), 0)

    def test_finds_each_fault(self):
        for text in ('f(srcs = ["a"], name = "b")\n', 'f(deps = ["//c", ":b"])\n', 'f(deps = ["@c", "//b"])\n',
                     "f(name = 'a')\n", 'f(srcs = ["a", "a"])\n', 'f(\n  name = "a"\n'):
            self.assertEqual(self._faults(text), 1, text)
        self.assertEqual(self._faults("def f():\n  pass\n", "a.bzl"), 1)


class ReadmeCommandsTest(unittest.TestCase):

    def test_takes_the_lines_of_marked_blocks(self):
        text = "# T\n```sh\n./a b  # why\n\n# only this\nc \\\n  d\n```\n```text\nno\n```\n```sh\ne\n```\n"
        self.assertEqual(readme_commands.commands(text), ["./a b", "c   d", "e"])


class CheckReadmeTest(unittest.TestCase):

    def _faults(self, *commands):
        markdown = "```sh\n./bazelw test //...\n%s\n```\n" % "\n".join(commands)
        return len(check_readme.problems(markdown, {"//a/b:b", "//a/b:c"}))

    def test_accepts_known_targets(self):
        self.assertEqual(self._faults("./bazelw run --//x:y=z //a/b -- //w", "./bazelw test //a/... //a/b:c"), 0)

    def test_finds_unknown_targets(self):
        self.assertEqual(self._faults("./bazelw run //a/d"), 1)
        self.assertEqual(self._faults("./bazelw run //a/b:d //d/..."), 2)

    def test_reads_labels_in_the_text(self):
        for text, faults in [("`//a/b`, `bazel run //a/b:c`", 0), ("`--//a:d //a/b`", 1), ("//none `@x//:y`", 0)]:
            markdown = "```sh\n./bazelw test //...\n```\n" + text
            self.assertEqual(len(check_readme.problems(markdown, {"//a/b:b", "//a/b:c"})), faults)

    def test_wants_the_test_command(self):
        self.assertEqual(len(check_readme.problems("```sh\n./bazelw test //a\n```\n", {"//a:a"})), 1)


class CountTestsTest(unittest.TestCase):

    @staticmethod
    def _configured(label, kind="cc_test rule"):
        return {"id": {"targetConfigured": {"label": label}}, "configured": {"targetKind": kind}}

    @staticmethod
    def _summary(label, status):
        return {"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": status}}

    def test_counts_by_summary(self):
        events = [self._configured("//:lib", "cc_library rule")]
        events += [self._configured("//:%d" % i) for i in range(4)]
        events += [self._summary("//:0", "PASSED"), self._summary("//:1", "FLAKY"), self._summary("//:2", "TIMEOUT")]
        self.assertEqual(count_tests.count(events, 3), (2, 2))  # //:3 was not built

    def test_a_failure_that_is_no_test_counts_as_one(self):
        self.assertEqual(count_tests.count([], 1), (0, 1))
        self.assertEqual(count_tests.count([self._configured("//:0"), self._summary("//:0", "PASSED")], 1), (1, 1))
        self.assertEqual(count_tests.count([self._configured("//:0"), self._summary("//:0", "PASSED")], 0), (1, 0))


class ArchivesTest(unittest.TestCase):

    def test_reads_the_list(self):
        archives = fill_distdir.read_archives(pathlib.Path(__file__).resolve().parent.parent /
                                              "third_party/archives.bzl")
        self.assertTrue(archives)
        names = [fill_distdir.file_name(archive) for archive in archives]
        self.assertEqual(len(names), len(set(names)))
        for archive in archives:
            self.assertRegex(archive["sha256"], "^[0-9a-f]{64}$")
            self.assertEqual(len(archive["debian"]), 3)

    def test_reprefix_renames_the_top_folder_only(self):
        with tempfile.TemporaryDirectory() as name:
            source, target = pathlib.Path(name, "a.tar.gz"), pathlib.Path(name, "b.tar.gz")
            with tarfile.open(source, "w:gz", format=tarfile.USTAR_FORMAT) as tar:
                for path, data in (("old/f", b"x" * 700), ("old/old/g", b"")):
                    info = tarfile.TarInfo(path)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            reprefix.reprefix(source, "old", "newer", target)
            with tarfile.open(target) as tar:
                self.assertEqual(tar.getnames(), ["newer/f", "newer/old/g"])
                self.assertEqual(tar.extractfile("newer/f").read(), b"x" * 700)
            self.assertEqual(len(gzip.decompress(target.read_bytes())) % 10240, 0)
            plain = target.read_bytes()
            with unittest.mock.patch.dict(os.environ, {"GZIP": "-1"}):
                reprefix.reprefix(source, "old", "newer", target)
            self.assertEqual(target.read_bytes(), plain, "options of the user change the bytes")
            with self.assertRaises(ValueError):
                reprefix.reprefix(source, "other", "newer", target)


if __name__ == "__main__":
    unittest.main()
