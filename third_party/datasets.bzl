"""The data sets of the paper as external repositories, held to the digests of their published files.

`REPRO16_DATA` names a folder that holds them: `mnist/` with the four IDX files and `cifar-10-batches-bin/` with the
six files of the binary version, each as it is, compressed by gzip or by xz. A data set whose subfolder is not there,
or any when the variable is not set, is fetched from its published address. Where that is out of reach, the
repository holds a file `MADE_UP` instead, and the engine generates data of the same shape and says so. The next command
that needs the data set looks for it again, unless it says `--nofetch`; one that is there is not looked at again.

A file that is there but is not the published one is an error, never a reason to look elsewhere.
"""

# SHA-256 of the uncompressed files.
_MNIST_FILES = {
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
}

_CIFAR10_FILES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}

_MNIST_HOSTS = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
]
_CIFAR10_ARCHIVE = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_CIFAR10_ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

# How a file is stored, and the host tool that gives its contents.
_TOOLS = {
    "": ["cat"],
    ".gz": ["gzip", "-dc"],
    ".xz": ["xz", "-dc"],
}

# What to do about a wrong file in the folder, and about a wrong download.
_COPY_AGAIN = "copy the published file again"
_OTHER_SOURCE = "try again later, or name a folder with the published files in REPRO16_DATA"

def _unpack(ctx, stored, tool, name, advice):
    """Writes the contents of the file `stored` to data/`name`."""
    result = ctx.execute(
        ["sh", "-c", 'out=$1; shift; mkdir -p data && "$@" > "data/$out"', "sh", name] + tool + [str(stored)],
    )
    if result.return_code:
        fail("%s: cannot be unpacked: %s; %s" % (stored, result.stderr.strip(), advice))

def _not_published(source, found, published, advice):
    fail("%s: not the published file: it has SHA-256 %s, not %s; %s" % (source, found, published, advice))

def _verify(ctx, name, source, advice):
    """Fails unless data/`name`, which came from `source`, is the published file."""
    result = ctx.execute(["sha256sum", "data/" + name])
    if result.return_code:
        fail("data/%s: sha256sum: %s" % (name, result.stderr.strip()))
    digest = result.stdout.split(" ")[0]
    if digest != ctx.attr.files[name]:
        _not_published(source, digest, ctx.attr.files[name], advice)

def _from_mirror(ctx, folder):
    for name in ctx.attr.files:
        stored = None
        for suffix, tool in _TOOLS.items():
            candidate = folder.get_child(name + suffix)
            if candidate.exists:
                stored = candidate
                _unpack(ctx, stored, tool, name, _COPY_AGAIN)
                break
        if not stored:
            fail("%s: missing (as it is, .gz or .xz); copy the published file there" % folder.get_child(name))
        _verify(ctx, name, "%s, uncompressed" % stored, _COPY_AGAIN)

def _from_archive(ctx):
    """Whether the published archive was in reach; then its files are verified."""
    output = "archive.tar.gz"
    if not ctx.download(ctx.attr.archive, output, sha256 = ctx.attr.archive_sha256, allow_fail = True).success:
        # Out of reach, or another file: without a digest only the first fails.
        reply = ctx.download(ctx.attr.archive, output, allow_fail = True)
        if not reply.success:
            return False
        if reply.sha256 != ctx.attr.archive_sha256:
            _not_published(ctx.attr.archive, reply.sha256, ctx.attr.archive_sha256, _OTHER_SOURCE)
    ctx.extract(output, output = "data", stripPrefix = ctx.attr.archive_prefix)
    ctx.delete(output)
    for name in ctx.attr.files:
        _verify(ctx, name, "%s in %s" % (name, ctx.attr.archive), _OTHER_SOURCE)
    return True

