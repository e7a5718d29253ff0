"""PyTorch's modules -> the convolutions among them, and a model as it is in evaluation mode.

Whatever is read or run within ``evaluated``, the training goes on as if nothing had been.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from convscope.operation import Operation

CONVOLUTIONS: dict[type[nn.Module], int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
TRANSPOSED: dict[type[nn.Module], int] = {
    nn.ConvTranspose1d: 1,
    nn.ConvTranspose2d: 2,
    nn.ConvTranspose3d: 3,
}
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


@contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """The model as ``copy.deepcopy(model).eval()`` would be, without gradients; then as it was."""
    modules = [one for one in model.modules() if not isinstance(one, torch.jit.ScriptModule)]
    with (
        torch.no_grad(),
        _evaluating(model),
        _same_tensors(modules),
        _no_casts_kept(),
        _no_parametrizations_kept(),
        _same_randomness(model),
        _uncompiled(),
    ):
        _compute_weights(modules)
        yield


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
def _same_tensors(modules: list[nn.Module]) -> Iterator[None]:
    """Buffers are copies meanwhile, and attributes that are tensors come back.

    Observers of quantization count in evaluation mode too. Weights that hooks computed belong to
    the graph of the last pass.
    """
    buffers = [(module, dict(module._buffers)) for module in modules]
    attributes = [(module, _tensors(vars(module))) for module in modules]
    copies: dict[int, torch.Tensor] = {}
    for module, held in buffers:
        for name, buffer in _tensors(held).items():
            if not _is_empty(buffer):
                # Modules that share a buffer share its copy.
                module._buffers[name] = copies.setdefault(id(buffer), buffer.clone())
    try:
        yield
    finally:
        for module, held in buffers:
            module._buffers.update(held)
        for module, held in attributes:
            vars(module).update(held)


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
    with torch.random.fork_rng(devices=devices):
        yield


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
