"""What the recorder writes, as TensorFlow, TensorBoard and ConvScope read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import readers
import seen
import tensorflow as tf

from convscope import Recorder
from convscope.arrays import DATA_TYPES
from convscope.events import masked

SHAPE = (2, 3, 4, 5)


def numbers(name: str) -> np.ndarray:
    """Numbers of a type, including its extremes."""
    random = np.random.default_rng(7)
    if name == "bool":
        return random.random(SHAPE) < 0.5
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    if name.startswith("complex"):
        return (random.normal(size=SHAPE) + 1j * random.normal(size=SHAPE)).astype(dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        middle = random.integers(limits.min, limits.max, SHAPE, dtype=dtype)
        middle[0, 0, 0, :2] = limits.min, limits.max
        return middle
    if name in ("int4", "uint4"):
        return random.integers(0, 8, SHAPE).astype(dtype)
    values = random.normal(size=SHAPE).astype(dtype)
    values[0, 0, 0, :2] = np.nan, 0.0
    return values


def widened(array: np.ndarray) -> np.ndarray:
    """The array in a type that NPY supports, as the API returns types that NumPy lacks."""
    if array.dtype.name == "bfloat16" or array.dtype.name.startswith("float8"):
        return array.astype(np.float32)
    return array.astype({"int4": np.int8, "uint4": np.uint8}.get(array.dtype.name, array.dtype))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """One tensor of every type, at step 5."""
    logdir = tmp_path_factory.mktemp("types")
    arrays = {name: numbers(name) for name in DATA_TYPES}
    with Recorder(logdir, strict=True) as recorder:
        for name, array in arrays.items():
            assert recorder.kernel(name, array, 5, "HWIO")
    return logdir, arrays


def content(value: Any, array: np.ndarray) -> np.ndarray:
    """The elements of a value from its bytes; no reader of TensorBoard decodes all types."""
    assert tuple(axis.size for axis in value.tensor.tensor_shape.dim) == array.shape
    return np.frombuffer(value.tensor.tensor_content, array.dtype).reshape(array.shape)


@pytest.mark.parametrize("read", readers.ALL)
def test_every_type_is_read_back_bit_for_bit(log: Any, read: Any) -> None:
    logdir, arrays = log
    values = {value.tag: (step, value) for step, value in read(logdir)}
    assert list(values) == [f"{name}/kernel" for name in arrays]
    for name, array in arrays.items():
        step, value = values[f"{name}/kernel"]
        assert step == 5
        assert value.tensor.dtype == tf.as_dtype(array.dtype).as_datatype_enum
        assert content(value, array).tobytes() == array.tobytes()


def test_tensorflow_decodes_every_type(log: Any) -> None:
    logdir, arrays = log
    values = [value for _, value in readers.by_tensorflow(logdir)]
    assert len(values) == len(arrays) > 0
    for value in values:
        array = arrays[value.tag.removesuffix("/kernel")]
        decoded = tf.make_ndarray(value.tensor)
        assert (decoded.dtype, decoded.tobytes()) == (array.dtype, array.tobytes())


def test_convscope_gives_every_type(log: Any, binary: Path, tmp_path: Path) -> None:
    logdir, arrays = log
    assert seen.faults(binary, logdir) == ""
    with seen.served(binary, logdir, tmp_path) as server:
        for name, array in arrays.items():
            got, expected = server.tensor(f"{name}/kernel", 5), widened(array)
            assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
            # A widened NaN may differ in bits without meaning.
            np.testing.assert_array_equal(got, expected)


def test_the_first_event_says_the_version_and_the_writer(log: Any) -> None:
    path = readers.only_file(log[0])
    raw = next(iter(tf.data.TFRecordDataset(str(path)))).numpy()
    first = tf.compat.v1.Event.FromString(raw)
    assert (first.file_version, first.source_metadata.writer) == (
        "brain.Event:2",
        "convscope.recorder",
    )
    assert path.name.startswith("events.out.tfevents.") and not path.name.endswith(".convscope")


def test_a_crc_is_masked_as_tensorflow_masks_it() -> None:
    # CRC-32C of 32 zero bytes is 0x8a9136aa (RFC 3720, B.4); of 8 zero bytes, masked, 0x07980329.
    import google_crc32c

    assert google_crc32c.value(bytes(32)) == 0x8A9136AA
    assert masked(google_crc32c.value(bytes(8))) == 0x07980329


def test_metadata_comes_with_the_first_value_of_a_tag_alone(tmp_path: Path) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        for step in (0, 1):
            recorder.activation("c", np.zeros((1, 2, 2, 3), "f4"), step, "NHWC")
    first, second = (value for _, value in readers.by_tensorflow(tmp_path))
    assert first.metadata.plugin_data.plugin_name == "convscope"
    said = b'{"layer": "c", "role": "activation", "layout": "NHWC"}'
    assert first.metadata.plugin_data.content == said
    assert not second.HasField("metadata")


def test_negative_steps_and_odd_names_are_kept(tmp_path: Path, binary: Path) -> None:
    names = ["ü/\U0001f600", "a b<i>", "x" * 5000, "half \ud800"]
    with Recorder(tmp_path, strict=True) as recorder:
        for name in names:
            recorder.kernel(name, np.ones((3, 3, 1, 2), "f4"), -3, "HWIO")
    expected = [*names[:3], "half ?"]
    found = [(step, value.tag) for step, value in readers.by_tensorflow(tmp_path)]
    assert found == [(-3, f"{name}/kernel") for name in expected]
    assert set(seen.sure_layouts(seen.series(binary, tmp_path)).values()) == {"HWIO"}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_are_shown_by_tensorboard_and_convscope(
    tmp_path: Path, binary: Path, channels: int
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 5, 7, channels), dtype=np.uint8)
    with Recorder(tmp_path, strict=True) as recorder:
        recorder.image("probe", pixels, 2)
    ((step, value),) = readers.by_tensorboard(tmp_path)
    assert step == 2 and value.metadata.plugin_data.plugin_name == "images"
    width, height, *pngs = value.tensor.string_val
    assert (width, height) == (b"7", b"5")
    decoded = [tf.io.decode_png(png).numpy() for png in pngs]
    np.testing.assert_array_equal(np.stack(decoded), pixels)
    assert seen.series(binary, tmp_path)["probe"]["role"] == "image"


def test_float_pictures_are_clipped_to_the_unit_range(tmp_path: Path) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        recorder.image("p", np.array([[0.0, 0.5], [2.0, np.nan]]), 0)
    ((_, value),) = readers.by_tensorflow(tmp_path)
    pixels = tf.io.decode_png(value.tensor.string_val[2]).numpy()[:, :, 0]
    assert pixels.tolist() == [[0, 128], [255, 0]]
