"""A PyTorch model while it trains -> its kernels and activations, by forward hooks.

    with convscope.torch.watch(model, recorder, probe=images, every=100):
        train(model)

Layers are ``torch.nn.Conv*``, ``ConvTranspose*`` and what is derived from them. Hooks lie on the
convolutions only while a step is recorded; in between, one hook on the model counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from convscope.layers import PROBE_REFUSED, chosen
from convscope.recorder import Recorder

log = logging.getLogger("convscope")

ACTIVATIONS = {3: "NCW", 4: "NCHW", 5: "NCDHW"}
CONVOLUTIONS: dict[type[nn.Module], int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
TRANSPOSED: dict[type[nn.Module], int] = {
    nn.ConvTranspose1d: 1,
    nn.ConvTranspose2d: 2,
    nn.ConvTranspose3d: 3,
}


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
        probe: a fixed input, a tensor or a tuple of arguments, whose activations are recorded;
            without it they
            are those of the training batch.
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
    if every < 1:
        raise ValueError(f"every={every}: at least 1 is needed")
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


def convolutions(model: nn.Module) -> dict[str, nn.Module]:
    """The convolutions of a model by their names, without what ``compile`` and ``DataParallel`` put
    in front."""
    inner = _inner(model)
    kinds = (*CONVOLUTIONS, *TRANSPOSED)
    return {
        name or "conv": layer for name, layer in inner.named_modules() if isinstance(layer, kinds)
    }


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
        self._recorder = recorder
        self._probe: Any = None
        self._takes_batch = True
        self._every = 1
        self._step: Callable[[], int] | None = None
        self._last: int | None = None
        self._is_recording = False
        self._has_failed = False
        self._has_input = False
        self._outputs: list[RemovableHandle] = []
        before, after = _Hook(self._before), _Hook(self._after)
        self._root = [model.register_forward_pre_hook(before), model.register_forward_hook(after)]

    @property
    def step(self) -> int:
        """The current step."""
        return self.n_steps if self._step is None else self._step()

    def record(self, step: int | None = None) -> None:
        """Records kernels, and activations if there is a probe, at this step or the current one.

        Raises:
            RecordError: something was refused, and the recorder is strict.
        """
        number = self.step if step is None else step
        self._last = number
        with self._guarded():
            self._kernels(number)
            if self._probe is not None:
                self._activations_of_probe(number)

    def close(self) -> None:
        """Records the last step and takes the hooks off; a second call does nothing."""
        if self._root and not self._has_failed and self._last != self.step:
            self.record()
        for hook in self._root:
            hook.remove()
        self._root = []
        self._unhook()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _before(self, model: nn.Module) -> None:
        if self._is_recording or self._has_failed or not model.training:
            return
        number = self.step
        self.n_steps += 1
        if number == self._last or number % self._every:
            return
        self.record(number)
        if self._takes_batch:
            self._hook(number)

    def _after(self, model: nn.Module) -> None:
        if not self._is_recording:
            self._unhook()

    def _kernels(self, step: int) -> None:
        for name, layer in self._layers.items():
            weight: Any = layer.weight
            if isinstance(weight, nn.parameter.UninitializedParameter):
                continue
            self._recorder.kernel(name, weight, step, _kernel_layout(layer))
            if layer.bias is not None:
                self._recorder.bias(name, layer.bias, step)

    def _activations_of_probe(self, step: int) -> None:
        model = _inner(self._model)
        arguments = self._probe if isinstance(self._probe, tuple) else (self._probe,)
        device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
        arguments = tuple(_moved(argument, device) for argument in arguments)
        self._is_recording = True
        self._hook(step)
        try:
            with torch.no_grad(), _evaluating(model), _same_randomness(device):
                model(*arguments)
            self._input(arguments[0], step)
        except Exception as error:
            if self._recorder.strict:
                raise
            self._probe = None
            log.warning("convscope: %s", PROBE_REFUSED, exc_info=error)
        finally:
            self._unhook()
            self._is_recording = False

    def _input(self, probe: Any, step: int) -> None:
        if self._has_input:
            return
        self._has_input = True
        ranks = {_n_axes(layer) + 2 for layer in self._layers.values()}
        if isinstance(probe, torch.Tensor) and probe.dim() in ranks:
            self._recorder.input(probe, step, ACTIVATIONS[probe.dim()])

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
                "convscope: recording failed at step %s and is given up; training goes on",
                self._last,
                exc_info=error,
            )


class _Ignored:
    """What a hook of ours is in a copy of the model."""

    def __call__(self, *arguments: Any) -> None:
        return None


class _Hook:
    """A hook that stays with the model it was put on."""

    def __init__(self, act: Callable[[nn.Module], None]) -> None:
        self._act = act

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

    def __call__(self, layer: nn.Module, inputs: Any, output: Any) -> None:
        with self._watch._guarded():
            is_unbatched = output.dim() == _n_axes(layer) + 1
            batch = output.unsqueeze(0) if is_unbatched else output
            name = f"activation_{self._n_calls}" if self._n_calls else "activation"
            self._n_calls += 1
            layout = ACTIVATIONS[_n_axes(layer) + 2]
            self._watch._recorder.activation(self._name, batch, self._step, layout, name=name)

    def __reduce__(self) -> tuple[type[_Ignored], tuple[()]]:
        return _Ignored, ()


def _inner(model: nn.Module) -> nn.Module:
    """The model itself, out of ``torch.compile`` and the wrappers for several devices."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(model, wrappers):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model


def _n_axes(layer: nn.Module) -> int:
    """Along how many axes a convolution moves its window."""
    kinds = {**CONVOLUTIONS, **TRANSPOSED}
    return next(n for kind, n in kinds.items() if isinstance(layer, kind))


def _kernel_layout(layer: nn.Module) -> str:
    letters = (
        ("IOW", "IOHW", "IODHW")
        if isinstance(layer, tuple(TRANSPOSED))
        else ("OIW", "OIHW", "OIDHW")
    )
    return letters[_n_axes(layer) - 1]


def _moved(argument: Any, device: torch.device) -> Any:
    return argument.to(device) if isinstance(argument, torch.Tensor) else argument


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards each module as it was: parts of a model may be frozen."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _same_randomness(device: torch.device) -> Iterator[None]:
    """The training's random numbers are the same with and without a probe."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield
