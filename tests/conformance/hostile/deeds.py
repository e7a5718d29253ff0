"""Hostile deeds: actions against a running program, one after another.

After each, the good run must be served bit for bit, and a step that is appended to it must appear.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import checked
import numpy as np
import wire
from case import EVENT_FILE, TAG, Wrong, good_records, kernel, kernels
from program import Program

GOOD = "0-good"


class World:
    """A logdir with a good run that grows, and a program that watches it.

    Attributes:
        logdir: what the program watches.
        run: a new directory in it, for one deed.
        program: the program.
    """

    def __init__(self, binary: Path, logdir: Path, options: tuple[str, ...]) -> None:
        """Writes the good run and starts the program."""
        self.logdir = logdir
        self.run = logdir
        self._binary, self._options, self._steps = binary, options, 4
        (logdir / GOOD).mkdir()
        self._log.write_bytes(wire.version() + good_records(0, 1, 2, 3))
        self.program = self._start()

    @property
    def _log(self) -> Path:
        return self.logdir / GOOD / EVENT_FILE

    def _start(self) -> Program:
        program = Program(self._binary, self.logdir, *self._options)
        program.wait_loaded()
        return program

    def restart(self) -> None:
        """Replaces the program by a new one, after a deed that harmed it."""
        self.program.end()
        for path in self.logdir.glob(".convscope.toml"):
            path.rename(self.logdir / "rules-of-before") if path.is_dir() else path.unlink()
        self.program = self._start()

    def write(self, *steps: int, name: str = EVENT_FILE) -> Path:
        """Writes an event file with the good kernels of some steps into the deed's run."""
        path = self.run / name
        path.write_bytes(wire.version() + good_records(*steps))
        return path

    def serves(self, run: str, step: int, array: np.ndarray) -> bool:
        """Whether a kernel is served bit for bit."""
        status, _ = self.program.get("tensor", run=run, tag=TAG, step=step)
        if status != 200:
            return False
        checked.check_tensor(self.program, run, (TAG, step), array)
        return True

    def wait_for(self, run: str, *steps: int) -> None:
        """Waits until the good kernels of these steps are served."""
        for step in steps:
            wanted = kernel(step)
            self.program.wait(
                lambda step=step, wanted=wanted: self.serves(run, step, wanted),
                f"step {step} of {run} is not served",
            )

    def wait_gone(self, run: str, step: int) -> None:
        """Waits until a step is no longer served."""
        gone = lambda: self.program.get("tensor", run=run, tag=TAG, step=step)[0] == 404  # noqa: E731
        self.program.wait(gone, f"step {step} of {run} is still served")

    def kinds(self) -> list[str]:
        """The kinds of faults that health lists, one per line."""
        return [problem["kind"] for problem in self.program.problems()]

    def wait_told(self, *kinds: str) -> None:
        """Waits until health lists exactly these."""
        wanted = sorted(kinds)
        self.program.wait(
            lambda: sorted(self.kinds()) == wanted,
            f"health does not tell {wanted} alone: {self.kinds()}",
        )

    def check_alive(self) -> None:
        """Checks that the good run is served, and that an appended step appears."""
        checked.check_tensors(self.program, GOOD, kernels(0, 1, 2, 3))
        step = self._steps
        self._steps += 1
        with self._log.open("ab") as log:
            log.write(good_records(step))
        self.wait_for(GOOD, step)
        self.program.check_memory()


@dataclass(frozen=True)
class Deed:
    """A hostile action.

    Attributes:
        name: unique.
        act: performs it, and raises ``Wrong`` if the program reacts wrongly.
    """

    name: str
    act: Callable[[World], None]


Deeds = Iterable[Deed]
GROUPS: dict[str, tuple[tuple[str, ...], list[Callable[[], Deeds]]]] = {}
"""Group -> the options of its program, and the functions that make its deeds."""


def group(name: str, *options: str) -> Callable[[Callable[[], Deeds]], Callable[[], Deeds]]:
    """Adds a function that makes deeds to a group, whose deeds share a program."""

    def add(make: Callable[[], Deeds]) -> Callable[[], Deeds]:
        GROUPS.setdefault(name, (options, []))[1].append(make)
        return make

    return add


def do(world: World, deed: Deed, is_last: bool) -> None:
    """Performs one deed and checks that everything else is unchanged."""
    world.run = world.logdir / deed.name
    world.run.mkdir()
    deed.act(world)
    world.check_alive()
    if is_last:
        world.program.check_stop()


def do_all(binary: Path, name: str, deeds: list[Deed]) -> dict[str, str]:
    """What is wrong with the deeds of a group, by name."""
    wrong: dict[str, str] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        world = World(binary, Path(folder), GROUPS[name][0])
        try:
            for deed in deeds:
                try:
                    do(world, deed, is_last=deed is deeds[-1])
                except (Wrong, OSError) as error:
                    wrong[deed.name] = str(error)
                    if deed is not deeds[-1]:
                        world.restart()
        finally:
            world.program.end()
    return wrong


def chosen(only: str) -> Iterable[tuple[str, list[Deed]]]:
    """The groups with their selected deeds."""
    for name, (_, kinds) in GROUPS.items():
        deeds = [deed for make in kinds for deed in make() if only in f"{name}: {deed.name}"]
        if deeds:
            yield name, deeds
