#!/usr/bin/env python3
"""Tests of the kit's scripts, with programs that print what the real ones print.

usage: kit_test.py PROTOC
"""

import hashlib
import io
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
import unittest

sys.dont_write_bytecode = True

import kit_report
import pack
import programs

_HERE = pathlib.Path(__file__).resolve().parent
_RECORD = _HERE.parents[1] / "experiments/recorded/mobilenet_v2_fp16_seed1.textproto"

# Each is a script of Python whose `flags` are the command line's.
_PREAMBLE = """\
#!%s
import json, os, signal, sys, time
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:] if "=" in word)
""" % sys.executable

_STEPS = """\
json.dump({"device": "A GPU, CUDA 13.0", "simd_target": "compute capability 9.0", "ceiling_gflops": 60000.0,
           "policies": [{"policy": policy, "images_per_second": 1000.0, "share_of_ceiling": 0.5}
                        for policy in flags["policies"].split(",")]}, open(flags["json"], "w"))
"""

_NO_DRIVER = """\
print("train_step: no GPU can be used: there is no NVIDIA driver", file=sys.stderr)
sys.exit(2)
"""

_TESTS = """\
print("[==========] Running 3 tests from 1 test suite.")
for name in "abc":
    print("[ RUN      ] Cases/T.X/" + name)
    print("[       OK ] Cases/T.X/%s (12 ms)" % name)
print("[  PASSED  ] 3 tests.")
"""

_FAILING_TEST = """\
print("[==========] Running 2 tests from 1 test suite.")
print("[ RUN      ] Cases/T.X/a\\ncase.cc:1: Failure\\n[  FAILED  ] Cases/T.X/a, where GetParam() = (1, FP16) (3 ms)")
print("[ RUN      ] Cases/T.X/b\\n[       OK ] Cases/T.X/b (3 ms)")
print("[  FAILED  ] 1 test, listed below:\\n[  FAILED  ] Cases/T.X/a, where GetParam() = (1, FP16)")
sys.exit(1)
"""

# These two go on until they are ended. As shell scripts they begin at once, on a busy machine too.
_SLOW_TESTS = """\
#!/bin/sh
echo "[==========] Running 5 tests from 1 test suite."
echo "[ RUN      ] T.a"
echo "[       OK ] T.a (1 ms)"
echo "[ RUN      ] T.b"
exec sleep 60
"""

_SLOW_TRAIN = """\
#!/bin/sh
stop() {
  echo stopped >>"$checkpoint"
  exit 3
}
trap stop TERM
for flag; do
  case $flag in --checkpoint=*) checkpoint=${flag#*=} ;; esac
done
echo "epoch 1/100  loss 1.9428  train 29.49%  test 10.00%  123456 images/s"
sleep 60 & wait
"""

_CRASHING_TEST = """\
print("[==========] Running 5 tests from 1 test suite.\\n[ RUN      ] T.a\\n[       OK ] T.a (1 ms)\\n[ RUN      ] T.b",
      flush=True)
os.kill(os.getpid(), signal.SIGABRT)
"""

_TRAIN = """\
print("epoch 1/100  loss 1.9428  train 29.49%  test 10.00%  123456 images/s", file=sys.stderr, flush=True)
"""

_TORCH = """\
print(json.dumps({"torch": "2.9, cuDNN 91002"}), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    if question["policy"] == "MP":
        answer = {"error": "out of memory"}
    else:
        answer = {"images_per_second": 500.0, "form": "CUDA graph"}
    print(json.dumps(answer), flush=True)
"""


def _encoded(path):
    """A DeviceReport in text form as the message it is."""
    return subprocess.run([sys.argv[1], "--proto_path=.", "--encode=repro16.DeviceReport",
                           "experiments/recorded/device_report.proto"], input=path.read_bytes(), stdout=subprocess.PIPE,
                          check=True).stdout


class _Case(unittest.TestCase):

    def setUp(self):
        self._scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self._scratch.cleanup)
        self.folder = pathlib.Path(self._scratch.name)


