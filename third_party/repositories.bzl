"""Every external archive of the project, pinned by the SHA-256 of its published file.

Where the published address is out of reach, `tools/fill_distdir.sh` puts the same bytes into `.distdir`.
"""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")

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
    http_archive(
        name = "com_google_absl",
        sha256 = "f50e5ac311a81382da7fa75b97310e4b9006474f9560ac46f54a9967f07d4ae3",
        strip_prefix = "abseil-cpp-20240722.0",
        urls = ["https://github.com/abseil/abseil-cpp/archive/refs/tags/20240722.0.tar.gz"],
    )
    http_archive(
        name = "com_google_googletest",
        sha256 = "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
        strip_prefix = "googletest-release-1.12.1",
        urls = ["https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz"],
    )
    http_archive(
        name = "com_github_google_benchmark",
        sha256 = "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
        strip_prefix = "benchmark-1.7.1",
        urls = ["https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz"],
    )
    http_archive(
        name = "com_google_highway",
        sha256 = "7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343",
        strip_prefix = "highway-1.2.0",
        urls = ["https://github.com/google/highway/archive/refs/tags/1.2.0.tar.gz"],
    )
    http_archive(
        name = "com_google_protobuf",
        build_file = "//third_party/protobuf:protobuf.BUILD",
        sha256 = "930c2c3b5ecc6c9c12615cf5ad93f1cd6e12d0aba862b572e076259970ac3a53",
        strip_prefix = "protobuf-3.21.12",
        urls = ["https://github.com/protocolbuffers/protobuf/archive/refs/tags/v3.21.12.tar.gz"],
    )
