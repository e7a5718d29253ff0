"""Probes that a model does not accept, and models that raise errors: the training is unchanged.

``make probes`` prints them as a table with the warnings.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import probe_table
import seen
from keras import layers
from keras_models import numpy_of

import convscope.keras

BACKEND = keras.backend.backend()
X = np.random.default_rng(0).random((16, 6, 6, 2)).astype("float32")
Y = np.random.default_rng(1).random((16, 1)).astype("float32")


def body() -> list[Any]:
    """Layers with statistics, random numbers and padding, which accept many shapes."""
    return [
        layers.Conv2D(3, 3, padding="same", name="conv1"),
        layers.BatchNormalization(),
        layers.Dropout(0.3),
        layers.Conv2D(2, 3, padding="same", name="conv2"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(1),
    ]


class Own(keras.Model):
    """A model of a user's own class, which is not built before its first batch."""

    def __init__(self) -> None:
        super().__init__()
        self.body = body()

    def call(self, x: Any) -> Any:
        for layer in self.body:
            x = layer(x)
        return x


class Shared(Own):
    """Uses its first convolution for two pictures."""

    def call(self, x: Any) -> Any:
        conv, *rest = self.body
        x = conv(x) + conv(keras.ops.flip(x, axis=1))
        for layer in rest:
            x = layer(x)
        return x


class AnyShape(Own):
    """Is built for the shape of its first batch."""

    def __init__(self) -> None:
        super().__init__()
        self.body = [layers.Flatten(), layers.Dense(16), layers.Reshape((4, 4, 1)), *self.body]


class RaisesInEvaluation(Own):
    """Cannot be run in evaluation mode after it was trained."""

    is_trained = False

    def call(self, x: Any, training: bool = False) -> Any:
        # JAX and PyTorch build it in evaluation mode.
        self.is_trained = self.is_trained or training
        if self.is_trained and not training:
            raise RuntimeError("only for training")
        return super().call(x)


class BuildsInEvaluation(Own):
    """Has a layer that only evaluation runs, and that TensorFlow does not build in training."""

    def __init__(self) -> None:
        super().__init__()
        self.extra = layers.Conv2D(2, 1, name="extra")

    def call(self, x: Any, training: bool = False) -> Any:
        for layer in self.body[:4]:
            x = layer(x)
        if not training:
            x = self.extra(x)
        for layer in self.body[4:]:
            x = layer(x)
        return x


class Counting(layers.Layer):
    """Counts its calls and draws in Python: both become constants of the traced function."""

    def __init__(self) -> None:
        super().__init__()
        self.n_calls, self.kept = 0, [0]
        self.by_name = {"numpy": np.random.default_rng(3)}

    def call(self, x: Any) -> Any:
        self.n_calls += 1
        self.kept.append(len(self.kept))
        drawn = self.by_name["numpy"].random() + np.random.rand()
        return x * (self.n_calls + sum(self.kept) + float(drawn))


def functional() -> Any:
    return keras.Sequential([keras.Input((6, 6, 2)), *body()])


def two_inputs() -> Any:
    """Takes a dict of two pictures."""
    left, right = keras.Input((6, 6, 2), name="left"), keras.Input((6, 6, 2), name="right")
    x = layers.Add()([layers.Conv2D(3, 3, name="conv1")(left), layers.Conv2D(3, 3)(right)])
    x = layers.Dense(1)(layers.GlobalAveragePooling2D()(x))
    return keras.Model({"left": left, "right": right}, x)


MODELS: dict[str, Callable[[], Any]] = {
    "built": functional,
    "not built": lambda: keras.Sequential(body()),
    "own class": Own,
    "built, eager": functional,
    "takes any shape": AnyShape,
    "takes any shape, eager": AnyShape,
    "own class, eager": Own,
    "own class, XLA": Own,
    "shared layer": Shared,
    "two inputs": two_inputs,
    "counts its calls": lambda: keras.Sequential([keras.Input((6, 6, 2)), Counting(), *body()]),
    "raises in evaluation": RaisesInEvaluation,
    "builds in evaluation": BuildsInEvaluation,
}
OPTIONS: dict[str, dict[str, Any]] = {
    **{name: {"run_eagerly": True} for name in MODELS if name.endswith(", eager")},
    "own class, XLA": {"jit_compile": BACKEND != "torch"},
}


