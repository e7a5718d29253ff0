"""Shared by the callbacks of all frameworks: layers by name, and probes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from math import prod
from typing import Any, TypeVar

import numpy as np

Layer = TypeVar("Layer")

PROBE_REFUSED = (
    "the model does not accept the probe, so activations are not recorded; kernels are, and "
    "training continues. Give a probe that the model accepts: its shape, its type, samples first"
)


def chosen(layers: Mapping[str, Layer], wanted: Iterable[str] | None) -> dict[str, Layer]:
    """The selected layers.

    Args:
        layers: all layers by name.
        wanted: names or globs (``block1_*``); None for all.

    Returns:
        The layers that match a name or a glob, in their order.
    """
    if wanted is None:
        return dict(layers)
    patterns = [wanted] if isinstance(wanted, str) else list(wanted)
    return {
        name: layer
        for name, layer in layers.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def batch_of(probe: Any) -> Any:
    """A copy of the probe, for one pass: a model may change its input in place.

    Args:
        probe: arrays, also in lists, tuples and dicts; any other object is passed on as it is.

    Returns:
        The same structure with copies of all arrays of NumPy and PyTorch.

    Raises:
        ValueError: it has no samples, or no numbers.
        TypeError: it is an iterator, which a pass would exhaust, and which may belong to the
            training.
    """
    if isinstance(probe, Iterator):
        raise TypeError(
            f"the probe is a {type(probe).__name__}, which can be read only once; give a batch"
        )
    if type(probe) is dict:
        copies: Any = {name: batch_of(one) for name, one in probe.items()}
    elif type(probe) in (list, tuple):
        copies = type(probe)(batch_of(one) for one in probe)
    else:
        return _copy_of(probe)
    if not copies:
        raise ValueError(f"the probe holds an empty {type(probe).__name__}; give some samples")
    return copies


def _copy_of(value: Any) -> Any:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and prod(one for one in shape if isinstance(one, int)) == 0:
        raise ValueError(
            f"the probe holds an array of shape {tuple(shape)}, which has no elements; "
            "give some samples"
        )
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        if value.device.type == "meta":
            raise ValueError(
                "the probe holds a tensor on the device meta, which has no numbers; give one on a "
                "real device"
            )
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value
