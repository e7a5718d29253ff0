"""Arrays of NumPy, TensorFlow, PyTorch and JAX, and lists -> NumPy arrays -> the bytes of an event
file.

No framework is imported: a tensor of PyTorch is recognized by its type, if PyTorch is loaded; other
arrays are read by the protocols of NumPy and DLPack.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA_TYPES = {
    **{"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int16": 5, "int8": 6, "complex64": 8},
    **{"int64": 9, "bool": 10, "bfloat16": 14, "uint16": 17, "complex128": 18, "float16": 19},
    **{"uint32": 22, "uint64": 23, "float8_e5m2": 24, "float8_e4m3fn": 25},
    **{
        "float8_e4m3fnuz": 26,
        "float8_e4m3b11fnuz": 27,
        "float8_e5m2fnuz": 28,
        "int4": 29,
        "uint4": 30,
    },
}
"""Names of element types to TensorFlow's DataType (tensorflow/core/framework/types.proto)."""


class Refused(TypeError):
    """A value cannot be recorded; the message is a sentence that says why."""


@dataclass(frozen=True)
class Array:
    """An array and the name of its element type, which NumPy itself may not have (bfloat16).

    Attributes:
        values: the elements; if NumPy lacks the type, integers of the same width.
        dtype: a key of ``DATA_TYPES``.
    """

    values: NDArray[Any]
    dtype: str

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(self.values.shape)

    def content(self) -> bytes:
        """A copy of all elements, row-major and little-endian, for all strides and byte orders."""
        values = self.values
        if values.dtype.byteorder == ">" or (
            values.dtype.byteorder == "=" and sys.byteorder == "big"
        ):
            values = values.astype(values.dtype.newbyteorder("<"))
        return values.tobytes(order="C")


def array_of(value: Any, cut: tuple[slice, ...] = ()) -> Array:
    """Reads the elements of an array, without a copy where possible.

    Args:
        value: an array of NumPy, TensorFlow, PyTorch, JAX or anything with ``__array__`` or
            DLPack, or nested lists.
        cut: the slices to keep of the first axes, if the array has that many axes.

    Returns:
        The elements, not yet copied.

    Raises:
        Refused: it has no numbers, or none yet, such as a tensor in a function that is being
            traced.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _of_torch(value, cut)
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise Refused(
            f"the array of shape {value.shape} is partly masked; record value.filled(...)"
        )
    values = _as_numpy(_cut_on_device(value, cut))
    name = values.dtype.name
    if name not in DATA_TYPES:
        raise Refused(_unknown_type(values.shape, name))
    return Array(values[cut] if len(cut) <= values.ndim else values, name)


def _cut_on_device(value: Any, cut: tuple[slice, ...]) -> Any:
    """Cuts an array on another device there, so that no more is copied from it."""
    is_elsewhere = hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray)
    axes = getattr(value, "shape", ())
    if not is_elsewhere or not cut or len(cut) > len(axes):
        return value
    is_whole = all(one.stop is None or one.stop >= n for one, n in zip(cut, axes, strict=False))
    return value if is_whole else value[cut]


def _as_numpy(value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except Exception as error:
        if hasattr(value, "__dlpack__"):
            try:
                return np.asarray(np.from_dlpack(value))
            except Exception:
                pass
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise Refused(
            f"the value is a {kind} that cannot be read as an array ({_first_line(error)}); "
            "record outside of traced or compiled functions"
        ) from error


def _of_torch(value: Any, cut: tuple[slice, ...]) -> Array:
    """The elements of a tensor of PyTorch; NumPy rejects tensors with gradients, on other devices,
    and of bfloat16."""
    torch: Any = sys.modules.get("torch")
    try:
        # Cut first, so that no more is copied from another device.
        value = _local_tensor(value)
        part = value.detach()[cut] if len(cut) <= value.dim() else value.detach()
        # Copied, because PyTorch cannot resize a storage while NumPy has a view of it, and FSDP
        # resizes the storages of weights.
        tensor = part.cpu() if part.device.type != "cpu" else part.clone()
        tensor = tensor.resolve_conj().resolve_neg()
        name = str(tensor.dtype).removeprefix("torch.")
        if name not in DATA_TYPES:
            raise Refused(_unknown_type(tuple(tensor.shape), name))
        if name == "bfloat16" or name.startswith("float8"):
            as_integers = torch.int16 if name == "bfloat16" else torch.uint8
            return Array(tensor.contiguous().view(as_integers).numpy(), name)
        return Array(tensor.numpy(), name)
    except Refused:
        raise
    except Exception as error:
        raise Refused(
            f"the value is a tensor of PyTorch that cannot be read ({_first_line(error)}); "
            "record a dense copy of it, outside of compiled functions"
        ) from error


def needs_others(tensor: Any) -> bool:
    """Whether this process has only a part of a tensor of PyTorch, such as a DTensor of FSDP2."""
    mesh = getattr(tensor, "device_mesh", None)
    if mesh is None or not hasattr(tensor, "placements"):
        return False
    return bool(mesh.size() > 1 and not all(one.is_replicate() for one in tensor.placements))


def _local_tensor(tensor: Any) -> Any:
    """The local tensor of a DTensor of which this process has all elements."""
    if needs_others(tensor):
        raise Refused(
            f"the tensor of shape {tuple(tensor.shape)} is a DTensor of which this process has "
            "only a part; record its full_tensor(), which all processes have to call"
        )
    is_whole_here = hasattr(tensor, "device_mesh") and hasattr(tensor, "to_local")
    return tensor.to_local() if is_whole_here else tensor


def _unknown_type(shape: tuple[int, ...], dtype: str) -> str:
    allowed = ", ".join(DATA_TYPES)
    return f"the array of shape {shape} has elements of the type {dtype}; allowed types: {allowed}"


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text[:200]}"
