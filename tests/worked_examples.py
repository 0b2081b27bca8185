#!/usr/bin/env python3
"""Computes every number of engine/numerics/worked_examples.md again, and compares the page to the bit.

usage: worked_examples.py engine/numerics/worked_examples.md
"""

import math
import struct
import sys

import made_up_data
from contract_numerics import (BF16, DROPOUT, F16, F32, INIT, NAMES, SHUFFLE, Stream, bits, cos_two_pi, dot,
                               dot_chain, erf, exp, f32, fma, gelu, gelu_derivative, glorot_uniform, he_normal, log,
                               rounded, row_sum, rsqrt, tanh)

# --- The run ----------------------------------------------------------------------------------------------------------

SEED = 253
BATCH = 3
TRAIN = [[12, 200, 97], [255, 31, 140], [64, 64, 180], [0, 222, 119], [173, 88, 5]]
TRAIN_LABELS = [0, 2, 1, 1, 0]
TEST = [[20, 190, 101], [240, 60, 130], [90, 40, 210], [150, 150, 25]]
TEST_LABELS = [0, 2, 1, 0]
L2, DROPOUT_RATE, EPSILON, MOMENTUM = 0.3, 0.25, 1e-3, 0.99
DROPOUT_PART = 4  # operations: flatten, dense, batch normalisation, ReLU, dropout

# Name: parameters, activations, weight gradients, update, batch normalisation, accumulator, the rate's type; rule.
POLICIES = {
    "FP32": ((F32, F32, F32, F32, F32, F32, F32), "Adam", dict(lr=0.01, b1=0.9, b2=0.999, eps=1e-7)),
    "FP16": ((F16, F16, F16, F16, F16, F32, F16), "SGD", dict(lr=0.01, mu=0.9)),
    "FP16_BN32": ((F16, F16, F16, F16, F32, F32, F16), "Adam", dict(lr=0.001, b1=0.9, b2=0.999, eps=1e-4)),
    "MP": ((F32, F16, F16, F32, F32, F32, F32), "SGD", dict(lr=0.01, mu=0.9)),
    "BF16": ((BF16, BF16, BF16, BF16, BF16, F32, BF16), "RMSProp", dict(lr=0.01, rho=0.9, eps=1e-3)),
    "FP16_ACC16": ((F16, F16, F16, F16, F16, F16, F16), "SGD", dict(lr=0.05, mu=0)),
}


def inputs_of(images):
    """The f64 numbers that pixels stand for: "standardized"."""
    pixels = [x for image in TRAIN for x in image]
    n, s, q = len(pixels), sum(pixels), sum(x * x for x in pixels)
    mean, std = float(s) / float(n), math.sqrt(float(n * q - s * s)) / float(n)
    return [[(x - mean) / (std + 1e-7) for x in image] for image in images]


def drawn_kernels():
    """Parameters 0 and 6: the bias and the four of the batch normalisation count."""
    return glorot_uniform(Stream(SEED, INIT, part=0), 3, 2), he_normal(Stream(SEED, INIT, part=6), 2, 3)


def column(rows, c):
    return [row[c] for row in rows]


