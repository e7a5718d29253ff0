"""The convolutions of a PyTorch model, their layouts and operations."""

from __future__ import annotations

from typing import Any

from torch import nn

from convscope.operation import Operation, Padding
from convscope.torch.model import unwrapped

CONVOLUTIONS: dict[type[nn.Module], int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
TRANSPOSED: dict[type[nn.Module], int] = {
    nn.ConvTranspose1d: 1,
    nn.ConvTranspose2d: 2,
    nn.ConvTranspose3d: 3,
}


def convolutions(model: nn.Module) -> dict[str, nn.Module]:
    """The convolutions of a model by name, without the prefixes of ``compile`` and
    ``DataParallel``."""
    kinds = (*CONVOLUTIONS, *TRANSPOSED)
    return {
        name or "conv": layer
        for name, layer in unwrapped(model).named_modules()
        if isinstance(layer, kinds)
    }


def n_axes(layer: nn.Module) -> int:
    """The number of axes along which the window of a convolution moves."""
    kinds = {**CONVOLUTIONS, **TRANSPOSED}
    return next(n for kind, n in kinds.items() if isinstance(layer, kind))


def kernel_layout(layer: nn.Module) -> str:
    """The layout of a convolution's weight."""
    letters = (
        ("IOW", "IOHW", "IODHW")
        if isinstance(layer, tuple(TRANSPOSED))
        else ("OIW", "OIHW", "OIDHW")
    )
    return letters[n_axes(layer) - 1]


def operation(layer: nn.Module, position: int) -> Operation | None:
    """The operation of a convolution; None if it lacks the usual attributes."""
    axes, is_transposed = n_axes(layer), isinstance(layer, tuple(TRANSPOSED))
    said: list[Any] = [getattr(layer, name, None) for name in ("kernel_size", "stride", "dilation")]
    if not all(isinstance(one, tuple) and len(one) == axes for one in said):
        return None
    window, strides, dilations = ((*map(int, one),) for one in said)
    return Operation(
        kind=f"Conv{axes}DTranspose" if is_transposed else f"Conv{axes}D",
        position=position,
        window=window,
        strides=strides,
        dilations=dilations,
        padding=None if is_transposed else _padding(layer, window, strides, dilations),
        outputs=getattr(layer, "out_channels", None),
    )


def _padding(
    layer: Any, window: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Padding:
    """The padding with TensorFlow's name: ``same`` if the output has the size of the input."""
    given = layer.padding
    if given == "same":
        return "same"
    if given == "valid" or not any(given):
        return "valid"
    keeps = zip(given, window, dilations, strict=True)
    is_same = all(2 * one == (n - 1) * d for one, n, d in keeps) and set(strides) == {1}
    return "same" if is_same else "explicit"


def activation_layout(layer: nn.Module) -> str:
    """The layout of a convolution's input and output."""
    return ("NCW", "NCHW", "NCDHW")[n_axes(layer) - 1]
