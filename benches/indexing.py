"""Measures how long a logdir takes to be indexed, and what memory that needs.

The peer's time runs from its start to the line ``Finished load cycle`` of its log
(``--reload once``); starting up is a few milliseconds of it. Ours is a whole process,
``convscope ls LOGDIR --json``, from start to exit. A listing without all
series and steps does not count.

For both, memory is that of a daemon that has loaded the logdir.
"""

from __future__ import annotations

import json
from pathlib import Path

from make_log import LAYERS, STEPS
from process import Unavailable, daemon, data_server, run, vm_hwm_mb
from table import Row, attempt

RECORDS = 1 + STEPS * LAYERS * 2


def warm(logdir: Path) -> None:
    """Reads all files once, so that they are in the page cache."""
    for path in logdir.iterdir():
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def listed_series(listing: bytes) -> list[dict]:
    """The series in the output of ``convscope ls --json``."""
    try:
        return json.loads(listing)["series"]
    except (ValueError, KeyError) as error:
        raise Unavailable(f"convscope ls --json wrote no listing: {error}") from error


def check_all_steps(listing: bytes) -> None:
    """Refuses a listing that leaves out a series or a step of the tensor log."""
    series = listed_series(listing)
    whole = [one for one in series if one["steps"] == STEPS]
    if len(whole) != 2 * LAYERS or len(series) != 2 * LAYERS:
        raise Unavailable(f"{len(whole)} of {2 * LAYERS} series are listed with all steps")


def check_nothing(listing: bytes) -> None:
    """Refuses a listing that finds tensors among scalars."""
    if listed_series(listing):
        raise Unavailable("series are listed in a log of scalars")


def list_once(binary: Path, logdir: Path) -> float:
    """Seconds of a whole ``convscope ls``."""
    seconds, listing = run([binary, "ls", logdir, "--json"])
    check_nothing(listing) if logdir.name == "scalars" else check_all_steps(listing)
    return seconds


def verify_once(binary: Path, logdir: Path) -> float:
    """Seconds of a whole ``convscope verify``, which must name the count of records."""
    seconds, report = run([binary, "verify", logdir])
    if str(RECORDS).encode() not in report.replace(b",", b""):
        raise Unavailable(f"convscope verify did not say that it saw {RECORDS} records")
    return seconds


def daemon_memory(binary: Path, logdir: Path) -> float:
    """Resident MB of our daemon once it has loaded."""
    with daemon(binary, logdir) as server:
        server.wait_loaded()
        return vm_hwm_mb(server.process.pid)


def index(
    binary: Path, logdir: Path, rounds: int, work: str, goals: tuple[float | None, float | None]
) -> list[Row]:
    """Runs the peer and our program in turn.

    Args:
        binary: our program.
        logdir: what is indexed.
        rounds: how often.
        work: the name of the rows.
        goals: factors of time and of memory.

    Returns:
        A row of milliseconds and one of megabytes.
    """
    times = Row(f"index {work}", "data server", "ms", factor=goals[0])
    memory = Row(f"memory, {work}", "data server", "MB", factor=goals[1])
    warm(logdir)
    for _ in range(rounds):
        with data_server(logdir, "--reload", "once") as peer:
            times.theirs.append(peer.wait_loaded() * 1e3)
            memory.theirs.append(vm_hwm_mb(peer.process.pid))
        attempt(times, lambda: list_once(binary, logdir) * 1e3)
        attempt(memory, lambda: daemon_memory(binary, logdir))
    return [times, memory]


def tensors(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """The 1.1 GB run, with a data class; the peer keeps 10 steps of each series."""
    return index(binary, logs["tensors"], rounds, "1.1 GB of tensors", (100, 10))


def plain(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """The 1.1 GB run as it is usually written; the peer reads past every tensor of it."""
    rows = index(binary, logs["plain"], rounds, "1.1 GB, no metadata", (None, None))
    for row in rows:
        row.note = row.note or "the peer keeps none of these tensors, ours keeps all"
    return rows


def scalars(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """A million scalars, without any tensor."""
    return index(binary, logs["scalars"], rounds, "1,000,000 scalars", (4, 1))


def checksums(binary: Path, logs: dict[str, Path], rounds: int) -> list[Row]:
    """Every CRC of the 1.1 GB run; the peer indexes it at the same time."""
    row = Row("check all CRCs of 1.1 GB", "data server --checksum", "ms", factor=5)
    warm(logs["tensors"])
    for _ in range(rounds):
        with data_server(logs["tensors"], "--reload", "once", "--checksum") as peer:
            row.theirs.append(peer.wait_loaded() * 1e3)
        attempt(row, lambda: verify_once(binary, logs["tensors"]) * 1e3)
    return [row]