class Run:
    """One run in one policy; parameters are lists of rows, or of numbers."""

    def __init__(self, name):
        types, self.rule, self.hyper = POLICIES[name]
        (self.kept, self.act, self.grad, self.upd, self.bn, self.acc, self.rate) = types
        self.dynamic = name == "MP"
        self.scale = 32768.0 if self.dynamic else 1.0
        self.updates = 0
        first, second = drawn_kernels()
        self.parameters = {
            "dense_1/kernel": [rounded(x, self.kept) for x in first],
            "dense_1/bias": [0.0] * 2,
            "batch_norm_1/gamma": [1.0] * 2,
            "batch_norm_1/beta": [0.0] * 2,
            "batch_norm_1/moving_mean": [0.0] * 2,
            "batch_norm_1/moving_variance": [1.0] * 2,
            "dense_2/kernel": [rounded(x, self.kept) for x in second],
            "dense_2/bias": [0.0] * 3,
        }
        slots = 2 if self.rule == "Adam" else 0 if self.hyper.get("mu") == 0 else 1
        self.slots = {name: [[0.0] * len(values) for _ in range(slots)]
                      for name, values in self.parameters.items() if "moving" not in name}

    def type_of(self, name):
        return self.bn if name.startswith("batch_norm") else self.kept

    def gradient_type_of(self, name):
        return self.bn if name.startswith("batch_norm") else self.grad

    def read(self, name):
        """As operations read it: MP's copy in f16."""
        if name.startswith("batch_norm"):
            return self.parameters[name]
        return [rounded(x, self.act) for x in self.parameters[name]]

    def dense(self, x, layer, units):
        w, b = self.read(layer + "/kernel"), self.read(layer + "/bias")
        return [[self.biased(dot([(row[i], w[i * units + o]) for i in range(len(row))], self.acc), b[o])
                 for o in range(units)] for row in x]

    def biased(self, total, bias):
        """In the accumulator's type, then in that of the output."""
        return rounded(rounded(f32(total + bias), self.acc), self.act)

    def normalize(self, x, mean, inv):
        gamma, beta = self.read("batch_norm_1/gamma"), self.read("batch_norm_1/beta")
        scale = [f32(gamma[c] * inv[c]) for c in range(2)]
        return scale, [[rounded(fma(f32(row[c] - mean[c]), scale[c], beta[c]), self.act) for c in range(2)]
                       for row in x]

    def move(self, name, batch):
        s, r = self.parameters[name], lambda x: rounded(x, self.bn)
        self.parameters[name] = [r(f32(s[c] - r(f32(r(f32(s[c] - r(batch[c]))) * r(1 - MOMENTUM))))) for c in range(2)]

    def forward(self, examples, step, out):
        x = [[rounded(v, self.act) for v in row] for row in inputs_of(examples)]
        out("flatten_1", self.act, x)
        w = self.read("dense_1/kernel")
        out("dense_1[0, 0] term by term", self.acc, dot_chain([(x[0][i], w[2 * i]) for i in range(3)], self.acc))
        h = self.dense(x, "dense_1", 2)
        out("dense_1", self.act, h)
        n = float(len(h))
        mean = [f32(row_sum(column(h, c)) / n) for c in range(2)]
        deviations = [[f32(row[c] - mean[c]) for c in range(2)] for row in h]
        variance = [f32(dot([(d[c], d[c]) for d in deviations]) / n) for c in range(2)]
        inv = [rsqrt(f32(v + f32(EPSILON))) for v in variance]
        self.move("batch_norm_1/moving_mean", mean)
        self.move("batch_norm_1/moving_variance", variance)
        scale, y = self.normalize(h, mean, inv)
        out("mean", F32, mean)
        out("variance", F32, variance)
        out("inv", F32, inv)
        out("batch_norm_1", self.act, y)
        active = [[v if v > 0 else 0.0 for v in row] for row in y]
        out("relu_1", self.act, active)
        draws = Stream(SEED, DROPOUT, step, DROPOUT_PART)
        factor = rounded(1 / (1 - DROPOUT_RATE), self.act)
        self.mask = [[draws.uniform(2 * i + c) >= DROPOUT_RATE for c in range(2)] for i in range(len(h))]
        kept = [[rounded(f32(v * factor), self.act) if k else 0.0 for v, k in zip(row, mask)]
                for row, mask in zip(active, self.mask)]
        out("dropout_1", self.act, kept)
        logits = self.dense(kept, "dense_2", 3)
        out("dense_2", self.act, logits)
        self.tape = (x, h, mean, deviations, inv, scale, y, factor, kept, logits)
        return logits

    def infer(self, examples):
        """Logits: the moving statistics normalise, dropout keeps all."""
        x = [[rounded(v, self.act) for v in row] for row in inputs_of(examples)]
        inv = [rsqrt(f32(v + f32(EPSILON))) for v in self.read("batch_norm_1/moving_variance")]
        _, y = self.normalize(self.dense(x, "dense_1", 2), self.read("batch_norm_1/moving_mean"), inv)
        return self.dense([[v if v > 0 else 0.0 for v in row] for row in y], "dense_2", 3)

    @staticmethod
    def exponentials(row):
        e = [exp(f32(v - max(row))) for v in row]
        return e, row_sum(e)

    def losses(self, logits, labels):
        result = []
        for row, label in zip(logits, labels):
            _, total = self.exponentials(row)
            result.append(f32(f32(log(total) + max(row)) - row[label]))
        return result

    def backward(self, labels, out):
        x, h, mean, deviations, inv, scale, y, factor, kept, logits = self.tape
        batch, gradients = len(x), {}

        def keep(name, values):
            gradients[name] = [rounded(v, self.gradient_type_of(name)) for v in values]
            out(name + " gradient", self.gradient_type_of(name), gradients[name])

        def dense(layer, inputs, dy):
            fan_in, units = len(inputs[0]), len(dy[0])
            keep(layer + "/kernel", [dot([(inputs[n][i], dy[n][o]) for n in range(batch)], self.acc)
                                     for i in range(fan_in) for o in range(units)])
            keep(layer + "/bias", [row_sum(column(dy, o)) for o in range(units)])

        dlogits = []
        for row, label in zip(logits, labels):
            e, total = self.exponentials(row)
            dlogits.append([rounded(f32(f32(f32(e[c] / total) - (c == label)) * f32(self.scale / batch)), self.act)
                            for c in range(3)])
        out("gradient of dense_2", self.act, dlogits)
        dense("dense_2", kept, dlogits)
        w = self.read("dense_2/kernel")
        dkept = [[rounded(dot([(dy[o], w[3 * i + o]) for o in range(3)], self.acc), self.act) for i in range(2)]
                 for dy in dlogits]
        out("gradient of dropout_1", self.act, dkept)
        dactive = [[rounded(f32(v * factor), self.act) if k else 0.0 for v, k in zip(row, mask)]
                   for row, mask in zip(dkept, self.mask)]
        out("gradient of relu_1", self.act, dactive)
        dz = [[g if v > 0 else 0.0 for g, v in zip(*pair)] for pair in zip(dactive, y)]
        out("gradient of batch_norm_1", self.act, dz)
        n = float(batch)
        s1 = [row_sum(column(dz, c)) for c in range(2)]
        s2 = [dot([(dz[i][c], deviations[i][c]) for i in range(batch)]) for c in range(2)]
        keep("batch_norm_1/gamma", [f32(s2[c] * inv[c]) for c in range(2)])
        keep("batch_norm_1/beta", s1)
        k = [f32(f32(s2[c] / n) * f32(inv[c] * inv[c])) for c in range(2)]
        dh = [[rounded(f32(scale[c] * fma(-deviations[i][c], k[c], f32(dz[i][c] - f32(s1[c] / n)))), self.act)
               for c in range(2)] for i in range(batch)]
        out("gradient of dense_1", self.act, dh)
        dense("dense_1", x, dh)
        return gradients

    def accepts(self, gradients):
        """Whether the step is made."""
        return not self.dynamic or all(math.isfinite(g) for values in gradients.values() for g in values)

    def update(self, gradients):
        for name, slots in self.slots.items():
            kind = self.bn if name.startswith("batch_norm") else self.upd
            step = Update(kind, self.rate, self.rule, self.hyper, self.updates + 1)
            for i, w in enumerate(self.parameters[name]):
                g = step.r(gradients[name][i] * f32(1 / self.scale))
                if name == "dense_1/kernel":
                    g = step.r(g + step.r(step.r(2 * L2) * w))
                self.parameters[name][i], state = step.apply(w, g, [s[i] for s in slots])
                for s, value in zip(slots, state):
                    s[i] = value
        self.updates += 1


