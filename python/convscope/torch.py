"""A PyTorch model while it trains -> its kernels and activations, by forward hooks.

    with convscope.torch.watch(model, recorder, probe=images, every=100):
        train(model)

Layers are ``torch.nn.Conv*``, ``ConvTranspose*`` and what is derived from them. Hooks lie on the
convolutions only while a step is recorded; in between, one hook on the model counts.
"""

from __future__ import annotations

import functools
import logging
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from convscope.arguments import whole
from convscope.layers import PROBE_REFUSED, chosen
from convscope.modules import (
    activation_layout,
    convolutions,
    evaluated,
    is_lazy,
    kernel_layout,
    n_axes,
    operation,
    unwrapped,
)
from convscope.recorder import Recorder

log = logging.getLogger("convscope")

Function = TypeVar("Function", bound=Callable[..., Any])


def watch(
    model: nn.Module,
    recorder: Recorder,
    *,
    probe: Any = None,
    every: int = 100,
    layers: Iterable[str] | None = None,
    step: Callable[[], int] | None = None,
) -> Watch:
    """Records a model's convolutions while it trains, step 0 and the last one included.

    A step is one forward pass in training mode, unless ``step`` says otherwise.

    Args:
        model: the model, also compiled or within ``DataParallel``.
        recorder: where it goes.
        probe: a fixed input whose activations are recorded: a tensor, a tuple of arguments or a
            dict of named ones. Without it they are those of the training batch.
        every: steps from one recording to the next.
        layers: names of layers as ``named_modules`` has them, or globs; without them all
            convolutions.
        step: gives the current step, where forward passes are no steps (accumulated gradients, a
            restart).

    Returns:
        A handle and context manager: ``close()`` records the last step and takes the hooks off.

    Raises:
        ValueError: ``every`` is less than 1, or the model has no such convolution.
    """
    every = whole("every", every)
    found = convolutions(model)
    wanted = chosen(found, layers)
    if not wanted:
        raise ValueError(
            f"no convolution is called {layers}; there are: {', '.join(found) or 'none'}"
        )
    made = Watch(model, wanted, recorder)
    made._probe, made._every, made._step = probe, every, step
    made._takes_batch = probe is None
    return made


