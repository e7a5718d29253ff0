"""Hostile checkpoints: each lies beside good ones, with a program of its own.

After each, health must list exactly the expected fault of the checkpoint, in a message of a
sentence or two. The good checkpoint and the good events in the same directory must be served bit
for bit, and so must the good run. ``ls`` and ``verify`` must say the same. Nothing may have been
executed. The program must never have taken more than 200 MB, and must end within a second after
SIGTERM.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import checked
import safetensors_files
import wire
from case import EVENT_FILE, Tensors, Wrong, file_of, good_records, kernel, kernels
from program import PATIENCE_S, Program, is_root

GOOD = "0-good"
BESIDE = "good.safetensors"
"""The good checkpoint beside each hostile one."""
BESIDE_TAG, BESIDE_STEP = "beside/kernel", 7
MARKER = Path("/tmp/convscope-hostile-was-executed")
"""The file that hostile checkpoints would make if they were executed."""
MOST_MB = 200.0
"""The limit of the program's memory while it reads one hostile checkpoint."""
LONGEST_MESSAGE = 2_000
"""A message of more characters is not a clear one."""
BAD, NOT_READ, UNREADABLE = "bad_checkpoint", "checkpoint_not_read", "unreadable"
MINUTE = 60


@dataclass(frozen=True)
class Hostile:
    """A hostile checkpoint.

    Attributes:
        name: unique; also the name of the run.
        make: writes it into the run's directory.
        file: its name; a directory or a FIFO may have it too.
        told: the kind of fault that health lists for it; empty if nothing is wrong with it.
        words: what the message contains.
        good: tensors that are served bit for bit although the checkpoint is hostile.
        is_nobody: whether the program runs without the permissions of root.
        verified: what ``verify`` says: ``faults``, ``not_read`` or nothing; by default what
            follows from ``told``. A dash for a file of which it has nothing to say.
        shelf: writes saves into the directory of the run on the shelf, if it has one.
    """

    name: str
    make: Callable[[Path], None]
    file: str
    told: str = BAD
    words: str = ""
    good: Tensors | None = None
    is_nobody: bool = False
    verified: str | None = None
    shelf: Callable[[Path], None] | None = None


Hostiles = Iterator[Hostile]
KINDS: list[Callable[[], Iterable[Hostile]]] = []
"""The functions that make hostile checkpoints."""


def kind(make: Callable[[], Iterable[Hostile]]) -> Callable[[], Iterable[Hostile]]:
    """Adds a function that makes hostile checkpoints."""
    KINDS.append(make)
    return make


Content = bytes | Callable[[], bytes]
"""The bytes of a file, or what makes them: those of large files are made when they are written."""


def bytes_of(content: Content) -> bytes:
    """The bytes."""
    return content() if callable(content) else content


def of(name: str, file: str, content: Content, told: str = BAD, words: str = "") -> Hostile:
    """A hostile checkpoint of one file with this content."""

    def make(run: Path) -> None:
        (run / file).write_bytes(bytes_of(content))

    return Hostile(name, make, file, told, words)


def chosen(only: str) -> list[Hostile]:
    """The selected ones."""
    made = (hostile for make in KINDS for hostile in make())
    return [hostile for hostile in made if only in f"checkpoints: {hostile.name}"]


def write(hostile: Hostile, logdir: Path) -> None:
    """Writes the good run, and the hostile checkpoint with good files beside it.

    A checkpoint that is not whole is a fault only when nobody has written to it for a while, so
    all files are a minute old.
    """
    (logdir / GOOD).mkdir()
    file_of(wire.version() + good_records(0, 1))(logdir / GOOD)
    run = logdir / hostile.name
    run.mkdir()
    (run / EVENT_FILE).write_bytes(wire.version() + good_records(0, 1))
    beside = safetensors_files.whole({BESIDE_TAG: kernel(99)}, {"step": str(BESIDE_STEP)})
    (run / BESIDE).write_bytes(beside)
    hostile.make(run)
    old = time.time() - MINUTE
    for path in run.rglob("*"):
        if not path.is_symlink() and (path.is_file() or path.is_dir()):
            os.utime(path, (old, old))


def put_on_shelf(hostile: Hostile, logdir: Path, base: Path) -> tuple[str, ...]:
    """Writes the saves of a hostile shelf; returns the options that show it."""
    if hostile.shelf is None:
        return ()
    digest = hashlib.sha256(os.fsencode(logdir.resolve())).hexdigest()[:8]
    directory = base / f"{logdir.name}-{digest}"
    (directory / hostile.name).mkdir(parents=True)
    (directory / "logdir.json").write_text(json.dumps({"logdir": str(logdir.resolve())}))
    hostile.shelf(directory / hostile.name)
    return ("--shelf", str(base))


def wait_for_shelf(program: Program, hostile: Hostile) -> None:
    """Waits until the good save on the shelf is shown."""
    for tag, step in hostile.good or {}:
        query = {"run": hostile.name, "tag": tag, "step": step}
        is_shown = lambda query=query: program.get("tensor", **query)[0] == 200  # noqa: E731
        program.wait(is_shown, f"{tag} at {step} is not shown")