def power(base, n):
    """base^n by squaring in f64."""
    result = 1.0
    while n:
        if n & 1:
            result *= base
        base, n = base * base, n >> 1
    return result


class Update:
    """The rule of one step, in one type. An operation of f64 on its operands, rounded, is one of f32, rounded again."""

    def __init__(self, kind, rate_kind, rule, hyper, t):
        self.kind, self.rule, self.hyper = kind, rule, hyper
        r = self.r
        self.lr = r(rounded(hyper["lr"], rate_kind))
        if rule == "Adam":
            b1t, b2t = (r(power(r(hyper[b]), int(r(t)))) for b in ("b1", "b2"))
            self.alpha = r(r(self.lr * r(math.sqrt(r(1 - b2t)))) / r(1 - b1t))

    def r(self, x):
        return rounded(x, self.kind)

    def apply(self, w, g, slots):
        r, hyper = self.r, self.hyper
        if self.rule == "SGD" and not slots:
            return r(w - r(self.lr * g)), []
        if self.rule == "SGD":
            v = r(r(r(hyper["mu"]) * slots[0]) - r(self.lr * g))
            return r(w + v), [v]
        if self.rule == "RMSProp":
            v = r(r(r(hyper["rho"]) * slots[0]) + r(r(1 - hyper["rho"]) * r(g * g)))
            return r(w - r(r(self.lr * g) * r(rsqrt(r(v + r(hyper["eps"])))))), [v]
        m = r(slots[0] + r(r(g - slots[0]) * r(1 - hyper["b1"])))
        v = r(slots[1] + r(r(r(g * g) - slots[1]) * r(1 - hyper["b2"])))
        return r(w - r(r(m * self.alpha) / r(r(math.sqrt(v)) + r(hyper["eps"])))), [m, v]


