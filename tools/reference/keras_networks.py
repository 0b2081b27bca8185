"""The networks in Keras 2.15: from keras.applications where it has them, else layer by layer.

Inputs are [N, H, W, C] after normalisation, outputs are logits. Dropout is left out on request, so that a
step can be compared number by number. Variables are created in the order of the parameters of models/.
"""

import tensorflow as tf

keras = tf.keras
layers = keras.layers


def _finish(inputs, outputs):
    return keras.Model(inputs, outputs)


def _dropout(x, rate):
    return layers.Dropout(rate)(x) if rate else x


def _mlp(classes, dropout):
    inputs = layers.Input((28, 28, 1))
    x = layers.Flatten()(inputs)
    for units in (512, 256):
        x = layers.Dense(units, activation="relu")(x)
    return _finish(inputs, layers.Dense(classes)(x))


def _alexnet(classes, dropout):
    inputs = layers.Input((32, 32, 3))
    x = layers.Conv2D(64, 3, 2, padding="same", activation="relu")(inputs)
    x = layers.MaxPool2D(2, 2)(x)
    x = layers.Conv2D(96, 3, padding="same", activation="relu")(x)
    x = layers.MaxPool2D(3, 2)(x)
    for filters in (256, 256, 512):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.MaxPool2D(3, 2)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = _dropout(layers.Dense(4096, activation="tanh")(x), 0.5 * dropout)
    return _finish(inputs, layers.Dense(classes)(x))


def _vgg(depths, classes):
    inputs = x = layers.Input((32, 32, 3))
    for block, (filters, depth) in enumerate(zip((64, 128, 256, 512, 512), depths)):
        for _ in range(depth):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPool2D(2, 2)(x)
        if block < 4:
            x = layers.BatchNormalization()(x)
    x = layers.BatchNormalization()(layers.Flatten()(x))
    for _ in range(2):
        x = layers.Dense(4096, activation="relu")(x)
    return _finish(inputs, layers.Dense(classes)(x))


def _vgg16(classes, dropout):
    return _vgg((2, 2, 3, 3, 3), classes)


def _vgg19(classes, dropout):
    return _vgg((2, 2, 4, 4, 4), classes)


def _bn_relu(x):
    return layers.ReLU()(layers.BatchNormalization()(x))


