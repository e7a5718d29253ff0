"""What kind of pass of a model runs now."""

from __future__ import annotations

import torch


def is_capturing() -> bool:
    """Whether a CUDA graph is being captured: nothing is computed then, and no copy to the host is
    allowed."""
    return bool(torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing())
