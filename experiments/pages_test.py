#!/usr/bin/env python3
"""The pages in docs are those of the golden values of scale lite: the same statements, numbers and verdicts.

usage: pages_test.py EXPERIMENT...
"""

import csv
import os
import re
import sys
import unittest

_MOST_BYTES = 5_000_000

experiments = []


def golden_values(experiment):
    """id to (number or None, verdict) of the golden file's block of scale lite."""
    with open(f"experiments/{experiment}/golden.textproto", encoding="utf-8") as file:
        blocks = file.read().split("\nscales {")[1:]
    lite = [block for block in blocks if re.match(r'\s*scale: "lite"', block)]
    values = {}
    for line in "".join(lite).splitlines():
        value = re.match(r'\s*values \{ id: "([^"]+)"(?: mean: "([^"]+)")?(?: verdict: "VERDICT_(\w+)")? \}', line)
        if value:
            number = float.fromhex(value[2]) if value[2] else None
            verdict = value[3].lower().replace("_", " ") if value[3] not in (None, "NONE") else ""
            values[value[1]] = (number, verdict)
    return values


def page_values(experiment):
    with open(f"docs/{experiment}/statements.csv", encoding="utf-8", newline="") as file:
        return {row["id"]: (float(row["ours"]) if row["ours"] else None, row["verdict"])
                for row in csv.DictReader(file)}


class PagesTest(unittest.TestCase):

    def test_pages_are_those_of_the_golden_values(self):
        for experiment in experiments:
            with self.subTest(experiment):
                golden = golden_values(experiment)
                self.assertTrue(golden)
                self.assertEqual(page_values(experiment), golden,
                                 "write the pages again: ./bazelw run //reports:site -- --markdown --out_dir=docs")

    def test_index_leads_to_every_page(self):
        with open("docs/README.md", encoding="utf-8") as file:
            index = file.read()
        for experiment in experiments:
            self.assertIn(f"{experiment}/report.md", index)
            self.assertTrue(os.path.getsize(f"docs/{experiment}/report.md"))

    def test_pages_are_small(self):
        sizes = [os.path.getsize(os.path.join(folder, name))
                 for folder, _, names in os.walk("docs/", followlinks=True) for name in names]
        self.assertLess(sum(sizes), _MOST_BYTES)


if __name__ == "__main__":
    experiments = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
