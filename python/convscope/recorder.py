"""Arrays of a training -> event files that ConvScope, TensorBoard and TensorFlow read."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from convscope import termination
from convscope.arguments import step_of, tag_of, text, whole
from convscope.arrays import Refused, array_of
from convscope.complaints import Complaints
from convscope.events import Metadata, strings
from convscope.layouts import trouble
from convscope.limits import Limits
from convscope.meaning import Meaning
from convscope.operation import Operation
from convscope.payloads import payload_of
from convscope.pending import Pending
from convscope.pictures import encoded, pixels_of
from convscope.writer import Writer

MIB = 1 << 20


class RecordError(ValueError):
    """A value was refused or could not be written, and the recorder is strict."""


class Recorder:
    """Writes kernels and activations into a logdir, in a background thread.

    A value that cannot be recorded is refused with one logged warning, and training continues;
    with ``strict=True``, ``RecordError`` is raised. Values are copied before a call returns.

    If SIGTERM has no handler when a recorder is created in the main thread, queued values are
    written before the signal ends the program.

    Args:
        logdir: a directory of this machine; it is one run, and is created if it does not exist.
        dtype: ``"float16"`` stores float32 and float64 in half the bytes or less; a tensor with
            numbers beyond 65504 is stored unchanged. None stores everything bit for bit.
        max_samples: how many samples of an activation or input are kept, starting with the first.
        max_channels: how many channels of an activation are kept, starting with the first; used
            only if its layout is given.
        every: only steps that are multiples of this number are recorded.
        queue_mb: memory in MiB for values that wait to be written. When it is full, calls wait for
            the disk.
        strict: raise errors instead of logging warnings.

    Raises:
        ValueError: an option is out of range.
        TypeError: the logdir is not a path.
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
            raise ValueError(f"dtype={dtype!r} is not allowed; give None or 'float16'")
        directory = _directory(logdir)
        self.every = whole("every", every)
        self.strict = strict
        self._dtype = dtype
        self._limits = Limits(max_samples, max_channels)
        self._complaints = Complaints()
        self._is_closed = False
        self._writer = Writer(directory, whole("queue_mb", queue_mb) * MIB, warns=not strict)
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
            layer: the name of the layer, the same in all calls for it.
            array: an array of 2 to 5 axes.
            step: the training step.
            layout: which axis is which (``HWIO`` in TensorFlow, ``OIHW`` in PyTorch); if it is not
                given, ConvScope infers it.
            name: the end of the tag, for layers with several kernels (``depthwise_kernel``).
            operation: what the layer does, shown by the page.

        Returns:
            Whether it was queued: False for steps that are not recorded and for values that are
            refused.

        Raises:
            RecordError: it is refused, and the recorder is strict.
        """
        return self._tensor(array, step, Meaning("kernel", layer, name, layout, operation))

    def bias(self, layer: str, array: Any, step: int, *, name: str = "bias") -> bool:
        """Records the bias of a layer, one axis, under ``LAYER/bias``; see ``kernel``."""
        return self._tensor(array, step, Meaning("bias", layer, name))

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
        """Records the output of a layer under ``LAYER/activation``: samples first, channels first
        or last.

        ``layout`` is ``NHWC``, ``NCHW`` or the same for 2, 3 or 5 axes; see ``kernel``.
        """
        return self._tensor(array, step, Meaning("activation", layer, name, layout, operation))

    def input(
        self, array: Any, step: int, layout: str | None = None, *, name: str = "input"
    ) -> bool:
        """Records the input of the network under the tag ``input``; layouts as for
        ``activation``."""
        return self._tensor(array, step, Meaning("input", "", name, layout))

    def image(self, tag: str, array: Any, step: int) -> bool:
        """Records pictures, which ConvScope and TensorBoard's image tab show unchanged.

        Args:
            tag: the tag.
            array: ``[height, width]``, ``[height, width, channels]`` or ``[n, height, width,
                channels]`` of 1, 3 (RGB) or 4 (RGBA) channels; uint8, or floats in [0, 1], which
                are clipped, with NaN as 0.
            step: the training step.

        Returns:
            Whether it was queued.

        Raises:
            RecordError: it is refused, and the recorder is strict.
        """

        def value(number: int) -> Pending:
            pixels = pixels_of(array_of(array).values)
            payload = partial(encoded, pixels.tobytes(), pixels.shape)
            metadata = Metadata("images", b"")
            return Pending(tag_of(tag), number, time.time(), pixels.nbytes, payload, metadata)

        return self._record(tag, step, value)

    def keras_model(self, model_json: str, step: int = 0) -> bool:
        """Records a Keras model's JSON as Keras's TensorBoard callback does; ConvScope reads
        strides, padding and the order of the layers from it."""

        def value(number: int) -> Pending:
            payload = partial(strings, [text(model_json).encode()], ())
            metadata = Metadata("graph_keras_model", b"1")
            return Pending("keras", number, time.time(), len(model_json), payload, metadata)

        return self._record("keras", step, value)

    def flush(self) -> None:
        """Waits until all recorded values are in the file.

        Raises:
            RecordError: something could not be written, and the recorder is strict.
        """
        self._writer.flush()
        self._raise_failure()

    def close(self) -> None:
        """Writes what is queued and closes the file; a second call does nothing.

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

    def _tensor(self, array: Any, step: Any, meaning: Meaning) -> bool:
        def value(number: int) -> Pending:
            tag = _tag(meaning)
            kept = array_of(array, self._limits.kept(meaning))
            sentence = trouble(meaning.role, kept.shape, meaning.letters)
            if sentence is not None:
                raise Refused(sentence)
            payload = payload_of(kept, self._dtype)
            metadata = meaning.metadata()
            return Pending(tag, number, time.time(), kept.values.nbytes, payload, metadata)

        return self._record(meaning.path, step, value)

    def _record(self, tag: object, step: Any, value: Callable[[int], Pending]) -> bool:
        """Queues a value or refuses it.

        Args:
            tag: the tag for the message of a refusal.
            step: as the caller gave it.
            value: makes the value for a step that is recorded; raises an error to refuse it.

        Returns:
            Whether it was queued.
        """
        try:
            number = self._step(step)
            return number is not None and self._put(value(number))
        except Exception as error:
            return self._refuse(str(tag), error)

    def _step(self, step: Any) -> int | None:
        """The step as a number, or None if it is not recorded."""
        if self._is_closed:
            raise Refused("the recorder was closed before; make a new Recorder")
        number = step_of(step)
        return number if self.wants(number) else None

    def _put(self, pending: Pending) -> bool:
        self._raise_failure()
        is_taken = self._writer.put(pending)
        if not is_taken and self.strict:
            raise RecordError(
                f"the queue for {self.logdir} is full because the disk is too slow or full; "
                "free some space, or use another logdir"
            )
        return is_taken

    def _refuse(self, tag: str, error: Exception) -> bool:
        if self.strict:
            raise RecordError(f"{tag} was not recorded: {error}") from error
        self._complaints.log(tag, error)
        return False

    def _raise_failure(self) -> None:
        failure = self._writer.losses.take_failure() if self.strict else None
        if failure is not None:
            raise RecordError(
                f"the recorder cannot write to {self.logdir}: {failure}; "
                "free some space there, or use another logdir"
            ) from failure


def _directory(logdir: str | os.PathLike[str]) -> Path:
    path = os.fsdecode(logdir)
    if "://" in path:
        raise ValueError(f"logdir={path!r} is not allowed; give a directory of this machine")
    return Path(path)


def _tag(meaning: Meaning) -> str:
    """The tag of a tensor, whose layer has a name unless it is an input.

    Raises:
        Refused: it has none, or one that readers do not accept.
    """
    layer = meaning.layer
    if meaning.role != "input" and not (isinstance(layer, str) and layer):
        raise Refused(f"the layer is {layer!r}; a value needs the layer's name as non-empty text")
    return tag_of(meaning.path)
