"""The state that a pass of a model may change -> restored after the pass."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from types import CellType
from typing import Any

import torch
from torch import nn

from convscope.torch.model import is_empty

CONTAINERS = (list, dict, set, deque, OrderedDict, defaultdict, Counter)
"""The types of containers that are restored; a module's parameters and buffers are in dicts."""
MOST_ENTRIES = 100_000
"""Larger containers are not searched for others: that would take milliseconds."""
Buffers = dict[tuple[int, str], torch.Tensor]
"""Copies of buffers by the identity of their module and their name."""


def buffers_of(model: nn.Module) -> Buffers:
    """Copies of a model's buffers; those of modules that share one share its copy."""
    copies: dict[int, torch.Tensor] = {}
    return {
        (id(module), name): copies.setdefault(id(buffer), buffer.clone())
        for module in python_modules(model)
        for name, buffer in tensors(module._buffers).items()
        if not is_empty(buffer)
    }


def python_modules(model: nn.Module) -> list[nn.Module]:
    return [one for one in model.modules() if not isinstance(one, torch.jit.ScriptModule)]


@contextmanager
def same_state(modules: list[nn.Module], buffers: Buffers) -> Iterator[None]:
    """Replaces buffers by these and tensors that are plain attributes by copies, since a pass may
    change them in place; then restores attributes and the content of plain containers.

    Observers of quantization count in evaluation mode too. Weights that hooks computed belong to
    the graph of the last pass. A layer that a first pass creates fits that pass's input.
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
        for name, one in tensors(vars(module)).items():
            if not isinstance(one, nn.Parameter) and not is_empty(one):
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
    """The variables of a closure, which it may change, with their content."""
    for cell in getattr(hook, "__closure__", None) or ():
        with suppress(ValueError):
            yield cell, cell.cell_contents


def _containers(holders: Iterable[Any]) -> list[tuple[Any, Any]]:
    """The containers in these, and those inside them, each with a copy. Tensors are not copied."""
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
    """Gives a container its former content, unless it has it."""
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
    # Not with update, which adds in a Counter.
    for name, one in before.items():
        now[name] = one


def _identities(held: Any) -> Any:
    if isinstance(held, set):
        return {id(one) for one in held}
    if isinstance(held, list | deque):
        return [id(one) for one in held]
    return [(id(name), id(one)) for name, one in held.items()]


def tensors(held: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {name: one for name, one in held.items() if isinstance(one, torch.Tensor)}