class Watch:
    """The hooks on a model; made by ``watch``.

    A copy of a watched model (``copy.deepcopy``, ``pickle``) is not watched.

    Attributes:
        n_steps: forward passes in training mode so far.
    """

    def __init__(self, model: nn.Module, layers: dict[str, nn.Module], recorder: Recorder) -> None:
        self.n_steps = 0
        self._model = model
        self._layers = layers
        self._operations = {name: operation(one, n) for n, (name, one) in enumerate(layers.items())}
        self._recorder = recorder
        self._probe: Any = None
        self._takes_batch = True
        self._every = 1
        self._step: Callable[[], int] | None = None
        self._last: int | None = None
        self._late: int | None = None
        self._is_recording = False
        self._has_failed = False
        self._has_input = False
        self._outputs: list[RemovableHandle] = []
        before, after = _Hook(self._before), _Hook(self._after)
        self._root = [model.register_forward_pre_hook(before), model.register_forward_hook(after)]

    @property
    def step(self) -> int:
        """The current step."""
        if self._step is None:
            return self.n_steps
        given = self._step()
        try:
            return operator.index(given)
        except TypeError as error:
            raise TypeError(f"step= gives {given!r}, which is no whole number") from error

    def record(self, step: int | None = None) -> None:
        """Records kernels, and activations if there is a probe, at this step or the current one.

        Both are those of the model in evaluation mode. What has no shape yet, in a model of lazy
        layers, is left out, and so is the probe.

        Raises:
            RecordError: something was refused, and the recorder is strict.
        """
        model = unwrapped(self._model)
        with self._guarded():
            self._last = self.step if step is None else step
            with evaluated(model):
                self._kernels(self._last)
                if self._probe is not None and not is_lazy(model):
                    self._activations_of_probe(model, self._last)

    def close(self) -> None:
        """Records the last step and takes the hooks off; a second call does nothing.

        Raises:
            RecordError: something was refused, and the recorder is strict.
        """
        try:
            if self._root and not self._has_failed:
                self._record_the_end()
        finally:
            for hook in self._root:
                hook.remove()
            self._root = []
            self._unhook()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _before(self, model: nn.Module) -> None:
        if self._is_recording or _is_backward():
            return
        # The last pass ended without _after if it raised.
        self._unhook()
        self._late = None
        if model.training and not self._has_failed:
            with self._guarded():
                self._count()

    def _after(self, model: nn.Module) -> None:
        if self._is_recording:
            return
        self._unhook()
        if self._late is not None:
            self.record(self._late)
            self._late = None

    def _count(self) -> None:
        number = self.step
        self.n_steps += 1
        if number == self._last or number % self._every:
            return
        if is_lazy(unwrapped(self._model)):
            # A probe would draw the weights in place of the training. They are the same after the
            # pass as before it.
            self._late = number
        else:
            self.record(number)
        if self._takes_batch:
            self._hook(number)

    def _record_the_end(self) -> None:
        with self._guarded():
            number = self.step
            if number != self._last:
                self.record(number)

    def _kernels(self, step: int) -> None:
        for name, layer in self._layers.items():
            weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
            if nn.parameter.is_lazy(weight):
                continue
            layout, what = kernel_layout(layer), self._operations[name]
            self._recorder.kernel(name, weight, step, layout, operation=what)
            if bias is not None:
                self._recorder.bias(name, bias, step)

    def _activation(self, layer: str, name: str, batch: Any, step: int) -> None:
        layout, what = activation_layout(self._layers[layer]), self._operations[layer]
        self._recorder.activation(layer, batch, step, layout, name=name, operation=what)

    def _activations_of_probe(self, model: nn.Module, step: int) -> None:
        device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
        unnamed, named = _arguments(self._probe, device)
        self._is_recording = True
        self._hook(step)
        try:
            model(*unnamed, **named)
            self._inputs([*unnamed, *named.values()], step)
        except Exception as error:
            if self._recorder.strict:
                raise
            self._probe = None
            log.warning("convscope: %s", PROBE_REFUSED, exc_info=error)
        finally:
            self._unhook()
            self._is_recording = False

    def _inputs(self, arguments: list[Any], step: int) -> None:
        """Records the probe itself once: the first argument that is a batch for a convolution."""
        if self._has_input:
            return
        self._has_input = True
        layouts = {n_axes(layer) + 2: activation_layout(layer) for layer in self._layers.values()}
        for argument in arguments:
            if isinstance(argument, torch.Tensor) and argument.dim() in layouts:
                self._recorder.input(argument, step, layouts[argument.dim()])
                return

    def _hook(self, step: int) -> None:
        self._unhook()
        for name, layer in self._layers.items():
            hook = _Output(self, name, step)
            self._outputs.append(layer.register_forward_hook(hook))

    def _unhook(self) -> None:
        for hook in self._outputs:
            hook.remove()
        self._outputs.clear()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Nothing of ours stops a training that did not ask for it."""
        try:
            yield
        except Exception as error:
            if self._recorder.strict:
                raise
            self._has_failed = True
            log.warning(
                "convscope: recording failed (last step: %s) and is given up; training goes on",
                self._last,
                exc_info=error,
            )


def _not_traced(call: Function) -> Function:
    """Has ``torch.compile`` run a hook, and all that it calls, as it is.

    ``torch.compiler.disable`` imports the compiler, which takes seconds: it waits until another
    does so.
    """
    untraced: Callable[..., Any] | None = None

    @functools.wraps(call)
    def called(*arguments: Any) -> Any:
        nonlocal untraced
        if untraced is None and "torch._dynamo" in sys.modules:
            untraced = torch.compiler.disable(call)
        return (untraced or call)(*arguments)

    return cast(Function, called)


class _Ignored:
    """What a hook of ours is in a copy of the model."""

    def __call__(self, *arguments: Any) -> None:
        return None


class _Hook:
    """A hook that stays with the model it was put on."""

    def __init__(self, act: Callable[[nn.Module], None]) -> None:
        self._act = act

    @_not_traced
    def __call__(self, module: nn.Module, *arguments: Any) -> None:
        self._act(module)

    def __reduce__(self) -> tuple[type[_Ignored], tuple[()]]:
        return _Ignored, ()


class _Output:
    """Records what a layer gives; what it gives further on in the same pass has a number."""

    def __init__(self, watch: Watch, name: str, step: int) -> None:
        self._watch = watch
        self._name = name
        self._step = step
        self._n_calls = 0

    @_not_traced
    def __call__(self, layer: nn.Module, inputs: Any, output: Any) -> None:
        if _is_backward():
            return
        with self._watch._guarded():
            is_unbatched = isinstance(output, torch.Tensor) and output.dim() == n_axes(layer) + 1
            batch = output.unsqueeze(0) if is_unbatched else output
            name = f"activation_{self._n_calls}" if self._n_calls else "activation"
            self._n_calls += 1
            self._watch._activation(self._name, name, batch, self._step)

    def __reduce__(self) -> tuple[type[_Ignored], tuple[()]]:
        return _Ignored, ()


def _is_backward() -> bool:
    """Whether gradients are being computed: a forward pass meanwhile is one that was there before,
    run again by activation checkpointing."""
    task = getattr(torch._C, "_current_graph_task_id", None)
    return task is not None and task() != -1


def _arguments(probe: Any, device: torch.device) -> tuple[list[Any], dict[str, Any]]:
    """The probe as the model's arguments, without and with names."""
    if isinstance(probe, Mapping):
        return [], _moved(dict(probe), device)
    return _moved(list(probe) if isinstance(probe, tuple) else [probe], device), {}


def _moved(argument: Any, device: torch.device) -> Any:
    """Tensors on the model's device, also those in lists, tuples and dicts."""
    if isinstance(argument, torch.Tensor):
        return argument.to(device)
    if type(argument) is dict:
        return {name: _moved(one, device) for name, one in argument.items()}
    if type(argument) in (list, tuple):
        return type(argument)(_moved(one, device) for one in argument)
    return argument