def check_told(program: Program, hostile: Hostile) -> str:
    """Health lists the expected fault and no other; returns its message."""
    expected = [hostile.told] if hostile.told else []

    def now() -> list[str]:
        return [problem["kind"] for problem in program.problems()]

    try:
        program.wait(lambda: now() == expected, "")
    except Wrong:
        problems = [(one["kind"], one["message"][:300]) for one in program.problems()]
        raise Wrong(f"health tells {problems}, and not {expected}") from None
    if not expected:
        return ""
    [problem] = program.problems()
    if problem["count"] != 1 or Path(problem["file"]).name != hostile.file:
        raise Wrong(f"health tells of {problem['file']!r}, {problem['count']} times")
    message = problem["message"]
    if hostile.words not in message:
        raise Wrong(f"the message does not say {hostile.words!r}: {message[:300]}")
    if len(message) > LONGEST_MESSAGE:
        raise Wrong(f"the message has {len(message)} characters: {message[:300]}")
    return message


def check_served(program: Program, hostile: Hostile) -> None:
    """What is good is served bit for bit, and requests of all else are answered."""
    checked.check_tensors(program, GOOD, kernels(0, 1))
    beside = {(BESIDE_TAG, BESIDE_STEP): kernel(99)}
    checked.check_tensors(program, hostile.name, kernels(0, 1) | beside | (hostile.good or {}))
    listed = program.json("series", run=hostile.name)["series"]
    others = [one["tag"] for one in listed if one["tag"] not in (checked.TAG, BESIDE_TAG)]
    for tag in others[: checked.MOST_POKED]:
        steps = program.json("steps", run=hostile.name, tag=tag)["steps"]
        checked.poke(program, hostile.name, tag, steps)


def said_by(binary: Path, *arguments: str | Path) -> str:
    """What a command prints; it has to end by itself, with 0 or 1."""
    ended = subprocess.run(
        [binary, *arguments], capture_output=True, timeout=PATIENCE_S, check=False
    )
    if ended.returncode not in (0, 1):
        words = ended.stderr[-300:].decode(errors="replace")
        raise Wrong(f"{arguments[0]} exited with {ended.returncode}: {words}")
    return ended.stdout.decode(errors="replace")


def check_commands(binary: Path, hostile: Hostile, logdir: Path) -> None:
    """``ls`` and ``verify`` say what health says."""
    said = said_by(binary, "ls", logdir)
    n_told = sum(f"({hostile.told})" in line for line in said.splitlines() if "problem: " in line)
    if n_told != (1 if hostile.told else 0):
        raise Wrong(f"ls tells {n_told} times of it: {said[-300:]}")
    if BESIDE_TAG not in said:
        raise Wrong("ls does not list the good checkpoint beside it")
    by_default = {BAD: "faults", NOT_READ: "not_read"}.get(hostile.told, "")
    wanted = by_default if hostile.verified is None else hostile.verified
    if wanted == "-":
        return
    report = json.loads(said_by(binary, "verify", "--json", logdir))
    of_file = [one for one in report["checkpoints"] if Path(one["file"]).name == hostile.file]
    found = {name for one in of_file for name in ("faults", "not_read") if one[name]}
    if found != ({wanted} if wanted else set()):
        raise Wrong(f"verify says {json.dumps(of_file)[:300]}")


def attack(binary: Path, hostile: Hostile) -> tuple[str, str, float]:
    """Runs one.

    Returns:
        What is wrong, or nothing; the message of its fault; the program's most memory in MB.
    """
    wrong, message, peak = "", "", 0.0
    program: Program | None = None
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as shelf,
    ):
        logdir = Path(folder)
        logdir.chmod(0o755)
        try:
            write(hostile, logdir)
            options = put_on_shelf(hostile, logdir, Path(shelf))
            is_nobody = hostile.is_nobody and is_root()
            program = Program(binary, logdir, *options, is_nobody=is_nobody)
            program.wait_loaded()
            if hostile.shelf:
                wait_for_shelf(program, hostile)
            message = check_told(program, hostile)
            check_served(program, hostile)
            program.check_memory()
            peak = program.peak_mb
            if peak > MOST_MB:
                raise Wrong(f"it took {peak:.0f} MB, more than {MOST_MB:.0f}")
            program.check_stop()
            if not hostile.is_nobody:
                check_commands(binary, hostile, logdir)
            if MARKER.exists():
                MARKER.unlink()
                raise Wrong("what it holds was executed")
        except (Wrong, subprocess.TimeoutExpired) as error:
            wrong = str(error)
        finally:
            if program:
                peak = max(peak, program.peak_mb)
                program.end()
    return wrong, message, peak


def attack_all(binary: Path, _: str, hostiles: list[Hostile]) -> dict[str, str]:
    """Runs them all and prints a table of them; returns what is wrong, by name."""
    MARKER.unlink(missing_ok=True)
    width = max(len(hostile.name) for hostile in hostiles)
    print(f"{'case':{width}}  {'fault':20}  peak MB  message", flush=True)
    wrong = {}
    for hostile in hostiles:
        error, message, peak = attack(binary, hostile)
        if error:
            wrong[hostile.name] = error
        told = hostile.told or "none"
        line = message.replace("\n", " ")[:160]
        print(f"{hostile.name:{width}}  {told:20}  {peak:7.1f}  {line}", flush=True)
    return wrong