def _cifar_resnet(depth, classes):
    """Pre-activation ResNet with parameter-free shortcuts (6 n + 2 layers)."""
    inputs = layers.Input((32, 32, 3))

    def conv(x, filters, stride=1):
        return layers.Conv2D(filters, 3, stride, padding="same", kernel_regularizer=keras.regularizers.l2(1e-4))(x)

    x = conv(inputs, 16)
    for stage, filters in enumerate((16, 32, 64)):
        for unit in range((depth - 2) // 6):
            stride = 2 if stage and not unit else 1
            p = _bn_relu(x)
            shortcut = p if not stage and not unit else x
            y = conv(_bn_relu(conv(p, filters, stride)), filters)
            if stride == 2:
                side = filters // 4
                shortcut = layers.AveragePooling2D(2, 2)(shortcut)
                shortcut = tf.pad(shortcut, [[0, 0], [0, 0], [0, 0], [side, side]])
            x = layers.Add()([y, shortcut])
    x = tf.reduce_mean(_bn_relu(x), axis=[1, 2], keepdims=True)
    x = layers.Conv2D(classes, 1, padding="same", kernel_regularizer=keras.regularizers.l2(1e-4))(x)
    return _finish(inputs, layers.Flatten()(x))


def _resnet32(classes, dropout):
    return _cifar_resnet(32, classes)


def _resnet56(classes, dropout):
    return _cifar_resnet(56, classes)


def _resnet110(classes, dropout):
    return _cifar_resnet(110, classes)


def _wide_resnet(units, classes):
    """Pre-activation ResNet with projections (He et al., 2016, Identity Mappings)."""
    inputs = layers.Input((32, 32, 3))

    def conv(x, filters, size, stride=1):
        return layers.Conv2D(filters, size, stride, padding="same", use_bias=False,
                             kernel_initializer="he_normal")(x)

    x = conv(inputs, 64, 3)
    for stage, count in enumerate(units):
        filters = 64 << stage
        for unit in range(count):
            stride = 2 if stage and not unit else 1
            p = _bn_relu(x)
            shortcut = conv(p, filters, 1, stride) if stride == 2 else x
            y = conv(_bn_relu(conv(p, filters, 3, stride)), filters, 3)
            x = layers.Add()([y, shortcut])
    x = layers.GlobalAveragePooling2D()(_bn_relu(x))
    return _finish(inputs, layers.Dense(classes, kernel_initializer="he_normal")(x))


def _resnet18(classes, dropout):
    return _wide_resnet((2, 2, 2, 2), classes)


def _resnet34(classes, dropout):
    return _wide_resnet((3, 4, 6, 3), classes)


def _application(function, classes, hidden=()):
    # Xception refuses an input_shape this small, but not a tensor of it.
    inputs = layers.Input((32, 32, 3))
    base = function(include_top=False, weights=None, input_tensor=inputs)
    x = layers.GlobalAveragePooling2D()(base.output)
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    return _finish(inputs, layers.Dense(classes)(x))


def _densenet121(classes, dropout):
    return _application(keras.applications.DenseNet121, classes)


def _densenet169(classes, dropout):
    return _application(keras.applications.DenseNet169, classes)


def _xception(classes, dropout):
    return _application(keras.applications.Xception, classes, hidden=(1024,))


def _mobilenet_v2(classes, dropout):
    return _application(keras.applications.MobileNetV2, classes)


class _EncodePatches(layers.Layer):
    """Patches of 6 x 6, projected to 64, plus a learned embedding of their position."""

    def __init__(self):
        super().__init__()
        self.projection = layers.Dense(64)
        self.position = layers.Embedding(25, 64)

    def call(self, x):
        patches = tf.image.extract_patches(x, [1, 6, 6, 1], [1, 6, 6, 1], [1, 1, 1, 1], "VALID")
        return self.projection(tf.reshape(patches, (-1, 25, 108))) + self.position(tf.range(25))


def _vit(blocks, classes, dropout):
    inputs = layers.Input((32, 32, 3))

    def norm(x):
        return layers.LayerNormalization(epsilon=1e-6)(x)

    x = _EncodePatches()(inputs)
    for _ in range(blocks):
        a = layers.MultiHeadAttention(num_heads=4, key_dim=64)(x, x)
        x = norm(x + _dropout(a, 0.1 * dropout))
        h = layers.Dense(64)(layers.Dense(512, activation=tf.nn.gelu)(x))
        x = norm(x + _dropout(h, 0.1 * dropout))
    x = _dropout(layers.Flatten()(norm(x)), 0.5 * dropout)
    for units in (512, 256):
        x = layers.Dense(units, activation=tf.nn.gelu)(x)
    return _finish(inputs, layers.Dense(classes)(x))


def _vit8(classes, dropout):
    return _vit(8, classes, dropout)


def _vit12(classes, dropout):
    return _vit(12, classes, dropout)


NETWORKS = {function.__name__[1:]: function for function in (
    _mlp, _alexnet, _vgg16, _vgg19, _resnet32, _resnet56, _resnet110, _densenet121, _densenet169, _xception,
    _mobilenet_v2, _vit8, _vit12, _resnet18, _resnet34)}


def build(name, classes=10, dropout=True):
    """The network and its variables in the order in which they were created."""
    variables = []

    def record(create, **kwargs):
        variables.append(create(**kwargs))
        return variables[-1]

    with tf.variable_creator_scope(record):
        model = NETWORKS[name](classes, 1 if dropout else 0)
    # Without what Keras creates for itself, such as counters of metrics.
    weights = {id(variable) for variable in model.weights}
    return model, [variable for variable in variables if id(variable) in weights]
