"""The numbers of the numerics contract, with nothing but Python.

Written from engine/numerics/README.md and the headers that it links, it shares no line with the engine. Numbers
are floats (f64), which hold every f32, f16 and bf16 exactly.
"""

import math
import struct
from fractions import Fraction

# --- Types: precision in bits, exponents of the smallest and the largest normal number --------------------------------

F32, F16, BF16 = (24, -126, 127), (11, -14, 15), (8, -126, 127)
NAMES = {F32: "f32", F16: "f16", BF16: "bf16"}


def rounded(x, kind):
    """The float or fraction x rounded once, to nearest even."""
    if x == 0 or x != x or x in (math.inf, -math.inf):
        return x
    precision, least, largest = kind
    exact = Fraction(x)
    exponent = exact.numerator.bit_length() - exact.denominator.bit_length()
    if abs(exact) < Fraction(2)**exponent:
        exponent -= 1
    ulp = Fraction(2)**(max(exponent, least) - precision + 1)
    result = round(exact / ulp) * ulp  # round() of a fraction is to nearest even
    if abs(result) >= Fraction(2)**(largest + 1):
        return math.copysign(math.inf, exact)
    return math.copysign(float(result), exact)


def f32(x):
    """An operation of f32: the result of f64, rounded again, is the same for + - * / and the square root."""
    return rounded(x, F32)


def fma(a, b, c):
    if a * b == 0 or not math.isfinite(a * b + c):
        return f32(a * b + c)
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return rounded(exact, F32) if exact else 0.0


def bits(x, kind):
    if kind == F16:
        return struct.unpack("<H", struct.pack("<e", x))[0]
    word = struct.unpack("<I", struct.pack("<f", x))[0]
    return word if kind == F32 else word >> 16


# --- Elementary functions ---------------------------------------------------------------------------------------------


def coefficients(text):
    return [float.fromhex(number) for number in text.split()]


SHIFT = 1.5 * 2**23
LOG2_HIGH, LOG2_LOW = float.fromhex("0x1.62e430p-1"), float.fromhex("-0x1.05c610p-29")
EXP = coefficients("0x1.fffffcp-2 0x1.555492p-3 0x1.5558aep-5 0x1.123982p-7 0x1.6a4f28p-10")
LOG = coefficients("0x1.555554p-2 -0x1.000226p-2 0x1.99a01cp-3 -0x1.54728ap-3 0x1.22d93ap-3 -0x1.0d8258p-3 "
                   "0x1.055e38p-3 -0x1.38c77cp-4")
TANH = coefficients("-0x1.55553ep-2 0x1.1109bep-3 -0x1.b89abap-5 0x1.54c3c2p-6 -0x1.828776p-8")
ERF_SMALL = coefficients("0x1.06eba6p-3 -0x1.8126e4p-2 0x1.ce19e6p-4 -0x1.b681aep-6 0x1.46fbaep-8 -0x1.38feeap-11")
ERF = coefficients("0x1.077b30p-3 0x1.453032p-1 0x1.b34490p-4 -0x1.85bc44p-6 0x1.df0012p-9 -0x1.55937ep-12 "
                   "0x1.82b744p-17")
GELU = coefficients("0x1.7850b2p-1 -0x1.0fa230p-1 0x1.0b328ep-2 -0x1.1f7960p-4 -0x1.9228c0p-9 0x1.0c731cp-7 "
                    "-0x1.e2e9c0p-12 -0x1.1ed6d0p-10 0x1.25cac8p-15 0x1.e0bc5ep-14")
COS = coefficients("-0x1.3bd3ccp+4 0x1.03c1aep+6 -0x1.55b130p+6 0x1.d46c34p+5")
SIN = coefficients("0x1.921fb6p+2 -0x1.4abc24p+5 0x1.468094p+6 -0x1.3315a4p+6")


def polynomial(x, c):
    p = c[-1]
    for coefficient in reversed(c[:-1]):
        p = fma(p, x, coefficient)
    return p


def exp(x):
    x = min(max(x, -104.0), 89.0)
    k = f32(fma(x, float.fromhex("0x1.715476p+0"), SHIFT) - SHIFT)
    r = fma(k, -LOG2_LOW, fma(k, -LOG2_HIGH, x))
    y = f32(fma(f32(r * r), polynomial(r, EXP), r) + 1)
    half = int(k) // 2
    return f32(f32(y * 2.0**half) * 2.0**(int(k) - half))


def log(x):
    m, k = math.frexp(x)  # m in [1/2, 1)
    if bits(m, F32) < 0x3f3504f3:
        m, k = 2 * m, k - 1
    f = f32(m - 1)
    q = f32(f * f)
    y = fma(-0.5, q, fma(float(k), LOG2_LOW, f32(f32(f * q) * polynomial(f, LOG))))
    return fma(float(k), LOG2_HIGH, f32(f + y))


def tanh(x):
    t = min(abs(x), 10.0)
    q = f32(t * t)
    if t < f32(0.6):
        y = fma(f32(t * q), polynomial(q, TANH), t)
    else:
        y = f32(1 - f32(2 / f32(exp(f32(2 * t)) + 1)))
    return math.copysign(y, x)


