"""The state that a pass of a model may change -> restored after the pass."""

from __future__ import annotations

import random
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from types import CellType, ModuleType
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from convscope.torch.model import is_empty

CONTAINERS = (list, dict, set, deque, OrderedDict, defaultdict, Counter)
"""The types of containers that are restored; a module's parameters and buffers are in dicts."""
GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
"""The types of generators of random numbers whose state is restored where a module has them."""
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
    """Replaces buffers by these, and parameters and tensors that are plain attributes by copies,
    since a pass may change them in place; then restores attributes, random numbers and the content
    of plain containers.

    Observers of quantization count in evaluation mode too. Weights that hooks computed belong to
    the graph of the last pass. A layer that a first pass creates fits that pass's input.
    """
    hooks = list(_with_parts(_hooks(modules)))
    variables = [pair for hook in hooks for pair in _variables(hook)]
    held_by_hooks = (hook for hook in hooks if hasattr(hook, "__dict__"))
    holders = list({id(one): one for one in (*modules, *held_by_hooks)}.values())
    attributes = [(vars(one), dict(vars(one))) for one in holders]
    held = _containers([*(before for _, before in attributes), [one for _, one in variables]])
    for module in modules:
        for name in module._buffers:
            if (id(module), name) in buffers:
                module._buffers[name] = buffers[id(module), name]
    randomness = [(one, _state(one)) for one in _generators(before for _, before in attributes)]
    copies: dict[int, torch.Tensor] = {}
    for module in modules:
        for name, weight in module._parameters.items():
            if weight is not None and not is_empty(weight):
                copy = copies.setdefault(id(weight), _copy_of(weight))
                module._parameters[name] = cast(nn.Parameter, copy)
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
        for generator, state in randomness:
            _set_state(generator, state)


def _hooks(modules: list[nn.Module]) -> list[Any]:
    held = ((one._forward_pre_hooks, one._forward_hooks) for one in modules)
    return [hook for kinds in held for kind in kinds for hook in kind.values()]


def _with_parts(hooks: Iterable[Any]) -> Iterator[Any]:
    """Hooks with what they are made of: the object of a bound method, the function of a partial."""
    for hook in hooks:
        yield hook
        if isinstance(hook, partial):
            yield from _with_parts([hook.func])
        owner = getattr(hook, "__self__", None)
        if owner is not None and not isinstance(owner, ModuleType | type):
            yield owner


def _copy_of(weight: nn.Parameter) -> nn.Parameter:
    """A parameter of the same type and attributes whose numbers are its own."""
    copy = weight.detach().clone().as_subclass(type(weight))
    copy.requires_grad_(weight.requires_grad)
    vars(copy).update(vars(weight))
    return copy


def _generators(holders: Iterable[dict[str, Any]]) -> list[Any]:
    """The generators of random numbers among these attributes."""
    found = (one for holder in holders for one in holder.values() if type(one) in GENERATORS)
    return list({id(one): one for one in found}.values())


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.get_state()


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    else:
        generator.set_state(state)


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