def _from_single_files(ctx):
    """Whether every published file was in reach; each that was is verified."""
    for name in ctx.attr.files:
        stored = name + ".gz"
        if not ctx.download([host + stored for host in ctx.attr.hosts], output = stored, allow_fail = True).success:
            return False
        _unpack(ctx, stored, _TOOLS[".gz"], name, _OTHER_SOURCE)
        _verify(ctx, name, name + " as downloaded", _OTHER_SOURCE)
        ctx.delete(stored)
    return True

# ---- Another try -----------------------------------------------------------------------------------------------------

# Bazel runs a repository's rule again when a file that it read has changed since. What stands in for a data set has
# read this one, beside the repositories (Bazel looks at no file in them twice), and then changed it.
_TRIES = "../../dataset_tries"

def _look_again(ctx):
    """Has the rule run again by the next command that needs the repository."""
    ctx.read(Label("@dataset_tries//:tries"))
    result = ctx.execute(["sh", "-c", "echo try >> \"$1\"", "sh", _TRIES])
    if result.return_code:
        fail("%s: cannot be written: %s" % (_TRIES, result.stderr.strip()))

def _tries_impl(ctx):
    ctx.execute(["touch", _TRIES])
    ctx.symlink(_TRIES, "tries")
    ctx.file("BUILD", "exports_files([\"tries\"])\n")

_tries = repository_rule(
    implementation = _tries_impl,
    doc = "`:tries` is a file outside of all repositories that grows with each data set that was not found.",
)

# ---- The repositories ------------------------------------------------------------------------------------------------

def _dataset_impl(ctx):
    mirror = ctx.os.environ.get("REPRO16_DATA", "")
    if mirror and not (mirror.startswith("/") and ctx.path(mirror).exists):
        fail("REPRO16_DATA=%s: no folder by that absolute path; name the folder that holds the data sets, or unset it" % mirror)
    folder = ctx.path(mirror).get_child(ctx.attr.folder) if mirror else None

    present = ctx.attr.files.keys()
    if folder and folder.exists:
        _from_mirror(ctx, folder)
    elif not (_from_archive(ctx) if ctx.attr.archive else _from_single_files(ctx)):
        present = ["MADE_UP"]
        _look_again(ctx)
        text = "%s is neither in the folder REPRO16_DATA nor in reach at its published address: MADE-UP data stand in" % ctx.name
        print(text)  # buildifier: disable=print
        ctx.file("data/MADE_UP", text + "\n")

    ctx.file("BUILD", """
filegroup(
    name = "files",
    srcs = %s,
    visibility = ["//visibility:public"],
)
""" % ["data/" + name for name in present])

_dataset = repository_rule(
    implementation = _dataset_impl,
    doc = "`:files` are the data set's files, uncompressed, all in one folder; or the file MADE_UP alone.",
    attrs = {
        "archive": attr.string(doc = "Address of a .tar.gz with all files; else `hosts`."),
        "archive_prefix": attr.string(doc = "The folder in the archive."),
        "archive_sha256": attr.string(),
        "files": attr.string_dict(mandatory = True, doc = "Name to SHA-256, uncompressed."),
        "folder": attr.string(mandatory = True, doc = "The subfolder of REPRO16_DATA."),
        "hosts": attr.string_list(doc = "Addresses, each the same; the file NAME.gz is looked for behind it."),
    },
    environ = ["REPRO16_DATA"],
)

_PUBLISHED = [
    dict(
        name = "mnist",
        files = _MNIST_FILES,
        folder = "mnist",
        hosts = _MNIST_HOSTS,
    ),
    dict(
        name = "cifar10",
        archive = _CIFAR10_ARCHIVE,
        archive_prefix = "cifar-10-batches-bin",
        archive_sha256 = _CIFAR10_ARCHIVE_SHA256,
        files = _CIFAR10_FILES,
        folder = "cifar-10-batches-bin",
    ),
]

def dataset_repositories(datasets = _PUBLISHED):
    """@mnist and @cifar10.

    Args:
      datasets: for each repository its name and attributes.
    """
    _tries(name = "dataset_tries")
    for dataset in datasets:
        _dataset(**dataset)
