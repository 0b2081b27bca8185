"""The C++ libraries: one record for each archive, read by WORKSPACE and by tools/fill_distdir.py.

Only literals stand here, so that Python reads it too. `debian` is the source package that carries the
same bytes: its name, version and suite; `debian_prefix` is its top folder where Debian renamed it.
"""

ARCHIVES = [
    {
        "name": "com_google_absl",
        "sha256": "f50e5ac311a81382da7fa75b97310e4b9006474f9560ac46f54a9967f07d4ae3",
        "strip_prefix": "abseil-cpp-20240722.0",
        "url": "https://github.com/abseil/abseil-cpp/archive/refs/tags/20240722.0.tar.gz",
        "debian": ["abseil", "20240722.0", "trixie"],
        "debian_prefix": "abseil-20240722.0",
    },
    {
        "name": "com_google_googletest",
        "sha256": "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
        "strip_prefix": "googletest-release-1.12.1",
        "url": "https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz",
        "debian": ["googletest", "1.12.1", "bookworm"],
    },
    {
        "name": "com_github_google_benchmark",
        "sha256": "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
        "strip_prefix": "benchmark-1.7.1",
        "url": "https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz",
        "debian": ["benchmark", "1.7.1", "bookworm"],
    },
    {
        "name": "com_google_highway",
        "sha256": "7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343",
        "strip_prefix": "highway-1.2.0",
        "url": "https://github.com/google/highway/archive/refs/tags/1.2.0.tar.gz",
        "debian": ["highway", "1.2.0", "trixie"],
    },
    {
        "name": "com_google_protobuf",
        "build_file": "//third_party/protobuf:protobuf.BUILD",
        "sha256": "930c2c3b5ecc6c9c12615cf5ad93f1cd6e12d0aba862b572e076259970ac3a53",
        "strip_prefix": "protobuf-3.21.12",
        "url": "https://github.com/protocolbuffers/protobuf/archive/refs/tags/v3.21.12.tar.gz",
        "debian": ["protobuf", "3.21.12", "bookworm"],
    },
]
