#!/usr/bin/env python3
"""Checks, times and trains on this machine's GPU, in minutes, and leaves a folder with a report; see README.md.

Exit code: 0 all checks passed; 1 one failed; 2 no GPU that can be used, or bad arguments.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True  # the kit stays as it was unpacked

import kit_report
import programs

_KIT = pathlib.Path(__file__).resolve().parent
_POLICIES = ("FP32", "FP16", "MP")
_BATCH = 128
_TURNS = 3
_TURN_SECONDS = 0.25
_RUN = "mobilenet_v2_fp16_seed1"  # by default; the CPU's is recorded

# The parts, in order, and how they share the time. What one leaves of its time, the later ones have.
_PARTS = {"operations": 4, "networks": 3, "speed": 8, "training": 4}
_SHARED = 0.96  # of the time; in the rest the last one ends

# Of nvidia-smi, for its log.
_SETTINGS = ("index,name,memory.total,memory.used,utilization.gpu,compute_mode,power.limit,clocks.max.sm,clocks.sm,"
             "clocks.mem,temperature.gpu")


class _Rates:
    """The turns of one network in one policy."""

    def __init__(self, model, policy):
        self.model, self.policy = model, policy
        self.turns = {"cuda": [], "torch": []}
        self.missing = {"cuda": "no time left for it", "torch": "no time left for it"}
        self.shares = []
        self.form = ""

    def message(self):
        step = {"model": self.model, "policy": self.policy, "batch": _BATCH}
        for who, turns in self.turns.items():
            step[who] = {"missing": self.missing[who]}
            if turns:
                step[who] = {"images_per_second": statistics.median(turns), "turns": turns}
        if self.shares:
            step["cuda"]["share_of_ceiling"] = statistics.median(self.shares)
        if self.form:
            step["torch"]["form"] = self.form
        return step


class _Kit:

    def __init__(self, arguments):
        self._arguments = arguments
        self._begin = time.monotonic()
        self._out = arguments.out
        self._logs = self._out / "logs"
        self._ceilings = []
        self.report = {
            "host": _host(),
            "date": datetime.date.today().isoformat(),
            "kit": hashlib.sha256((_KIT / "MANIFEST").read_bytes()).hexdigest(),
            "numerics_version": int((_KIT / "model_bits.golden").read_text().split("\n")[0].split()[-1]),
            "checks": [],
        }

    # --- Time, words, files

    def _until(self, part):
        """When a part has to end."""
        shares = {name: share for name, share in _PARTS.items() if name in self._arguments.parts}
        names = list(shares)
        upto = sum(shares[name] for name in names[:names.index(part) + 1])
        return self._begin + 60 * self._arguments.minutes * _SHARED * upto / sum(shares.values())

    def say(self, text):
        seconds = int(time.monotonic() - self._begin)
        print("[%d:%02d] %s" % (seconds // 60, seconds % 60, text), flush=True)

    def save(self):
        """The report as it stands, so that whatever ends the kit leaves what there is."""
        for name, text in (("device.textproto", kit_report.textproto(self.report)),
                           ("report.txt", kit_report.text(self.report, self._arguments.parts))):
            unfinished = self._out / (name + ".new")
            unfinished.write_text(text, encoding="ascii", errors="replace")
            os.replace(unfinished, self._out / name)

    def _add(self, check, begin):
        check["seconds"] = round(time.monotonic() - begin, 1)
        self.report["checks"].append(check)
        self.save()
        self.say(kit_report.check_line(check))

    def run_part(self, part):
        begin = time.monotonic()
        try:
            getattr(self, part)()
        except Exception as error:  # of the kit itself; the other parts go on
            (self._logs / "kit.log").write_text(traceback.format_exc())
            self._add({"name": part, "fault": "%s: %s" % (type(error).__name__, error)}, begin)

    # --- The device

    def probe(self):
        """A first step. A line if no GPU can be used; else makes the folder."""
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            rates, log = pathlib.Path(scratch, "rates.json"), pathlib.Path(scratch, "log")
            try:
                ended = programs.run(self._step_command("mlp", ["FP32"], 8, 0.01, rates), log, 90)
            except OSError as error:
                return str(error)
            line = programs.last_line(log)
            first = json.loads(rates.read_text()) if ended.code == 0 else {}
        # A GPU that fails is one; what the other checks say of it is wanted.
        if ended.code > 0 and not ended.cut_off and "GPU failed" not in line:
            return line.split(": ", 1)[-1]
        self._logs.mkdir(parents=True)
        self.report["device"] = first.get("device", "")
        self.report["variant"] = first.get("simd_target", "")
        self.report["driver"] = self._nvidia_smi("driver_version", "noheader").split("\n")[0]
        self._log_clocks()
        if not first:
            self._add({"name": "first step", "fault": "%s: %s" % ("no end in 90 s" if ended.cut_off else ended, line)},
                      begin)
        return None

    @staticmethod
    def _nvidia_smi(fields, form):
        return programs.output(["nvidia-smi", "--query-gpu=" + fields, "--format=csv," + form])

    def _log_clocks(self):
        with open(self._logs / "nvidia-smi.csv", "a") as log:
            log.write(self._nvidia_smi(_SETTINGS, "nounits") + "\n")

    # --- Bits

    def operations(self):
        self._tests("operations", "bits_test")

    def networks(self):
        self._tests("networks", "model_bits_test", "--golden=%s" % (_KIT / "model_bits.golden"))

    def _tests(self, name, program, *flags):
        """A program of GoogleTest's."""
        begin, log = time.monotonic(), self._logs / (name + ".log")
        command = [_KIT / "bin" / program, "--backend=" + self._arguments.backend, "--gtest_color=no", *flags]
        ended = programs.run(command, log, self._until(name) - begin)
        text = log.read_text(errors="replace")
        total = re.search(r"^\[=+\] Running (\d+) tests? from", text, re.MULTILINE)
        results = re.findall(r"^\[ +(OK|FAILED) +\] ([^\s,]+).* \(\d+ ms\)$", text, re.MULTILINE)
        check = {"name": name, "tests": int(total.group(1)) if total else 0,
                 "passed": sum(result == "OK" for result, _ in results),
                 "failed": [test for result, test in results if result == "FAILED"]}
        check["not_run"] = check["tests"] - len(results)
        if ended.cut_off:
            check["cut_off"] = True
        elif ended.code not in (0, 1) or check["not_run"] or not check["tests"]:
            begun = re.findall(r"^\[ RUN +\] (\S+)", text, re.MULTILINE)
            check["fault"] = "%s in %s: %s" % (ended, begun[-1] if begun else "the beginning", programs.last_line(log))
        self._add(check, begin)

    # --- Speed

    def speed(self):
        begin, until = time.monotonic(), self._until("speed")
        models = (_KIT / "networks").read_text().split()
        check = {"name": "speed", "tests": len(models), "passed": 0, "failed": [], "not_run": 0}
        steps = self.report["steps"] = []
        torch = programs.Servant([self._arguments.python, str(_KIT / "torch_steps.py")], self._logs / "torch.log",
                                 begin + (until - begin) / 4)
        self.report["torch"] = torch.missing or torch.greeting["torch"]
        self.say("PyTorch: " + self.report["torch"])
        try:
            for done, model in enumerate(models):
                now = time.monotonic()
                rates = [_Rates(model, policy) for policy in _POLICIES]
                fault = self._time_network(rates, torch, now + max(until - now, 0) / (len(models) - done))
                steps += [rate.message() for rate in rates]
                self.say("speed: " + kit_report.network_line(steps[-len(rates):]))
                if fault:
                    check["failed"].append("%s: %s" % (model, fault))
                elif rates[0].turns["cuda"]:
                    check["passed"] += 1
                else:
                    check["not_run"] += 1
                    check["cut_off"] = True
                self.save()
        finally:
            torch.close()
        self._log_clocks()
        self._add(check, begin)

    def _time_network(self, rates, torch, until):
        """Turns of the engine and of PyTorch, as many as fit. The engine's fault, if any."""
        fault = ""
        for turn in range(_TURNS):
            begin = time.monotonic()
            fault = fault or self._our_turn(rates, until)
            took = time.monotonic() - begin
            for rate in rates:
                if turn and not rate.turns["torch"]:
                    continue  # what it cannot do once
                answer = torch.ask({"model": rate.model, "policy": rate.policy, "batch": _BATCH,
                                    "seconds": _TURN_SECONDS}, until)
                if "error" in answer:
                    rate.missing["torch"] = answer["error"]
                else:
                    rate.turns["torch"].append(answer["images_per_second"])
                    rate.form = answer["form"]
            if time.monotonic() + took + len(rates) * 2 * _TURN_SECONDS > until:
                break
        return fault

    def _our_turn(self, rates, until):
        """All policies, once. A fault other than that the time is up."""
        path = self._logs / "rates.json"
        command = self._step_command(rates[0].model, [rate.policy for rate in rates], _BATCH, _TURN_SECONDS, path)
        ended = programs.run(command, self._logs / "speed.log", until - time.monotonic())
        if ended.cut_off:
            return ""
        if ended.code != 0:
            fault = "%s: %s" % (ended, programs.last_line(self._logs / "speed.log"))
            for rate in rates:
                rate.missing["cuda"] = fault
            return fault
        report = json.loads(path.read_text())
        for rate, policy in zip(rates, report["policies"]):
            rate.turns["cuda"].append(policy["images_per_second"])
            if report.get("ceiling_gflops"):  # else that could not be measured
                rate.shares.append(policy["share_of_ceiling"])
        if report.get("ceiling_gflops"):
            self._ceilings.append(report["ceiling_gflops"])
            self.report["ceiling_gflops"] = statistics.median(self._ceilings)
        return ""

    def _step_command(self, model, policies, batch, seconds, path):
        return [_KIT / "bin/train_step", "--backend=" + self._arguments.backend, "--model=" + model,
                "--policies=" + ",".join(policies), "--batch=%d" % batch, "--rounds=1", "--seconds=%g" % seconds,
                "--json=%s" % path]

    # --- Training

    def training(self):
        begin = time.monotonic()
        folder, log = self._out / "training", self._logs / "training.log"
        folder.mkdir()
        spec = self._spec(folder)
        command = [_KIT / "bin/train", "--spec=%s" % (folder / "spec.textproto"), "--out=%s" % (folder / "result.pb"),
                   "--telemetry_out=%s" % (folder / "telemetry.pb"), "--checkpoint=%s" % (folder / "run.checkpoint"),
                   "--checkpoint_minutes=1", "--resume", "--progress=plain"]
        if self._arguments.data_dir:
            command.append("--data_dir=%s" % self._arguments.data_dir)
        ended = programs.run(command, log, self._until("training") - begin)
        epochs = re.findall(r"^epoch (\d+)/\d+ +(loss \S+ +train \S+ +test (\S+)%)(?: +(\d+) images/s)?$",
                            log.read_text(errors="replace"), re.MULTILINE)
        training = self.report["training"] = {"spec": kit_report.Message(spec)}
        training["made_up_data"] = 'dataset: "synthetic_' in spec
        if epochs:
            training.update(epochs=int(epochs[-1][0]), test_accuracy=round(float(epochs[-1][2]) / 100, 6),
                            images_per_second=float(epochs[-1][3] or 0))
        check = {"name": "training", "cut_off": ended.cut_off, **self._compared(spec, epochs)}
        # Told to end, it does so by 3, with a checkpoint, or before it has begun.
        if ended.code not in ((3, -signal.SIGTERM) if ended.cut_off else (0,)):
            check["fault"] = "%s: %s" % (ended, programs.last_line(log))
        self._add(check, begin)

    def _spec(self, folder):
        """The run's specification, in that folder, with the checkpoint to go on from, if any."""
        if self._arguments.resume:
            for name in ("spec.textproto", "run.checkpoint"):
                shutil.copy(self._arguments.resume / "training" / name, folder / name)
            return (folder / "spec.textproto").read_text()
        spec = (_KIT / "specs" / (self._arguments.run + ".textproto")).read_text()
        spec = re.sub(r'\bbackend: "\w+"', 'backend: "%s"' % self._arguments.backend, spec)
        if not self._arguments.data_dir:
            spec = spec.replace('dataset: "cifar10"', 'dataset: "synthetic_cifar10"')
        (folder / "spec.textproto").write_text(spec)
        return spec

    def _compared(self, spec, epochs):
        """The epochs beside the CPU's recorded run of the same specification, where the kit has one."""
        for path in (_KIT / "recorded").glob("*.textproto"):
            recorded = path.read_text()
            if (kit_report.spec_words(recorded) != kit_report.spec_words(spec) or
                    "numerics_version: %d\n" % self.report["numerics_version"] not in recorded):
                continue
            held = kit_report.epoch_lines(recorded)
            found = {epoch: re.sub(" +", " ", line) for epoch, line, _, _ in epochs}
            failed = ["epoch %s: %s; recorded: %s" % (epoch, line, held.get(epoch)) for epoch, line in found.items()
                      if line != held.get(epoch)]
            check = {"tests": len(found), "passed": len(found) - len(failed), "failed": failed}
            weights, result = re.search(r'weights_sha256: "(\w+)"', recorded), self._out / "training/result.pb"
            if weights and result.exists() and weights.group(1).encode() not in result.read_bytes():
                failed.append("the weights at the end are others than the recorded ones")
            return check
        return {}


