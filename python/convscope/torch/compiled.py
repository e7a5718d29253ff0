"""Which parts of a model are compiled by ``torch.compile``, and which hooks it traced.

``torch.compile`` traces the hooks of a module together with the module. A hook with an effect would
break the graph at each convolution: steps would often take longer, and results would be rounded
differently. So a compiled hook does nothing. Instead, the compiler calls a function of
this file once, while it traces the hook, and passes are counted around the compiled call.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import nn

Tell = Callable[[int], None]


class TracingListener(Protocol):
    """An object that is notified when its hooks are traced."""

    def pass_is_traced(self) -> None:
        """Called when passes of the model in training mode become a part of compiled code."""

    def output_is_traced(self) -> None:
        """Called when a layer whose output should be recorded becomes a part of compiled code."""


_listeners: weakref.WeakValueDictionary[int, TracingListener] = weakref.WeakValueDictionary()


def register(listener: TracingListener) -> int:
    """Registers a listener, without keeping it alive. Traced hooks refer to it by the returned key,
    because the compiler calls functions with constants only."""
    key = id(listener)
    _listeners[key] = listener
    return key


def _called_while_tracing(function: Tell) -> Tell:
    """Marks a function that the compiler calls during tracing; the compiled code contains its
    result, not the call.

    ``torch.compiler.assume_constant_result`` does the same, but imports the compiler, which takes
    seconds.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


@_called_while_tracing
def tell_pass_is_traced(key: int) -> None:
    """Tells a listener that its hook on a model was traced."""
    listener = _listener(key)
    if listener is not None:
        listener.pass_is_traced()


@_called_while_tracing
def tell_output_is_traced(key: int) -> None:
    """Tells a listener that its hook on a layer was traced."""
    listener = _listener(key)
    if listener is not None:
        listener.output_is_traced()


def _listener(key: int) -> TracingListener | None:
    """The listener of a key; None while a model is exported, which changes no training."""
    is_exporting = getattr(torch.compiler, "is_exporting", None)
    if is_exporting is not None and is_exporting():
        return None
    return _listeners.get(key)


class CompiledCall:
    """Replaces the compiled call of a module, because the hooks of the module are compiled too."""

    def __init__(
        self,
        module: nn.Module,
        key: int,
        before: Callable[[nn.Module], None],
        after: Callable[[nn.Module], None],
    ) -> None:
        self._key = key
        self._before = before
        self._after = after
        self._module: Any = module
        self._compiled: Any = module._compiled_call_impl
        self._module._compiled_call_impl = self

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if torch.compiler.is_compiling():
            if self._module.training:
                tell_pass_is_traced(self._key)
            return self._compiled(*arguments, **named)
        self._before(self._module)
        output = self._compiled(*arguments, **named)
        self._after(self._module)
        return output

    def remove(self) -> None:
        """Restores the compiled call, unless the module was compiled again."""
        if self._module._compiled_call_impl is self:
            self._module._compiled_call_impl = self._compiled


def is_compiled(module: nn.Module) -> bool:
    """Whether a call of the module runs compiled code: ``torch.compile(module)`` or
    ``module.compile()``."""
    own = getattr(module, "_compiled_call_impl", None) is not None
    return own or is_wrapper(module)


def is_wrapper(module: nn.Module) -> bool:
    """Whether it is what ``torch.compile(module)`` returns."""
    return "_orig_mod" in module._modules


def eager_layers(model: nn.Module, layers: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """The layers that are not in a compiled module."""
    compiled = (one for one in model.modules() if is_compiled(one))
    inside = {id(part) for one in compiled for part in one.modules()}
    return {name: layer for name, layer in layers.items() if id(layer) not in inside}


def uncompiled() -> AbstractContextManager[Any]:
    """Runs models without compiled code, because it would be compiled again for evaluation mode and
    for each hook."""
    if "torch._dynamo" not in sys.modules or not hasattr(torch.compiler, "set_stance"):
        return nullcontext()
    stance: AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return stance
