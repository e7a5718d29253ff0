"""Makes the logdirs that the benchmarks read, once.

``tensors``: one run of 1.1 GB, 300 steps of 4 layers, each a (3, 3, 64, 64) kernel and
a (1, 56, 56, 64) activation: 2,401 records in one file, written by
``tf.summary.write``, with the data class that makes TensorBoard's data server keep
tensors at all.

``plain``: the same without metadata, as most programs write it. The data server
reads past every tensor of it and keeps none.

``scalars``: 1,000,000 scalar events, 44 MB in one file, framed by TensorFlow's
record writer.

``film``: 300 steps of one (5, 5, 3, 64) kernel, 6 MB in one file, written by
``tf.summary.write``.

    python make_log.py [DIRECTORY]        default: target/bench
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DEFAULT = Path(__file__).resolve().parent.parent / "target" / "bench"
STEPS, LAYERS = 300, 4
KERNEL, ACTIVATION = (3, 3, 64, 64), (1, 56, 56, 64)
SCALARS = 1_000_000


def make_tensors(folder: Path) -> None:
    """Writes the 1.1 GB run with a data class."""
    write_tensors(folder, with_class=True)


def make_plain(folder: Path) -> None:
    """Writes the 1.1 GB run without metadata."""
    write_tensors(folder, with_class=False)


def write_tensors(folder: Path, *, with_class: bool) -> None:
    """Writes 300 steps of noise that is shifted from step to step."""
    import numpy as np
    import tensorflow as tf
    from tensorboard.compat.proto import summary_pb2

    metadata = None
    if with_class:
        metadata = summary_pb2.SummaryMetadata(data_class=summary_pb2.DATA_CLASS_TENSOR)
        metadata.plugin_data.plugin_name = "tensor"
    rng = np.random.default_rng(1)
    kernel = rng.normal(0, 0.05, KERNEL).astype(np.float32)
    activation = np.maximum(rng.normal(0, 1, ACTIVATION), 0).astype(np.float32)
    writer = tf.summary.create_file_writer(str(folder), max_queue=20)
    with writer.as_default():
        for step in range(STEPS):
            for layer in range(1, LAYERS + 1):
                shift = 17 * step + layer
                for name, array in (("kernel", kernel), ("activation", activation)):
                    tf.summary.write(
                        f"conv{layer}/{name}", np.roll(array, shift), step=step, metadata=metadata
                    )
    writer.close()


def scalar_event(step: int, value: float) -> bytes:
    """A serialized ``Event`` as a TF1 ``FileWriter`` writes a scalar."""
    tagged = b"\x0a\x04loss\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(tagged)]) + tagged
    time = b"\x09" + struct.pack("<d", 1_764_000_000 + step * 0.01)
    return time + b"\x10" + varint(step) + b"\x2a" + bytes([len(summary)]) + summary


def varint(value: int) -> bytes:
    """A base-128 integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def make_scalars(folder: Path) -> None:
    """Writes a million scalars of one tag."""
    import tensorflow as tf

    path = folder / "events.out.tfevents.1764000000.bench.0"
    with tf.io.TFRecordWriter(str(path)) as file:
        file.write(b"\x09" + struct.pack("<d", 1_764_000_000) + b"\x1a\x0dbrain.Event:2")
        for step in range(1, SCALARS + 1):
            file.write(scalar_event(step, 1 / step))


def make_graph(folder: Path) -> None:
    """Writes a graph of 400 MB, and then a convolution's tensors."""
    script = Path(__file__).resolve().parent.parent / "tests/fixtures/make_large_graph.py"
    subprocess.run([sys.executable, script, folder], check=True)


def make_film(folder: Path) -> None:
    """Writes the steps that ``film.py`` draws itself."""
    import film
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder), max_queue=20)
    with writer.as_default():
        for step, kernel in enumerate(film.steps()):
            tf.summary.write(film.TAG, kernel, step=step)
    writer.close()


MAKERS = {
    "tensors": make_tensors,
    "plain": make_plain,
    "scalars": make_scalars,
    "graph": make_graph,
    "film": make_film,
}
"""Name of a logdir -> the function that writes it."""


def ensure(directory: Path, names: Iterable[str] = MAKERS) -> dict[str, Path]:
    """Writes the logdirs that are missing.

    Args:
        directory: where the logdirs are or will be.
        names: which of them are needed.

    Returns:
        Name of a logdir to its path.
    """
    logs = {}
    for name in names:
        logs[name] = directory / name
        done = directory / f"{name}.done"
        if done.exists():
            continue
        logs[name].mkdir(parents=True, exist_ok=True)
        for old in logs[name].iterdir():
            old.unlink()
        MAKERS[name](logs[name])
        done.touch()
    return logs


def main() -> None:
    """Makes the logs and prints where they are."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    for name, path in ensure(directory).items():
        size = sum(file.stat().st_size for file in path.iterdir())
        print(f"{name}: {path}, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
