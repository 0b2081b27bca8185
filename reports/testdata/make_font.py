"""Writes a TrueType font of a given family whose every letter is the same tall box, as wide as two of the usual ones.

usage: make_font.py FAMILY FILE

Whoever draws with it shows: all widths and shapes differ from those of a real font. The format is OpenType's:
https://learn.microsoft.com/typography/opentype/spec/otff
"""

import struct
import sys

EM = 1000


def head():
    return struct.pack(">IIIIHHQQhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, EM, 0, 0, 0, 0, EM, EM, 0, 8, 2, 0, 0)


def hhea():
    return struct.pack(">IhhhHhhhhhhhhhhhhH", 0x10000, EM, 0, 0, EM, 0, 0, EM, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2)


def maxp():
    return struct.pack(">IHHHHHHHHHHHHHH", 0x10000, 2, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)


def cmap():
    """Characters U+0020 to U+27FF, all of glyph 1."""
    glyphs = [1] * (0x2800 - 0x20)
    subtable = struct.pack(">HHHHH", 6, 10 + 2 * len(glyphs), 0, 0x20, len(glyphs))
    return struct.pack(">HHHHI", 0, 1, 3, 1, 12) + subtable + struct.pack(">%dH" % len(glyphs), *glyphs)


def glyf():
    """One contour of four points, each with its differences in two bytes."""
    corners = [(0, 0), (0, EM), (EM, EM), (EM, 0)]
    points = list(zip([(0, 0)] + corners, corners))
    return (struct.pack(">hhhhhHH", 1, 0, 0, EM, EM, 3, 0) + bytes([1] * 4) +
            b"".join(struct.pack(">h", b[0] - a[0]) for a, b in points) +
            b"".join(struct.pack(">h", b[1] - a[1]) for a, b in points))


def name(family):
    texts = {1: family, 2: "Regular", 4: family, 6: family.replace(" ", "")}
    records, strings = b"", b""
    for name_id, text in texts.items():
        encoded = text.encode("utf-16-be")
        records += struct.pack(">HHHHHH", 3, 1, 0x409, name_id, len(encoded), len(strings))
        strings += encoded
    return struct.pack(">HHH", 0, len(texts), 6 + len(records)) + records + strings


def font(family):
    box = glyf()
    tables = {
        b"cmap": cmap(),
        b"glyf": box,
        b"head": head(),
        b"hhea": hhea(),
        b"hmtx": struct.pack(">HhHh", EM, 0, EM, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(box) // 2),  # glyph 0 is empty
        b"maxp": maxp(),
        b"name": name(family),
    }
    directory = struct.pack(">IHHHH", 0x10000, len(tables), 128, 3, 0)
    offset = len(directory) + 16 * len(tables)
    contents = b""
    for tag, table in tables.items():
        directory += struct.pack(">4sIII", tag, 0, offset + len(contents), len(table))
        contents += table + b"\0" * (-len(table) % 4)
    return directory + contents


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: make_font.py FAMILY FILE")
    with open(arguments[1], "wb") as file:
        file.write(font(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
