"""Attacks the program with hostile logs, files that change, rules and requests.

Each case is in a logdir that also has good series. After it, the good tensors must be served bit
for bit, health must list each fault once, memory must have stayed below 250 MB plus the cache, and
the program must be alive and end within a second after SIGTERM. Cases that cannot affect one
another share a program; if the program of a group takes too much memory, dies or ends late, each
case is run again alone. Hostile checkpoints have a program each, and a table of them is printed.

    .venv/bin/python tests/conformance/hostile [--bin target/debug/convscope] [--only WORD] [--list]

Prints a line for each case that fails, and ``N passed, M failed``; exits with 1 if one failed.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(ROOT / "python")]

import asked  # noqa: E402, F401
import checked  # noqa: E402
import checkpoints  # noqa: E402
import crowds  # noqa: E402, F401
import deeds  # noqa: E402
import graphs  # noqa: E402, F401
import many  # noqa: E402, F401
import moving  # noqa: E402, F401
import names  # noqa: E402, F401
import of_dcp  # noqa: E402, F401
import of_hdf5  # noqa: E402, F401
import of_jax  # noqa: E402, F401
import of_keras  # noqa: E402, F401
import of_npz  # noqa: E402, F401
import of_onnx  # noqa: E402, F401
import of_places  # noqa: E402, F401
import of_pytorch  # noqa: E402, F401
import of_safetensors  # noqa: E402, F401
import of_shelf  # noqa: E402, F401
import of_tensorflow  # noqa: E402, F401
import of_zip  # noqa: E402, F401
import pictures  # noqa: E402, F401
import records  # noqa: E402, F401
import rules  # noqa: E402, F401
import values  # noqa: E402, F401
import wire  # noqa: E402
from case import KINDS, Case, Wrong, file_of, good_records, kernels  # noqa: E402
from program import Program, is_root  # noqa: E402

GOOD = "0-good"
"""The good run, beside all cases."""


def make_good(logdir: Path) -> None:
    """Writes the good run."""
    (logdir / GOOD).mkdir()
    file_of(wire.version() + good_records(0, 1, 2, 3))(logdir / GOOD)


def attack(binary: Path, cases: list[Case], is_nobody: bool) -> dict[str, str]:
    """Runs some cases in one program.

    Returns:
        Name of a case -> what is wrong with it; the empty name -> what is wrong with all.
    """
    wrong: dict[str, str] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        logdir = Path(folder)
        logdir.chmod(0o755)
        make_good(logdir)
        for case in cases:
            checked.write(case, logdir)
        program: Program | None = None
        try:
            program = Program(binary, logdir, is_nobody=is_nobody)
            if all(case.ends_loading for case in cases):
                program.wait_loaded()
            else:
                listed = lambda: program.get("series", run=GOOD)[0] == 200  # noqa: E731
                program.wait(listed, "the good run is not listed")
            for case in cases:
                try:
                    checked.check(program, case)
                except Wrong as error:
                    wrong[case.name] = str(error)
                    if program.process.poll() is not None:
                        break
            checked.check_tensors(program, GOOD, kernels(0, 1, 2, 3))
            program.check_memory()
            program.check_stop()
        except Wrong as error:
            wrong[""] = str(error)
        finally:
            if program:
                program.end()
            unlock(logdir)
    return wrong


def unlock(logdir: Path) -> None:
    """Restores permissions, so that everything can be removed."""
    for path in logdir.glob("*/closed"):
        path.chmod(0o755)


def attack_alone(binary: Path, case: Case, is_nobody: bool) -> str:
    """What is wrong with a case that has a program of its own; empty if nothing is."""
    wrong = attack(binary, [case], is_nobody)
    return "; ".join(wrong[name] for name in (case.name, "") if name in wrong)


def attack_group(binary: Path, name: str, cases: list[Case]) -> dict[str, str]:
    """What is wrong with the cases of a group, by name."""
    is_nobody = name == "unprivileged" and is_root()
    together = [case for case in cases if not case.is_alone]
    alone = [case for case in cases if case.is_alone]
    wrong = attack(binary, together, is_nobody) if together else {}
    if "" in wrong:
        of_all = wrong.pop("")
        alone = cases
        wrong = {}
    else:
        of_all = ""
    for case in alone:
        if message := attack_alone(binary, case, is_nobody):
            wrong[case.name] = message
    if of_all and not wrong:
        wrong[name] = f"all of the group together: {of_all}"
    return wrong


def groups(only: str) -> Iterable[tuple[str, list[Case]]]:
    """The groups with their selected cases."""
    for name, kinds in KINDS.items():
        cases = [case for make in kinds for case in make() if only in f"{name}: {case.name}"]
        if cases:
            yield name, cases


def main() -> int:
    """Runs the selected cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "debug" / "convscope")
    parser.add_argument("--only", default="", help="cases whose group or name holds this")
    parser.add_argument("--list", action="store_true", help="print the cases and attack nothing")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    binary, passed, failed = options.bin.resolve(), 0, 0
    attacks = [(name, cases, attack_group) for name, cases in groups(options.only)]
    attacks += [(name, some, deeds.do_all) for name, some in deeds.chosen(options.only)]
    if hostile := checkpoints.chosen(options.only):
        attacks.append(("checkpoints", hostile, checkpoints.attack_all))
    for name, cases, run in attacks:
        if options.list:
            print("\n".join(f"{name}: {case.name}" for case in cases))
            continue
        begun = time.monotonic()
        wrong = run(binary, name, cases)
        passed, failed = passed + len(cases) - len(wrong), failed + len(wrong)
        for case, message in wrong.items():
            print(f"{name}: {case}: {message}", flush=True)
        took = time.monotonic() - begun
        print(f"{name}: {len(cases)} cases, {took:.1f} s", file=sys.stderr, flush=True)
    if not attacks:
        print(f"no case has {options.only!r} in its group or name: --list prints them all")
        return 2
    if not options.list:
        print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    # Exits normally on a signal, so that no program and no directory remains.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
