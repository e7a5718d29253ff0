"""Trains the small network of the demo and records it.

The first layer is a sparse autoencoder with tied weights: a ReLU of 64 filters
of 5x5x3, trained to reconstruct single 5x5 patches from few active filters,
without labels. It starts from Gaussian noise and learns oriented edges and colour
blobs. The second layer and a linear head learn, from its output, which photograph
a larger patch was cut from.

The photographs are halved, their colours partly decorrelated, then whitened
(ZCA) and normalized in contrast, as is usual for this kind of training. Inputs,
weights and activations are recorded unchanged, with ``tf.summary.write``.

Run as ``python train.py``; it rewrites ``recording/train`` beside it in about
half a minute on one core.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from skimage import data  # noqa: E402
from sklearn.datasets import load_sample_images  # noqa: E402

OUT = Path(__file__).resolve().parent / "recording" / "train"
SEED = 0
LAST_STEP = 4000
KERNEL_STEPS = sorted({round(LAST_STEP * (i / 52) ** 2.2) for i in range(53)})
"""Dense at the start, when filters change fastest."""
CONV2_STEPS = KERNEL_STEPS[::4]
ACTIVATION_STEPS = [*KERNEL_STEPS[:-1:7], LAST_STEP]

N_FILTERS = 64
N_CONV2 = 16
WHITENING_PX = 7
CONTRAST_PX = 15
PATCHES, PATCH_PX = 512, 5
CROPS, CROP_PX = 16, 24
SPARSITY = 0.8
LEARNING_RATE = 0.003
PROBE_ROWS, PROBE_COLS, PROBE_STEP = slice(12, 204), slice(128, 320), 4


def photographs() -> list[np.ndarray]:
    """Colour photographs at half size, float32 in [0, 1], shape [h, w, 3]."""
    full = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    return [shrink(photo, 2) for photo in [*full, *load_sample_images().images]]


def shrink(photo: np.ndarray, factor: int) -> np.ndarray:
    """Means over blocks of ``factor`` x ``factor`` pixels, in [0, 1]."""
    height, width = (n // factor for n in photo.shape[:2])
    cut = photo[: height * factor, : width * factor].astype(np.float32) / 255
    return cut.reshape(height, factor, width, factor, 3).mean((1, 3))


def probe_photograph() -> np.ndarray:
    """The fixed picture that activations are recorded for, [48, 48, 3] in [0, 1]."""
    return shrink(data.astronaut()[PROBE_ROWS, PROBE_COLS], PROBE_STEP)


def crops(rng: np.random.Generator, photos: list[np.ndarray], count: int, size: int) -> tuple:
    """Random square crops, [count, size, size, 3], and the number of their photograph."""
    out = np.empty((count, size, size, 3), np.float32)
    labels = rng.integers(len(photos), size=count)
    for row, label in zip(out, labels, strict=True):
        photo = photos[label]
        y, x = (rng.integers(n - size + 1) for n in photo.shape[:2])
        row[:] = photo[y : y + size, x : x + size]
    return out, labels


def zca(samples: np.ndarray, floor: float) -> np.ndarray:
    """The symmetric whitening matrix of samples [n, d], variances below ``floor`` damped."""
    variance, axes = np.linalg.eigh(np.cov(samples.T))
    return (axes / np.sqrt(variance + floor)) @ axes.T


@dataclass(frozen=True)
class Whitening:
    """What is done to a photograph before the network sees it.

    Attributes:
        mean: mean colour.
        colors: [3, 3], decorrelates colours.
        kernel: HWIO, whitens space and colour.
        contrast: standard deviation of the whitened photographs.
    """

    mean: np.ndarray
    colors: np.ndarray
    kernel: np.ndarray
    contrast: float

    @classmethod
    def of(cls, photos: list[np.ndarray], rng: np.random.Generator) -> Whitening:
        """Computes it from photographs."""
        pixels = np.concatenate([photo.reshape(-1, 3) for photo in photos])
        mean, colors = pixels.mean(0), zca(pixels[::7], 0.02).astype(np.float32)
        plain = [(photo - mean) @ colors for photo in photos]
        patches = crops(rng, plain, 60_000, WHITENING_PX)[0]
        middle = WHITENING_PX**2 // 2 * 3
        matrix = zca(patches.reshape(len(patches), -1), 0.2)[:, middle : middle + 3]
        kernel = matrix.reshape(WHITENING_PX, WHITENING_PX, 3, 3).astype(np.float32)
        raw = cls(mean, colors, kernel, 1.0)
        contrast = np.concatenate([raw.filtered(photo).ravel() for photo in photos]).std()
        return cls(mean, colors, kernel, float(contrast))

    def filtered(self, photo: np.ndarray) -> np.ndarray:
        """Whitened, contrast as it comes; mirrored at the borders."""
        plain = ((photo - self.mean) @ self.colors).astype(np.float32)
        edge = WHITENING_PX // 2
        padded = np.pad(plain, ((edge, edge), (edge, edge), (0, 0)), mode="reflect")
        return tf.nn.conv2d(padded[None], self.kernel, 1, "VALID")[0].numpy()

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """Whitened, with even contrast."""
        white = self.filtered(photo)
        energy = np.square(white).mean(-1, keepdims=True)
        local = tf.nn.avg_pool2d(energy[None], CONTRAST_PX, 1, "SAME")[0].numpy()
        return (white / np.sqrt(local + (0.5 * self.contrast) ** 2)).astype(np.float32)


class Network(tf.Module):
    """conv1 (5x5x3x64), pooling, conv2 (3x3x64x16), a linear head on mean activations."""

    def __init__(self, rng: np.random.Generator, n_classes: int) -> None:
        """Draws all weights from a normal distribution."""
        super().__init__()

        def normal(shape: tuple[int, ...], sd: float) -> tf.Variable:
            return tf.Variable(rng.normal(0, sd, shape).astype(np.float32))

        self.conv1 = normal((5, 5, 3, N_FILTERS), 0.12)
        self.bias1 = tf.Variable(tf.zeros(N_FILTERS))
        self.conv2 = normal((3, 3, N_FILTERS, N_CONV2), 0.05)
        self.bias2 = tf.Variable(tf.zeros(N_CONV2))
        self.head = normal((N_CONV2, n_classes), 0.1)

    def layer1(self, images: tf.Tensor, padding: str = "SAME") -> tf.Tensor:
        """Activation of conv1."""
        return tf.nn.relu(tf.nn.conv2d(images, self.conv1, 1, padding) + self.bias1)

    def layer2(self, layer1: tf.Tensor) -> tf.Tensor:
        """Activation of conv2."""
        pooled = tf.nn.max_pool2d(layer1, 2, 2, "VALID")
        return tf.nn.relu(tf.nn.conv2d(pooled, self.conv2, 1, "SAME") + self.bias2)

    def sparse_loss(self, patches: tf.Tensor) -> tf.Tensor:
        """The squared error of the reconstructed patches, plus the penalty on activations."""
        code = self.layer1(patches, "VALID")
        rebuilt = tf.nn.conv2d_transpose(code, self.conv1, tf.shape(patches), 1, "VALID")
        error = tf.reduce_mean(tf.reduce_sum(tf.square(rebuilt - patches), (1, 2, 3)))
        return error + SPARSITY * tf.reduce_mean(tf.reduce_sum(code, -1))

    def class_loss(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Cross entropy of the photograph's number; conv1 learns nothing from it."""
        layer2 = self.layer2(tf.stop_gradient(self.layer1(images)))
        logits = tf.reduce_mean(layer2, (1, 2)) @ self.head
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        decay = 1e-4 * tf.nn.l2_loss(self.conv2)
        return tf.reduce_mean(losses) + decay