def no_call(*arguments: Any, **named: Any) -> Any:
    raise KeyError("no probe today")


WRONG: dict[str, Callable[[], Any]] = {
    "another number of axes": lambda: np.zeros((2, 3), "float32"),
    "another number of channels": lambda: np.zeros((2, 6, 6, 5), "float32"),
    "no batch axis": lambda: X[0],
    "no batch axis, a list": lambda: [X[0]],
    "whole numbers": lambda: (X[:2] * 255).astype("int64"),
    "text": lambda: np.array([["a"], ["b"]]),
    "objects": lambda: np.array([None, {}], object),
    "nested lists": lambda: X[:2].tolist(),
    "no samples": lambda: X[:0],
    "an empty list": list,
    "an empty tuple": tuple,
    "an empty dict": dict,
    "False": lambda: False,
    "a number": lambda: 0.0,
    "an empty text": lambda: "",
    "a generator": lambda: (one for one in X),
    "a function": lambda: lambda: X[:2],
    "a function that raises": lambda: no_call,
    "a dict": lambda: {"picture": X[:2]},
    "two arrays": lambda: [X[:2], X[:2]],
    "a class": lambda: np.ndarray,
}


# Probes with numbers: a model for any shape could be built for them.
WITH_NUMBERS = [
    *("another number of axes", "another number of channels", "no batch axis"),
    *("no batch axis, a list", "whole numbers", "nested lists", "no samples"),
    *("a dict", "two arrays"),
]


def on_meta() -> Any:
    import torch

    return torch.rand(2, 6, 6, 2, device="meta")


if BACKEND == "torch":
    WRONG["on another device (meta)"] = on_meta


def trained(name: str, *callbacks: Any) -> list[np.ndarray]:
    """All numbers after a training: its history, the weights, the optimizer's variables."""
    # The seeds that calls without a seed share are global state of Keras.
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    model = MODELS[name]()
    sgd = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(sgd, "mse", metrics=["mae"], **OPTIONS.get(name, {}))
    x = {"left": X, "right": X[::-1]} if name == "two inputs" else X
    past = model.fit(x, Y, batch_size=4, epochs=2, verbose=0, callbacks=list(callbacks))
    numbers = [np.array(past.history[key]) for key in sorted(past.history)]
    variables = [*model.weights, *model.optimizer.variables]
    return [*numbers, *map(numpy_of, variables)]


@functools.cache
def plain(name: str) -> list[np.ndarray]:
    """The same training without a recorder."""
    return trained(name)


