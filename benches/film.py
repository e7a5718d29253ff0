"""Measures how long a film of a kernel's training takes.

300 steps of a (5, 5, 3, 64) kernel, each frame a sheet of its filters, all with one scale.
The peer is what people write themselves: the arrays are already in memory, NumPy lays out the
sheets, Pillow writes them as animated PNG or GIF with its default settings. Ours over HTTP
is from the request to the last byte: the log is read twice, for the scale and for the
frames, and nothing is cached. The command line is a whole process, ``convscope render``,
from its start to its exit, including the index of the log.

A film without all frames does not count.
"""

from __future__ import annotations

import http.client
import io
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from pictures import lay_out, milliseconds
from process import HOST, PATIENCE_S, Unavailable, daemon, run
from table import Row, attempt

STEPS, SHAPE = 300, (5, 5, 3, 64)
TAG = "conv1/kernel"
LIMIT_MS = 1000


def steps() -> list[np.ndarray]:
    """The kernels: noise that drifts, as weights do while they are trained."""
    rng = np.random.default_rng(5)
    drift = rng.normal(0, 0.004, (STEPS, *SHAPE)).cumsum(0)
    return list((rng.normal(0, 0.05, SHAPE) + drift).astype(np.float32))


def sheets(kernels: list[np.ndarray]) -> list[Image.Image]:
    """A sheet of each kernel in colour, all with one scale."""
    top = max(np.abs(kernel).max() for kernel in kernels)
    tiles = [np.rint(255 * (0.5 + kernel / (2 * top))).astype(np.uint8) for kernel in kernels]
    return [Image.fromarray(lay_out(tile.transpose(3, 0, 1, 2), 38)) for tile in tiles]


def pillow(kernels: list[np.ndarray], form: str) -> bytes:
    """An animated PNG or GIF by Pillow."""
    first, *rest = sheets(kernels)
    out = io.BytesIO()
    first.save(out, form, save_all=True, append_images=rest, duration=100, loop=0)
    return out.getvalue()


def check(film: bytes) -> bytes:
    """Refuses a film that lacks frames."""
    with Image.open(io.BytesIO(film)) as image:
        if image.n_frames != STEPS:
            raise Unavailable(f"a film has {image.n_frames} of {STEPS} frames")
    return film


def fetch(port: int, form: str) -> tuple[float, float, bytes]:
    """Milliseconds to the first byte of the film and to the last, and the film."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
    try:
        start = time.perf_counter()
        connection.request("GET", f"/api/v1/film?tag={TAG}&format={form}")
        answer = connection.getresponse()
        first = answer.read(1)
        until_first = time.perf_counter() - start
        film = first + answer.read()
        until_last = time.perf_counter() - start
    finally:
        connection.close()
    if answer.status != 200:
        raise Unavailable(f"the film gave {answer.status}")
    return until_first * 1e3, until_last * 1e3, check(film)


def rendered(binary: Path, logdir: Path, form: str) -> float:
    """Milliseconds of a whole ``convscope render``."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"film.{form}"
        seconds, _ = run([binary, "render", logdir, "--tag", TAG, "-o", out])
        check(out.read_bytes())
    return seconds * 1e3


def film(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """Rows for animated PNG, GIF and WebP over HTTP, and for the command line."""
    kernels, logdir = steps(), logs["film"]
    name = f"film of {STEPS} steps of a 5x5x3x64 kernel"
    rows = {
        "apng": Row(f"{name}, APNG", "NumPy + Pillow", "ms", limit=LIMIT_MS),
        "gif": Row(f"{name}, GIF", "NumPy + Pillow", "ms", limit=LIMIT_MS),
        "webp": Row(f"{name}, WebP", "-", "ms", limit=LIMIT_MS),
    }
    first_byte = Row("its first byte, APNG", "-", "ms")
    for form, of_pillow in (("apng", "PNG"), ("gif", "GIF")):
        work = lambda of_pillow=of_pillow: pillow(kernels, of_pillow)  # noqa: E731
        rows[form].theirs = milliseconds(work, rounds)
        rows[form].note = f"the peer's has {len(work()) / 1e3:.0f} kB"
    try:
        with daemon(binary, logdir) as server:
            server.wait_loaded()
            for form, row in rows.items():
                for _ in range(rounds):
                    first, last, bytes_ = fetch(server.port, form)
                    row.ours.append(last)
                    if form == "apng":
                        first_byte.ours.append(first)
                row.note += f"{'; ' if row.note else ''}ours has {len(bytes_) / 1e3:.0f} kB"
    except Unavailable as error:
        rows["apng"].note = str(error)
    by_command = Row("the same by convscope render, APNG", "NumPy + Pillow", "ms", limit=LIMIT_MS)
    by_command.theirs = rows["apng"].theirs
    for _ in range(rounds):
        attempt(by_command, lambda: rendered(binary, logdir, "apng"))
    return [*rows.values(), first_byte, by_command]
