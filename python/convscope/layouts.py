"""The layouts that ConvScope knows (which axis is which), and whether one fits an array.

Letters stand slowest axis first: N sample, C channel, I input channel, O output channel, M filters
of each input channel, D depth, H height, W width (docs/meaning.md has the table by framework). The
program has the same layouts: a test compares both with ``src/model/vocabulary.json``.
"""

from __future__ import annotations

from typing import Literal

Role = Literal["kernel", "bias", "activation", "input"]

KERNELS = (
    *("IO", "OI"),
    *("WIO", "OIW", "WIM", "WOI", "IOW"),
    *("HWIO", "OIHW", "HWIM", "HWOI", "IOHW", "OHWI"),
    *("DHWIO", "OIDHW", "DHWOI", "IODHW"),
)
ACTIVATIONS = ("NC", "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW")

ALLOWED: dict[Role, tuple[str, ...]] = {
    "kernel": KERNELS,
    "bias": (),
    "activation": ACTIVATIONS,
    "input": ACTIVATIONS,
}
RANKS: dict[Role, range] = {
    "kernel": range(2, 6),
    "bias": range(1, 2),
    "activation": range(2, 6),
    "input": range(2, 6),
}
"""How many axes an array of a role may have."""


def trouble(role: Role, shape: tuple[int, ...], layout: str | None) -> str | None:
    """What is wrong with an array for its role.

    Args:
        role: what the array is in the network.
        shape: the lengths of its axes.
        layout: capital letters, or None to let ConvScope infer it.

    Returns:
        A sentence that says what is allowed, or None if nothing is wrong.
    """
    rank = len(shape)
    ranks = RANKS[role]
    if rank not in ranks:
        wanted = f"{ranks[0]} to {ranks[-1]} axes" if len(ranks) > 1 else f"{ranks[0]} axis"
        counted = "1 axis" if rank == 1 else f"{rank} axes"
        return f"the array of shape {shape} has {counted}, and {_article(role)} has {wanted}"
    if 0 in shape:
        return (
            f"the array of shape {shape} has no elements; every axis needs a length of at least 1"
        )
    if layout is None:
        return None
    fitting = [name for name in ALLOWED[role] if len(name) == rank]
    if layout not in fitting:
        allowed = ", ".join(fitting) if fitting else "none"
        return (
            f"the layout of an array of shape {shape} cannot be {layout!r}; "
            f"layouts of {_article(role)} of {rank} axes: {allowed}"
        )
    return None


def _article(role: Role) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"