def erf(x):
    t = min(abs(x), f32(3.925))
    if t < 0.927734375:
        y = fma(t, polynomial(f32(t * t), ERF_SMALL), t)
    else:
        y = f32(1 - exp(fma(-t, polynomial(t, ERF), -t)))
    return math.copysign(y, x)


def normal_tail(x):
    t = min(abs(x), 15.0)
    q = f32(t * t)
    v = f32(1 / f32(t + 3.171875))
    big_e = exp(f32(-0.5 * q))
    e = fma(big_e, f32(-0.5 * fma(t, t, -q)), big_e)
    return t, e, f32(polynomial(f32(f32(t - 3.171875) * v), GELU) * v)


def gelu(x):
    t, e, r = normal_tail(x)
    p = f32(f32(t * r) * e)
    return -p if x < 0 else f32(x - p)


def gelu_derivative(x):
    t, e, r = normal_tail(x)
    d = f32(e * fma(-float.fromhex("0x1.988454p-2"), t, r))
    return d if x < 0 else f32(1 - d)


def rsqrt(x):
    """1 / sqrt(x) rounded once, from its first 200 binary digits after the point."""
    exact = Fraction(x)
    scaled = math.isqrt((exact.denominator << 400) // exact.numerator)
    return rounded(Fraction(scaled, 1 << 200), F32)


def cos_two_pi(x):
    k = f32(fma(x, 4.0, SHIFT) - SHIFT)
    r = fma(k, -0.25, x)
    q = f32(r * r)
    y = fma(q, polynomial(q, COS), 1.0) if k % 2 == 0 else f32(r * polynomial(q, SIN))
    return -y if k % 4 in (1, 2) else y


# --- Random draws -----------------------------------------------------------------------------------------------------

INIT, SHUFFLE, DROPOUT, SYNTHETIC = 0, 1, 2, 3


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xd2511f53 * c[0], 0xcd9e8d57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xffffffff, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xffffffff]
        k = [(k[0] + 0x9e3779b9) & 0xffffffff, (k[1] + 0xbb67ae85) & 0xffffffff]
    return c


def unit_interval(word):
    return (word >> 8) * 2.0**-24


class Stream:

    def __init__(self, seed, purpose, step=0, part=0):
        self.key = (seed & 0xffffffff, seed >> 32)
        self.upper = (step, (purpose << 24) + part)

    def block(self, index):
        return philox((index & 0xffffffff, index >> 32) + self.upper, self.key)

    def word(self, i):
        return self.block(i // 4)[i % 4]

    def uniform(self, i):
        return unit_interval(self.word(i))

    def truncated_normal(self, i):
        attempt = 0
        while True:
            words = self.block(i + (attempt << 40))
            for u, v in (words[:2], words[2:]):
                radius = f32(math.sqrt(f32(-2 * log(unit_interval(u) + 2.0**-24))))
                value = f32(radius * cos_two_pi(unit_interval(v)))
                if abs(value) <= 2:
                    return value
            attempt += 1

    def permutation(self, n):
        """The order, and how many words it took."""
        order, used = list(range(n)), 0
        for i in range(n - 1, 0, -1):
            while True:
                product = self.word(used) * (i + 1)
                used += 1
                if (product & 0xffffffff) >= 2**32 % (i + 1):
                    break
            j = product >> 32
            order[i], order[j] = order[j], order[i]
        return order, used


def glorot_uniform(stream, fan_in, fan_out):
    limit = f32(math.sqrt(6 / (fan_in + fan_out)))
    return [f32((2 * stream.uniform(i) - 1) * limit) for i in range(fan_in * fan_out)]


def he_normal(stream, fan_in, fan_out):
    deviation = f32(math.sqrt(2 / fan_in) / 0.87962566103423978)
    return [f32(stream.truncated_normal(i) * deviation) for i in range(fan_in * fan_out)]


# --- Sums -------------------------------------------------------------------------------------------------------------

CHUNK = 256


def add_term(acc, term, accumulator):
    """term: two factors, or None where the position has none."""
    if term is None:
        return acc
    a, b = term
    if accumulator == F32:
        return fma(a, b, acc)
    return rounded(f32(acc + rounded(f32(a * b), accumulator)), accumulator)


def dot_chain(terms, accumulator):
    """The accumulator after each term of one chunk."""
    acc, chain = 0.0, []
    for term in terms:
        acc = add_term(acc, term, accumulator)
        chain.append(acc)
    return chain


def dot(terms, accumulator=F32):
    total = 0.0
    for start in range(0, len(terms), CHUNK):
        chunk = dot_chain(terms[start:start + CHUNK], accumulator)[-1]
        total = rounded(f32(total + chunk), accumulator) if start else chunk
    return total


def row_sum(terms):
    total = 0.0
    for start in range(0, len(terms), CHUNK):
        chunk = 0.0
        for x in terms[start:start + CHUNK]:
            chunk = f32(chunk + x)
        total = f32(total + chunk) if start else chunk
    return total
