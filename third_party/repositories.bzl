"""Every external archive of the project, pinned by the SHA-256 of its published file.

Where the published address is out of reach, `tools/fill_distdir.py` puts the same bytes into a folder that .bazelrc
names.
"""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")
load("//third_party:archives.bzl", "ARCHIVES")

_SHIMS = [
    "bazel_skylib",
    "remote_coverage_tools",
    "rules_cc",
    "rules_java",
    "rules_license",
    "rules_proto",
    "rules_python",
]

# Later versions bring their own. The version itself cannot be asked for: Debian's builds carry none.
_SHIMS_FOR_BAZEL_4 = ["platforms"]

def shim_repositories():
    """Small local stand-ins for the rule sets that the archives load: they hand on Bazel's native rules."""
    bazel_4 = not hasattr(native, "module_name")
    for name in _SHIMS + (_SHIMS_FOR_BAZEL_4 if bazel_4 else []):
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
