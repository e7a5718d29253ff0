"""What the recorder accepts, cuts, narrows and refuses."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import readers
import seen
import tensorflow as tf

from convscope import Recorder
from convscope.recorder import RecordError

MAPS = np.arange(4 * 3 * 2 * 6, dtype=np.float32).reshape(4, 3, 2, 6)


def recorded(logdir: Path) -> list[np.ndarray]:
    """All tensors, in order."""
    return [tf.make_ndarray(value.tensor) for _, value in readers.by_tensorflow(logdir)]


def frozen(array: np.ndarray) -> np.ndarray:
    """The same, read-only."""
    array = array.copy()
    array.flags.writeable = False
    return array


class OnlyDlpack:
    """An array that supports only DLPack."""

    __array__ = None

    def __dlpack__(self, **options: Any) -> Any:
        return MAPS.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return MAPS.__dlpack_device__()


TAKEN = {
    "Fortran order": np.asfortranarray(MAPS),
    "a transposed view": np.moveaxis(np.ascontiguousarray(np.moveaxis(MAPS, 3, 0)), 0, 3),
    "every other element": np.repeat(MAPS, 2, axis=1)[:, ::2],
    "turned round": np.ascontiguousarray(MAPS[::-1])[::-1],
    "big-endian": MAPS.astype(">f4"),
    "read-only": frozen(MAPS),
    "a tensor of TensorFlow": tf.constant(MAPS),
    "a variable of TensorFlow": tf.Variable(MAPS),
    "nested lists": MAPS.astype(np.float64).tolist(),
    "DLPack alone": OnlyDlpack(),
}


@pytest.mark.parametrize("what", TAKEN)
def test_whatever_holds_numbers_is_taken(tmp_path: Path, what: str) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        assert recorder.activation("conv1", TAKEN[what], 0, "NHWC")
    np.testing.assert_array_equal(recorded(tmp_path)[0], MAPS)


def test_nan_and_infinities_are_numbers(tmp_path: Path) -> None:
    array = np.array([[[[np.nan, np.inf, -np.inf, -0.0]]]], np.float32)
    with Recorder(tmp_path, strict=True) as recorder:
        recorder.kernel("conv1", array, 0, "HWIO")
    assert recorded(tmp_path)[0].tobytes() == array.tobytes()


def symbolic() -> Any:
    """A tensor in a function that TensorFlow traces."""
    caught = []
    tf.function(lambda x: caught.append(x) or x)(tf.constant(MAPS))
    return caught[0]


REFUSED = {
    "too few axes": (
        np.zeros(3, "f4"),
        None,
        "conv1/kernel was not recorded: the array of shape (3,) has 1 axis, and a kernel",
    ),
    "too many axes": (np.zeros((1,) * 6, "f4"), None, "a kernel has 2 to 5 axes"),
    "no axes": (3.0, None, "of shape () has 0 axes"),
    "no elements": (np.zeros((3, 0, 1, 2), "f4"), None, "of shape (3, 0, 1, 2) has no elements"),
    "unknown layout": (MAPS, "WHIO", "cannot be 'WHIO'; layouts of a kernel of 4 axes: HWIO, OIHW"),
    "layout of another rank": (MAPS, "WIO", "of shape (4, 3, 2, 6) cannot be 'WIO'"),
    "layout of another role": (MAPS, "NHWC", "layouts of a kernel of 4 axes: HWIO"),
    "layout that is no text": (MAPS, 4, "cannot be 4"),
    "objects": (
        np.array([[1, "a"], [None, 2]], object),
        None,
        "of shape (2, 2) has elements of the type object; allowed types: float32",
    ),
    "a mask": (np.ma.masked_less(MAPS, 0.5), None, "of shape (4, 3, 2, 6) is partly masked"),
    "text": (np.array([["a", "b"]]), None, "has elements of the type str"),
    "dates": (np.zeros((2, 2), "M8[s]"), None, "has elements of the type datetime64"),
    "ragged lists": (
        [[1.0], [1.0, 2.0]],
        None,
        "is a builtins.list that cannot be read as an array",
    ),
    "nothing": (None, None, "has elements of the type object"),
    "a tensor without values": (symbolic, None, "outside of traced or compiled functions"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_drawn_is_refused_with_one_warning(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    value, layout, message = REFUSED[what]
    value = value() if callable(value) else value
    with Recorder(tmp_path) as recorder:
        for step in range(3):
            assert not recorder.kernel("conv1", value, step, layout)
        assert recorder.kernel("conv2", MAPS, 0)
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "conv1" in warning.getMessage() and message in warning.getMessage()
    assert len(recorded(tmp_path)) == 1


@pytest.mark.parametrize("what", REFUSED)
def test_a_strict_recorder_raises_instead(tmp_path: Path, what: str) -> None:
    value, layout, message = REFUSED[what]
    value = value() if callable(value) else value
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(RecordError) as raised:
            recorder.kernel("conv1", value, 0, layout)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        *((1.5, "not a whole number"), ("3", "not a whole number"), (None, "not a whole number")),
        *(
            (tf.constant(1.5), "not a whole number"),
            ([1, 2], "not a whole number"),
            (1 << 63, "64 bits"),
        ),
    ],
)
def test_a_step_is_a_whole_number(tmp_path: Path, step: Any, message: str) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(RecordError, match=message):
            recorder.kernel("conv1", MAPS, step)
        assert recorder.kernel("conv1", MAPS, np.int32(4))
        assert recorder.kernel("conv1", MAPS, tf.constant(5))
        assert recorder.kernel("conv1", MAPS, tf.Variable(6, dtype=tf.int64))
        assert recorder.kernel("conv1", MAPS, np.array([7]))


@pytest.mark.parametrize("layer", ["", None, 3])
def test_a_layer_has_a_name(tmp_path: Path, layer: Any) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(RecordError, match="needs the layer's name"):
            recorder.kernel(layer, MAPS, 0)


@pytest.mark.parametrize("array", [MAPS[..., :2], MAPS[0, 0, 0], MAPS.astype(np.int32)[..., :3]])
def test_what_is_no_picture_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(RecordError, match="picture"):
            recorder.image("p", array, 0)


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "float8"},
        {"every": 0},
        {"max_samples": 0},
        {"max_channels": -1},
        {"queue_mb": 0},
        {"queue_mb": None},
        {"every": 1.5},
        {"every": float("nan")},
        {"every": "a"},
        {"max_samples": 2.5},
    ],
)
def test_options_out_of_range_are_refused_at_once(tmp_path: Path, options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Recorder(tmp_path, **options)


def test_a_mistake_that_is_made_again_and_again_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Recorder(tmp_path) as recorder:
        for n in range(1, 50):
            assert not recorder.kernel("conv1", MAPS, float(n))
            assert not recorder.activation("conv2", np.zeros((n, 2, 2, 2)), n, "HWIO")
    assert [one.getMessage().split()[1] for one in caplog.records] == [
        "conv1/kernel",
        "conv2/activation",
    ]


@pytest.mark.parametrize("tag", ["a" * 70_000, "", None, 3])
def test_a_tag_that_no_reader_takes_is_refused(tmp_path: Path, tag: Any) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(RecordError, match="at most 60000|needs a tag"):
            recorder.image(tag, MAPS[..., :3], 0)


def test_a_long_tag_is_read_by_convscope(tmp_path: Path, binary: Path) -> None:
    layer = "a" * 59_000
    with Recorder(tmp_path, strict=True) as recorder:
        recorder.kernel(layer, MAPS, 0, "HWIO")
    assert list(seen.series(binary, tmp_path)) == [f"{layer}/kernel"]


@pytest.mark.parametrize("text", [b"{}", None])
def test_a_model_that_is_no_text_is_refused(tmp_path: Path, text: Any) -> None:
    with Recorder(tmp_path) as recorder:
        assert not recorder.keras_model(text)
        assert not recorder.keras_model("{}", 1.5)
    assert not recorder.keras_model("{}")


def test_a_bucket_is_no_directory() -> None:
    with pytest.raises(ValueError, match="directory of this machine"):
        Recorder("gs://bucket/logs")


def test_values_are_copied_before_the_call_returns(tmp_path: Path) -> None:
    array = MAPS.copy()
    with Recorder(tmp_path, strict=True) as recorder:
        for step in range(50):
            array[:] = step
            recorder.activation("conv1", array, step, "NHWC")
    assert [float(one.max()) for one in recorded(tmp_path)] == list(range(50))
    assert [float(one.min()) for one in recorded(tmp_path)] == list(range(50))


@pytest.mark.parametrize(
    ("layout", "expected"),
    [("NHWC", MAPS[:2, :, :, :3]), ("NCHW", MAPS[:2, :3]), (None, MAPS[:2])],
)
def test_samples_and_channels_are_limited(tmp_path: Path, layout: Any, expected: Any) -> None:
    with Recorder(tmp_path, max_samples=2, max_channels=3, strict=True) as recorder:
        recorder.activation("conv1", MAPS, 0, layout)
        recorder.kernel("conv1", MAPS, 0)
    activation, kernel = recorded(tmp_path)
    np.testing.assert_array_equal(activation, expected)
    np.testing.assert_array_equal(kernel, MAPS)


def test_only_steps_that_every_divides_are_recorded(tmp_path: Path) -> None:
    with Recorder(tmp_path, every=10, strict=True) as recorder:
        taken = [step for step in range(25) if recorder.kernel("conv1", MAPS, step)]
    assert taken == [0, 10, 20] == [step for step, _ in readers.by_tensorflow(tmp_path)]


def test_float16_halves_what_it_can_hold_and_leaves_the_rest(tmp_path: Path) -> None:
    large = MAPS * 1e6
    with Recorder(tmp_path, dtype="float16", strict=True) as recorder:
        recorder.kernel("a", MAPS / 3, 0)
        recorder.kernel("b", MAPS.astype(np.float64) / 3, 0)
        recorder.kernel("c", large, 0)
        recorder.kernel("d", np.where(MAPS > 5, np.inf, np.float32(np.nan)), 0)
        recorder.kernel("e", MAPS.astype(np.int16), 0)
    got = recorded(tmp_path)
    assert [one.dtype.name for one in got] == ["float16", "float16", "float32", "float16", "int16"]
    np.testing.assert_array_equal(got[0], (MAPS / 3).astype(np.float16))
    np.testing.assert_array_equal(got[2], large)


def test_nothing_is_taken_after_the_end(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.close()
    recorder.close()
    assert not recorder.kernel("conv1", MAPS, 0)
    assert recorded(tmp_path) == []
