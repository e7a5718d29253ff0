"""A PyTorch model -> the model without its wrappers, and whether its weights can be read."""

from __future__ import annotations

from typing import Any

from torch import nn

from convscope.arrays import needs_others


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, without the wrappers of ``torch.compile`` and for several devices."""
    wrappers = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(model, wrappers):
            model = model.module
        elif hasattr(model, "_orig_mod"):
            model = model._orig_mod
        else:
            return model


def is_lazy(model: nn.Module) -> bool:
    """Whether some weights get their shape only in the first pass."""
    return any(is_empty(one) for held in (model.parameters(), model.buffers()) for one in held)


def is_empty(tensor: Any) -> bool:
    """Whether it is a weight of a lazy layer that has no shape yet."""
    is_one: bool = nn.parameter.is_lazy(tensor)
    return is_one


def sharded(model: nn.Module) -> str | None:
    """The name of a part of the model that is split between processes: a module of FSDP, or a
    DTensor. None if there is none."""
    for name, module in model.named_modules():
        kinds = {kind.__name__ for kind in type(module).__mro__}
        if kinds & {"FullyShardedDataParallel", "FSDPModule"}:
            return name or "the model itself"
    return next((name for name, one in model.named_parameters() if needs_others(one)), None)