# --- The page ---------------------------------------------------------------------------------------------------------


def matrix(values, columns):
    return [values[i:i + columns] for i in range(0, len(values), columns)]


# Of a type: how its number is written.
CELLS = {
    "f32": lambda x: "%08x %-15s" % (bits(x, F32), "%.9g" % x),
    "f16": lambda x: "%04x %-11s" % (bits(x, F16), "%.5g" % x),
    "bf16": lambda x: "%04x %-10s" % (bits(x, BF16), "%.4g" % x),
    "f64": lambda x: "%016x %-22s" % (struct.unpack("<Q", struct.pack("<d", x))[0], "%.17g" % x),
    "u32": lambda x: "%08x" % x,
    "int": lambda x: "%3d" % x,
}


class Page:
    """The lines of the page's blocks, and the headings above them."""

    def __init__(self):
        self.lines = []

    def heading(self, text):
        self.lines.append(text)

    def tensor(self, name, kind, values):
        """Of a kernel, values are those of all rows."""
        columns = {"dense_1/kernel": 2, "dense_2/kernel": 3}.get(name.split()[0])
        self.out(name, kind, matrix(values, columns) if columns else values)

    def out(self, name, kind, values):
        """values: a number, or a list of numbers or of rows."""
        cell = CELLS[NAMES.get(kind, kind)]
        rows = values if isinstance(values, list) else [values]
        shape = [len(rows)] if isinstance(values, list) else []
        if rows and isinstance(rows[0], list):
            shape.append(len(rows[0]))
        title = "%s %s %s" % (name, NAMES.get(kind, kind), shape)
        if len(shape) < 2:
            self.lines.append((title + "  " + "  ".join(cell(x) for x in rows)).rstrip())
            return
        self.lines.append(title)
        self.lines += [("  " + "  ".join(cell(x) for x in row)).rstrip() for row in rows]


def elementary(page):
    for name, function, operands in (
            ("Exp", exp, (-100.0, -17.25, -5.9, -3.1, 0.7, 88.5)),
            ("Log", log, (2.0**-140, 2.0**-24, 0.866, 1.3538, 5.541, 1000.0)),
            ("Tanh", tanh, (-3.0, -0.1, 0.0955, 0.396, 0.55, 0.65)), ("Erf", erf, (-2.5, -0.1, 0.9, 1.0)),
            ("Gelu", gelu, (-5.5, -0.95, -0.7, 0.1, 3.0)),
            ("GeluDerivative", gelu_derivative, (-5.5, -0.95, -0.7, 0.1, 3.0)),
            ("Rsqrt", rsqrt, (0.001, 0.7, 3.0, 1000.0)), ("CosTwoPi", cos_two_pi, (0.1, 0.3, 0.6, 0.9))):
        page.out(name, F32, [[f32(x), function(f32(x))] for x in operands])


def long_sums(page):
    stream = Stream(SEED, INIT, part=0)
    a, b = ([rounded(2 * stream.uniform(2 * i + j) - 1, F16) for i in range(600)] for j in range(2))
    terms = [None if i % 3 == 1 else (a[i], b[i]) for i in range(600)]
    page.out("dot product, f32 accumulator", F32, dot(terms))
    page.out("dot product, f16 accumulator", F16, dot(terms, F16))
    page.out("sum of a", F32, row_sum(a))


