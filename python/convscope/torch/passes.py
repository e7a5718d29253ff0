"""Whether the running pass of a model is an ordinary one."""

from __future__ import annotations

import torch


def is_capturing() -> bool:
    """Whether a CUDA graph is being captured: nothing is computed then, and copies to the host are
    not allowed."""
    return bool(torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())


def is_backward() -> bool:
    """Whether gradients are being computed: a forward pass during that time repeats an earlier one
    for activation checkpointing.

    PyTorch has no public name for it (torch/csrc/autograd/init.cpp)."""
    task = getattr(torch._C, "_current_graph_task_id", None)
    return task is not None and task() != -1
