"""PyTorch's modules -> the convolutions among them, and a model as it is in evaluation mode.

Whatever is read or run within ``evaluated``, the training goes on as if nothing had been.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import chain
from types import CellType
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from convscope.arrays import needs_others
from convscope.operation import Operation

CONVOLUTIONS: dict[type[nn.Module], int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
TRANSPOSED: dict[type[nn.Module], int] = {
    nn.ConvTranspose1d: 1,
    nn.ConvTranspose2d: 2,
    nn.ConvTranspose3d: 3,
}
CONTAINERS = (list, dict, set, deque, OrderedDict, defaultdict, Counter)
"""What a module keeps things in, its parameters and buffers among them."""
MOST_ENTRIES = 100_000
"""In containers with more no others are looked for: it would take milliseconds."""
Buffers = dict[tuple[int, str], torch.Tensor]
"""Copies of buffers by the identity of their module and their name."""
WEIGHT_HOOKS = (WeightNorm, SpectralNorm, BasePruningMethod)
"""Hooks that compute a layer's weight at the start of a pass; until then it is that of the last."""


def convolutions(model: nn.Module) -> dict[str, nn.Module]:
    """The convolutions of a model by their names, without what ``compile`` and ``DataParallel`` put
    in front."""
    kinds = (*CONVOLUTIONS, *TRANSPOSED)
    return {
        name or "conv": layer
        for name, layer in unwrapped(model).named_modules()
        if isinstance(layer, kinds)
    }


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, out of ``torch.compile`` and the wrappers for several devices."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(model, wrappers):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model


def n_axes(layer: nn.Module) -> int:
    """Along how many axes a convolution moves its window."""
    kinds = {**CONVOLUTIONS, **TRANSPOSED}
    return next(n for kind, n in kinds.items() if isinstance(layer, kind))


def kernel_layout(layer: nn.Module) -> str:
    """The layout of a convolution's weight."""
    letters = (
        ("IOW", "IOHW", "IODHW")
        if isinstance(layer, tuple(TRANSPOSED))
        else ("OIW", "OIHW", "OIDHW")
    )
    return letters[n_axes(layer) - 1]


def operation(layer: nn.Module, position: int) -> Operation | None:
    """What a convolution does; None for one that has lost what says so."""
    axes, is_transposed = n_axes(layer), isinstance(layer, tuple(TRANSPOSED))
    said: list[Any] = [getattr(layer, name, None) for name in ("kernel_size", "stride", "dilation")]
    if not all(isinstance(one, tuple) and len(one) == axes for one in said):
        return None
    window, strides, dilations = ((*map(int, one),) for one in said)
    return Operation(
        kind=f"Conv{axes}DTranspose" if is_transposed else f"Conv{axes}D",
        position=position,
        window=window,
        strides=strides,
        dilations=dilations,
        padding=None if is_transposed else _padding(layer, window, strides, dilations),
        outputs=getattr(layer, "out_channels", None),
    )


