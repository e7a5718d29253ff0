"""Updates by all optimizers of the program -> the updates of one model."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from convscope.torch.model import unwrapped


def hook_updates(method: Callable[[torch.optim.Optimizer], None]) -> RemovableHandle:
    """Calls a method before each update by any optimizer of ``torch.optim``.

    PyTorch keeps such hooks for the whole program, so this one does not keep the method's object,
    which refers to a model, alive.
    """
    reference = weakref.WeakMethod(method)

    def hook(optimizer: torch.optim.Optimizer, *arguments: Any) -> None:
        act = reference()
        if act is not None:
            act(optimizer)

    return register_optimizer_step_pre_hook(hook)


class CountedParameter:
    """The one parameter whose updates count as the updates of a model: several optimizers may share
    the parameters of the model."""

    def __init__(self, model: nn.Module) -> None:
        """Chooses none yet: the first optimizer with a parameter of the model determines it."""
        self._model = model
        self._parameter: torch.Tensor | None = None
        self._n_held_by_others: weakref.WeakKeyDictionary[torch.optim.Optimizer, int] = (
            weakref.WeakKeyDictionary()
        )

    def is_updated_by(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether an optimizer has the parameter."""
        held = {id(one) for group in optimizer.param_groups for one in group["params"]}
        # An optimizer of another model is recognized by the number of its parameters, so that its
        # updates do not search this model's parameters each time.
        if self._parameter is None and self._n_held_by_others.get(optimizer) != len(held):
            own = unwrapped(self._model).parameters()
            self._parameter = next((one for one in own if id(one) in held), None)
            self._n_held_by_others[optimizer] = len(held)
        return self._parameter is not None and id(self._parameter) in held
