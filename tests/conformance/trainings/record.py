"""Runs a training as it is, and notes the first convolution of each save beside it.

Run as ``python record.py TRAINING.py WORKDIR NOTES``. The training is not changed: the function of
its library that saves is wrapped, and what it is given is looked at before it is called. ``NOTES``
gets a line of JSON for each save: the SHA-256 of the numbers of the first kernel with four axes.
"""

from __future__ import annotations

import functools
import hashlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np


def first_kernel(value: Any) -> np.ndarray | None:
    """The first array with four axes in dictionaries, lists and objects."""
    if hasattr(value, "ndim") and hasattr(value, "shape"):
        if value.ndim != 4:
            return None
        value = value.detach().cpu() if hasattr(value, "detach") else value
        return np.asarray(value)
    if hasattr(value, "params"):
        value = value.params
    children = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list | tuple):
        return None
    found = (first_kernel(child) for child in children)
    return next((kernel for kernel in found if kernel is not None), None)


def main() -> None:
    """Wraps what saves, and runs the training."""
    training, workdir, notes = sys.argv[1:4]

    def note(kernel: np.ndarray | None) -> None:
        if kernel is not None:
            digest = hashlib.sha256(np.ascontiguousarray(kernel).tobytes()).hexdigest()
            with Path(notes).open("a") as file:
                file.write(json.dumps(digest) + "\n")

    def wrap(owner: Any, name: str, kernel: Any) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            note(kernel(*args, **kwargs))
            return original(*args, **kwargs)

        setattr(owner, name, wrapped)

    name = Path(training).stem
    if name in ("torch_save", "lightning_default"):
        import torch

        wrap(torch, "save", lambda value, *_, **__: first_kernel(value))
    elif name == "flax_default":
        from flax.training import checkpoints

        wrap(checkpoints, "save_checkpoint", lambda _, target, *__, **___: first_kernel(target))
    else:
        import keras

        def kernel(owner: Any, *_: Any, **__: Any) -> np.ndarray:
            model = getattr(owner, "model", owner)
            return np.asarray(model.layers[0].kernel)

        if name == "keras_orbax":
            wrap(keras.callbacks.OrbaxCheckpoint, "_save_checkpoint", kernel)
        else:
            wrap(keras.Model, "save", kernel)
    sys.argv = [training, workdir]
    runpy.run_path(training, run_name="__main__")


if __name__ == "__main__":
    main()