def shared(page):
    page.heading("## What every policy shares")
    page.out("training images", "int", TRAIN)
    page.out("training labels", "int", TRAIN_LABELS)
    page.out("test images", "int", TEST)
    page.out("test labels", "int", TEST_LABELS)
    page.out("inputs", "f64", inputs_of(TRAIN))
    first, second = drawn_kernels()
    page.out("words of dense_1/kernel", "u32", [Stream(SEED, INIT, part=0).word(i) for i in range(6)])
    page.out("draws of dense_1/kernel", F32, matrix(first, 2))
    page.out("words of dense_2/kernel", "u32", [Stream(SEED, INIT, part=6).block(i) for i in range(6)])
    page.out("draws of dense_2/kernel", F32, matrix(second, 3))
    shuffle = Stream(SEED, SHUFFLE, step=1)
    order, used = shuffle.permutation(len(TRAIN))
    page.out("words of the order", "u32", [shuffle.word(i) for i in range(used)])
    page.out("order", "int", order)
    for step, examples in ((0, BATCH), (1, len(TRAIN) - BATCH)):
        page.out("words of dropout_1, step %d" % step, "u32",
                 [Stream(SEED, DROPOUT, step, DROPOUT_PART).word(i) for i in range(2 * examples)])
    page.heading("## Elementary functions")
    elementary(page)
    page.heading("## Long sums")
    long_sums(page)
    page.heading("## Made-up data")
    for name in made_up_data.FORMS:
        page.lines.append("%s sha256 []  %s" % (name, made_up_data.digest(name, 100, 50)))


def state(page, run):
    for name, values in run.parameters.items():
        page.tensor(name, run.type_of(name), values)
    for name, slots in run.slots.items():
        for i, slot in enumerate(slots):
            kind = run.bn if name.startswith("batch_norm") else run.upd
            page.tensor("%s slot %d" % (name, i), kind, slot)


def silent(*_):
    pass


def one_policy(page, name):
    run = Run(name)
    page.heading("## " + name)
    page.heading("### Before")
    for kernel in ("dense_1/kernel", "dense_2/kernel"):
        page.tensor(kernel, run.kept, run.parameters[kernel])
    order, total = Stream(SEED, SHUFFLE, step=1).permutation(len(TRAIN))[0], 0.0
    for step, first in enumerate(range(0, len(TRAIN), BATCH)):
        batch = order[first:first + BATCH]
        labels = [TRAIN_LABELS[i] for i in batch]
        out = page.tensor if step == 0 or run.dynamic else silent
        page.heading("### Step %d: examples %s" % (step, batch))
        logits = run.forward([TRAIN[i] for i in batch], step, out)
        losses = run.losses(logits, labels)
        out("softmax_cross_entropy_1", F32, losses)
        loss = f32(row_sum(losses) / len(batch))
        total += loss * len(batch)
        page.out("loss", F32, loss)
        gradients = run.backward(labels, out)
        accepted = run.accepts(gradients)
        if run.dynamic:
            page.out("loss scale", F32, run.scale)
            page.out("skipped", "int", int(not accepted))
        if accepted:
            run.update(gradients)
        else:
            run.scale /= 2
        page.heading("### After step %d" % step)
        state(page, run)
    page.heading("### Evaluation")
    page.out("train_loss", "f64", total / len(TRAIN))
    evaluate(page, run)


def evaluate(page, run):
    probabilities, total = [], 0.0
    for first in range(0, len(TEST), BATCH):
        labels = TEST_LABELS[first:first + BATCH]
        logits = run.infer(TEST[first:first + BATCH])
        for row in logits:
            e, s = run.exponentials(row)
            probabilities.append([rounded(f32(v / s), run.act) for v in e])
        total += f32(row_sum(run.losses(logits, labels)) / len(labels)) * len(labels)
    page.out("probabilities", run.act, probabilities)
    page.out("test_loss", "f64", total / len(TEST))


def held_lines(text):
    """Of the page: its headings of the second and third level, and the lines of its blocks."""
    lines, inside = [], False
    for line in text.split("\n"):
        if line == "```":
            inside = not inside
        elif inside or line.startswith(("## ", "### ")):
            lines.append(line)
    return lines


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: worked_examples.py engine/numerics/worked_examples.md")
    page = Page()
    shared(page)
    for name in POLICIES:
        one_policy(page, name)
    with open(sys.argv[1], encoding="utf-8") as file:
        held = held_lines(file.read())
    faults = 0
    for number, (found, computed) in enumerate(zip(held, page.lines), 1):
        if found != computed:
            print("line %d of the blocks and headings:\n  page      %s\n  computed  %s" % (number, found, computed))
            faults += 1
    if len(held) != len(page.lines):
        print("the page has %d lines in blocks and headings, computed are %d" % (len(held), len(page.lines)))
        faults += 1
    print("%d lines compared, %d faults" % (len(page.lines), faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