def _padding(
    layer: Any, window: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Literal["same", "valid", "explicit"]:
    """The padding in TensorFlow's words: ``same`` where the map keeps its size."""
    given = layer.padding
    if given == "same":
        return "same"
    if given == "valid" or not any(given):
        return "valid"
    keeps = zip(given, window, dilations, strict=True)
    is_same = all(2 * one == (n - 1) * d for one, n, d in keeps) and set(strides) == {1}
    return "same" if is_same else "explicit"


def activation_layout(layer: nn.Module) -> str:
    """The layout of what a convolution takes and gives."""
    return ("NCW", "NCHW", "NCDHW")[n_axes(layer) - 1]


def is_lazy(model: nn.Module) -> bool:
    """Whether the first pass is still to say how large some weights are."""
    return any(_is_empty(one) for held in (model.parameters(), model.buffers()) for one in held)


def is_compiled(module: nn.Module) -> bool:
    """Whether a call of the module runs compiled code: ``torch.compile(module)`` or
    ``module.compile()``."""
    own = getattr(module, "_compiled_call_impl", None) is not None
    return own or "_orig_mod" in module._modules


def eager_layers(model: nn.Module, layers: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """Those of the layers that no compiled module holds, or is."""
    compiled = (one for one in model.modules() if is_compiled(one))
    inside = {id(part) for one in compiled for part in one.modules()}
    return {name: layer for name, layer in layers.items() if id(layer) not in inside}


def is_capturing() -> bool:
    """Whether a CUDA graph is being captured: nothing is computed then, and no copy to the host is
    allowed."""
    return bool(torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())


def sharded(model: nn.Module) -> str | None:
    """Of which part of a model each process may have a piece alone, by its name: what FSDP holds,
    and DTensors."""
    for name, module in model.named_modules():
        kinds = {kind.__name__ for kind in type(module).__mro__}
        if kinds & {"FullyShardedDataParallel", "FSDPModule"}:
            return name or "the model itself"
    return next((name for name, one in model.named_parameters() if needs_others(one)), None)


def buffers_of(model: nn.Module) -> Buffers:
    """Copies of a model's buffers; those of modules that share one share its copy."""
    copies: dict[int, torch.Tensor] = {}
    return {
        (id(module), name): copies.setdefault(id(buffer), buffer.clone())
        for module in _python_modules(model)
        for name, buffer in _tensors(module._buffers).items()
        if not _is_empty(buffer)
    }


@contextmanager
def evaluated(model: nn.Module, buffers: Buffers | None = None) -> Iterator[None]:
    """The model as ``copy.deepcopy(model).eval()`` would be, without gradients; then as it was.

    Args:
        model: the model.
        buffers: what its buffers are meanwhile; without them, copies of what they are now.
    """
    modules = _python_modules(model)
    with (
        torch.no_grad(),
        _evaluating(model),
        _same_state(modules, buffers_of(model) if buffers is None else buffers),
        _no_casts_kept(),
        _no_parametrizations_kept(),
        _same_randomness(model),
        _uncompiled(),
    ):
        _compute_weights(modules)
        yield


def _python_modules(model: nn.Module) -> list[nn.Module]:
    return [one for one in model.modules() if not isinstance(one, torch.jit.ScriptModule)]


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards each module as it was: parts of a model may be frozen.

    ``train()`` and ``eval()`` are not called, since a model's own may merge or fold weights.
    """
    modes = [(module, module.training) for module in model.modules()]
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _same_state(modules: list[nn.Module], buffers: Buffers) -> Iterator[None]:
    """Buffers are these meanwhile, and tensors that are no more than attributes are copies, since
    they may be changed in place; attributes, and what is in plain containers, come back.

    Observers of quantization count in evaluation mode too. Weights that hooks computed belong to
    the graph of the last pass. A layer that a first pass makes fits what that pass was given.
    """
    hooks = _hooks(modules)
    variables = [pair for hook in hooks for pair in _variables(hook)]
    holders = [*modules, *(hook for hook in hooks if hasattr(hook, "__dict__"))]
    attributes = [(vars(one), dict(vars(one))) for one in holders]
    held = _containers([*(before for _, before in attributes), [one for _, one in variables]])
    for module in modules:
        for name in module._buffers:
            if (id(module), name) in buffers:
                module._buffers[name] = buffers[id(module), name]
    copies: dict[int, torch.Tensor] = {}
    for module in modules:
        for name, one in _tensors(vars(module)).items():
            if not isinstance(one, nn.Parameter) and not _is_empty(one):
                vars(module)[name] = copies.setdefault(id(one), one.clone())
    try:
        yield
    finally:
        for variable, content in variables:
            variable.cell_contents = content
        for now, before in chain(attributes, held):
            _put_back(now, before)


def _hooks(modules: list[nn.Module]) -> list[Any]:
    held = ((one._forward_pre_hooks, one._forward_hooks) for one in modules)
    return [hook for kinds in held for kind in kinds for hook in kind.values()]


def _variables(hook: Any) -> Iterator[tuple[CellType, Any]]:
    """The variables around a function, which it may change, with what they hold."""
    for cell in getattr(hook, "__closure__", None) or ():
        with suppress(ValueError):
            yield cell, cell.cell_contents


def _containers(holders: Iterable[Any]) -> list[tuple[Any, Any]]:
    """The containers in these, and those within them, each with a copy. Tensors are not copied."""
    found: dict[int, tuple[Any, Any]] = {}
    waiting = list(holders)
    while waiting:
        holder = waiting.pop()
        for one in holder.values() if isinstance(holder, dict) else holder:
            if type(one) in CONTAINERS and id(one) not in found:
                found[id(one)] = (one, one.copy())
            elif type(one) is not tuple:
                continue
            if len(one) <= MOST_ENTRIES:
                waiting.append(one)
    return list(found.values())


def _put_back(now: Any, before: Any) -> None:
    """Fills a container as it was, if it is not."""
    if _identities(now) == _identities(before):
        return
    if isinstance(now, list):
        now[:] = before
        return
    if isinstance(now, set | deque):
        now.clear()
        (now.update if isinstance(now, set) else now.extend)(before)
        return
    for name in [one for one in now if one not in before]:
        del now[name]
    if [*now] != [*before]:
        now.clear()
    # Not with update, by which a Counter adds.
    for name, one in before.items():
        now[name] = one


def _identities(held: Any) -> Any:
    if isinstance(held, set):
        return {id(one) for one in held}
    if isinstance(held, list | deque):
        return [id(one) for one in held]
    return [(id(name), id(one)) for name, one in held.items()]


@contextmanager
def _no_casts_kept() -> Iterator[None]:
    """Autocast keeps casts of weights for the next layer; ones without gradients are not for it."""
    was_enabled = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(was_enabled)


@contextmanager
def _no_parametrizations_kept() -> Iterator[None]:
    """``parametrize.cached`` keeps computed weights, too; those of training are not read, and stay.

    The name is private to PyTorch (torch/nn/utils/parametrize.py), and nothing if it goes.
    """
    module: Any = parametrize
    kept = getattr(module, "_cache", None)
    if kept is None:
        yield
        return
    module._cache = {}
    try:
        yield
    finally:
        module._cache = kept


@contextmanager
def _same_randomness(model: nn.Module) -> Iterator[None]:
    """The training's random numbers are the same with and without a probe."""
    devices = {weight.device for weight in model.parameters() if weight.device.type == "cuda"}
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


def _uncompiled() -> AbstractContextManager[Any]:
    """A compiled model, or part, would be compiled anew for evaluation mode and for each hook."""
    if "torch._dynamo" not in sys.modules or not hasattr(torch.compiler, "set_stance"):
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance


def _compute_weights(modules: list[nn.Module]) -> None:
    for module in modules:
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WEIGHT_HOOKS):
                hook(module, ())


def _tensors(held: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {name: one for name, one in held.items() if isinstance(one, torch.Tensor)}


def _is_empty(tensor: torch.Tensor) -> bool:
    """Whether it is a weight of a lazy layer that has no shape yet."""
    is_one: bool = nn.parameter.is_lazy(tensor)
    return is_one
