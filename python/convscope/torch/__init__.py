"""A PyTorch model during training -> records of its kernels and activations, by forward hooks.

    with convscope.torch.watch(model, recorder, probe=images, every=100):
        train(model)

Layers are ``torch.nn.Conv*``, ``ConvTranspose*`` and classes derived from them. They have hooks
only while a step is recorded; between recordings, hooks on the model count its passes.

No hook becomes a part of compiled code, because it would break the graph. A hook that
``torch.compile`` traces adds nothing to the code; from then on, steps are the optimizer's updates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from convscope.arguments import whole
from convscope.layers import chosen
from convscope.recorder import Recorder
from convscope.torch.convolutions import convolutions
from convscope.torch.recording import ModelRecorder
from convscope.torch.steps import StepCounter
from convscope.torch.training import Training
from convscope.torch.trouble import Trouble

__all__ = ["Watch", "watch"]


def watch(
    model: nn.Module,
    recorder: Recorder,
    *,
    probe: Any = None,
    every: int = 100,
    layers: Iterable[str] | None = None,
    step: Callable[[], int] | None = None,
) -> Watch:
    """Records a model's convolutions while it trains, including step 0 and the last step.

    A step is one forward pass in training mode, unless ``step`` is given.

    Args:
        model: the model, also compiled or within ``DataParallel``.
        recorder: writes the tensors.
        probe: a fixed input whose activations are recorded: a tensor, a tuple of arguments or a
            dict of named arguments. Without it, activations are those of the training batch.
        every: steps from one recording to the next.
        layers: names of layers as in ``named_modules``, or globs; None for all convolutions.
        step: returns the current step, if forward passes are not steps (accumulated gradients, a
            resumed training).

    Returns:
        A context manager: ``close()`` records the last step and removes the hooks.

    Raises:
        ValueError: ``every`` is less than 1, or the model has no such convolution.
    """
    every = whole("every", every)
    found = convolutions(model)
    wanted = chosen(found, layers)
    if not found:
        raise ValueError("the model has no layer of torch.nn that is a convolution")
    if not wanted:
        raise ValueError(
            f"no convolution of the model is called {layers}; there are: {', '.join(found)}"
        )
    counter = StepCounter(every, step)
    trouble = Trouble(recorder, counter)
    recording = ModelRecorder(model, wanted, recorder, trouble)
    return Watch(Training(recording, counter, trouble, probe))


class Watch:
    """A model that is watched; returned by ``watch``.

    A copy of a watched model (``copy.deepcopy``, ``pickle``) is not watched.
    """

    def __init__(self, training: Training) -> None:
        self._training = training

    @property
    def n_steps(self) -> int:
        """Forward passes in training mode so far, or updates where passes are compiled."""
        return self._training.counter.n_steps

    @property
    def step(self) -> int:
        """The current step."""
        return self._training.counter.current

    def record(self, step: int | None = None) -> None:
        """Records kernels, and activations if there is a probe, at this step or the current one.

        Both are those of the model in evaluation mode. In a model with lazy layers, weights without
        a shape are not recorded, and neither is the probe.

        Raises:
            RecordError: something was refused, and the recorder is strict.
        """
        self._training.record(step)

    def close(self) -> None:
        """Records the last step and removes the hooks; a second call does nothing.

        Raises:
            RecordError: something was refused, and the recorder is strict.
        """
        self._training.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
