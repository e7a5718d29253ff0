"""ConvScope from Python: records convolution kernels and activations, with one line for each.

``convscope.Recorder`` writes tensors to event files, ``convscope.keras`` and ``convscope.torch``
call it while a model trains, and the ``convscope`` command shows what was written. Submodules are
imported only when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convscope.recorder import Recorder

__all__ = ["Recorder", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Recorder":
        from convscope.recorder import Recorder

        return Recorder
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("convscope")
        except PackageNotFoundError:
            return "0+source"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
