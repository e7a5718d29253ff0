"""The convolutions of a Keras model, by the names of Keras's own classes, and their layouts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

CONVOLUTIONS = {
    **{f"Conv{n}D": n for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": n for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": n for n in (1, 2)},
    **{f"SeparableConv{n}D": n for n in (1, 2)},
    **{f"ConvLSTM{n}D": n for n in (1, 2, 3)},
}
"""Classes of layers -> the number of axes along which their window moves."""
WINDOWS = {1: "W", 2: "HW", 3: "DHW"}
PACKAGES = ("keras", "tf_keras", "tensorflow")


def convolutions(model: Any) -> dict[str, Any]:
    """All convolutions of a model and of nested models, by name: ``conv1``, ``encoder/conv1``.

    If several have the same name, all but the first get a number at the end: ``conv_1``.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for path, layer in _walk(model, ""):
        if id(layer) not in seen and _n_axes(layer):
            seen.add(id(layer))
            found[_free(path, found)] = layer
    return found


def kernel_layouts(layer: Any) -> dict[str, str]:
    """The names of a layer's kernels and their layouts, which do not depend on its data format."""
    kind, window = _kind(layer), WINDOWS[_n_axes(layer)]
    if kind.startswith("Separable"):
        return {"depthwise_kernel": f"{window}IM", "pointwise_kernel": f"{window}IO"}
    if kind.startswith("Depthwise"):
        # Keras 2 and 3 use different names.
        own = "kernel" if getattr(layer, "kernel", None) is not None else "depthwise_kernel"
        return {own: f"{window}IM"}
    if _is_recurrent(layer):
        return {"kernel": f"{window}IO", "recurrent_kernel": f"{window}IO"}
    return {"kernel": f"{window}OI" if kind.endswith("Transpose") else f"{window}IO"}


def weights_holder(layer: Any) -> Any:
    """The object with the layer's weights: the cell of a recurrent layer, otherwise the layer."""
    return layer.cell if _is_recurrent(layer) else layer


def maps_of(layer: Any, output: Any) -> Any:
    """The part of an output that has the layer's layout: the last step of a sequence."""
    if not _is_recurrent(layer):
        return output
    # With return_state=True, the states follow the output.
    first = output[0] if isinstance(output, list | tuple) else output
    return first[:, -1] if layer.return_sequences else first


def activation_layout(layer: Any) -> str:
    """The layout of a layer's output."""
    window = WINDOWS[_n_axes(layer)]
    return f"NC{window}" if layer.data_format == "channels_first" else f"N{window}C"


def _free(path: str, taken: dict[str, Any]) -> str:
    """The path, with a number at its end if it is taken."""
    numbered = (f"{path}_{n}" for n in itertools.count(1))
    return next(one for one in itertools.chain([path], numbered) if one not in taken)


def _walk(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        inner_path = f"{path}/{inner.name}" if path else inner.name
        yield inner_path, inner
        yield from _walk(inner, inner_path)


def _kind(layer: Any) -> str:
    """The name of Keras's own class of a convolution; empty for other layers."""
    for cls in type(layer).__mro__:
        if cls.__name__ in CONVOLUTIONS and cls.__module__.partition(".")[0] in PACKAGES:
            return cls.__name__
    return ""


def _is_recurrent(layer: Any) -> bool:
    return _kind(layer).startswith("ConvLSTM")


def _n_axes(layer: Any) -> int:
    return CONVOLUTIONS.get(_kind(layer), 0)
