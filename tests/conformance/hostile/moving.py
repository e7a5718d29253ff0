"""Files that are cut, replaced, renamed and removed while they are read."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import wire
from case import EVENT_FILE, TAG, Wrong, good_records, kernel
from deeds import Deed, Deeds, World, group

LARGE = (3, 3, 128, 256)
SEEN_WITHIN_S = 8.0
"""The expected time is two seconds; the rest is for slow machines."""


def run_of(world: World) -> str:
    """The name of the deed's run."""
    return world.run.name


@group("moving")
def changed_files() -> Deeds:
    """One file that changes."""

    def shorter(world: World) -> None:
        path = world.write(0, 1, 2)
        world.wait_for(run_of(world), 0, 1, 2)
        path.write_bytes(wire.version() + good_records(0))
        world.wait_gone(run_of(world), 2)
        world.wait_for(run_of(world), 0)

    def empty(world: World) -> None:
        path = world.write(0, 1)
        world.wait_for(run_of(world), 0, 1)
        os.truncate(path, 0)
        world.wait_gone(run_of(world), 0)
        path.write_bytes(wire.version() + good_records(5))
        world.wait_for(run_of(world), 5)

    def replaced(world: World) -> None:
        path = world.write(0, 1)
        world.wait_for(run_of(world), 0, 1)
        new = world.run / "new"
        new.write_bytes(wire.version() + good_records(2, 3))
        new.rename(path)
        world.wait_for(run_of(world), 2, 3)
        world.wait_gone(run_of(world), 0)

    def removed(world: World) -> None:
        path = world.write(0, 1)
        world.wait_for(run_of(world), 0, 1)
        path.unlink()
        world.wait_gone(run_of(world), 0)
        world.program.wait(lambda: not holds(world, path), "the removed file stays open")

    def by_bytes(world: World) -> None:
        content = wire.version() + good_records(0)
        path = world.run / EVENT_FILE
        for byte in content:
            with path.open("ab") as file:
                file.write(bytes([byte]))
        world.wait_for(run_of(world), 0)

    def cut_and_whole(world: World) -> None:
        whole = wire.version() + good_records(0, 1)
        path = world.run / EVENT_FILE
        for end in (len(whole) - 5, len(whole) - 200, len(whole)):
            path.write_bytes(whole[:end])
        world.wait_for(run_of(world), 0, 1)

    def by_a_directory(world: World) -> None:
        path = world.write(0)
        world.wait_for(run_of(world), 0)
        path.unlink()
        path.mkdir()
        world.wait_gone(run_of(world), 0)

    def by_a_fifo(world: World) -> None:
        path = world.write(0)
        world.wait_for(run_of(world), 0)
        path.unlink()
        os.mkfifo(path)
        world.wait_gone(run_of(world), 0)

    def by_a_link(world: World) -> None:
        path = world.write(0)
        other = world.run / "other"
        other.write_bytes(wire.version() + good_records(7))
        world.wait_for(run_of(world), 0)
        path.unlink()
        path.symlink_to(other)
        world.wait_for(run_of(world), 7)

    def rewritten(world: World) -> None:
        # The same length in the same file: a request returns one of the two, complete.
        path = world.run / EVENT_FILE
        for step in (0, 1) * 20:
            content = wire.version() + wire.logged(TAG, 0, wire.whole(kernel(step)))
            path.write_bytes(content)
        either = [kernel(step).tobytes() for step in (0, 1)]

        def is_served() -> bool:
            status, npy = world.program.get("tensor", run=run_of(world), tag=TAG, step=0)
            if status == 200 and not npy.endswith(tuple(either)):
                raise Wrong("what is served is neither of the two")
            return status == 200 and npy.endswith(either[1])

        world.program.wait(is_served, "the newest content is not served")

    for name, act in list(locals().items()):
        yield Deed(f"file_{name}", act)


def holds(world: World, path: Path) -> bool:
    """Whether the program has a descriptor of a file that was at this path."""
    folder = Path(f"/proc/{world.program.process.pid}/fd")
    for link in folder.iterdir():
        try:
            if os.readlink(link).startswith(str(path)):
                return True
        except OSError:
            continue
    return False


