#!/usr/bin/env python3
"""Fails if a Bazel file is not laid out as buildifier does, as far as one can tell without it.

usage: check_layout.py

Checked are tabs, indentation by four, double quotes, and, in BUILD files, the order of the arguments of
a rule and of the labels in a list, one line each where there are several. Starlark parses as Python.
"""

import ast
import io
import sys
import tokenize

import source_tree

# Buildifier's order of arguments; all others stand between these two groups, by name.
_FIRST = ["name", "size", "timeout", "testonly", "src", "srcs_version", "srcs", "out", "outs", "hdrs"]
_LAST = ["exports", "runtime_deps", "deps", "implementation", "alwayslink"]
_SORTED_LISTS = {"data", "deps", "exports", "hdrs", "outs", "srcs", "tags", "textual_hdrs", "tools", "visibility"}


def _argument_key(name):
    if name in _FIRST:
        return (0, _FIRST.index(name), "")
    if name in _LAST:
        return (2, _LAST.index(name), "")
    return (1, 0, name)


def _label_key(label):
    phase = 1 if label.startswith(":") else 2 if label.startswith("//") else 3 if label.startswith("@") else 0
    return (phase, label.replace(":", ".").split("."))


def _text_problems(text):
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            yield number, "tab"
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.string.startswith("'") and '"' not in token.string:
            yield token.start[0], "single quotes"
        if token.type == tokenize.INDENT and len(token.string) % 4:
            yield token.start[0], "indentation is not by four"


def _rule_problems(call):
    names = [keyword.arg for keyword in call.keywords if keyword.arg]
    if names != sorted(names, key=_argument_key):
        yield call.lineno, "arguments should stand in the order " + ", ".join(sorted(names, key=_argument_key))
    for keyword in call.keywords:
        if keyword.arg not in _SORTED_LISTS or not isinstance(keyword.value, ast.List):
            continue
        items = keyword.value.elts
        labels = [item.value for item in items if isinstance(item, ast.Constant)]
        if labels != sorted(labels, key=_label_key):
            yield keyword.value.lineno, keyword.arg + " should be sorted: own package, //, @"
        if len(labels) != len(set(labels)):
            yield keyword.value.lineno, keyword.arg + " names a label twice"
        lines = {item.lineno for item in items}
        if len(items) > 1 and len(lines) not in (1, len(items)):
            yield keyword.value.lineno, keyword.arg + " should have one label a line"


def problems(path, text):
    """One line for each fault of a Bazel file."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return ["%s:%s: %s" % (path, error.lineno, error.msg)]
    found = list(_text_problems(text))
    if path.suffix != ".bzl":
        for statement in tree.body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                if getattr(statement.value.func, "id", "") != "load":
                    found += _rule_problems(statement.value)
    return ["%s:%d: %s" % (path, number, fault) for number, fault in found]


def main():
    found = []
    for path in source_tree.tracked_files():
        if path.name in ("BUILD", "WORKSPACE") or path.suffix in (".bzl", ".BUILD"):
            found += problems(path, source_tree.read(path))
    return source_tree.report(found)


if __name__ == "__main__":
    sys.exit(main())
