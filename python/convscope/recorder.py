"""Arrays of a training -> a logdir that ConvScope, TensorBoard and TensorFlow read."""

from __future__ import annotations

import json
import logging
import os
import re
import time
import weakref
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from convscope import termination
from convscope.arguments import index, tag_of, text, whole
from convscope.arrays import DATA_TYPES, Array, Refused, array_of
from convscope.events import Metadata, Payload, numbers, strings
from convscope.operation import Operation
from convscope.layouts import Role, trouble
from convscope.pictures import encoded, pixels_of
from convscope.pending import Pending
from convscope.writer import Writer

log = logging.getLogger("convscope")

MIB = 1 << 20
MOST_BYTES = 1 << 30
"""Readers take longer records for damage (``--max-record-mb`` of ConvScope; protobuf ends at 2
GiB)."""
MOST_COMPLAINTS = 100
"""After so many different ones, further mistakes are not logged."""
MOST_METADATA = 4096
"""Longer metadata ConvScope does not read; the tag says the layer too."""
NARROWED = ("float32", "float64")


class RecordError(ValueError):
    """A value was refused, or could not be written, and the recorder is strict."""


class Recorder:
    """Writes kernels and activations into a logdir, on a thread of its own.

    A value that cannot be recorded is refused with one logged warning, and training goes on;
    with ``strict=True`` it raises ``RecordError``. Values are copied before a call returns.

    Where SIGTERM has no handler when a recorder is made in the main thread, what is queued is
    written before it ends the program.

    Args:
        logdir: a directory of this machine; it is one run, and is made if it is not there.
        dtype: ``"float16"`` stores float32 and float64 in half the room or less; a tensor with
            numbers beyond 65504 is stored as it is. None stores everything bit for bit.
        max_samples: so many samples of an activation or input are kept, the first ones.
        max_channels: so many channels of an activation are kept, the first ones, where its layout
            is given.
        every: only steps that this divides are recorded.
        queue_mb: memory for values that wait to be written. When it is full, calls wait for the
            disk.
        strict: raise instead of warning.

    Raises:
        ValueError: an option is out of range.
        TypeError: the logdir is no path.
        RecordError: the logdir cannot be written, and the recorder is strict.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        *,
        dtype: Literal["float16"] | None = None,
        max_samples: int | None = None,
        max_channels: int | None = None,
        every: int = 1,
        queue_mb: int = 256,
        strict: bool = False,
    ) -> None:
        if dtype not in (None, "float16"):
            raise ValueError(f"dtype={dtype!r}: allowed are None and 'float16'")
        path = os.fsdecode(logdir)
        if "://" in path:
            raise ValueError(f"logdir={path!r}: record to a directory of this machine")
        self.every = whole("every", every)
        self._dtype = dtype
        self._max_samples = None if max_samples is None else whole("max_samples", max_samples)
        self._max_channels = None if max_channels is None else whole("max_channels", max_channels)
        self.strict = strict
        self._is_closed = False
        self._complaints: set[str] = set()
        self._writer = Writer(Path(path), whole("queue_mb", queue_mb) * MIB, warns=not strict)
        self._writer.open()
        self._raise_failure()
        termination.write_before(self._writer)
        weakref.finalize(self, self._writer.finish).atexit = False

    @property
    def logdir(self) -> Path:
        """The directory that is written to."""
        return self._writer.file.logdir

    @property
    def n_lost(self) -> int:
        """Values that could not be written, because the disk was full, gone or too slow."""
        return self._writer.losses.n

    def wants(self, step: int) -> bool:
        """Whether values of this step are recorded."""
        return step % self.every == 0

    def kernel(
        self,
        layer: str,
        array: Any,
        step: int,
        layout: str | None = None,
        *,
        name: str = "kernel",
        operation: Operation | None = None,
    ) -> bool:
        """Records the weights of a layer under the tag ``LAYER/kernel``.

        Args:
            layer: the layer's name, the same in all calls for it.
            array: 2 to 5 axes.
            step: the training step.
            layout: which axis is which (``HWIO`` in TensorFlow, ``OIHW`` in PyTorch); without it
                ConvScope concludes it.
            name: the tag's end, for layers of several kernels (``depthwise_kernel``).
            operation: what the layer does, for the page to show.

        Returns:
            Whether it was taken: False for steps that are left out and for values that are refused.

        Raises:
            RecordError: it is refused, and the recorder is strict.
        """
        return self._tensor("kernel", layer, name, array, step, layout, operation)

    def bias(self, layer: str, array: Any, step: int, *, name: str = "bias") -> bool:
        """Records the bias of a layer, one axis, under ``LAYER/bias``; see ``kernel``."""
        return self._tensor("bias", layer, name, array, step, None)

    def activation(
        self,
        layer: str,
        array: Any,
        step: int,
        layout: str | None = None,
        *,
        name: str = "activation",
        operation: Operation | None = None,
    ) -> bool:
        """Records what a layer gives under ``LAYER/activation``: samples first, channels first or
        last.

        ``layout`` is ``NHWC``, ``NCHW`` or their kin of 2, 3 and 5 axes; see ``kernel``.
        """
        return self._tensor("activation", layer, name, array, step, layout, operation)

    def input(
        self, array: Any, step: int, layout: str | None = None, *, name: str = "input"
    ) -> bool:
        """Records what the network is fed under the tag ``input``; layouts as for
        ``activation``."""
        return self._tensor("input", "", name, array, step, layout)

    def image(self, tag: str, array: Any, step: int) -> bool:
        """Records pictures as they are to be seen, which ConvScope and TensorBoard's image tab
        show.

        Args:
            tag: the tag.
            array: ``[height, width]``, ``[height, width, channels]`` or ``[n, height, width,
                channels]`` of 1, 3 (RGB) or 4 (RGBA) channels; uint8, or floats in [0, 1], which
                are clipped, with NaN as 0.
            step: the training step.

        Returns:
            Whether it was taken.

        Raises:
            RecordError: it is refused, and the recorder is strict.
        """
        try:
            number = self._step(step)
            if number is None:
                return False
            pixels = pixels_of(array_of(array).values)
            payload = partial(encoded, pixels.tobytes(), pixels.shape)
            return self._put(tag_of(tag), number, pixels.nbytes, payload, Metadata("images", b""))
        except Exception as error:
            return self._refuse(str(tag), error)

    def keras_model(self, model_json: str, step: int = 0) -> bool:
        """Records a Keras model's JSON as Keras's TensorBoard callback does: strides, padding,
        order of the layers."""
        metadata = Metadata("graph_keras_model", b"1")
        try:
            number = self._step(step)
            if number is None:
                return False
            payload = partial(strings, [text(model_json).encode()], ())
            return self._put("keras", number, len(model_json), payload, metadata)
        except Exception as error:
            return self._refuse("keras", error)

    def flush(self) -> None:
        """Waits until everything recorded is in the file.

        Raises:
            RecordError: something could not be written, and the recorder is strict.
        """
        self._writer.flush()
        self._raise_failure()

    def close(self) -> None:
        """Writes what is left and closes the file; a second call does nothing.

        Raises:
            RecordError: something could not be written, and the recorder is strict.
        """
        self._is_closed = True
        self._writer.close()
        termination.forget(self._writer)
        self._raise_failure()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _tensor(
        self,
        role: Role,
        layer: str,
        name: str,
        value: Any,
        step: int,
        layout: str | None,
        operation: Operation | None = None,
    ) -> bool:
        path = f"{layer}/{name}" if layer else f"{name}"
        try:
            number = self._step(step)
            if number is None:
                return False
            if role != "input" and not (isinstance(layer, str) and layer):
                raise Refused(f"needs the layer's name, and got {layer!r}")
            tag = tag_of(path)
            layout = layout.upper() if isinstance(layout, str) else layout
            array = array_of(value, self._cut(role, layout))
            phrase = trouble(role, array.shape, layout)
            if phrase is not None:
                raise Refused(f"of shape {array.shape} {phrase}")
            payload = self._payload(array)
            metadata = _metadata(text(layer), role, layout, operation)
            return self._put(tag, number, array.values.nbytes, payload, metadata)
        except Exception as error:
            return self._refuse(path, error)

    def _step(self, step: Any) -> int | None:
        """The step as a number, or None where it is left out."""
        if self._is_closed:
            raise Refused("came after close(); make a new Recorder")
        try:
            number = index(step)
        except Exception as error:
            raise Refused(f"has {step!r} for a step, which is no whole number") from error
        if not -(1 << 63) <= number < 1 << 63:
            raise Refused(f"has the step {number}, which 64 bits do not hold")
        return number if self.wants(number) else None

    def _cut(self, role: Role, layout: str | None) -> tuple[slice, ...]:
        """What is kept of the axes."""
        if role not in ("activation", "input"):
            return ()
        is_named = isinstance(layout, str) and role == "activation"
        axis = layout.find("C") if is_named and layout is not None else -1
        if axis < 0 or self._max_channels is None:
            return (slice(self._max_samples),)
        return (slice(self._max_samples), *(slice(None),) * (axis - 1), slice(self._max_channels))

    def _payload(self, array: Array) -> partial[Payload]:
        if array.values.nbytes > MOST_BYTES:
            raise Refused(
                f"of shape {array.shape} has {array.values.nbytes} bytes; "
                f"at most {MOST_BYTES} are taken: set max_samples or max_channels, or record a part"
            )
        make = _narrowed if self._dtype and array.dtype in NARROWED else _as_it_is
        return partial(make, array.content(), array.dtype, array.shape)

    def _put(
        self, tag: str, step: int, len_bytes: int, payload: partial[Payload], metadata: Metadata
    ) -> bool:
        self._raise_failure()
        taken = self._writer.put(Pending(tag, step, time.time(), len_bytes, payload, metadata))
        if not taken and self.strict:
            raise RecordError(f"found no room: {self.logdir} takes no more values")
        return taken

    def _refuse(self, tag: str, error: Exception) -> bool:
        if self.strict:
            raise RecordError(f"{tag} {error}") from error
        # Steps and lengths differ from call to call where the mistake is the same.
        kind = f"{tag} {re.sub('[0-9]+', '0', str(error))}"
        if kind not in self._complaints and len(self._complaints) < MOST_COMPLAINTS:
            self._complaints.add(kind)
            log.warning("convscope: %.500s %s. It is left out.", tag, error)
        return False

    def _raise_failure(self) -> None:
        failure = self._writer.losses.take_failure() if self.strict else None
        if failure is not None:
            raise RecordError(f"cannot write to {self.logdir}: {failure}") from failure


def _metadata(layer: str, role: Role, layout: str | None, operation: Operation | None) -> Metadata:
    """What the network knows of a tag, as docs/meaning.md has it."""
    said: dict[str, Any] = {"layer": layer or None, "role": role, "layout": layout}
    said["operation"] = None if operation is None else operation.entries()
    content = b""
    while not content or len(content) > MOST_METADATA:
        known = {key: entry for key, entry in said.items() if entry is not None}
        content = json.dumps(known, ensure_ascii=False).encode()
        said["layer"] = None
    return Metadata("convscope", content)


def _as_it_is(content: bytes, dtype: str, shape: tuple[int, ...]) -> Payload:
    return numbers(DATA_TYPES[dtype], shape, content)


def _narrowed(content: bytes, dtype: str, shape: tuple[int, ...]) -> Payload:
    """As float16, unless a finite number would become infinite."""
    wide = np.frombuffer(content, np.dtype(dtype).newbyteorder("<"))
    with np.errstate(over="ignore", under="ignore"):
        narrow = wide.astype("<f2")
    if np.count_nonzero(np.isinf(narrow)) != np.count_nonzero(np.isinf(wide)):
        return _as_it_is(content, dtype, shape)
    return numbers(DATA_TYPES["float16"], shape, narrow.tobytes())
