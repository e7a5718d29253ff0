"""Measures how long a picture takes from a tensor to PNG bytes.

The peer is what people write themselves: NumPy lays out the sheet, matplotlib colours it,
Pillow encodes it; the tensor is already in memory. Ours is the Rust benchmark
``picture``, in process: read from the log, check, decode, render, encode, warm. It
prints one JSON line per work, ``{"work": NAME, "median_us": N}``.
"""

from __future__ import annotations

import io
import json
import math
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from PIL import Image
from process import Unavailable
from table import Row

ROOT = Path(__file__).resolve().parent.parent


def lay_out(tiles: np.ndarray, fill: int) -> np.ndarray:
    """A near-square sheet of tiles [n, h, w] or [n, h, w, 3] with gutters of one pixel."""
    count, height, width = tiles.shape[:3]
    cols = math.ceil(math.sqrt(count))
    rows = math.ceil(count / cols)
    size = (rows * (height + 1) + 1, cols * (width + 1) + 1, *tiles.shape[3:])
    sheet = np.full(size, fill, tiles.dtype)
    for index, tile in enumerate(tiles):
        y, x = 1 + index // cols * (height + 1), 1 + index % cols * (width + 1)
        sheet[y : y + height, x : x + width] = tile
    return sheet


def png(pixels: np.ndarray) -> bytes:
    """Pillow's PNG of RGB pixels at its default settings."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def kernel_png(kernel: np.ndarray) -> bytes:
    """A sheet of the filters of an HWIO kernel with three inputs, as colour."""
    tiles = 0.5 + kernel / (2 * np.abs(kernel).max())
    pixels = np.rint(255 * tiles).astype(np.uint8).transpose(3, 0, 1, 2)
    return png(lay_out(pixels, 38))


def maps_png(activation: np.ndarray) -> bytes:
    """A viridis sheet of the channels of the first sample, NHWC."""
    tiles = activation[0].transpose(2, 0, 1)
    low, high = tiles.min(), tiles.max()
    sheet = lay_out((tiles - low) / (high - low), 0)
    return png(colormaps["viridis"](sheet, bytes=True)[..., :3])


def milliseconds(work: Callable[[], bytes], rounds: int) -> list[float]:
    """The times of some calls, after one that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def rust_medians(command: list[str]) -> dict[str, float]:
    """The figures of our benchmark: work -> milliseconds."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Unavailable(str(error)) from error
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command)} exited with {done.returncode}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["work"]: line["median_us"] / 1e3 for line in lines}


def activation(size: int, rng: np.random.Generator) -> np.ndarray:
    """A (1, size, size, 64) activation after a ReLU."""
    return np.maximum(rng.normal(0, 1, (1, size, size, 64)), 0).astype(np.float32)


def pictures(rounds: int) -> list[Row]:
    """All sheets; names in the first column are those of the Rust benchmark."""
    rng = np.random.default_rng(2)
    kernel = rng.normal(0, 0.1, (5, 5, 3, 64)).astype(np.float32)
    small, large = activation(56, rng), activation(224, rng)
    works = {
        "kernel_5x5x3x64_rgb": ("NumPy + Pillow", 3, 40, lambda: kernel_png(kernel)),
        "maps_64_of_56x56_viridis": ("+ matplotlib colours", 20, 4, lambda: maps_png(small)),
        "maps_64_of_224x224_viridis": ("+ matplotlib colours", 30, 1, lambda: maps_png(large)),
    }
    ours, why = {}, ""
    try:
        ours = rust_medians(["cargo", "bench", "--quiet", "--bench", "picture", "--", "--json"])
    except Unavailable as error:
        why = str(error)
    rows = []
    for name, (peer, factor, times, work) in works.items():
        row = Row(name, peer, "ms", factor=factor, theirs=milliseconds(work, rounds * times))
        row.note = f"the peer's PNG has {len(work()) / 1e3:.0f} kB"
        if name in ours:
            row.ours.append(ours[name])
        else:
            row.note += f"; {why or 'our benchmark does not name it'}"
        rows.append(row)
    return rows
