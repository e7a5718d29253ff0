"""What callers pass besides arrays: counts, steps, tags."""

from __future__ import annotations

import operator
from typing import Any

from convscope.arrays import Refused, array_of

LONGEST_TAG = 60_000
"""In bytes; ConvScope treats names of more than 64 KiB as damage."""


def whole(name: str, count: Any) -> int:
    """A count of at least 1.

    Raises:
        ValueError: it is not; the message begins with the name.
    """
    try:
        number = operator.index(count)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{name}={count!r} is not allowed; give a whole number of at least 1")
    return number


def step_of(step: Any) -> int:
    """A training step.

    Args:
        step: a whole number, or an object with one: a variable of TensorFlow or Keras, an array
            with one element.

    Raises:
        Refused: it is not a whole number, or does not fit into 64 bits.
    """
    try:
        number = _index(step)
    except Exception as error:
        raise Refused(
            f"the step {step!r} is not a whole number; give the number of the step"
        ) from error
    if not -(1 << 63) <= number < 1 << 63:
        raise Refused(f"the step {number} does not fit into 64 bits; give one that does")
    return number


def tag_of(name: str) -> str:
    """A tag that readers accept.

    Raises:
        Refused: it is not text, or too long.
    """
    if not isinstance(name, str) or not name:
        raise Refused(f"the tag is {name!r}; a value needs a tag that is non-empty text")
    tag = text(name)
    if len(tag.encode()) > LONGEST_TAG:
        raise Refused(
            f"the tag has {len(tag.encode())} bytes, and at most {LONGEST_TAG} are read; shorten it"
        )
    return tag


def text(name: str) -> str:
    """The name with single surrogates replaced, which UTF-8 cannot encode."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _index(step: Any) -> int:
    try:
        return operator.index(step)
    except Exception:
        values = array_of(step).values
        if values.size != 1 or values.dtype.kind not in "iu":
            raise
        return int(values.reshape(()))
