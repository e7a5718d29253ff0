"""The hooks on a model and on its layers.

The hooks on the model stay as long as it is watched, those on layers while one step is recorded.
They do nothing in compiled code and in copies of the model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from convscope.torch.compiled import (
    CompiledCall,
    is_compiled,
    is_wrapper,
    tell_output_is_traced,
    tell_pass_is_traced,
)
from convscope.torch.passes import is_backward, is_capturing

OnPass = Callable[[nn.Module], None]
OnOutput = Callable[[str, int, int, Any], None]
"""Takes a layer's name, the step, the number of the call in this pass, and the output."""


class Removable(Protocol):
    """A hook on a model, which can be removed."""

    def remove(self) -> None:
        """Removes it."""


def hook_passes(model: nn.Module, key: int, before: OnPass, after: OnPass) -> list[Removable]:
    """Calls two functions before and after each pass of a model.

    Args:
        model: the model.
        key: the key of the listener that is notified if the hooks are traced.
        before: called with the model; not in compiled code.
        after: likewise; not called if the pass raises an error.
    """
    if is_compiled(model) and not is_wrapper(model):
        return [CompiledCall(model, key, before, after)]
    return [
        model.register_forward_pre_hook(_PassHook(key, before)),
        model.register_forward_hook(_PassHook(key, after)),
    ]


class OutputHooks:
    """The hooks on layers while one step is recorded."""

    def __init__(self, key: int, act: OnOutput) -> None:
        """Adds no hook yet.

        Args:
            key: the key of the listener that is notified if a hook is traced.
            act: called with each output.
        """
        self._key = key
        self._act = act
        self._handles: list[RemovableHandle] = []

    def put_on(self, layers: dict[str, nn.Module], step: int) -> None:
        """Adds a hook to each of these layers, and removes those of another step."""
        self.remove()
        for name, layer in layers.items():
            hook = _OutputHook(self._key, self._act, name, step)
            self._handles.append(layer.register_forward_hook(hook))

    def remove(self) -> None:
        """Removes all hooks."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


class _Ignored:
    """Replaces a hook in a copy of the model."""

    def __call__(self, *arguments: Any) -> None:
        return None


class _PassHook:
    """A hook on the model itself."""

    def __init__(self, key: int, act: OnPass) -> None:
        self._key = key
        self._act = act

    def __call__(self, model: nn.Module, *arguments: Any) -> None:
        if torch.compiler.is_compiling():
            if model.training:
                tell_pass_is_traced(self._key)
            return
        self._act(model)

    def __reduce__(self) -> tuple[type[_Ignored], tuple[()]]:
        return _Ignored, ()


class _OutputHook:
    """A hook on a layer, which counts the layer's calls in one pass."""

    def __init__(self, key: int, act: OnOutput, name: str, step: int) -> None:
        self._key = key
        self._act = act
        self._name = name
        self._step = step
        self._n_calls = 0

    def __call__(self, layer: nn.Module, inputs: Any, output: Any) -> None:
        if torch.compiler.is_compiling():
            tell_output_is_traced(self._key)
            return
        if is_backward() or is_capturing():
            return
        call, self._n_calls = self._n_calls, self._n_calls + 1
        self._act(self._name, self._step, call, output)

    def __reduce__(self) -> tuple[type[_Ignored], tuple[()]]:
        return _Ignored, ()
