"""Checkpoints that are no files, lead away, or may not be read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from case import kernel
from checkpoints import BAD, NOT_READ, UNREADABLE, Hostile, Hostiles, kind
from of_pytorch import WHOLE

FILES = ("model.pt", "model.safetensors", "model.keras", "model.h5", "ckpt-1.index")
WEIGHT = kernel(1, (8, 3, 3, 3))


def linked(target: str, file: str) -> Callable[[Path], None]:
    """Writes a link."""
    return lambda run: os.symlink(target, run / file)


@kind
def links() -> Hostiles:
    """Links to nothing, to themselves, to devices and to other files."""
    for file in FILES:
        ending = file.rsplit(".", 1)[-1]
        nothing = linked("nowhere", file)
        yield Hostile(f"link_of_{ending}_to_nothing", nothing, file, UNREADABLE, verified="-")
        itself = linked(file, file)
        yield Hostile(f"link_of_{ending}_to_itself", itself, file, UNREADABLE, verified="-")
        # A device is no regular file, so it holds no checkpoint.
        device = linked("/dev/zero", file)
        yield Hostile(f"link_of_{ending}_to_zeros", device, file, "", verified="-")
    for target in ("/dev/full", "/dev/urandom", "/dev/stdin", "/proc/self/mem"):
        name = target.replace("/", "_")
        yield Hostile(f"link_to{name}", linked(target, "model.pt"), "model.pt", "", verified="-")
    # A text is no checkpoint of PyTorch, of which others use the endings.
    text = linked("/etc/passwd", "model.pt")
    yield Hostile("link_of_pt_to_etc_passwd", text, "model.pt", "", verified="-")
    text = linked("/etc/passwd", "model.safetensors")
    yield Hostile("link_of_safetensors_to_etc_passwd", text, "model.safetensors", BAD)
    tasks = linked("/proc/self/status", "model.safetensors")
    yield Hostile("link_of_safetensors_to_proc", tasks, "model.safetensors", BAD)

    def several(run: Path) -> None:
        (run / "model_step_12.pt").write_bytes(WHOLE)
        for idx in range(200):
            os.symlink("model_step_12.pt", run / f"last{idx}.pt")

    good = {("conv1.weight", 12): WEIGHT}
    yield Hostile("links_to_one_file", several, "model_step_12.pt", "", good=good)


@kind
def no_files() -> Hostiles:
    """FIFOs, sockets and directories with the names of checkpoints: only a file is one."""
    for file in FILES:
        ending = file.rsplit(".", 1)[-1]

        def fifo(run: Path, file: str = file) -> None:
            os.mkfifo(run / file)

        def directory(run: Path, file: str = file) -> None:
            (run / file).mkdir()

        yield Hostile(f"fifo_named_{ending}", fifo, file, "", verified="-")
        yield Hostile(f"directory_named_{ending}", directory, file, "", verified="-")

    def listening(run: Path) -> None:
        before = os.getcwd()
        os.chdir(run)
        try:
            with socket.socket(socket.AF_UNIX) as unix:
                unix.bind("model.pt")
        finally:
            os.chdir(before)

    yield Hostile("socket_named_pt", listening, "model.pt", "", verified="-")


@kind
def permissions() -> Hostiles:
    """Files that the program may not read."""

    def closed(run: Path) -> None:
        (run / "model.pt").write_bytes(WHOLE)
        (run / "model.pt").chmod(0)

    yield Hostile(
        "pt_without_permission", closed, "model.pt", NOT_READ, "ermission", is_nobody=True
    )


@kind
def names() -> Hostiles:
    """Names at the limits of a file system, and steps that no training has."""
    numbers = {
        "of_2_to_64": "18446744073709551616",
        "of_30_digits": "9" * 30,
        "of_zeros": "0" * 200,
    }
    for name, number in numbers.items():
        file = f"model_step_{number}.pt"

        def numbered(run: Path, file: str = file) -> None:
            (run / file).write_bytes(WHOLE)

        yield Hostile(f"step_{name}", numbered, file, "")

    def odd(run: Path) -> None:
        for name in (
            b"\xff\xfe.pt",
            b"a\nb.pt",
            b"t" * 250 + b".pt",
            b" .pt",
            b"-rf.pt",
            b"\x1b[31m.pt",
        ):
            (run / os.fsdecode(name)).write_bytes(WHOLE)

    yield Hostile("files_with_odd_names", odd, "model.pt", "")
