"""What ``torch.compile`` has made of a model's parts."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn


def is_compiled(module: nn.Module) -> bool:
    """Whether a call of the module runs compiled code: ``torch.compile(module)`` or
    ``module.compile()``."""
    own = getattr(module, "_compiled_call_impl", None) is not None
    return own or "_orig_mod" in module._modules


def eager_layers(model: nn.Module, layers: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """Those of the layers that no compiled module holds, or is."""
    compiled = (one for one in model.modules() if is_compiled(one))
    inside = {id(part) for one in compiled for part in one.modules()}
    return {name: layer for name, layer in layers.items() if id(layer) not in inside}


def uncompiled() -> AbstractContextManager[Any]:
    """A compiled model, or part, would be compiled anew for evaluation mode and for each hook."""
    if "torch._dynamo" not in sys.modules or not hasattr(torch.compiler, "set_stance"):
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance
