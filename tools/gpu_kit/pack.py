#!/usr/bin/env python3
"""Packs files into an archive: the same bytes from the same files.

usage: pack.py ARCHIVE.tar.gz NAME=FILE...

The archive has one folder, of the archive's name, with the files by name and a MANIFEST of their digests, as
sha256sum writes and checks it. What lies in bin/ or begins with #! can be run.
"""

import gzip
import hashlib
import io
import pathlib
import sys
import tarfile


def _add(archive, name, contents):
    entry = tarfile.TarInfo(name)
    entry.size = len(contents)
    entry.mode = 0o755 if "/bin/" in name or contents.startswith(b"#!") else 0o644
    archive.addfile(entry, io.BytesIO(contents))  # time and owner are 0


def pack(files, folder):
    """The archive's bytes; files are contents by name."""
    manifest = "".join("%s  %s\n" % (hashlib.sha256(files[name]).hexdigest(), name) for name in sorted(files))
    files = dict(files, MANIFEST=manifest.encode())
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            _add(archive, "%s/%s" % (folder, name), files[name])
    return gzip.compress(result.getvalue(), compresslevel=6, mtime=0)


def main():
    out = pathlib.Path(sys.argv[1])
    files = dict(argument.split("=", 1) for argument in sys.argv[2:])
    contents = {name: pathlib.Path(path).read_bytes() for name, path in files.items()}
    out.write_bytes(pack(contents, out.name.split(".")[0]))


if __name__ == "__main__":
    main()