def check(
    name: str, probes: dict[str, Any], logdir: Path, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Trains with one recorder per probe, all at once; returns the warnings in their order."""
    caplog.set_level(logging.WARNING, logger="convscope")
    recorders = [
        convscope.keras.Recorder(logdir / way, probe=probe, every=3)
        for way, probe in probes.items()
    ]
    under = trained(name, *recorders)
    for one, other in zip(plain(name), under, strict=True):
        assert one.tobytes() == other.tobytes()
    assert {one.step for one in recorders} == {8}
    return [one.getMessage() for one in said(caplog)]


def said(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """The warnings of the recorders."""
    return [one for one in caplog.records if one.name == "convscope"]


def note(way: str, name: str, records: list[logging.LogRecord]) -> None:
    """Adds a line to the table of probes."""
    probe_table.add(way, f"Keras on {BACKEND}, {name}", records)


# All at once, because a training takes a second and any of them could change it. The probe's pass
# is always eager, and an eager training is faster.
@pytest.mark.parametrize(
    ("name", "ways"),
    [("built, eager", [*WRONG]), ("takes any shape, eager", WITH_NUMBERS)],
)
def test_wrong_probes_change_nothing_of_the_training(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture, name: str, ways: list[str]
) -> None:
    check(name, {way: WRONG[way]() for way in ways}, tmp_path, caplog)
    refusals = iter(said(caplog))
    for way in ways:
        found = seen.series(binary, tmp_path / way)
        assert found["conv1/kernel"]["steps"] >= 3
        # Either its activations are recorded, or one warning says why not.
        is_taken = "conv1/activation" in found
        told = [] if is_taken else [next(refusals)]
        assert is_taken or "does not accept the probe" in told[0].getMessage()
        note(way, name, told)
    assert next(refusals, None) is None


@pytest.mark.parametrize("way", ["no batch axis", "a generator"])
@pytest.mark.parametrize(
    "name",
    [
        *("built", "not built", "own class", "own class, eager", "own class, XLA"),
        *("takes any shape", "shared layer", "two inputs"),
    ],
)
def test_a_wrong_probe_harms_no_kind_of_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, way: str
) -> None:
    (told,) = check(name, {way: WRONG[way]()}, tmp_path, caplog)
    assert "does not accept the probe" in told
    note(way, name, said(caplog))


@pytest.mark.parametrize("name", MODELS)
def test_a_probe_that_fits_changes_nothing_and_says_nothing(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    probe = {"left": X[:2], "right": X[:2]} if name == "two inputs" else X[:2]
    told = check(name, {"fits": probe}, tmp_path, caplog)
    note("a probe that fits", name, said(caplog))
    found = seen.series(binary, tmp_path / "fits")
    if name == "raises in evaluation" or (name, BACKEND) == ("builds in evaluation", "tensorflow"):
        (text,) = told
        assert "does not accept the probe" in text
        # On JAX and PyTorch, it has its weights before it is trained.
        assert ("conv1/activation" in found) == (BACKEND != "tensorflow")
        return
    assert told == []
    # The first step is the one before the training, if the model has its weights then.
    is_built = name.startswith("built") or name in ("two inputs", "counts its calls")
    is_built = is_built or BACKEND != "tensorflow"
    first = 0 if is_built else 1
    for tag in ("conv1/kernel", "conv1/activation"):
        assert (found[tag]["first_step"], found[tag]["last_step"]) == (first, 8)


class Counted(Own):
    """Counts its calls, with and without values, in a class attribute, which is not restored."""

    n_calls = 0

    def call(self, x: Any) -> Any:
        Counted.n_calls += 1
        return super().call(x)


class NumberOfCalls(keras.callbacks.Callback):
    """Stores the number of calls when the training begins."""

    n_calls = -1

    def on_train_begin(self, logs: Any = None) -> None:
        self.n_calls = Counted.n_calls


def test_a_model_without_weights_is_not_called_before_the_training_calls_it(tmp_path: Path) -> None:
    model = Counted()
    model.compile("sgd", "mse")
    recorder = convscope.keras.Recorder(tmp_path, probe=X[:2], strict=True)
    before, after = NumberOfCalls(), NumberOfCalls()
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[before, recorder, after])
    # With JAX and PyTorch, the first batch of the training builds it before that.
    has_weights = BACKEND != "tensorflow"
    assert (before.n_calls > 0) == has_weights
    assert after.n_calls == before.n_calls + has_weights


def test_whatever_a_callback_meets_stops_no_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = functional()
    model.compile("sgd", "mse")
    recorder = convscope.keras.Recorder(tmp_path, probe=X[:2])

    def unable(*arguments: Any) -> Any:
        raise RuntimeError("no answer")

    for name in ("_iterations", "_count", "_record_model"):
        setattr(recorder, name, unable)
    past = model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[recorder])
    assert len(past.history["loss"]) == 2
    assert len(caplog.records) == 1 and "training continues" in caplog.text


def test_names_of_layers_may_come_from_a_generator(tmp_path: Path, binary: Path) -> None:
    model = functional()
    model.compile("sgd", "mse")
    names = (name for name in ["conv1"])
    recorder = convscope.keras.Recorder(tmp_path, layers=names, every=2, strict=True)
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[recorder])
    assert seen.series(binary, tmp_path)["conv1/kernel"]["steps"] == 3


def test_a_probe_is_not_changed_by_the_model(tmp_path: Path) -> None:
    class InPlace(layers.Layer):
        """Changes its input, if the backend allows it."""

        def call(self, x: Any) -> Any:
            return x.mul_(2) if BACKEND == "torch" and not x.requires_grad else x * 2

    model = keras.Sequential([keras.Input((6, 6, 2)), InPlace(), *body()])
    model.compile("sgd", "mse")
    probe = X[:2].copy()
    model.fit(
        *(X.copy(), Y),
        verbose=0,
        callbacks=[convscope.keras.Recorder(tmp_path, probe=probe, every=1, strict=True)],
    )
    assert probe.tobytes() == X[:2].tobytes()