class RunKitTest(_Case):

    def setUp(self):
        super().setUp()
        self.kit = self.folder / "kit"
        for name in ("bin", "specs", "recorded"):
            (self.kit / name).mkdir(parents=True)
        shutil.copy(_HERE / "run_kit.py", self.kit / "run_kit")
        for name in ("kit_report.py", "programs.py"):
            shutil.copy(_HERE / name, self.kit / name)
        (self.kit / "MANIFEST").write_text("files\n")
        (self.kit / "model_bits.golden").write_text("numerics version 1\n")
        (self.kit / "networks").write_text("alexnet\nvit8\n")
        shutil.copy(_RECORD, self.kit / "recorded")
        spec = re.search(r"^  spec \{\n(.*?)^  \}$", _RECORD.read_text(), re.MULTILINE | re.DOTALL).group(1)
        (self.kit / "specs/mobilenet_v2_fp16_seed1.textproto").write_text(
            "# proto-file: x\n" + spec.replace('dataset: "cifar10"', 'dataset: "cifar10" train_examples: 0'))
        self.fake("train_step", _STEPS)
        self.fake("bits_test", _TESTS)
        self.fake("model_bits_test", _TESTS)
        self.fake("train", _TRAIN)
        self.torch(_TORCH)
        (self.folder / "data").mkdir()
        (self.folder / "data/data_batch_1.bin").write_bytes(b"")

    def fake(self, name, script):
        path = self.kit / "bin" / name
        path.write_text(script if script.startswith("#!") else _PREAMBLE + script)
        path.chmod(0o755)

    def torch(self, script):
        (self.kit / "torch_steps.py").write_text(_PREAMBLE + script)

    def run_kit(self, *flags, minutes=5.0, out="out"):
        """Its exit code; what it says is in `error`, the report in `report`."""
        self.out = self.folder / out
        ended = subprocess.run([sys.executable, str(self.kit / "run_kit"), "--minutes=%g" % minutes,
                                "--out=%s" % self.out, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               universal_newlines=True, cwd=self.folder)
        self.error = ended.stderr
        report = self.out / "report.txt"
        self.report = report.read_text() if report.exists() else ""
        return ended.returncode

    def message(self):
        """The device report in the binary form, from the text form."""
        return _encoded(self.out / "device.textproto")

    def test_everything_passes(self):
        self.assertEqual(self.run_kit("--data_dir=data"), 0, self.error)
        for text in ("device: A GPU, CUDA 13.0", "3 of 3 passed", "2 of 2 networks timed", "ceiling: 60.0 TFLOP/s",
                     "PyTorch: 2.9, cuDNN 91002", "alexnet      FP32            1000     128.00    50%           500 "
                     "CUDA graph   2.00", "1 of 1 epochs as the CPU's recorded ones", "1 of 100 epochs; test accuracy "
                     "after the last one 10.00%; 123456 images/s", "--resume"):
            self.assertIn(text, self.report)
        self.assertNotIn("MADE-UP", self.report)
        self.assertNotIn("not run", self.report)
        message = self.message()
        for text in (b"A GPU, CUDA 13.0", b"compute capability 9.0", b"vit8", b"out of memory"):
            self.assertIn(text, message)

    def test_what_pytorch_cannot_do_is_not_measured(self):
        self.assertEqual(self.run_kit("--parts=speed"), 0)
        self.assertRegex(self.report, r"vit8 +MP +1000 +128.00 +50% +not measured\n")
        self.assertIn("not measured, PyTorch: out of memory", self.report)

    def test_without_pytorch_the_engine_is_timed(self):
        self.torch("print(json.dumps({'error': \"No module named 'torch'\"}))")
        self.assertEqual(self.run_kit("--parts=speed"), 0)
        self.assertIn("PyTorch: No module named 'torch'", self.report)
        self.assertRegex(self.report, r"alexnet +FP32 +1000 +128.00 +50% +not measured\n")
        self.assertEqual(self.run_kit("--parts=speed", "--python=/nowhere/python3", out="other"), 0)
        self.assertIn("/nowhere/python3", self.report)

    def test_pytorch_that_hangs_or_ends_costs_its_own_times(self):
        for fault, text in (("time.sleep(60)", "time"), ("sys.exit()", "ended")):
            self.torch(_TORCH.replace("question =", "%s if 'vit8' in line else 0; question =" % fault))
            self.assertEqual(self.run_kit("--parts=speed", minutes=0.15, out=text), 0)
            self.assertRegex(self.report, r"alexnet +FP32 +1000 +128.00 +50% +500 CUDA graph")
            self.assertRegex(self.report, r"vit8 +FP32 +1000 +128.00 +50% +not measured\n")
            self.assertRegex(self.report, "not measured, PyTorch: .*%s" % text)

    def test_a_failing_bit_test_fails_and_stops_nothing(self):
        self.fake("bits_test", _FAILING_TEST)
        self.assertEqual(self.run_kit(), 1)
        self.assertRegex(self.report, r"operations +[0-9.]+ s  1 of 2 passed, 1 FAILED\n +failed: Cases/T.X/a\n")
        self.assertIn("2 of 2 networks timed", self.report)
        self.assertIn(b"Cases/T.X/a", self.message())

    def test_a_crash_names_the_test(self):
        self.fake("model_bits_test", _CRASHING_TEST)
        self.assertEqual(self.run_kit("--parts=networks"), 1)
        self.assertRegex(self.report, r"networks +[0-9.]+ s  1 of 5 passed, 4 not run, FAILED: ended by signal 6 in T")
        self.fake("model_bits_test", "sys.exit('no such flag')")
        self.assertEqual(self.run_kit("--parts=networks", out="other"), 1)
        self.assertIn("FAILED: exit code 1 in the beginning: no such flag", self.report)

    def test_tests_are_cut_off(self):
        self.fake("bits_test", _SLOW_TESTS)
        self.assertEqual(self.run_kit("--parts=operations", minutes=0.08), 0)
        self.assertRegex(self.report, r"operations +[0-9.]+ s  1 of 5 passed, 4 not run, its time was up")

    def test_no_driver_is_one_line(self):
        self.fake("train_step", _NO_DRIVER)
        self.assertEqual(self.run_kit(), 2)
        self.assertEqual(self.error, "run_kit: no GPU can be used: there is no NVIDIA driver\n")
        self.assertFalse(self.out.exists())

    def test_a_gpu_that_fails_is_no_missing_one(self):
        self.fake("train_step", "sys.exit('train_step: the GPU failed (unspecified launch failure)')")
        self.assertEqual(self.run_kit(), 1)
        self.assertIn("FAILED: exit code 1: train_step: the GPU failed", self.report)
        self.assertIn("3 of 3 passed", self.report)
        self.assertRegex(self.report, r"alexnet +FP32 +not measured +500 CUDA graph")
        self.message()

    def test_bad_arguments_are_one_line(self):
        for flag, text in (("--minutes=0", "--minutes"), ("--parts=bits", "--parts"), ("--data_dir=nowhere", "nowhere"),
                           ("--resume=nowhere", "nowhere"), ("--run=vgg11", "vgg11"), ("--out=data", "data")):
            self.assertEqual(self.run_kit(flag), 2)
            self.assertEqual(self.error.count("\n"), 1)
            self.assertIn(text, self.error)

    def test_another_epoch_than_recorded_fails(self):
        self.fake("train", _TRAIN.replace("1.9428", "1.9429"))
        self.assertEqual(self.run_kit("--data_dir=data", "--parts=training"), 1)
        self.assertRegex(self.report, "0 of 1 epochs .*, 1 FAILED")
        self.assertIn("loss 1.9429 train 29.49% test 10.00%; recorded: loss 1.9428", self.report)

    def test_other_weights_than_recorded_fail(self):
        for weights, code in (("5b2277ad1b5b1017e71539fe168f884d00e3e279aebfb2dea534dfc20c7f6947", 0), ("5b22", 1)):
            self.fake("train", _TRAIN + "open(flags['out'], 'w').write('%s')" % weights)
            self.assertEqual(self.run_kit("--data_dir=data", "--parts=training", out=weights), code)

    def test_made_up_data_are_named_and_compared_with_nothing(self):
        self.assertEqual(self.run_kit("--parts=training"), 0)
        self.assertIn("MADE-UP", self.report)
        self.assertIn("no recorded run", self.report)
        self.assertIn('dataset: "synthetic_cifar10"', (self.out / "training/spec.textproto").read_text())
        self.assertIn('backend: "cuda"', (self.out / "training/spec.textproto").read_text())

    def test_a_training_is_stopped_and_goes_on(self):
        self.fake("train", _SLOW_TRAIN)
        self.assertEqual(self.run_kit("--data_dir=data", "--parts=training", minutes=0.08), 0)
        self.assertIn("its time was up", self.report)
        flags = ["--data_dir=data", "--parts=training", "--resume=out"]
        self.assertEqual(self.run_kit(*flags, minutes=0.08, out="next"), 0)
        self.assertEqual((self.out / "training/run.checkpoint").read_text(), "stopped\nstopped\n")
        self.assertIn("1 of 1 epochs as the CPU's recorded ones", self.report)

    def test_a_training_that_fails_says_why(self):
        self.fake("train", "sys.exit('train: no data')")
        self.assertEqual(self.run_kit("--parts=training"), 1)
        self.assertIn("FAILED: exit code 1: train: no data", self.report)

    def test_an_interrupt_keeps_what_there_is(self):
        self.fake("model_bits_test", _SLOW_TESTS)
        process = subprocess.Popen([sys.executable, str(self.kit / "run_kit"), "--out=" + str(self.folder / "out")],
                                   stdout=subprocess.PIPE, universal_newlines=True)
        for line in process.stdout:
            if "operations" in line:
                break
        process.send_signal(signal.SIGINT)
        self.assertIn("interrupted", process.communicate(timeout=30)[0])
        self.assertEqual(process.returncode, 1)
        report = (self.folder / "out/report.txt").read_text()
        self.assertIn("3 of 3 passed", report)
        self.assertRegex(report, r"networks +not run")
        self.assertIn("Speed: not measured", report)


class ProgramsTest(_Case):

    def test_what_a_program_started_ends_with_it(self):
        begin = time.monotonic()
        ended = programs.run(["sh", "-c", "sleep 60 & sleep 60"], self.folder / "log", 0.2)
        self.assertTrue(ended.cut_off)
        self.assertEqual(str(ended), "ended by signal 15")
        self.assertLess(time.monotonic() - begin, 10)


class TextprotoTest(unittest.TestCase):

    def test_escapes_and_leaves_out(self):
        self.assertEqual(kit_report.textproto({"a": 'x"\\\n\u00e9', "b": 0, "c": [0, 1.5], "d": {"e": True}, "f": ""})
                         .split("\n#\n# Written by //tools/gpu_kit.\n")[1],
                         'a: "x\\"\\\\\\n?"\nc: 0\nc: 1.5\nd {\n  e: true\n}\n')


class PackTest(unittest.TestCase):

    def test_is_the_same_from_the_same(self):
        files = {"b": b"#!/bin/sh\n", "bin/a": b"x", "c": b"y"}
        archive = pack.pack(files, "kit")
        self.assertEqual(archive, pack.pack(dict(reversed(list(files.items()))), "kit"))
        with tarfile.open(fileobj=io.BytesIO(archive)) as entries:
            self.assertEqual([(entry.name, entry.mode, entry.mtime, entry.uid) for entry in entries],
                             [("kit/MANIFEST", 0o644, 0, 0), ("kit/b", 0o755, 0, 0), ("kit/bin/a", 0o755, 0, 0),
                              ("kit/c", 0o644, 0, 0)])
            self.assertIn(hashlib.sha256(b"x").hexdigest() + "  bin/a\n",
                          entries.extractfile("kit/MANIFEST").read().decode())


class CommittedReportsTest(unittest.TestCase):

    def test_have_what_the_message_has(self):
        for path in pathlib.Path("experiments/recorded/devices").glob("*.textproto"):
            self.assertTrue(_encoded(path), path)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
