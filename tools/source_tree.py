"""The project's folder and the files that belong to it, for the checks."""

import pathlib
import subprocess

# Resolved: in a test this file is a link out of the runfiles into the project.
ROOT = pathlib.Path(__file__).resolve().parent.parent


def tracked_files(*suffixes):
    """Paths of the tracked text files, relative to ROOT; only those with one of the suffixes if given."""
    # The owner of a checkout in a container is often another user; reading it is safe all the same.
    listing = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT,
                             stdout=subprocess.PIPE, check=True).stdout.decode()
    paths = [pathlib.PurePosixPath(name) for name in listing.split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file() and (not suffixes or path.suffix in suffixes)]


def read(path):
    """The text of a tracked file, or None where it is not text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def report(problems):
    """Prints the problems and returns the exit status."""
    for problem in problems:
        print(problem)
    return 1 if problems else 0
