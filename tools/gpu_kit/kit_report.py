"""The report of run_kit, a dict with the fields of DeviceReport (experiments/recorded/device_report.proto), as text."""

import re

_SHOWN_FAILURES = 20
_ROW = "  %-12s %-6s %13s %10s %6s %13s %-10s %6s"


class Message(str):
    """A message that is text already."""


# --- The text form of a protocol buffer


def _scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = value.encode("ascii", "replace").decode()
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _fields(message, indentation):
    if isinstance(message, Message):
        return [indentation + line for line in message.splitlines() if not line.startswith("#")]
    lines = []
    for name, values in message.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, (dict, Message)):
                lines += [indentation + name + " {", *_fields(value, indentation + "  "), indentation + "}"]
            elif value or isinstance(values, list):  # else it is as if left out
                lines.append("%s%s: %s" % (indentation, name, _scalar(value)))
    return lines


def textproto(report):
    return "\n".join(["# proto-file: experiments/recorded/device_report.proto", "# proto-message: repro16.DeviceReport",
                      "#", "# Written by //tools/gpu_kit.", *_fields(report, "")]) + "\n"


# --- For people


def is_failed(check):
    return bool(check.get("failed") or check.get("fault"))


def check_line(check):
    """One line without an end."""
    tests, parts = check.get("tests", 0), []
    if tests:
        what = {"speed": "networks timed", "training": "epochs as the CPU's recorded ones"}.get(check["name"], "passed")
        parts.append("%d of %d %s" % (check.get("passed", 0), tests, what))
    elif check["name"] == "training" and not is_failed(check):
        parts.append("no recorded run to compare with")
    if check.get("failed"):
        parts.append("%d FAILED" % len(check["failed"]))
    if check.get("not_run"):
        parts.append("%d not run" % check["not_run"])
    if check.get("cut_off"):
        parts.append("its time was up")
    if check.get("fault"):
        parts.append("FAILED: " + check["fault"])
    return "%-10s %6.1f s  %s" % (check["name"], check["seconds"], ", ".join(parts))


def _checks(report, parts):
    lines = ["Checks"]
    for check in report["checks"]:
        lines.append("  " + check_line(check))
        failed = check.get("failed", [])
        lines += ["      failed: " + name for name in failed[:_SHOWN_FAILURES]]
        if len(failed) > _SHOWN_FAILURES:
            lines.append("      and %d more, in logs/" % (len(failed) - _SHOWN_FAILURES))
    found = {check["name"] for check in report["checks"]}
    return lines + ["  %-10s           not run" % part for part in parts if part not in found]


def _rate(rate, form):
    return form % rate["images_per_second"] if "turns" in rate else "not measured"


def network_line(steps):
    """One network, its policies side by side."""
    return "%s, images/s: %s" % (steps[0]["model"], "; ".join(
        "%s %s, PyTorch %s" % (step["policy"], _rate(step["cuda"], "%.0f"), _rate(step["torch"], "%.0f"))
        for step in steps))


def _speed(report):
    ceiling = report.get("ceiling_gflops")
    lines = ["Training steps, images a second, batch %d: medians of alternating turns" % report["steps"][0]["batch"],
             "  ceiling: %s" % ("%.1f TFLOP/s, f32 multiply-adds, measured in the same runs" % (ceiling / 1e3)
                                if ceiling else "not measured"),
             "  PyTorch: " + report["torch"],
             "  share: of the ceiling, by nominal operations; ratio: cuda / PyTorch", "",
             _ROW % ("network", "policy", "cuda", "ms a step", "share", "PyTorch", "", "ratio")]
    missing = set()
    for step in report["steps"]:
        ours, theirs = step["cuda"], step["torch"]
        milliseconds = share = ratio = ""
        if "turns" in ours:
            milliseconds = "%.2f" % (1e3 * step["batch"] / ours["images_per_second"])
            share = "%.0f%%" % (100 * ours["share_of_ceiling"]) if "share_of_ceiling" in ours else ""
        if "turns" in ours and "turns" in theirs:
            ratio = "%.2f" % (ours["images_per_second"] / theirs["images_per_second"])
        lines.append((_ROW % (step["model"], step["policy"], _rate(ours, "%.0f"), milliseconds, share,
                              _rate(theirs, "%.0f"), theirs.get("form", ""), ratio)).rstrip())
        missing |= {"  not measured, %s: %s" % (who, rate["missing"])
                    for who, rate in (("cuda", ours), ("PyTorch", theirs)) if "missing" in rate}
    return lines + sorted(missing)


def _training(report):
    training = report["training"]
    run = dict(re.findall(r'\b(model|policy|seed|epochs): "?(\w+)', training["spec"]))
    lines = ["Training %(model)s, %(policy)s, seed %(seed)s, by the paper's protocol" % run]
    if training["made_up_data"]:
        lines.append("  on MADE-UP data: give --data_dir for CIFAR-10")
    if "epochs" not in training:
        return lines + ["  no epoch came to its end"]
    lines.append("  %d of %s epochs; test accuracy after the last one %.2f%%; %.0f images/s" % (
        training["epochs"], run["epochs"], 100 * training["test_accuracy"], training["images_per_second"]))
    if str(training["epochs"]) != run["epochs"]:
        lines.append("  it goes on from training/run.checkpoint, with --resume and this folder's name")
    return lines


def text(report, parts):
    """All of it. `parts`: those that were asked for."""
    versions = "numerics version %d, kit %s" % (report["numerics_version"], report["kit"][:12])
    lines = ["GPU report of %s" % report["date"], "  device: %s" % (report.get("device") or "not known"),
             "          %s" % (report.get("variant") or "not known"),
             "  driver: %s" % (report.get("driver") or "not known"), "  host:   " + report["host"],
             "  kit:    " + versions, "", *_checks(report, parts)]
    for part, name, section in (("speed", "steps", _speed), ("training", "training", _training)):
        if part in parts:
            lines += ["", *(section(report) if report.get(name) else ["%s: not measured" % part.capitalize()])]
    return "\n".join(lines) + "\n"


# --- A recorded run beside one


def spec_words(textproto_of_run):
    """Of a RunSpec, or of a record's: what two runs of the same bits share."""
    found = re.search(r"^  spec \{$(.*?)^  \}$", textproto_of_run, re.MULTILINE | re.DOTALL)
    spec = re.sub(r"#.*", "", found.group(1) if found else textproto_of_run)
    return re.sub(r'\bbackend: "\w*"|\b\w+: 0(?![\d.])', "", spec).split()


def epoch_lines(record):
    """By epoch what the trainer printed of a RecordedRun."""
    return {epoch: "loss %.4f train %.2f%% test %.2f%%" % (float(loss), 100 * float(train), 100 * float(test))
            for epoch, loss, train, test in re.findall(
                r"epoch: (\d+)\s+train_loss: (\S+)\s+train_accuracy: (\S+)\s+test_accuracy: (\S+)", record)}
