"""The networks in PyTorch, layer by layer.

Inputs are [N, C, H, W] after normalisation, outputs are logits. Dropout is left out on request, so that a
step can be compared number by number. Modules are registered in the order of the parameters of models/.
"""

import torch
from torch import nn
from torch.nn import functional as F


def _pad_same(x, kernel, stride, value=0.0):
    """TensorFlow's "same" padding: what is odd goes to the bottom and right."""
    padding = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        padding += [total // 2, total - total // 2]
    return F.pad(x, padding, value=value) if any(padding) else x


class _Conv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding."""

    def __init__(self, inputs, outputs, kernel, stride=1, **kwargs):
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, **kwargs)

    def forward(self, x):
        if self.stride[0] > 1:
            x = _pad_same(x, self.kernel_size[0], self.stride[0])
        return super().forward(x)


class _MaxPoolSame(nn.Module):

    def forward(self, x):
        return F.max_pool2d(_pad_same(x, 3, 2, -float("inf")), 3, 2)


class _MeanOverSpace(nn.Module):

    def forward(self, x):
        return x.mean((2, 3))


class _Sum(nn.Module):
    """shortcut(x) + branch(x); registered in that order."""

    def __init__(self, shortcut, branch):
        super().__init__()
        self.shortcut = shortcut
        self.branch = branch

    def forward(self, x):
        return self.branch(x) + self.shortcut(x)


def _bn(channels, epsilon=1e-3, momentum=0.99):
    return nn.BatchNorm2d(channels, epsilon, 1 - momentum)


def _separable(inputs, outputs):
    return [_Conv(inputs, inputs, 3, groups=inputs, bias=False), nn.Conv2d(inputs, outputs, 1, bias=False)]


# --- The networks ------------------------------------------------------------------------------------


def _mlp(classes, dropout):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(),
                         nn.Linear(256, classes))


def _alexnet(classes, dropout):
    return nn.Sequential(
        _Conv(3, 64, 3, 2), nn.ReLU(), nn.MaxPool2d(2, 2), _Conv(64, 96, 3), nn.ReLU(), nn.MaxPool2d(3, 2),
        _Conv(96, 256, 3), nn.ReLU(), _Conv(256, 256, 3), nn.ReLU(), _Conv(256, 512, 3), nn.ReLU(),
        nn.MaxPool2d(3, 2), nn.Flatten(), nn.Linear(512, 4096), nn.Tanh(), nn.Dropout(0.5 * dropout),
        nn.Linear(4096, 4096), nn.Tanh(), nn.Dropout(0.5 * dropout), nn.Linear(4096, classes))


def _vgg(depths, classes):
    modules, channels = [], 3
    for block, (filters, depth) in enumerate(zip((64, 128, 256, 512, 512), depths)):
        for _ in range(depth):
            modules += [_Conv(channels, filters, 3), nn.ReLU()]
            channels = filters
        modules.append(nn.MaxPool2d(2, 2))
        if block < 4:
            modules.append(_bn(channels))
    return nn.Sequential(*modules, nn.Flatten(), nn.BatchNorm1d(512, 1e-3, 0.01), nn.Linear(512, 4096), nn.ReLU(),
                         nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes))


def _vgg16(classes, dropout):
    return _vgg((2, 2, 3, 3, 3), classes)


def _vgg19(classes, dropout):
    return _vgg((2, 2, 4, 4, 4), classes)


class _CifarUnit(nn.Module):

    def __init__(self, inputs, outputs, stride, first):
        super().__init__()
        self.first = first
        self.bn1 = _bn(inputs)
        self.conv1 = _Conv(inputs, outputs, 3, stride)
        self.bn2 = _bn(outputs)
        self.conv2 = _Conv(outputs, outputs, 3)

    def forward(self, x):
        p = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(p))))
        shortcut = p if self.first else x
        if y.shape != x.shape:
            side = (y.shape[1] - x.shape[1]) // 2
            shortcut = F.pad(F.avg_pool2d(shortcut, 2), (0, 0, 0, 0, side, side))
        return y + shortcut


def _cifar_resnet(depth, classes):
    modules, channels = [_Conv(3, 16, 3)], 16
    for stage, filters in enumerate((16, 32, 64)):
        for unit in range((depth - 2) // 6):
            modules.append(_CifarUnit(channels, filters, 2 if stage and not unit else 1, not stage and not unit))
            channels = filters
    return nn.Sequential(*modules, _bn(64), nn.ReLU(), _MeanOverSpace(), nn.Linear(64, classes))


def _resnet32(classes, dropout):
    return _cifar_resnet(32, classes)


def _resnet56(classes, dropout):
    return _cifar_resnet(56, classes)


def _resnet110(classes, dropout):
    return _cifar_resnet(110, classes)


class _ProjectedUnit(nn.Module):

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = _bn(inputs)
        self.projection = _Conv(inputs, outputs, 1, stride, bias=False) if stride > 1 else None
        self.conv1 = _Conv(inputs, outputs, 3, stride, bias=False)
        self.bn2 = _bn(outputs)
        self.conv2 = _Conv(outputs, outputs, 3, bias=False)

    def forward(self, x):
        p = F.relu(self.bn1(x))
        shortcut = self.projection(p) if self.projection else x
        return self.conv2(F.relu(self.bn2(self.conv1(p)))) + shortcut


def _wide_resnet(units, classes):
    modules, channels = [_Conv(3, 64, 3, bias=False)], 64
    for stage, count in enumerate(units):
        for unit in range(count):
            modules.append(_ProjectedUnit(channels, 64 << stage, 2 if stage and not unit else 1))
            channels = 64 << stage
    return nn.Sequential(*modules, _bn(512), nn.ReLU(), _MeanOverSpace(), nn.Linear(512, classes))


def _resnet18(classes, dropout):
    return _wide_resnet((2, 2, 2, 2), classes)


def _resnet34(classes, dropout):
    return _wide_resnet((3, 4, 6, 3), classes)


class _DenseLayer(nn.Module):

    def __init__(self, inputs):
        super().__init__()
        self.branch = nn.Sequential(
            _bn(inputs, 1.001e-5), nn.ReLU(), nn.Conv2d(inputs, 128, 1, bias=False),
            _bn(128, 1.001e-5), nn.ReLU(), _Conv(128, 32, 3, bias=False))

    def forward(self, x):
        return torch.cat([x, self.branch(x)], 1)


def _densenet(blocks, classes):
    modules = [nn.Conv2d(3, 64, 7, 2, padding=3, bias=False), _bn(64, 1.001e-5), nn.ReLU(), nn.ZeroPad2d(1),
               nn.MaxPool2d(3, 2)]
    channels = 64
    for block, count in enumerate(blocks):
        for _ in range(count):
            modules.append(_DenseLayer(channels))
            channels += 32
        modules += [_bn(channels, 1.001e-5), nn.ReLU()]
        if block < 3:
            modules += [nn.Conv2d(channels, channels // 2, 1, bias=False), nn.AvgPool2d(2, 2)]
            channels //= 2
    return nn.Sequential(*modules, _MeanOverSpace(), nn.Linear(channels, classes))


def _densenet121(classes, dropout):
    return _densenet((6, 12, 24, 16), classes)


def _densenet169(classes, dropout):
    return _densenet((6, 12, 32, 32), classes)


def _xception_step(inputs, filters, relu_first):
    """A block that halves the image, beside a projection."""
    branch = [nn.ReLU()] if relu_first else []
    branch += [*_separable(inputs, filters[0]), _bn(filters[0]), nn.ReLU(), *_separable(filters[0], filters[1]),
               _bn(filters[1]), _MaxPoolSame()]
    projection = nn.Sequential(_Conv(inputs, filters[1], 1, 2, bias=False), _bn(filters[1]))
    return _Sum(projection, nn.Sequential(*branch))


def _xception(classes, dropout):
    modules = [nn.Conv2d(3, 32, 3, 2, bias=False), _bn(32), nn.ReLU(), nn.Conv2d(32, 64, 3, bias=False), _bn(64),
               nn.ReLU(), _xception_step(64, (128, 128), False), _xception_step(128, (256, 256), True),
               _xception_step(256, (728, 728), True)]
    for _ in range(8):
        unit = []
        for _ in range(3):
            unit += [nn.ReLU(), *_separable(728, 728), _bn(728)]
        modules.append(_Sum(nn.Identity(), nn.Sequential(*unit)))
    modules.append(_xception_step(728, (728, 1024), True))
    for inputs, outputs in ((1024, 1536), (1536, 2048)):
        modules += [*_separable(inputs, outputs), _bn(outputs), nn.ReLU()]
    return nn.Sequential(*modules, _MeanOverSpace(), nn.Linear(2048, 1024), nn.ReLU(), nn.Linear(1024, classes))


def _inverted_residual(inputs, outputs, stride, expansion):
    hidden = inputs * expansion
    branch = []
    if expansion > 1:
        branch += [nn.Conv2d(inputs, hidden, 1, bias=False), _bn(hidden, momentum=0.999), nn.ReLU6()]
    branch += [_Conv(hidden, hidden, 3, stride, groups=hidden, bias=False), _bn(hidden, momentum=0.999), nn.ReLU6(),
               nn.Conv2d(hidden, outputs, 1, bias=False), _bn(outputs, momentum=0.999)]
    branch = nn.Sequential(*branch)
    return _Sum(nn.Identity(), branch) if stride == 1 and inputs == outputs else branch


def _mobilenet_v2(classes, dropout):
    modules, channels = [_Conv(3, 32, 3, 2, bias=False), _bn(32, momentum=0.999), nn.ReLU6()], 32
    for expansion, filters, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                              (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for unit in range(count):
            modules.append(_inverted_residual(channels, filters, 1 if unit else stride, expansion))
            channels = filters
    return nn.Sequential(*modules, nn.Conv2d(320, 1280, 1, bias=False), _bn(1280, momentum=0.999), nn.ReLU6(),
                         _MeanOverSpace(), nn.Linear(1280, classes))


class _Attention(nn.Module):

    def __init__(self):
        super().__init__()
        self.query = nn.Linear(64, 256)
        self.key = nn.Linear(64, 256)
        self.value = nn.Linear(64, 256)
        self.output = nn.Linear(256, 64)

    def forward(self, x):
        heads = [f(x).unflatten(2, (4, 64)).transpose(1, 2) for f in (self.query, self.key, self.value)]
        return self.output(F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2))


class _Normed(nn.Module):
    """LN(x + branch(x))."""

    def __init__(self, *branch):
        super().__init__()
        self.branch = nn.Sequential(*branch)
        self.norm = nn.LayerNorm(64, 1e-6)

    def forward(self, x):
        return self.norm(x + self.branch(x))


class _EncodePatches(nn.Module):

    def __init__(self):
        super().__init__()
        self.projection = nn.Linear(108, 64)
        self.position = nn.Parameter(torch.empty(25, 64).uniform_(-0.05, 0.05))

    def forward(self, x):
        x = x[:, :, :30, :30].unflatten(2, (5, 6)).unflatten(4, (5, 6))  # [N, C, row, y, column, x]
        return self.projection(x.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)) + self.position


def _vit(blocks, classes, dropout):
    modules = [_EncodePatches()]
    for _ in range(blocks):
        modules += [_Normed(_Attention(), nn.Dropout(0.1 * dropout)),
                    _Normed(nn.Linear(64, 512), nn.GELU(), nn.Linear(512, 64), nn.Dropout(0.1 * dropout))]
    return nn.Sequential(*modules, nn.LayerNorm(64, 1e-6), nn.Flatten(), nn.Dropout(0.5 * dropout),
                         nn.Linear(1600, 512), nn.GELU(), nn.Linear(512, 256), nn.GELU(), nn.Linear(256, classes))


def _vit8(classes, dropout):
    return _vit(8, classes, dropout)


def _vit12(classes, dropout):
    return _vit(12, classes, dropout)


NETWORKS = {function.__name__[1:]: function for function in (
    _mlp, _alexnet, _vgg16, _vgg19, _resnet32, _resnet56, _resnet110, _densenet121, _densenet169, _xception,
    _mobilenet_v2, _vit8, _vit12, _resnet18, _resnet34)}


def build(name, classes=10, dropout=True):
    return NETWORKS[name](classes, 1 if dropout else 0)


def _inner_first(module):
    for child in module.children():
        yield from _inner_first(child)
    yield module


def variables(model):
    """Parameters and moving statistics in the order of the parameters of models/."""
    result = []
    for module in _inner_first(model):
        result += module.parameters(recurse=False)
        result += [buffer for name, buffer in module.named_buffers(recurse=False) if name.startswith("running_")]
    return result
