#!/usr/bin/env python3
"""Counts the tests of one `bazel test` by the file of --build_event_json_file.

usage: count_tests.py EVENTS EXIT_STATUS

Prints "PASSED FAILED". What could not be built or did not run has failed; so has, as one test, a
command that ended with another status than 0 for a reason that is no test.
"""

import json
import pathlib
import sys


def count(events, status):
    """The numbers of passed and failed tests."""
    passed, planned = set(), set()
    for event in events:
        identity = event.get("id", {})
        if "targetConfigured" in identity:
            # "cc_test rule"; a test_suite stands for others and is not counted.
            if event.get("configured", {}).get("targetKind", "").endswith("_test rule"):
                planned.add(identity["targetConfigured"]["label"])
        elif "testSummary" in identity:
            planned.add(identity["testSummary"]["label"])
            if event["testSummary"]["overallStatus"] in ("PASSED", "FLAKY"):
                passed.add(identity["testSummary"]["label"])
    failed = len(planned - passed)
    return len(passed), max(failed, 1 if status else 0)


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: count_tests.py EVENTS EXIT_STATUS")
    file = pathlib.Path(arguments[0])
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    print("%d %d" % count([json.loads(line) for line in lines], int(arguments[1])))


if __name__ == "__main__":
    main(sys.argv[1:])
