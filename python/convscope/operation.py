"""What a layer does, for ConvScope's page to show beside its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Operation:
    """A layer. Tuples have one number an axis of its window: depth, height, width.

    Attributes:
        kind: its name in Keras, also for layers of others: ``Conv2D``, ``Conv2DTranspose``.
        position: its place in the network, from 0.
        window: the lengths of its window.
        strides: steps of the window, in elements.
        dilations: distances of the window's elements; 1 for neighbours.
        padding: ``same`` or ``valid`` as in TensorFlow, ``causal``, or ``explicit`` for others.
        outputs: output channels.
    """

    kind: str
    position: int = 0
    window: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()
    padding: Literal["same", "valid", "causal", "explicit"] | None = None
    outputs: int | None = None

    def entries(self) -> dict[str, Any]:
        """What is said of it in a tag's metadata (docs/meaning.md)."""
        return {name: value for name, value in vars(self).items() if value not in (None, ())}
