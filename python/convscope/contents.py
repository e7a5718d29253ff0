"""The containers in a model -> their contents, which are restored after a pass.

Containers, the variables of closures and the attributes of plain records are searched at any depth.
Objects of other classes are not: a model may refer to its trainer, and the trainer to its threads.
"""

from __future__ import annotations

from argparse import Namespace
from collections import ChainMap, OrderedDict, UserDict, UserList, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, is_dataclass
from functools import partial
from operator import is_
from types import CellType, FunctionType, SimpleNamespace
from typing import Any

MAPPINGS = (OrderedDict, dict)
CONTAINERS = (*MAPPINGS, list, deque, set)
"""What is restored, including derived classes. Only methods of these classes are called, because
those of a derived class may do more, and those of a dict would break an OrderedDict."""
RECORDS = (UserList, UserDict, ChainMap, SimpleNamespace, Namespace)
"""Classes whose objects consist only of their attributes, like those of a dataclass."""
FUNCTIONS = (FunctionType, partial)
FRAMEWORKS = ("torch", "keras", "tf_keras", "tensorflow", "jax")
"""Packages whose own functions are not searched: their variables belong to a compiler."""
MOST_ENTRIES = 100_000
"""Larger containers are not searched for other containers: that would take milliseconds."""

NOTHING: Sequence[Any] = ()


@dataclass(slots=True)
class Content:
    """The content of a container before a pass.

    Attributes:
        holder: the container or the variable of a closure.
        kind: one of ``CONTAINERS``, ``CellType``, or ``tuple`` for immutable holders.
        entries: the values, in order.
        names: the keys of the values of a mapping; empty for other kinds.
    """

    holder: Any
    kind: Any
    entries: Sequence[Any]
    names: Sequence[Any]

    def now(self) -> Content:
        """The present content of the holder."""
        return self if self.kind is tuple else _content(self.holder)

    def put_back(self) -> None:
        """Restores the content of the holder, if it changed."""
        if self._is_unchanged():
            return
        if self.kind is CellType:
            self.holder.cell_contents = self.entries[0]
        elif self.kind in MAPPINGS:
            self._put_mapping_back()
        else:
            self.kind.clear(self.holder)
            add = self.kind.update if self.kind is set else self.kind.extend
            add(self.holder, self.entries)

    def replace(self, position: int, entry: Any) -> None:
        """Replaces an entry by another value. Sets and tuples are not changed."""
        if self.kind is CellType:
            self.holder.cell_contents = entry
        elif self.kind in MAPPINGS:
            self.kind.__setitem__(self.holder, self.names[position], entry)
        elif self.kind in (list, deque):
            self.kind.__setitem__(self.holder, position, entry)

    def _is_unchanged(self) -> bool:
        """Whether the holder has the same objects as before, in the same order."""
        if self.kind is tuple:
            return True
        now = self.now()
        if self.kind is set:
            return {*map(id, now.entries)} == {*map(id, self.entries)}
        return _are_same(now.entries, self.entries) and _are_same(now.names, self.names)

    def _put_mapping_back(self) -> None:
        known = set(self.names)
        for name in [one for one in self.kind.keys(self.holder) if one not in known]:
            self.kind.__delitem__(self.holder, name)
        if [*self.kind.keys(self.holder)] != [*self.names]:
            self.kind.clear(self.holder)
        # Not with update, which adds in a Counter.
        for name, one in zip(self.names, self.entries, strict=True):
            self.kind.__setitem__(self.holder, name, one)


def contents(roots: Iterable[Any], is_record: Callable[[type], bool]) -> list[Content]:
    """The contents of some objects, and of the containers in them, at any depth.

    Tensors, arrays and generators are entries, which are not searched.

    Args:
        roots: containers, functions and records.
        is_record: whether the attributes of objects of a class are searched too.
    """
    waiting = [*roots]
    found: dict[int, Content] = {}
    is_followed: dict[type, bool] = {}
    while waiting:
        one = waiting.pop()
        cls = type(one)
        if cls not in is_followed:
            is_followed[cls] = _is_followed(cls) or is_record(cls)
        if not is_followed[cls] or id(one) in found:
            continue
        found[id(one)] = content = _content(one)
        if hasattr(one, "__dict__"):
            waiting.append(vars(one))
        if len(content.entries) <= MOST_ENTRIES:
            waiting += content.entries
    return list(found.values())


def _is_followed(cls: type) -> bool:
    known = (*CONTAINERS, tuple, CellType, *FUNCTIONS, *RECORDS)
    return issubclass(cls, known) or is_dataclass(cls)


def _content(one: Any) -> Content:
    kind: Any = type(one)
    if kind not in CONTAINERS:
        kind = next((kind for kind in CONTAINERS if isinstance(one, kind)), None)
    if kind is not None and kind.__len__(one) == 0:
        # Most containers of modules are empty, so nothing is allocated for them.
        return Content(one, kind, NOTHING, NOTHING)
    if kind in MAPPINGS:
        return Content(one, kind, [*kind.values(one)], [*kind.keys(one)])
    if kind is not None:
        return Content(one, kind, [*kind.__iter__(one)], NOTHING)
    if isinstance(one, CellType):
        try:
            return Content(one, CellType, [one.cell_contents], NOTHING)
        except ValueError:
            # The variable has no value yet.
            return Content(one, tuple, NOTHING, NOTHING)
    return Content(one, tuple, _parts(one), NOTHING)


def _parts(one: Any) -> list[Any]:
    """The parts of a tuple or a function; a record has only its attributes."""
    if isinstance(one, tuple):
        return [*tuple.__iter__(one)]
    if isinstance(one, partial):
        return [one.func, one.args, one.keywords]
    if isinstance(one, FunctionType):
        if one.__globals__.get("__name__", "").partition(".")[0] in FRAMEWORKS:
            return []
        return [*(one.__closure__ or ()), one.__defaults__, one.__kwdefaults__]
    return []


def _are_same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))