@group("moving")
def changed_directories() -> Deeds:
    """Runs that come, go and change their names."""

    def renamed(world: World) -> None:
        world.write(0)
        world.wait_for(run_of(world), 0)
        new = world.logdir / (run_of(world) + "_new")
        world.run.rename(new)
        world.wait_for(new.name, 0)
        world.wait_gone(run_of(world), 0)

    def swapped(world: World) -> None:
        for name, step in (("a", 5), ("b", 6)):
            (world.run / name).mkdir()
            (world.run / name / EVENT_FILE).write_bytes(wire.version() + good_records(step))
            world.wait_for(f"{run_of(world)}/{name}", step)
        (world.run / "a").rename(world.run / "c")
        (world.run / "b").rename(world.run / "a")
        (world.run / "c").rename(world.run / "b")
        world.wait_for(f"{run_of(world)}/a", 6)
        world.wait_for(f"{run_of(world)}/b", 5)

    def removed_and_remade(world: World) -> None:
        for step in range(20):
            path = world.run / "again"
            path.mkdir()
            (path / EVENT_FILE).write_bytes(wire.version() + good_records(step))
            if step < 19:
                shutil.rmtree(path)
        world.wait_for(f"{run_of(world)}/again", 19)

    def renamed_by_the_hundred(world: World) -> None:
        for turn in range(400):
            (world.run / f"t{turn}").mkdir()
            (world.run / f"t{turn}").rename(world.run / f"u{turn}")
            (world.run / f"u{turn}").rmdir()

    def moved_out_and_in(world: World) -> None:
        world.write(0)
        world.wait_for(run_of(world), 0)
        aside = world.logdir.parent / (world.logdir.name + "-aside")
        world.run.rename(aside)
        world.wait_gone(run_of(world), 0)
        aside.rename(world.run)
        world.wait_for(run_of(world), 0)

    def closed(world: World) -> None:
        world.write(0)
        world.wait_for(run_of(world), 0)
        world.run.chmod(0o000)
        world.check_alive()
        world.run.chmod(0o755)
        world.wait_for(run_of(world), 0)

    for name, act in list(locals().items()):
        yield Deed(f"run_{name}", act)


@group("moving")
def changed_while_they_are_asked_for() -> Deeds:
    """A large tensor whose file is removed while it is read."""

    def cut(world: World) -> None:
        path = world.run / EVENT_FILE
        record = wire.logged(TAG, 0, wire.whole(kernel(0, LARGE)))
        path.write_bytes(wire.version() + record)
        world.program.wait(
            lambda: world.program.get("steps", run=run_of(world), tag=TAG)[0] == 200,
            "it is not listed",
        )
        os.truncate(path, len(record) // 2)
        status, body = world.program.get("tensor", run=run_of(world), tag=TAG, step=0)
        if status not in (404, 422, 503):
            raise Wrong(f"a tensor that was cut gave {status}: {body[:100]!r}")

    def flipped(world: World) -> None:
        path = world.run / EVENT_FILE
        content = wire.version() + wire.logged(TAG, 0, wire.whole(kernel(0, LARGE)))
        path.write_bytes(content)
        world.program.wait(
            lambda: world.program.get("steps", run=run_of(world), tag=TAG)[0] == 200,
            "it is not listed",
        )
        with path.open("r+b") as file:
            file.seek(len(content) // 2)
            file.write(b"\x55" * 64)
        status, body = world.program.get("tensor", run=run_of(world), tag=TAG, step=0)
        if status not in (404, 422, 503):
            raise Wrong(f"a tensor that was overwritten gave {status}: {body[:100]!r}")
        world.wait_told("bad_payload_crc")
        path.unlink()
        world.wait_told()

    for name, act in list(locals().items()):
        yield Deed(f"asked_and_{name}", act)


@group("logdir")
def changed_logdirs() -> Deeds:
    """The logdir itself is removed and created again."""

    def remade(world: World) -> None:
        aside = world.logdir.parent / (world.logdir.name + "-aside")
        world.logdir.rename(aside)
        world.program.wait(
            lambda: "logdir_missing" in world.kinds(), "the missing logdir is not told"
        )
        aside.rename(world.logdir)
        begun = time.monotonic()
        world.wait_for("0-good", 0, 1, 2, 3)
        if (took := time.monotonic() - begun) > SEEN_WITHIN_S:
            raise Wrong(f"the logdir that came back was seen after {took:.1f} s")

    def remade_at_once(world: World) -> None:
        aside = world.logdir.parent / (world.logdir.name + "-aside")
        shutil.copytree(world.logdir, aside)
        shutil.rmtree(world.logdir)
        aside.rename(world.logdir)
        (world.logdir / "late").mkdir()
        (world.logdir / "late" / EVENT_FILE).write_bytes(wire.version() + good_records(0))
        begun = time.monotonic()
        world.wait_for("late", 0)
        if (took := time.monotonic() - begun) > SEEN_WITHIN_S:
            raise Wrong(f"the logdir that was made anew was seen after {took:.1f} s")

    def by_a_file(world: World) -> None:
        aside = world.logdir.parent / (world.logdir.name + "-aside")
        world.logdir.rename(aside)
        world.logdir.write_bytes(b"no directory")
        world.program.wait(
            lambda: "logdir_missing" in world.kinds(), "the missing logdir is not told"
        )
        world.logdir.unlink()
        aside.rename(world.logdir)
        world.wait_for("0-good", 0)

    for name, act in list(locals().items()):
        yield Deed(f"logdir_{name}", act)
