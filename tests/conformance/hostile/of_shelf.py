"""Hostile saves on the shelf: they are passed over, and the good save beside them is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import google_crc32c
import wire
from case import kernel
from checkpoints import Hostile, Hostiles, kind

ENDING = ".convscope-shelf"
TAG, STEP = "kept", 5
"""The good save."""
FILE = f"events.out.tfevents.0000000001.s9-0{ENDING}"
FACTS = {
    "layer": "kept",
    "role": "kernel",
    "role_from": {"confidence": "likely", "evidence": "the name"},
    "layout": ["HWIO", {"confidence": "guess", "evidence": "the shape"}],
    "is_first": True,
    "operation": None,
}


def described(text: bytes) -> bytes:
    """The record of a description."""
    tensor = wire.number(1, 7) + wire.shape(()) + wire.block(8, text)
    return wire.logged("convscope/save", 0, tensor)


def save(
    run: str, *, tag: str = TAG, step: int = STEP, tensor: dict[str, Any] | None = None, **more: Any
) -> bytes:
    """A save of one kernel, whose description says these things."""
    weight = kernel(step)
    raw = weight.astype("<f4").tobytes()
    content = wire.tensor(weight.shape, wire.block(4, raw))
    payload = wire.event(step, wire.value(tag, content))
    one = {
        "tag": tag,
        "saved_as": [tag],
        "dtype": 1,
        "shape": list(weight.shape),
        "at": 12 + payload.index(raw),
        "payload_at": 12,
        "payload_bytes": len(payload),
        "crc32c": google_crc32c.value(payload),
        "facts": FACTS,
    }
    head = {
        "version": 1,
        "run": run,
        "written": {"name": f"{step}.pt", "mtime_ns": step, "bytes": 9},
        "axis": "step",
        "value": step,
        "from": "name",
        "run_from": None,
        "format": "pytorch",
        "digest": f"{step:04x}",
        "tensors": [one | (tensor or {})],
        "not_kept": [],
    }
    text = json.dumps(head | more).encode()
    return wire.version() + described(text) + wire.record(payload)


def kept(name: str, content: bytes | Callable[[str], bytes]) -> Hostile:
    """A shelf with this save and the good one."""

    def make(folder: Path) -> None:
        (folder / f"good{ENDING}").write_bytes(save(folder.name))
        (folder / FILE).write_bytes(content(folder.name) if callable(content) else content)

    return of_shelf(name, make)


def of_shelf(name: str, make: Callable[[Path], None]) -> Hostile:
    """A shelf that this function writes, with the good save among it."""
    return Hostile(
        f"shelf_{name}",
        lambda _: None,
        FILE,
        "",
        good={(TAG, STEP): kernel(STEP)},
        verified="-",
        shelf=make,
    )


@kind
def saves() -> Hostiles:
    """Saves that are cut, flipped, huge, or of something else."""
    name = "run"
    whole = save(name, step=9)
    for length in (0, 11, 40, len(whole) // 2, len(whole) - 1):
        yield kept(f"cut_at_{length}", whole[:length])
    yield kept("flipped_description", wire.flipped(whole, 120))
    yield kept("flipped_numbers", wire.flipped(whole, -40))
    yield kept("of_zeros", bytes(1 << 20))
    yield kept("no_json", wire.version() + described(b"\xff\xfe no"))
    yield kept("deep_json", wire.version() + described(b"[" * 1_000_000))
    yield kept(
        "deep_facts",
        wire.version() + described(b'{"tensors":[{"facts":{"layout":' + b"[" * 500_000),
    )
    yield kept("huge_description", lambda _: wire.version() + described(b" " * (5 << 20)))
    yield kept("record_of_2_to_64", wire.version() + wire.header((1 << 64) - 1))
    yield kept("newer", lambda run: save(run, step=9, version=2))
    yield kept(
        "many_not_kept",
        lambda run: save(
            run,
            step=9,
            not_kept=[{"tag": f"{idx}", "bytes": 1 << 63, "why": "?"} for idx in range(60_000)],
        ),
    )
    tensors = {
        "of_2_to_63": {"shape": [1 << 63]},
        "of_overflow": {"shape": [1 << 33, 1 << 33]},
        "of_many_axes": {"shape": [1] * 100_000},
        "of_an_odd_type": {"dtype": 99},
        "of_a_negative_type": {"dtype": -1},
        "at_2_to_64": {"at": (1 << 64) - 1},
        "outside_of_its_record": {"at": 0},
        "with_an_endless_record": {"payload_bytes": (1 << 64) - 1},
        "of_no_name": {"saved_as": []},
        "of_a_long_name": {"tag": "n" * 2_000},
        "of_a_wrong_checksum": {"crc32c": 7},
        "of_odd_facts": {"facts": {"layer": 7}},
        "of_an_odd_layout": {"facts": FACTS | {"layout": ["OI" * 100_000, FACTS["role_from"]]}},
        "of_a_layout_of_other_axes": {"facts": FACTS | {"layout": ["OIDHW", FACTS["role_from"]]}},
    }
    for lie, tensor in tensors.items():
        yield kept(
            f"tensor_{lie}", lambda run, tensor=tensor: save(run, step=9, tag="bad", tensor=tensor)
        )
    yield kept("of_another_run", save("../../etc", step=9))
    yield kept("of_a_long_run", save("r/" * 100_000, step=9))
    yield kept("of_a_step_below_0", lambda run: save(run, step=9, value=-(1 << 63)))
    yield kept("of_another_axis", lambda run: save(run, step=9, axis="epoch"))
    yield kept("of_an_odd_axis", lambda run: save(run, step=9, axis="x" * 100_000))

    def places(folder: Path) -> None:
        (folder / f"good{ENDING}").write_bytes(save(folder.name))
        os.mkfifo(folder / f"fifo{ENDING}")
        (folder / f"zeros{ENDING}").symlink_to("/dev/zero")
        (folder / f"circle{ENDING}").symlink_to(f"circle{ENDING}")
        (folder / f"folder{ENDING}").mkdir()
        (folder / "above").symlink_to("..")
        deep = folder
        for _ in range(60):
            deep = deep / "d"
        deep.mkdir(parents=True)

    yield of_shelf("of_odd_places", places)

    def many(folder: Path) -> None:
        (folder / f"good{ENDING}").write_bytes(save(folder.name))
        for idx in range(3_000):
            (folder / f"{idx}{ENDING}").write_bytes(whole[: idx % len(whole)])

    yield of_shelf("of_3000_cut_saves", many)
