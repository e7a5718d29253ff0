"""Errors while a model is watched -> warnings; the training continues."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from convscope.recorder import Recorder
from convscope.torch.steps import StepCounter

log = logging.getLogger("convscope")

NO_BATCH = (
    "no activations are recorded for compiled layers, because a hook in compiled code would break "
    "the code into parts, which are often slower and may round differently; kernels are recorded. "
    "Give watch a probe, which runs outside of compiled code"
)
TRACED = (
    "the model was compiled after watch, and a hook in compiled code would break it into parts. "
    "Therefore its passes are not seen, steps are the optimizer's updates, and without a probe "
    "only kernels are recorded. To count passes, watch what torch.compile returns; if the "
    "optimizer is compiled too, call record(step) between two steps"
)
UNSEEN = (
    "neither a pass of the model nor an update of its weights was seen, so nothing was "
    "recorded automatically: both are compiled, or the optimizer is not one of torch.optim. Call "
    "record(step)"
)
CAPTURED = (
    "the model is captured in a CUDA graph, whose replays are not seen and not counted, so "
    "nothing more is recorded automatically. Call record(step) between two replays"
)
UNCOUNTED = "passes of the model were not counted, so record needs the step: call record(step)"
SHARDED = (
    "each process has only a part of the model (%s: FSDP, or a DTensor), and only all of them "
    "together can assemble it: such kernels and the probe are not recorded. Call "
    "weight.full_tensor() in all processes, and recorder.kernel(layer, full, step) in one"
)


class Trouble:
    """The warnings and the failure of one watch.

    Attributes:
        has_failed: whether an error ended recording.
    """

    def __init__(self, recorder: Recorder, counter: StepCounter) -> None:
        self.has_failed = False
        self._recorder = recorder
        self._counter = counter
        self._warned: set[str] = set()

    @property
    def is_strict(self) -> bool:
        """Whether errors are raised instead of logged."""
        return self._recorder.strict

    def warn(self, text: str) -> None:
        """Logs a warning, once."""
        if text not in self._warned:
            self._warned.add(text)
            log.warning("convscope: %s", text)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Keeps errors of recording from the training, unless the recorder is strict."""
        try:
            yield
        except Exception as error:
            if self.is_strict:
                raise
            self.has_failed = True
            log.warning(
                "convscope: recording failed (last step: %s) and has stopped; training continues",
                self._counter.last,
                exc_info=error,
            )