def make_step(network: Network) -> tf.types.experimental.PolymorphicFunction:
    """The compiled training step: patches, crops and labels in, both losses out."""
    optimizer = tf.keras.optimizers.Adam(LEARNING_RATE)
    weights = list(network.trainable_variables)
    optimizer.build(weights)

    @tf.function
    def step(patches: tf.Tensor, images: tf.Tensor, labels: tf.Tensor) -> tuple:
        with tf.GradientTape() as tape:
            sparse = network.sparse_loss(patches)
            classes = network.class_loss(images, labels)
            loss = sparse + classes
        gradients = tape.gradient(loss, weights)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return sparse, classes

    return step


def record(network: Network, probe: np.ndarray, step: int) -> None:
    """Writes what is due at this step."""
    if step in KERNEL_STEPS:
        tf.summary.write("conv1/kernel", network.conv1, step=step)
        tf.summary.write("conv1/bias", network.bias1, step=step)
    if step in CONV2_STEPS:
        tf.summary.write("conv2/kernel", network.conv2, step=step)
    layer1 = network.layer1(probe)
    if step in ACTIVATION_STEPS:
        tf.summary.write("conv1/activation", tf.cast(layer1, tf.float16), step=step)
    if step in CONV2_STEPS:
        layer2 = tf.cast(network.layer2(layer1), tf.float16)
        tf.summary.write("conv2/activation", layer2, step=step)


def train() -> None:
    """Trains and records."""
    rng = np.random.default_rng(SEED)
    tf.random.set_seed(SEED)
    photos = photographs()
    whiten = Whitening.of(photos, rng)
    white = [whiten(photo) for photo in photos]
    picture = probe_photograph()
    probe = whiten(picture)[None]
    network = Network(rng, len(photos))
    training_step = make_step(network)
    tf.summary.write("input", picture[None], step=0)
    for step in range(LAST_STEP + 1):
        if step in KERNEL_STEPS:
            record(network, probe, step)
        patches, _ = crops(rng, white, PATCHES, PATCH_PX)
        images, labels = crops(rng, white, CROPS, CROP_PX)
        sparse, classes = training_step(patches, images, labels)
        if step in KERNEL_STEPS:
            tf.summary.scalar("loss/sparse_code", sparse, step=step)
            tf.summary.scalar("loss/which_photograph", classes, step=step)


def main() -> None:
    """Rewrites the recording."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    writer = tf.summary.create_file_writer(str(OUT))
    with writer.as_default():
        train()
    writer.close()
    (file,) = OUT.iterdir()
    file.rename(OUT / f"events.out.tfevents.{file.name.split('.')[3]}.demo.0")


if __name__ == "__main__":
    main()
