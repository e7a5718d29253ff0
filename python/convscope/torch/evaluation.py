"""A PyTorch model -> the same model in evaluation mode, restored afterwards.

Whatever is read or run within ``evaluated`` does not change the training.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from convscope.generators import same_randomness
from convscope.torch.compiled import uncompiled
from convscope.torch.state import Buffers, State, buffers_of, python_modules, same_state

WEIGHT_HOOKS = (WeightNorm, SpectralNorm, BasePruningMethod)
"""Hooks that compute a layer's weight at the start of a pass; before it, the weight is that of the
last pass."""


@contextmanager
def evaluated(model: nn.Module, buffers: Buffers | None = None) -> Iterator[State]:
    """Makes a model equal to ``copy.deepcopy(model).eval()``, without gradients; then restores it.

    Args:
        model: the model.
        buffers: the buffers to use meanwhile; None for copies of the present ones.

    Yields:
        The state of the model. Its weights are the training's own, until ``use_copies``.
    """
    modules = python_modules(model)
    with (
        torch.no_grad(),
        _evaluating(model),
        same_state(modules, buffers_of(model) if buffers is None else buffers) as state,
        _no_casts_kept(),
        _no_parametrizations_kept(),
        _same_randomness(model),
        uncompiled(),
    ):
        _compute_weights(modules)
        yield state


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Sets evaluation mode, and restores each module's own mode: parts may be frozen.

    ``train()`` and ``eval()`` are not called, because a model may override them and merge weights.
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
def _no_casts_kept() -> Iterator[None]:
    """Disables autocast's cache, which would store casts without gradients for the training."""
    was_enabled = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(was_enabled)


@contextmanager
def _no_parametrizations_kept() -> Iterator[None]:
    """Empties the cache of ``parametrize.cached``, and restores the training's weights in it.

    PyTorch has no public name for it (torch/nn/utils/parametrize.py); without it nothing is done.
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
    """Restores the random number generators, so that the training draws the same numbers."""
    devices = {weight.device for weight in model.parameters() if weight.device.type == "cuda"}
    with same_randomness(), torch.random.fork_rng(devices=devices):
        yield


def _compute_weights(modules: list[nn.Module]) -> None:
    for module in modules:
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WEIGHT_HOOKS):
                hook(module, ())