def _host():
    try:
        found = re.search(r"^model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    processor = found.group(1) if found else "processor not known"
    return "%s, %s, %d processors, Python %s" % (platform.platform(), processor, os.cpu_count() or 0,
                                                 platform.python_version())


def _arguments():
    parser = argparse.ArgumentParser(prog="run_kit", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=8, help="how long all of it may take (8)")
    parser.add_argument("--out", type=pathlib.Path, default="kit_report", help="the folder to make (kit_report)")
    parser.add_argument("--data_dir", type=pathlib.Path,
                        help="folder with data_batch_1.bin and CIFAR-10's other files; without it the data are made up")
    parser.add_argument("--run", default=_RUN, help="what trains: a file of specs/ without its ending (%s)" % _RUN)
    parser.add_argument("--resume", type=pathlib.Path, help="a former report: its training goes on")
    parser.add_argument("--parts", default=",".join(_PARTS), type=lambda text: text.split(","),
                        help="some of " + ",".join(_PARTS))
    parser.add_argument("--python", default=sys.executable, help="a python3 that has PyTorch (the one that runs this)")
    parser.add_argument("--backend", default="cuda", help=argparse.SUPPRESS)  # for tests
    arguments = parser.parse_args()
    for bad, fault in (
        (not arguments.minutes > 0, "--minutes: give a number above 0"),
        (set(arguments.parts) - set(_PARTS), "--parts: give some of " + ",".join(_PARTS)),
        (arguments.out.exists(), "--out: %s is there already; name another folder" % arguments.out),
        (arguments.data_dir and not (arguments.data_dir / "data_batch_1.bin").exists(),
         "--data_dir: no data_batch_1.bin in %s" % arguments.data_dir),
        (arguments.resume and not (arguments.resume / "training/run.checkpoint").exists(),
         "--resume: no training/run.checkpoint in %s" % arguments.resume),
        (not (_KIT / "specs" / (arguments.run + ".textproto")).exists(), "--run: there is no " + arguments.run)):
        if bad:
            parser.exit(2, "run_kit: %s\n" % fault)
    return arguments


def _interrupt(signum, frame):
    raise KeyboardInterrupt


def main():
    arguments = _arguments()
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _interrupt)
    kit = _Kit(arguments)
    try:
        missing = kit.probe()
        if missing:
            print("run_kit: " + missing, file=sys.stderr)
            return 2
        kit.say(kit.report["device"] or "a GPU that fails")
        for part in _PARTS:
            if part in arguments.parts:
                kit.run_part(part)
    except KeyboardInterrupt:
        kit.say("interrupted")
        return 1
    kit.say("the report is %s" % (arguments.out / "report.txt"))
    return 1 if any(kit_report.is_failed(check) for check in kit.report["checks"]) else 0


if __name__ == "__main__":
    sys.exit(main())
