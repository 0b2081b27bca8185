#!/usr/bin/env python3
"""Fills a folder with the archives of third_party/archives.bzl that it lacks.

usage: fill_distdir.py FOLDER

Each archive comes from its published address or, where that is out of reach, out of Debian's source
packages, from the mirror that this machine's apt uses. The SHA-256 decides in both cases. Leaves a copy
of the list there, `.complete`; ends with one line and exit 1 if an archive can be had from neither source.
"""

import ast
import hashlib
import http.client
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.request

_TOOLS = pathlib.Path(__file__).resolve().parent
_TIMEOUT_SECONDS = 10
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Unavailable(Exception):
    """Why an archive cannot be had from one of its sources."""


def read_archives(path):
    """The list ARCHIVES of a .bzl file that holds literals only."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "ARCHIVES":
            return ast.literal_eval(statement.value)
    raise ValueError("%s defines no ARCHIVES" % path)


def file_name(archive):
    return archive["url"].rsplit("/", 1)[1]


def has_digest(path, sha256):
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def download(archive, folder):
    """Puts the archive from its published address into `folder`."""
    try:
        with urllib.request.urlopen(archive["url"], timeout=_TIMEOUT_SECONDS) as reply:
            data = reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable("%s: %s" % (archive["url"], getattr(error, "reason", None) or error))
    (folder / file_name(archive)).write_bytes(data)


class DebianSources:
    """Debian's source packages, through apt with a configuration and lists of its own."""

    def __init__(self, folder, suites):
        self._folder = folder
        self._environment = dict(os.environ, APT_CONFIG=str(folder / "apt.conf"))
        for name in ("lists/partial", "cache/archives/partial", "parts"):
            (folder / name).mkdir(parents=True)
        (folder / "apt.conf").write_text(
            'Dir::Etc::sourcelist "/dev/null";\n'
            'Dir::Etc::sourceparts "{0}/parts";\n'
            'Dir::State::lists "{0}/lists";\n'
            'Dir::Cache "{0}/cache";\n'
            'APT::Sandbox::User "";\n'
            'APT::Update::Post-Invoke-Success "";\n'
            'Acquire::http::Timeout "{1}";\n'.format(folder, _TIMEOUT_SECONDS))
        mirrors = self._mirrors()
        if not mirrors:
            raise Unavailable("apt knows no Debian mirror")
        for mirror in mirrors:
            (folder / "parts/source.sources").write_text(
                "Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n" %
                (mirror, " ".join(suites), _KEYRING))
            problem = self._apt("update", "--error-on=any")
            if not problem:
                return
        raise Unavailable("%s: %s" % (mirrors[-1], problem))

    @staticmethod
    def _mirrors():
        """The addresses of the main archive; before the first `apt-get update` those of any archive."""

        def targets(*options):
            try:
                reply = subprocess.run(["apt-get", "indextargets", *options], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True, check=False)
            except FileNotFoundError:
                return []
            return list(dict.fromkeys(reply.stdout.split()))

        return (targets("--format", "$(REPO_URI)", "Origin: Debian", "Label: Debian") or
                targets("--no-release-info", "--format", "$(REPO_URI)"))

    def _apt(self, *arguments):
        """Runs apt-get; its first error, or "" if there is none."""
        reply = subprocess.run(["apt-get", "-qq", *arguments], cwd=self._folder, env=self._environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if reply.returncode == 0:
            return ""
        errors = [line[2:].strip() for line in reply.stderr.splitlines() if line.startswith(("E:", "W:"))]
        return errors[0] if errors else "apt-get %s ended with %d" % (arguments[0], reply.returncode)

    def fetch(self, archive, folder):
        """Puts the archive into `folder`."""
        from reprefix import reprefix  # pylint: disable=import-outside-toplevel
        package, version, suite = archive["debian"]
        # The patches beside the tarball are not wanted: that one of them is missing is no error.
        problem = self._apt("source", "--download-only", "--tar-only", "%s/%s" % (package, suite))
        tarball = self._folder / ("%s_%s.orig.tar.gz" % (package, version))
        if not tarball.exists():
            raise Unavailable("Debian source %s %s (%s): %s" % (package, version, suite, problem or "not found"))
        target = folder / file_name(archive)
        if "debian_prefix" in archive:
            try:
                reprefix(tarball, archive["debian_prefix"], archive["strip_prefix"], target)
            except (ValueError, OSError, subprocess.CalledProcessError) as error:
                raise Unavailable("Debian source %s: %s" % (package, error))
        else:
            tarball.rename(target)


def fill(distdir, archives):
    """Adds the archives to `distdir`; raises Unavailable for the first that no source has."""
    # On the file system of the target, so that a file appears there complete or not at all.
    with tempfile.TemporaryDirectory(dir=distdir, prefix=".fetch.") as name:
        scratch = pathlib.Path(name)
        debian, published_problem = None, None
        for archive in archives:
            file = scratch / file_name(archive)
            if not published_problem:
                try:
                    download(archive, scratch)
                except Unavailable as error:
                    published_problem = error  # the others stand on the same host
            if not has_digest(file, archive["sha256"]):
                try:
                    debian = debian or DebianSources(scratch, sorted({a["debian"][2] for a in archives}))
                    debian.fetch(archive, scratch)
                except Unavailable as error:
                    raise Unavailable("%s; %s" % (published_problem or "wrong digest from " + archive["url"], error))
            if not has_digest(file, archive["sha256"]):
                raise Unavailable("%s: neither its address nor Debian has the file with SHA-256 %s" %
                                  (file.name, archive["sha256"]))
            file.rename(distdir / file.name)


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: fill_distdir.py FOLDER")
    distdir = pathlib.Path(arguments[0]).resolve()
    archives_list = _TOOLS.parent / "third_party/archives.bzl"
    archives = read_archives(archives_list)
    missing = [a for a in archives if not has_digest(distdir / file_name(a), a["sha256"])]
    try:
        distdir.mkdir(parents=True, exist_ok=True)
        if missing:
            print("fetching " + " ".join(file_name(a) for a in missing), file=sys.stderr)
            fill(distdir, missing)
        shutil.copyfile(archives_list, distdir / ".complete")
    except (Unavailable, OSError) as error:
        sys.exit("fill_distdir.py: %s" % error)


if __name__ == "__main__":
    main(sys.argv[1:])
