"""A PyTorch model while it trains -> its kernels and activations, by forward hooks.

    with convscope.torch.watch(model, recorder, probe=images, every=100):
        train(model)

Layers are ``torch.nn.Conv*``, ``ConvTranspose*`` and what is derived from them. Hooks lie on the
convolutions only while a step is recorded; in between, one hook on the model counts.

No hook becomes a part of compiled code, where it would break the graph. One that ``torch.compile``
comes to leaves nothing there; from then on steps are the optimizer's updates.
"""

from __future__ import annotations

import logging
import operator
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from convscope.arguments import whole
from convscope.arrays import needs_others
from convscope.layers import PROBE_REFUSED, batch_of, chosen
from convscope.recorder import Recorder
from convscope.torch.compiled import eager_layers, is_compiled
from convscope.torch.convolutions import (
    activation_layout,
    convolutions,
    kernel_layout,
    n_axes,
    operation,
)
from convscope.torch.evaluation import evaluated
from convscope.torch.model import is_lazy, sharded, unwrapped
from convscope.torch.passes import is_capturing
from convscope.torch.state import Buffers, buffers_of

log = logging.getLogger("convscope")

NO_BATCH = (
    "compiled layers have no activations, since a hook in compiled code would break it into parts, "
    "which are often slower and may give other numbers; kernels are recorded. Give watch a "
    "probe, which runs outside of compiled code"
)
TRACED = (
    "the model was compiled after watch, and a hook in compiled code would break it into parts. So "
    "its passes are not seen, steps are the optimizer's updates, and without a probe there are "
    "kernels alone. Watch what torch.compile gives to have passes counted; where the optimizer is "
    "compiled too, call record(step) between two steps"
)
UNSEEN = (
    "neither a pass of the model nor an update of its weights was seen, so nothing was recorded by "
    "itself: both are compiled, or the optimizer is not one of torch.optim. Call record(step)"
)
CAPTURED = (
    "the model is captured in a CUDA graph, whose replays are not seen and not counted; nothing "
    "more is recorded by itself. Call record(step) between two replays"
)
UNCOUNTED = "passes of the model were not counted, so record needs the step: record(step)"
SHARDED = (
    "each process has but a part of the model (%s: FSDP, or a DTensor), and all of them would have "
    "to put it together at once: such kernels and the probe are left out. Have all processes call "
    "weight.full_tensor(), and one of them recorder.kernel(layer, full, step)"
)


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
        n_steps: forward passes in training mode so far, or updates where passes are compiled.
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
        self._late: _Late | None = None
        self._has_run = False
        self._is_captured = False
        self._is_unseen = False
        self._has_passed = False
        self._updates: RemovableHandle | None = None
        self._updated: torch.Tensor | None = None
        self._strangers: weakref.WeakKeyDictionary[torch.optim.Optimizer, int] = (
            weakref.WeakKeyDictionary()
        )
        self._is_recording = False
        self._has_failed = False
        self._has_input = False
        self._said: set[str] = set()
        self._outputs: list[RemovableHandle] = []
        self._key = id(self)
        _watches[self._key] = self
        self._call: _Call | None = None
        self._root: list[RemovableHandle] = []
        if is_compiled(model) and "_orig_mod" not in model._modules:
            self._call = _Call(self, model)
        else:
            before, after = _Hook(self, "_before"), _Hook(self, "_after")
            self._root.append(model.register_forward_pre_hook(before))
            self._root.append(model.register_forward_hook(after))

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
        with self._guarded():
            number = self._number(step)
            if number is None:
                self._say(UNCOUNTED)
            else:
                self._record(number, None)

    def close(self) -> None:
        """Records the last step and takes the hooks off; a second call does nothing.

        Raises:
            RecordError: something was refused, and the recorder is strict.
        """
        is_open = self._root or self._call is not None
        try:
            if is_open and not self._has_failed:
                self._record_the_end()
        finally:
            for hook in self._root:
                hook.remove()
            self._root = []
            if self._call is not None:
                self._call.remove()
            self._call = None
            if self._updates is not None:
                self._updates.remove()
            self._updates = None
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
        if is_capturing():
            self._miss(CAPTURED, model)
        elif model.training and not self._has_failed:
            with self._guarded():
                self._count()

    def _after(self, model: nn.Module) -> None:
        if self._is_recording or _is_backward() or is_capturing():
            return
        self._unhook()
        self._has_run = True
        late, self._late = self._late, None
        if late is not None:
            with self._guarded():
                self._record(late.step, late)

    def _miss(self, why: str, model: nn.Module) -> None:
        """What happens in this pass will happen again, unseen."""
        if model.training:
            self._is_captured = True
            self._say(why)

    def _number(self, step: int | None) -> int | None:
        """The step, or the current one; None where passes were not counted."""
        if step is not None or self._step is not None or not (self._is_captured or self._is_unseen):
            return self.step if step is None else step
        return None

    def _be_traced(self) -> None:
        """Passes are a part of compiled code from here on; updates of the weights are not."""
        if self._updates is None and (self._root or self._call is not None):
            self._say(TRACED)
            self._is_unseen = True
            before_update = weakref.WeakMethod(self._before_update)

            def hook(optimizer: torch.optim.Optimizer, *arguments: Any) -> None:
                act = before_update()
                if act is not None:
                    act(optimizer)

            # It is called by all optimizers of the program, and must not keep the model alive.
            self._updates = register_optimizer_step_pre_hook(hook)

    def _before_update(self, optimizer: torch.optim.Optimizer) -> None:
        """Counts a step whose pass was not seen; the weights are still those of the pass."""
        if torch.compiler.is_compiling() or is_capturing() or self._has_failed:
            return
        with self._guarded():
            if not self._is_updated_by(optimizer):
                return
            self._has_run, self._is_unseen = True, False
            if not self._has_passed:
                number = self._number(None)
                self.n_steps += 1
                if number is not None and number != self._last and number % self._every == 0:
                    self._record(number, None)
            self._has_passed = False

    def _is_updated_by(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether an optimizer has the one parameter by which updates of this model are counted:
        several optimizers may share the others among them."""
        held = {id(one) for group in optimizer.param_groups for one in group["params"]}
        # That of another model is known by its parameters, so that ours are not gone through again.
        if self._updated is None and self._strangers.get(optimizer) != len(held):
            own = unwrapped(self._model).parameters()
            self._updated = next((one for one in own if id(one) in held), None)
            self._strangers[optimizer] = len(held)
        return self._updated is not None and id(self._updated) in held

    def _count(self) -> None:
        number = self._number(None)
        self.n_steps += 1
        self._has_passed = True
        if number is None or number == self._last or number % self._every:
            return
        self._last = number
        if self._has_run:
            self._record(number, None)
        else:
            # The training calls its model first: what that makes, a probe must not. Lazy layers
            # have no weights before; those of others are the same afterwards.
            has_weights = not is_lazy(unwrapped(self._model))
            self._late = _Late(number, buffers_of(unwrapped(self._model)), has_weights)
            if has_weights:
                self._record_kernels(number, None)
        if self._takes_batch:
            self._hook_batch(number)

    def _record_the_end(self) -> None:
        with self._guarded():
            number = self._number(None)
            if number is None and self._is_unseen:
                self._say(UNSEEN)
            elif number is not None and number != self._last:
                self._record(number, None)

    def _record(self, step: int, late: _Late | None) -> None:
        """Records kernels and the probe; of a first pass, what was not before it."""
        self._last = step
        model = unwrapped(self._model)
        buffers = late.buffers if late is not None else None
        if late is None or not late.has_kernels:
            self._record_kernels(step, buffers)
        if self._probe is None or is_lazy(model) or self._is_sharded(model):
            return
        with evaluated(model, buffers):
            self._activations_of_probe(model, step)

    def _record_kernels(self, step: int, buffers: Buffers | None) -> None:
        model = unwrapped(self._model)
        if self._is_sharded(model):
            # FSDP changes what parameters its modules have from time to time, by itself.
            self._kernels(step)
            return
        with evaluated(model, buffers):
            self._kernels(step)

    def _is_sharded(self, model: nn.Module) -> bool:
        name = sharded(model)
        if name is not None:
            self._say(SHARDED % name)
        return name is not None

    def _say(self, what: str) -> None:
        """Warns, once."""
        if what not in self._said:
            self._said.add(what)
            log.warning("convscope: %s", what)

    def _kernels(self, step: int) -> None:
        for name, layer in self._layers.items():
            weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
            if nn.parameter.is_lazy(weight):
                continue
            if not needs_others(weight):
                layout, what = kernel_layout(layer), self._operations[name]
                self._recorder.kernel(name, weight, step, layout, operation=what)
            if bias is not None and not needs_others(bias):
                self._recorder.bias(name, bias, step)

    def _activation(self, layer: str, name: str, batch: Any, step: int) -> None:
        layout, what = activation_layout(self._layers[layer]), self._operations[layer]
        self._recorder.activation(layer, batch, step, layout, name=name, operation=what)

    def _activations_of_probe(self, model: nn.Module, step: int) -> None:
        device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
        self._is_recording = True
        self._hook(self._layers, step)
        try:
            unnamed, named = _arguments(_moved(batch_of(self._probe), device))
            model(*unnamed, **named)
            unnamed, named = _arguments(self._probe)
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

    def _hook_batch(self, step: int) -> None:
        """Records what a pass of the training gives, as far as it is not compiled."""
        layers = eager_layers(self._model, self._layers)
        if len(layers) < len(self._layers):
            self._say(NO_BATCH)
        self._hook(layers, step)

    def _hook(self, layers: dict[str, nn.Module], step: int) -> None:
        self._unhook()
        for name, layer in layers.items():
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


_watches: weakref.WeakValueDictionary[int, Watch] = weakref.WeakValueDictionary()


def _tell(key: int, what: str) -> None:
    """Has a watch know that a hook was traced: ``torch.compile`` runs this while it compiles, and
    leaves nothing of it in the compiled code."""
    is_exporting = getattr(torch.compiler, "is_exporting", None)
    watch = _watches.get(key)
    if watch is None or (is_exporting is not None and is_exporting()):
        return
    if what == "pass":
        watch._be_traced()
    else:
        watch._say(NO_BATCH)


# What torch.compiler.assume_constant_result does, which would import the compiler: seconds.
_tell._dynamo_marked_constant = True  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Late:
    """A step that is recorded after its pass, the first one.

    Attributes:
        step: the step.
        buffers: what the model's buffers were before the pass.
        has_kernels: whether its kernels are recorded by then.
    """

    step: int
    buffers: Buffers
    has_kernels: bool


class _Ignored:
    """What a hook of ours is in a copy of the model."""

    def __call__(self, *arguments: Any) -> None:
        return None


class _Hook:
    """A hook that stays with the model it was put on."""

    def __init__(self, watch: Watch, name: str) -> None:
        self._watch = watch
        self._key = watch._key
        self._name = name

    def __call__(self, module: nn.Module, *arguments: Any) -> None:
        if torch.compiler.is_compiling():
            if module.training:
                _tell(self._key, "pass")
            return
        getattr(self._watch, self._name)(module)

    def __reduce__(self) -> tuple[type[_Ignored], tuple[()]]:
        return _Ignored, ()


class _Call:
    """Stands around the compiled call of a module, whose own hooks are within compiled code."""

    def __init__(self, watch: Watch, module: nn.Module) -> None:
        self._watch = watch
        self._key = watch._key
        self._module: Any = module
        self._compiled: Any = module._compiled_call_impl
        self._module._compiled_call_impl = self

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if torch.compiler.is_compiling():
            if self._module.training:
                _tell(self._key, "pass")
            return self._compiled(*arguments, **named)
        self._watch._before(self._module)
        output = self._compiled(*arguments, **named)
        self._watch._after(self._module)
        return output

    def remove(self) -> None:
        """Leaves the compiled call as it was, if nobody has compiled the module again."""
        if self._module._compiled_call_impl is self:
            self._module._compiled_call_impl = self._compiled


class _Output:
    """Records what a layer gives; what it gives further on in the same pass has a number."""

    def __init__(self, watch: Watch, name: str, step: int) -> None:
        self._watch = watch
        self._key = watch._key
        self._name = name
        self._step = step
        self._n_calls = 0

    def __call__(self, layer: nn.Module, inputs: Any, output: Any) -> None:
        if torch.compiler.is_compiling():
            _tell(self._key, "activation")
            return
        if _is_backward() or is_capturing():
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


def _arguments(probe: Any) -> tuple[list[Any], dict[str, Any]]:
    """The probe as the model's arguments, without and with names."""
    if isinstance(probe, Mapping):
        return [], dict(probe)
    return (list(probe) if isinstance(probe, tuple) else [probe]), {}


def _moved(argument: Any, device: torch.device) -> Any:
    """Tensors on the model's device, also those in lists, tuples and dicts."""
    if isinstance(argument, torch.Tensor):
        return argument.to(device)
    if type(argument) is dict:
        return {name: _moved(one, device) for name, one in argument.items()}
    if type(argument) in (list, tuple):
        return type(argument)(_moved(one, device) for one in argument)
    return argument
