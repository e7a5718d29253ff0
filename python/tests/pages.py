"""The code in the README and in docs/: runs blocks of Python and of commands as a reader would.

The blocks of one section are one session: Python first, in a process of its own and an empty
directory, then its commands. A command that serves is stopped as soon as it is ready.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Session:
    """The code of one section.

    Attributes:
        title: its heading.
        python: its blocks, after empty lines so that errors have the line numbers of the page.
        commands: its shell lines.
    """

    title: str
    python: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


def sessions(page: str) -> list[Session]:
    """The sections of a page that have code.

    Raises:
        ValueError: a block is in a language that nothing runs.
    """
    text = (DOCS / page).read_text()
    found = []
    for section in re.finditer(r"^##? (.*?)\n(.*?)(?=^##? |\Z)", _masked(text), re.M | re.S):
        session = Session(section[1])
        for block in FENCE.finditer(text, section.start(), section.end()):
            language, code = block[1], block[2]
            line = text.count("\n", 0, block.start(2))
            if language == "python":
                session.python.append("\n" * line + code)
            elif language == "sh":
                session.commands += code.splitlines()
            else:
                raise ValueError(f"{page}, line {line}: nothing runs a block of {language!r}")
        if session.python or session.commands:
            found.append(session)
    return found


def _masked(text: str) -> str:
    """The page without the comments in its code, which look like headings."""
    return FENCE.sub(lambda block: block[0].replace("#", "."), text)


def run(page: str, directory: Path, binary: Path) -> list[str]:
    """Runs all code of a page.

    Args:
        page: its file name.
        directory: where; later sections find what earlier ones wrote.
        binary: the program for ``convscope`` commands.

    Returns:
        The outputs of its ``convscope ls`` commands.
    """
    listings = []
    for session in sessions(page):
        if session.python:
            _run_python(page, session, directory)
        for command in session.commands:
            listings.append(_run_command(command, directory, binary))
    return listings


def run_block(page: str, number: int, before: str, directory: Path) -> None:
    """Runs one block of Python of a page, after lines that define the names that it uses.

    Args:
        page: its path below the repository.
        number: which of the page's blocks, from 0.
        before: Python.
        directory: where.
    """
    blocks = [block[2] for block in FENCE.finditer((REPOSITORY / page).read_text())]
    session = Session(f"block {number}", [before, blocks[number]])
    _run_python(page, session, directory)


def run_blocks(title: str, blocks: list[str], directory: Path) -> None:
    """Runs blocks of Python as one session, in a process of its own."""
    _run_python(title, Session(title, blocks), directory)


def _run_python(page: str, session: Session, directory: Path) -> None:
    program = directory / "session.py"
    lines = [f"exec(compile({block!r}, {page!r}, 'exec'))" for block in session.python]
    program.write_text("\n".join(lines))
    paths = f"{REPOSITORY / 'python'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, program.name]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{page}, {session.title}:\n{done.stderr}"
    assert "convscope: " not in done.stderr, f"{page}, {session.title}:\n{done.stderr}"


def _run_command(line: str, directory: Path, binary: Path) -> str:
    program, *arguments = line.split()
    assert program == "convscope", f"nothing runs {line!r}"
    if arguments[0] == "--logdir":
        # Its standard input is empty, so that it stops when it is ready.
        arguments += ["--port", "0", "--exit-with-stdin"]
    done = subprocess.run(
        [binary, *arguments],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{line}:\n{done.stderr}"
    return done.stdout
