#!/usr/bin/env python3
"""Tests of bazelw and of install_missing, with programs that stand in for Bazel, apt-get and sudo and tell how they
were called. Nothing is installed; only the few programs of the PATH made here are seen."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

_ROOT = pathlib.Path(__file__).parent.parent
_FILES = ("bazelw", "tools/install_missing", "tools/bazel7.bazelrc", "third_party/archives.bzl")
# What the two scripts may use on a machine that has nothing but git.
_BASICS = ("bash", "cat", "cmp", "cp", "dirname", "env", "grep", "head", "mkdir", "mktemp", "mv", "readlink", "rm",
           "sed", "sort", "tail", "touch", "tr")
_LOG = """{ printf '%s\\n' "$PWD" "$@"; env | grep -E '^(HOME|USER|REPRO16_DATA)=' | sort || true; } >"${0%/*}/../bazel.log"
"""
_BAZEL = """#!/bin/bash
if [[ $1 == --version ]]; then
  echo "bazel ${BAZEL_VERSION:-no_version}"
else
  """ + _LOG + "fi\n"
# Adds a program with each package, where one is missing.
_APT_GET = """#!/bin/bash
folder=${0%/*}
{ echo "$@"; env | grep -iE '_proxy=|^DEBIAN' || true; } >>"$folder/../apt.log"
if [[ -e $folder/../offline ]]; then
  echo 'E: Unable to locate package' >&2
  exit 100
fi
if [[ $1 == install ]]; then
  printf '#!/bin/bash\\n' | tee "$folder/g++" "$folder/xz" >/dev/null
  cp "$folder/../spare_bazel" "$folder/bazel"
  chmod +x "$folder/g++" "$folder/xz"
fi
"""
# As sudo does it: of the environment only what is asked for.
_SUDO = """#!/bin/bash
echo "$@" >>"${0%/*}/../sudo.log"
exec env -i PATH="$PATH" "$@"
"""
_FILL = """#!/bin/bash
echo "$@" >>"${0%/*}/../../fill.log"
"""


def write_program(path, text):
    path.write_text(text)
    path.chmod(0o755)


class BazelwTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.bin = self.folder / "bin"
        self.home = self.folder / "home"
        self.project = self.folder / "project"
        self.bin.mkdir()
        self.home.mkdir()
        for name in _FILES:
            (self.project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_ROOT / name, self.project / name)
        write_program(self.project / "tools/fill_distdir.py", _FILL)
        for name in _BASICS + ("chmod", "tee"):
            (self.bin / name).symlink_to(shutil.which(name))
        for name in ("g++", "git", "pip3", "python3", "xz"):
            write_program(self.bin / name, "#!/bin/bash\n")
        write_program(self.bin / "id", "#!/bin/bash\n[[ $1 == -u ]] && echo 0 || echo somebody\n")
        write_program(self.bin / "bazel", _BAZEL)
        self.environment = {"PATH": str(self.bin), "HOME": str(self.home), "LC_ALL": "C"}

    def _run(self, *command, cwd=None, status=0, **environment):
        """Runs a command; its error output."""
        environment = {**self.environment, **environment}
        reply = subprocess.run([str(word) for word in command], cwd=cwd or self.project, stdout=subprocess.PIPE,
                               env={name: value for name, value in environment.items() if value is not None},
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False)
        self.assertEqual(reply.returncode, status, reply.stderr)
        self.assertEqual(reply.stdout, "")
        return reply.stderr

    def _bazelw(self, *arguments, **options):
        return self._run(self.project / "bazelw", *arguments, **options)

    def _bazel_call(self):
        """Working directory, arguments, and some of the environment of the last call of Bazel, a line each."""
        return (self.folder / "bazel.log").read_text().splitlines()

    def _assert_one_line(self, text, *parts):
        self.assertEqual(text.count("\n"), 1, text)
        for part in ("repro16: ",) + parts:
            self.assertIn(part, text)

    # ---- From where and how it is called ----

    def test_passes_the_arguments_on_and_says_nothing(self):
        self.assertEqual(self._bazelw("run", "//a b", "--", "", "*"), "")
        call = self._bazel_call()
        self.assertEqual((call[0], call[2:7]), (str(self.project), ["run", "//a b", "--", "", "*"]))

    def test_leaves_the_tree_alone(self):
        before = sorted(self.project.rglob("*"))
        self._bazelw("info")
        self.assertEqual(sorted(self.project.rglob("*")), before)

    def test_any_link_leads_to_the_project(self):
        (self.folder / "links").mkdir()
        first, second = self.folder / "links/w", self.folder / "links/again"
        first.symlink_to("../project/bazelw")
        second.symlink_to("w")
        self.assertEqual(self._run(second, "info"), "")
        self.assertEqual((self.folder / "fill.log").read_text().split(), [str(self.home / ".cache/repro16-distdir")])

    def test_runs_in_the_project_from_elsewhere_and_in_a_subfolder_from_there(self):
        self._bazelw("info", cwd=self.folder)
        self.assertEqual(self._bazel_call()[0], str(self.project))
        self._bazelw("info", cwd=self.project / "tools")
        self.assertEqual(self._bazel_call()[0], str(self.project / "tools"))
        (self.folder / "project2").mkdir()
        self._bazelw("info", cwd=self.folder / "project2")
        self.assertEqual(self._bazel_call()[0], str(self.project))

    def test_cdpath_does_not_lead_astray(self):
        (self.folder / "astray/project").mkdir(parents=True)
        self.assertEqual(self._run("bash", "project/bazelw", "info", cwd=self.folder,
                                   CDPATH=str(self.folder / "astray")), "")
        self.assertEqual(self._bazel_call()[0], str(self.project))

    def test_spaces_in_the_path(self):
        project = self.folder / "my projects/of 16 bits"
        (project.parent / "shared/data").mkdir(parents=True)
        home = self.folder / "my home"
        home.mkdir()
        self.project.rename(project)
        command = (project / "bazelw", "run", "//a b")
        self.assertEqual(self._run(*command, cwd=self.folder, BAZEL_VERSION="7.7.1", HOME=str(home)), "")
        self.assertEqual(self._bazel_call(), [
            str(project), "--bazelrc=%s/tools/bazel7.bazelrc" % project, "--host_jvm_args=-Duser.home=%s" % home, "run",
            "//a b", "HOME=%s" % home, "REPRO16_DATA=%s/shared/data" % project.parent, "USER=somebody"])
        (self.folder / "bazel.log").unlink()
        self._assert_one_line(self._run(*command, cwd=self.folder, status=2), str(project), "Bazel 7")
        self.assertFalse((self.folder / "bazel.log").exists())

    def test_mirror_beside_the_project(self):
        self._bazelw("info")
        self.assertFalse([line for line in self._bazel_call() if line.startswith("REPRO16_DATA")])
        (self.folder / "shared/data").mkdir(parents=True)
        self._bazelw("info", cwd=self.folder, CDPATH=str(self.folder))
        self.assertIn("REPRO16_DATA=%s" % (self.folder / "shared/data"), self._bazel_call())
        self._bazelw("info", REPRO16_DATA="")
        self.assertIn("REPRO16_DATA=", self._bazel_call())

    # ---- The home folder, and the archives in it ----

    def test_without_a_home_that_of_the_user_database(self):
        own = subprocess.run(["bash", "-c", "unset HOME; echo ~"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.strip()
        cache = pathlib.Path(own, ".cache")
        writable = os.access(cache if cache.exists() else own, os.W_OK)
        for home in (None, ""):
            text = self._bazelw("info", HOME=home, status=0 if writable else 2)
            if writable:
                self.assertIn("HOME=" + own, self._bazel_call())
            else:
                self._assert_one_line(text, "HOME=" + own)

    def test_another_home_is_also_that_of_bazelrc(self):
        self._bazelw("info")
        self.assertEqual(self._bazel_call()[1:3], ["--host_jvm_args=-Duser.home=%s" % self.home, "info"])

    def test_a_home_that_cannot_be_written(self):
        self._assert_one_line(self._bazelw("info", HOME="/proc/none", status=2), "HOME=/proc/none", "set HOME")
        self.assertFalse((self.folder / "bazel.log").exists())

    def test_a_user_without_a_name(self):
        self._bazelw("info")
        self.assertIn("USER=somebody", self._bazel_call())
        self._bazelw("info", USER="me")
        self.assertIn("USER=me", self._bazel_call())

    def test_fills_the_folder_of_archives_once_for_each_list(self):
        distdir = self.home / ".cache/repro16-distdir"
        archives = self.project / "third_party/archives.bzl"
        for change, calls in (("", 1), ("# more\n", 2)):
            archives.write_text(archives.read_text() + change)
            self._bazelw("info")
            self.assertEqual(len((self.folder / "fill.log").read_text().splitlines()), calls)
            distdir.mkdir(parents=True, exist_ok=True)
            shutil.copy(archives, distdir / ".complete")
            self._bazelw("info")
            self.assertEqual(len((self.folder / "fill.log").read_text().splitlines()), calls)

    def test_goes_on_without_the_archives(self):
        write_program(self.project / "tools/fill_distdir.py", "#!/bin/bash\necho offline >&2\nexit 1\n")
        self.assertEqual(self._bazelw("info"), "offline\n")
        self.assertIn("info", self._bazel_call())

    # ---- Bazel's version ----

    def test_bazel_7_gets_its_options(self):
        for version, wanted in (("no_version", False), ("4.2.3", False), ("6.5.0", False), ("7.7.1", True),
                                ("7.7.1- (@non-git)", True)):
            self._bazelw("info", BAZEL_VERSION=version)
            self.assertEqual("--bazelrc=%s/tools/bazel7.bazelrc" % self.project in self._bazel_call(), wanted, version)

    def test_refuses_a_bazel_without_workspaces(self):
        for version in ("8.0.0", "9.0.0-pre.20250101.1", "10.1.0", "3.7.2"):
            text = self._bazelw("info", BAZEL_VERSION=version, status=2)
            self._assert_one_line(text, str(self.bin / "bazel"), version, "4.2 to 7", "bazelisk")
        self.assertFalse((self.folder / "bazel.log").exists())

    def test_bazelisk_will_do(self):
        (self.bin / "bazel").rename(self.bin / "bazelisk")
        self.assertEqual(self._bazelw("info", BAZEL_VERSION="7.7.1"), "")
        self.assertIn("info", self._bazel_call())

    # ---- Installing ----

    def _bare(self):
        """A machine without Bazel, g++ and xz."""
        (self.bin / "bazel").rename(self.folder / "spare_bazel")
        for name in ("g++", "xz"):
            (self.bin / name).unlink()
        write_program(self.bin / "apt-get", _APT_GET)
        write_program(self.bin / "sudo", _SUDO)

    def _as_user(self):
        write_program(self.bin / "id", "#!/bin/bash\n[[ $1 == -u ]] && echo 1000 || echo somebody\n")

    def test_says_what_it_installs_and_installs_it(self):
        self._bare()
        self._assert_one_line(self._bazelw("info"), "bazel-bootstrap g++ xz-utils", "apt-get")
        self.assertIn("info", self._bazel_call())
        log = (self.folder / "apt.log").read_text()
        self.assertIn("--no-install-recommends bazel-bootstrap g++ xz-utils\n", log)
        self.assertIn("DEBIAN_FRONTEND=noninteractive\n", log)
        self.assertFalse((self.folder / "sudo.log").exists())

    def test_says_that_sudo_may_ask_and_hands_the_proxies_on(self):
        self._bare()
        self._as_user()
        proxies = {"http_proxy": "http://a b:1", "HTTPS_PROXY": "http://c:2", "no_proxy": "x,y", "https_proxy": "h",
                   "HTTP_PROXY": "H", "NO_PROXY": "N"}
        self._assert_one_line(self._bazelw("info", **proxies), "bazel-bootstrap g++ xz-utils", "sudo may ask")
        update, install = (self.folder / "apt.log").read_text().split("install ")
        self.assertTrue(update.startswith("update"))
        for call in (update, install):
            self.assertLessEqual({"%s=%s" % proxy for proxy in proxies.items()}, set(call.splitlines()))

    def test_without_proxies_makes_none_up(self):
        self._bare()
        self._as_user()
        self._bazelw("info")
        self.assertNotIn("proxy", (self.folder / "apt.log").read_text().lower())

    def test_says_what_apt_or_sudo_says(self):
        self._bare()
        (self.folder / "offline").touch()
        text = self._bazelw("info", status=1)
        self.assertEqual(len(text.splitlines()), 2)
        self._assert_one_line(text.splitlines()[1] + "\n", "bazel-bootstrap", "E: Unable to locate package")
        self._as_user()
        write_program(self.bin / "sudo", "#!/bin/bash\necho 'sudo: a password is required' >&2\nexit 1\n")
        self.assertIn("sudo: a password is required", self._bazelw("info", status=1).splitlines()[1])
        self.assertFalse((self.folder / "bazel.log").exists())

    def test_says_what_to_do_where_it_cannot_install(self):
        self._bare()
        self._as_user()
        (self.bin / "sudo").unlink()
        self._assert_one_line(self._bazelw("info", status=1), "as root: apt-get install bazel-bootstrap g++ xz-utils")
        (self.bin / "apt-get").unlink()
        self._assert_one_line(self._bazelw("info", status=1), "bazel-bootstrap g++ xz-utils", "install them")

    def test_a_file_of_the_working_directory_is_no_command(self):
        (self.bin / "xz").unlink()
        (self.project / "xz").mkdir()
        self.assertIn("xz-utils", self._bazelw("info", status=1))

    def test_a_path_may_have_an_equals_sign(self):
        folder = self.folder / "a=b"
        self.bin.rename(folder)
        self.assertEqual(self._bazelw("info", PATH=str(folder)), "")


if __name__ == "__main__":
    unittest.main()
