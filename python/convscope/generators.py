"""Random number generators -> their states, which are restored after a pass."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from convscope.contents import Content

# No derived classes: SystemRandom has no state, and raises an error.
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


class GeneratorStates:
    """The states of all generators in some containers."""

    def __init__(self, held: Iterable[Content]) -> None:
        """Reads the states.

        Args:
            held: the containers to search.
        """
        kinds = (*GENERATORS, getattr(sys.modules.get("torch"), "Generator", None))
        found = (entry for one in held for entry in one.entries if type(entry) in kinds)
        self._before = [(one, _state(one)) for one in {id(one): one for one in found}.values()]

    def put_back(self) -> None:
        """Restores the states of the generators."""
        for generator, state in self._before:
            _set_state(generator, state)


@contextmanager
def same_randomness() -> Iterator[None]:
    """Restores the global random number generators of Python and NumPy."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


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
