"""The made-up data of engine/data/loaders.h, from what that header says of them."""

import hashlib

from contract_numerics import SYNTHETIC, Stream

# Name: width (and height), channels.
FORMS = {"synthetic_mnist": (28, 1), "synthetic_cifar10": (32, 3)}


def covered(label, a, b, r):
    return (a * a + b * b <= r * r, a <= r * 7 // 8, a + b <= r * 5 // 4,
            a * a + b * b <= r * r and 4 * (a * a + b * b) >= r * r, a <= r and 3 * b <= r)[label // 2]


def example(n, kind, size, channels):
    """The bytes of the image; its label is n mod 10."""
    label = n % 10
    stream = Stream(16, SYNTHETIC, step=n, part=2 * channels + kind)
    words = iter(range(16))

    def between(low, high):
        return low + (stream.word(next(words)) * (high - low + 1) >> 32)

    x, y = (between(size - 1 - size // 8, size - 1 + size // 8) for _ in range(2))
    r, phase = between(size // 2, 3 * size // 4), between(0, 7)
    colours = [(between(128, 223), between(32, 96)) for _ in range(channels)]
    blocks = range(4, 4 + size * size * channels // 16 + 1)
    noise = b"".join(word.to_bytes(4, "little") for i in blocks for word in stream.block(i))
    pixels = bytearray()
    for row in range(size):
        for column in range(size):
            distances = abs(2 * column - x), abs(2 * row - y)
            lit = covered(label, max(distances), min(distances), r)
            if label % 2 == 1 and (2 * column + 2 * row + phase) // 4 % 2 == 1:
                lit = False
            for colour, background in colours:
                value = (colour if lit else background) + noise[len(pixels)] // 2 - 64
                pixels.append(min(max(value, 0), 255))
    return bytes(pixels)


def digest(name, train, test):
    """SHA-256 of training images and labels, then of test images and labels."""
    sha = hashlib.sha256()
    for kind, count in ((0, train), (1, test)):
        for n in range(count):
            sha.update(example(n, kind, *FORMS[name]))
        sha.update(bytes(n % 10 for n in range(count)))
    return sha.hexdigest()
