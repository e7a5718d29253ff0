"""What a layer does, which ConvScope's page shows beside its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

KINDS = {
    **{f"Conv{n}D": n for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": n for n in (1, 2)},
    **{f"SeparableConv{n}D": n for n in (1, 2)},
    **{f"Conv{n}DTranspose": n for n in (1, 2, 3)},
    "Dense": 0,
}
"""The kinds of layers that ConvScope shows -> the number of axes of their windows."""

Padding = Literal["same", "valid", "causal", "explicit"]
"""As in TensorFlow; ``explicit`` for padding given as numbers."""


@dataclass(frozen=True)
class Operation:
    """A layer. Tuples have one number per axis of its window: depth, height, width.

    Attributes:
        kind: its name in Keras, one of ``KINDS``, also for layers of other frameworks.
        position: its position in the network, from 0.
        window: the lengths of its window.
        strides: how far the window moves, in elements.
        dilations: distances between the window's elements; 1 if they are adjacent.
        padding: ``same``, ``valid`` or ``causal`` as in TensorFlow; ``explicit`` for any other.
        outputs: output channels.
    """

    kind: str
    position: int = 0
    window: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()
    padding: Padding | None = None
    outputs: int | None = None

    def entries(self) -> dict[str, Any]:
        """Its entry in a tag's metadata (docs/meaning.md)."""
        return {name: value for name, value in vars(self).items() if value not in (None, ())}
