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
"""What holds numbers that a pass may change in place."""
MOST_BYTES = 256 * 2**20
"""Of what lies elsewhere than in the attributes of modules so many bytes are copied, and no more:
it may be a data set."""


class Copies:
    """Copies of tensors and arrays, one for each, wherever it is."""

    def __init__(self, modules: list[nn.Module], given: dict[int, torch.Tensor]) -> None:
        """Copies nothing yet.

        Args:
            modules: those of the model.
            given: copies by the identity of what they are copies of.
        """
        self._made: dict[int, Any] = given | {id(one): one for one in given.values()}
        # Kept, so that nothing new gets their identity.
        self._copied: list[Any] = []
        self._n_bytes_left = MOST_BYTES
        self._classes: dict[type, bool] = {}
        self._of_modules = {
            id(held)
            for module in modules
            for held in (vars(module), module._parameters, module._buffers)
        }
        # cuDNN wants these in one piece, and warns where they are not.
        self._left = {id(one._flat_weights) for one in modules if isinstance(one, nn.RNNBase)}

    def replace_in(self, held: Iterable[Content]) -> None:
        """Puts copies in the place of what these hold."""
        # Those of the modules come first, as they have no limit.
        for one in sorted(held, key=lambda one: id(one.holder) not in self._of_modules):
            if id(one.holder) in self._left:
                continue
            has_limit = id(one.holder) not in self._of_modules
            # What modules compute at the start of a pass are attributes.
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
    # Tensors that are made of others have these among their attributes, copied by then.
    vars(own).update({name: one for name, one in vars(numbers).items() if name not in vars(own)})
    return own
