"""What callbacks of all frameworks share: layers by name, and a probe that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TypeVar

Layer = TypeVar("Layer")

PROBE_REFUSED = (
    "the model does not take the probe, so its activations are not recorded; kernels are, and "
    "training goes on. Give a probe as the model takes it: its shape, its type, samples first"
)


def chosen(layers: Mapping[str, Layer], wanted: Iterable[str] | None) -> dict[str, Layer]:
    """The layers that are wanted.

    Args:
        layers: all layers by name.
        wanted: names or globs (``block1_*``); None for all.

    Returns:
        Those of which a name or a glob speaks, in their order.
    """
    if wanted is None:
        return dict(layers)
    patterns = [wanted] if isinstance(wanted, str) else list(wanted)
    return {
        name: layer
        for name, layer in layers.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }
