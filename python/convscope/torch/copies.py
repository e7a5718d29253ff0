"""Tensors and arrays -> copies, which a pass may write into."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from convscope.contents import Content
from convscope.torch.model import is_empty

NUMBERS = (torch.Tensor, np.ndarray, bytearray, array)
"""Classes of objects with numbers that a pass may change in place."""
MOST_BYTES = 256 * 2**20
"""The limit of copied bytes for arrays that are not attributes of modules: they may be a data
set."""


class Copies:
    """Copies of tensors and arrays: one copy of each, wherever it is referred to."""

    def __init__(self, modules: list[nn.Module], given: dict[int, torch.Tensor]) -> None:
        """Copies nothing yet.

        Args:
            modules: the modules of the model.
            given: existing copies, by the identity of their originals.
        """
        self._made: dict[int, Any] = given | {id(one): one for one in given.values()}
        # Kept alive, so that no new object gets the same identity.
        self._copied: list[Any] = []
        self._n_bytes_left = MOST_BYTES
        self._classes: dict[type, bool] = {}
        self._of_modules = {
            id(held)
            for module in modules
            for held in (vars(module), module._parameters, module._buffers)
        }
        # cuDNN needs these in one block of memory, and warns if they are not.
        self._left = {id(one._flat_weights) for one in modules if isinstance(one, nn.RNNBase)}

    def replace_in(self, held: Iterable[Content]) -> None:
        """Replaces the entries of these containers by copies."""
        # The containers of modules come first, because they have no limit.
        for one in sorted(held, key=lambda one: id(one.holder) not in self._of_modules):
            if id(one.holder) in self._left:
                continue
            has_limit = id(one.holder) not in self._of_modules
            # Modules may set attributes at the start of a pass.
            now = one if has_limit else one.now()
            for position, entry in enumerate(now.entries):
                own = self._copy(entry, has_limit)
                if own is not entry:
                    now.replace(position, own)

    def _copy(self, entry: Any, has_limit: bool) -> Any:
        if type(entry) is tuple:
            own = tuple(self._copy(one, has_limit) for one in entry)
            return own if any(a is not b for a, b in zip(own, entry, strict=True)) else entry
        if not self._has_numbers(type(entry)) or is_empty(entry):
            return entry
        if id(entry) not in self._made:
            n_bytes = _n_bytes(entry)
            if has_limit and n_bytes > self._n_bytes_left:
                return entry
            self._n_bytes_left -= n_bytes if has_limit else 0
            self._made[id(entry)] = _copied(entry)
            self._copied.append(entry)
        return self._made[id(entry)]

    def _has_numbers(self, cls: type) -> bool:
        if cls not in self._classes:
            self._classes[cls] = issubclass(cls, NUMBERS)
        return self._classes[cls]


def _n_bytes(numbers: Any) -> int:
    if isinstance(numbers, bytearray | array):
        return len(memoryview(numbers)) * memoryview(numbers).itemsize
    if isinstance(numbers, torch.Tensor):
        return int(numbers.numel() * numbers.element_size())
    return int(numbers.nbytes)


def _copied(numbers: Any) -> Any:
    """A copy of the same type and attributes."""
    if not isinstance(numbers, torch.Tensor):
        return copy.copy(numbers)
    own = numbers.detach().clone()
    if type(own) is not type(numbers):
        own = own.as_subclass(type(numbers))
    own.requires_grad_(numbers.requires_grad)
    # Tensors that consist of others have these as attributes, which are copied at this point.
    vars(own).update({name: one for name, one in vars(numbers).items() if name not in vars(own)})
    return own
