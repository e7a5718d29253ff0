"""Which kind of pass of a model is running."""

from __future__ import annotations

import torch


def is_capturing() -> bool:
    """Whether a CUDA graph is being captured: then nothing is computed, and no copy to the host is
    allowed."""
    return bool(torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())


def is_backward() -> bool:
    """Whether gradients are being computed: a forward pass meanwhile repeats an earlier one, by
    activation checkpointing.

    PyTorch has no public name for it (torch/csrc/autograd/init.cpp)."""
    task = getattr(torch._C, "_current_graph_task_id", None)
    return task is not None and task() != -1
