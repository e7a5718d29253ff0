"""The state that a pass of a model may change -> restored after the pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import nn

from convscope.contents import contents
from convscope.generators import GeneratorStates
from convscope.torch.copies import Copies
from convscope.torch.model import is_empty

Buffers = dict[tuple[int, str], torch.Tensor]
"""Copies of buffers, by the identity of their module and by name."""


def buffers_of(model: nn.Module) -> Buffers:
    """Copies of a model's buffers; modules that share a buffer share its copy."""
    copies: dict[int, torch.Tensor] = {}
    return {
        (id(module), name): copies.setdefault(id(buffer), buffer.clone())
        for module in python_modules(model)
        for name, buffer in _buffers(module).items()
    }


def python_modules(model: nn.Module) -> list[nn.Module]:
    return [one for one in model.modules() if not isinstance(one, torch.jit.ScriptModule)]


class State:
    """The contents of the modules of a model and of their hooks."""

    def __init__(self, modules: list[nn.Module]) -> None:
        """Stores the contents.

        Args:
            modules: the modules.
        """
        self._python_modules = modules
        self._held = contents(_roots(modules), _is_module)
        self._generators = GeneratorStates(self._held)
        self._given: dict[int, torch.Tensor] = {}

    def use_buffers(self, buffers: Buffers) -> None:
        """Replaces the buffers of the modules by these."""
        for module in self._python_modules:
            for name, buffer in _buffers(module).items():
                own = buffers.get((id(module), name))
                if own is not None:
                    self._given[id(buffer)] = module._buffers[name] = own

    def use_copies(self) -> None:
        """Replaces weights, and everything else that a pass may change in place, by copies.

        The graph of the training's last pass needs the original numbers.
        """
        Copies(self._python_modules, self._given).replace_in(self._held)

    def put_back(self) -> None:
        """Restores everything.

        Observers of quantization also count in evaluation mode. Weights that hooks computed belong
        to the graph of the last pass. A layer that is created by a first pass fits that pass's
        input.
        """
        for one in self._held:
            one.put_back()
        self._generators.put_back()


@contextmanager
def same_state(modules: list[nn.Module], buffers: Buffers) -> Iterator[State]:
    """Replaces buffers by these; restores everything afterwards."""
    state = State(modules)
    try:
        state.use_buffers(buffers)
        yield state
    finally:
        state.put_back()


def _buffers(module: nn.Module) -> dict[str, torch.Tensor]:
    """The buffers of a module that have a shape."""
    held = module._buffers.items()
    return {name: one for name, one in held if one is not None and not is_empty(one)}


def _roots(modules: list[nn.Module]) -> Iterator[Any]:
    for module in modules:
        yield vars(module)
        for hook in _hooks(module):
            yield from _of_hook(hook)


def _is_module(cls: type) -> bool:
    """A module may be in a list, where its model does not know of it."""
    return issubclass(cls, nn.Module) and not issubclass(cls, torch.jit.ScriptModule)


def _hooks(module: nn.Module) -> list[Any]:
    return [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]


def _of_hook(hook: Any) -> list[Any]:
    """A hook, and the attributes of the object that is the hook or whose method it is."""
    function = hook.func if isinstance(hook, partial) else hook
    objects = (function, getattr(function, "__self__", None))
    attributes = [
        vars(one)
        for one in objects
        if hasattr(one, "__dict__") and not isinstance(one, ModuleType | type)
    ]
    return [hook, getattr(function, "__func__", None), *attributes]
