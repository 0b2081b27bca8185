"""Every external archive of the project, pinned by the SHA-256 of its published file.

Where the published address is out of reach, `tools/fill_distdir.py` puts the same bytes into `.distdir`.
"""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")
load("//third_party:archives.bzl", "ARCHIVES")

_SHIMS = [
    "bazel_skylib",
    "platforms",
    "remote_coverage_tools",
    "rules_cc",
    "rules_java",
    "rules_license",
    "rules_proto",
    "rules_python",
]

def _is_bazel_4():
    # Debian's build of 4.2.3 carries no version string; every release that is meant for Bazelisk does.
    version = native.bazel_version
    return not version or version.startswith("4.")

def shim_repositories():
    """On Bazel 4, small local stand-ins for the rule sets that later versions bring along themselves."""
    if _is_bazel_4():
        for name in _SHIMS:
            native.local_repository(name = name, path = "third_party/shims/" + name)

def archive_repositories():
    """The C++ libraries."""
    for archive in ARCHIVES:
        http_archive(
            name = archive["name"],
            build_file = archive.get("build_file"),
            sha256 = archive["sha256"],
            strip_prefix = archive["strip_prefix"],
            urls = [archive["url"]],
        )
