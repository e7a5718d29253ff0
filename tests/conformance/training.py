"""A real training, recorded by one line -> what the page shows in a real Chromium.

    .venv/bin/python tests/conformance/training.py keras|torch [--bin target/debug/convscope]
        [--keep target/keras.png]

Networks learn which of two photographs a crop of 24x24 pixels comes from. The page must show kernel
and activation of each convolution, with a layout that ConvScope is sure of; the arrays that the
program serves must be those of the model, bit for bit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_sample_images

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "python" / "tests")]

import seen  # noqa: E402

CROP_PX = 24
N_CROPS = 512
N_PROBE = 4
BROWSER_WITHIN_S = 900
"""Ends a hang of the browser, whose own waits each end before."""
EVERY = 20


@dataclass
class Truth:
    """The expected results, from the model itself.

    Attributes:
        arrays: its kernels and activations, by tag and step.
        layouts: which axis is which, by tag.
        last: the last step.
    """

    arrays: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    layouts: dict[str, str] = field(default_factory=dict)
    last: int = 0


def crops() -> tuple[np.ndarray, np.ndarray]:
    """Crops ``[n, 24, 24, 3]`` in [0, 1] of two photographs, and which one each is from."""
    photographs = load_sample_images().images
    rng = np.random.default_rng(0)
    labels = rng.integers(len(photographs), size=N_CROPS)
    out = np.empty((N_CROPS, CROP_PX, CROP_PX, 3), np.float32)
    for crop, label in zip(out, labels, strict=True):
        photograph = photographs[label]
        y, x = (rng.integers(n - CROP_PX + 1) for n in photograph.shape[:2])
        crop[:] = photograph[y : y + CROP_PX, x : x + CROP_PX] / np.float32(255)
    return out, labels


def train_keras(logdir: Path) -> Truth:
    """Keras, with all kinds of two-dimensional convolutions, two of them in a nested model."""
    import keras
    from keras import layers

    import convscope.keras

    keras.utils.set_random_seed(0)
    x, y = crops()
    names = ["conv1", "depthwise", "separable", "transposed"]
    inputs = keras.Input((CROP_PX, CROP_PX, 3))
    inner = [layers.Conv2D(12, 3, activation="relu", name=name) for name in ("conv2", "conv3")]
    block = keras.Sequential([keras.Input((20, 20, 16)), *inner], name="block")
    maps = layers.Conv2D(16, 5, activation="relu", name="conv1")(inputs)
    maps = layers.DepthwiseConv2D(3, name="depthwise")(block(maps))
    maps = layers.SeparableConv2D(8, 3, activation="relu", name="separable")(maps)
    maps = layers.Conv2DTranspose(6, 3, strides=2, name="transposed")(maps)
    outputs = layers.Dense(2)(layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(inputs, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    truth = Truth()

    whole = keras.Model(inputs, [model.get_layer(name).output for name in names])
    part = keras.Model(block.inputs, [layer.output for layer in inner])
    found = {name: model.get_layer(name) for name in names}
    found |= {f"block/{layer.name}": layer for layer in inner}

    def copied(tensor: Any) -> np.ndarray:
        return np.array(keras.ops.convert_to_numpy(tensor))

    def keep(step: int) -> None:
        given = whole(x[:N_PROBE])
        for (name, layer), value in zip(found.items(), [*given, *part(given[0])], strict=True):
            truth.arrays[f"{name}/activation", step] = copied(value)
            kernels = [weight for weight in layer.weights if "kernel" in weight.name]
            truth.arrays |= {(f"{name}/{one.name}", step): copied(one) for one in kernels}

    keep(0)
    recorder = convscope.keras.Recorder(logdir, probe=x[:N_PROBE], every=EVERY, strict=True)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[recorder])
    truth.last = recorder.step
    keep(truth.last)
    truth.layouts = {
        **{f"{name}/activation": "NHWC" for name in found},
        **{f"{name}/kernel": "HWIO" for name in ("conv1", "block/conv2", "block/conv3")},
        **{"depthwise/kernel": "HWIM", "transposed/kernel": "HWOI"},
        **{"separable/depthwise_kernel": "HWIM", "separable/pointwise_kernel": "HWIO"},
    }
    return truth


def train_torch(logdir: Path) -> Truth:
    """PyTorch, with grouped and transposed convolutions and a block."""
    import torch
    from torch import nn

    import convscope
    import convscope.torch

    torch.manual_seed(0)
    x, y = (torch.tensor(array) for array in crops())
    x = x.permute(0, 3, 1, 2).contiguous()
    block = nn.Sequential(nn.Conv2d(16, 12, 3), nn.ReLU(), nn.Conv2d(12, 12, 3, groups=12))
    transposed = nn.ConvTranspose2d(12, 6, 3, stride=2)
    parts = {"conv1": nn.Conv2d(3, 16, 5), "relu": nn.ReLU(), "block": block}
    parts |= {"transposed": transposed, "pool": nn.AdaptiveAvgPool2d(1)}
    model = nn.Sequential()
    for name, layer in {**parts, "flat": nn.Flatten(), "out": nn.Linear(6, 2)}.items():
        model.add_module(name, layer)
    truth = Truth()

    @torch.no_grad()
    def keep(step: int) -> None:
        maps = {"conv1": model.conv1(x[:N_PROBE])}
        maps["block.0"] = block[0](torch.relu(maps["conv1"]))
        maps["block.2"] = block[2](torch.relu(maps["block.0"]))
        maps["transposed"] = transposed(maps["block.2"])
        for name, value in maps.items():
            truth.arrays[f"{name}/activation", step] = value.numpy().copy()
            weight = model.get_submodule(name).weight
            truth.arrays[f"{name}/kernel", step] = weight.numpy().copy()

    optimizer = torch.optim.Adam(model.parameters())
    keep(0)
    with (
        convscope.Recorder(logdir, strict=True) as recorder,
        convscope.torch.watch(model, recorder, probe=x[:N_PROBE], every=EVERY) as watch,
    ):
        for batch in [*torch.arange(N_CROPS).split(16)] * 2:
            loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        truth.last = watch.n_steps
    keep(truth.last)
    names = ("conv1", "block.0", "block.2", "transposed")
    truth.layouts = {f"{name}/activation": "NCHW" for name in names}
    truth.layouts |= {f"{name}/kernel": "OIHW" for name in names}
    truth.layouts["transposed/kernel"] = "IOHW"
    return truth


def check_arrays(server: seen.Server, truth: Truth) -> None:
    """Checks that the served arrays are those of the model, bit for bit."""
    assert {tag for tag, _ in truth.arrays} == set(truth.layouts)
    for (tag, step), expected in truth.arrays.items():
        got = server.tensor(tag, step)
        assert (got.dtype, got.shape) == (expected.dtype, expected.shape), tag
        assert got.tobytes() == expected.tobytes(), (tag, step)
    for tag in [tag for tag in truth.layouts if "kernel" in tag]:
        assert not np.array_equal(truth.arrays[tag, 0], truth.arrays[tag, truth.last]), tag
    print(f"{len(truth.arrays)} of {len(truth.arrays)} arrays are the model's, bit for bit")


def check_page(server: seen.Server, truth: Truth, picture: Path | None) -> None:
    """Checks what a browser shows of each tensor."""
    expected = json.dumps({"layouts": truth.layouts, "last": truth.last})
    argv = ["node", HERE / "training.mjs", f"{server.url}/", expected, *filter(None, [picture])]
    subprocess.run(argv, check=True, timeout=BROWSER_WITHIN_S)


FRAMEWORKS: dict[str, Callable[[Path], Truth]] = {"keras": train_keras, "torch": train_torch}


def main() -> None:
    """Trains, serves and checks; raises if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "debug" / "convscope")
    parser.add_argument("--keep", type=Path, help="make this picture of the page")
    options: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logdir, scratch = Path(folder) / "logs", Path(folder)
        truth = FRAMEWORKS[options.framework](logdir)
        assert seen.faults(options.bin, logdir) == ""
        with seen.served(options.bin, logdir, scratch) as server:
            check_arrays(server, truth)
            check_page(server, truth, options.keep and options.keep.resolve())


if __name__ == "__main__":
    main()
