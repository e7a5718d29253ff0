"""One value that waits to be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from convscope.events import Metadata, Payload


@dataclass(frozen=True)
class Pending:
    """One value in the queue.

    Attributes:
        tag: its tag.
        step: its step.
        wall_time: when it was recorded, in seconds since 1970.
        len_bytes: the memory that it holds.
        payload: encodes the tensor; called on the writer's thread.
        metadata: is written with the first value of the tag.
    """

    tag: str
    step: int
    wall_time: float
    len_bytes: int
    payload: Callable[[], Payload]
    metadata: Metadata | None
