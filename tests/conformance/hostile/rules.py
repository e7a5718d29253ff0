"""Rules files that are huge, deep, endless, not text, or not files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from case import TAG
from deeds import GOOD, Deed, Deeds, World, group

FILE = ".convscope.toml"
USUAL = '[[rule]]\ntag = "conv1/*"\nrole = "kernel"\n'


def rule(tag: str) -> str:
    """A rule for the tags that a glob matches."""
    return f"[[rule]]\ntag = '{tag}'\nrole = 'kernel'\n"


def right(text: str) -> Callable[[World], None]:
    """A file without errors: it is used, and health lists nothing."""

    def act(world: World) -> None:
        put(world.logdir, text + named(world))
        world.program.wait(lambda: is_taken(world), "the rules are not taken")
        tried(world)

    return act


def mistaken(text: str | bytes) -> Callable[[World], None]:
    """A file with an error: health lists it once, and no longer after it is fixed."""

    def act(world: World) -> None:
        put(world.logdir, text)
        tried(world, "bad_rules")

    return act


def either(text: str) -> Callable[[World], None]:
    """A file that may be used or refused, as long as it harms nothing else."""

    def act(world: World) -> None:
        put(world.logdir, text + named(world))
        decided = lambda: is_taken(world) or "bad_rules" in world.kinds()  # noqa: E731
        world.program.wait(decided, "the rules are neither taken nor refused")
        world.check_alive()
        mend(world)

    return act


def named(world: World) -> str:
    """A rule that shows whether a file is used."""
    return f"[[rule]]\ntag = '{TAG}'\nlayer = '{world.run.name}'\n"


def is_taken(world: World) -> bool:
    """Whether the rule of ``named`` is in effect."""
    listed = world.program.json("series", run=GOOD)["series"]
    return any(series["layer"] == world.run.name for series in listed)


def put(logdir: Path, text: str | bytes) -> None:
    """Writes a rules file into the logdir atomically."""
    new = logdir / "new-rules"
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    new.rename(logdir / FILE)


def tried(world: World, *told: str) -> None:
    """Waits for the problem, checks that everything else works, and fixes the file."""
    world.wait_told(*told)
    world.check_alive()
    world.wait_told(*told)
    mend(world)


def mend(world: World) -> None:
    """Replaces the file by one without errors."""
    path = world.logdir / FILE
    if path.is_dir() and not path.is_symlink():
        path.rename(world.run / "rules")
    put(world.logdir, USUAL)
    world.wait_told()


@group("rules")
def hostile_texts() -> Deeds:
    """Texts that are right, wrong, or too much."""
    braces = "{a,b}" * 5_000
    yield Deed("rules_empty", right(""))
    yield Deed("rules_with_a_glob_of_150_kb", either(rule("*" + "a?" * 75_000)))
    yield Deed("rules_with_a_glob_of_any_letters", either(rule("?" * 150_000)))
    yield Deed("rules_with_a_glob_of_stars", either(rule("a*" * 75_000)))
    yield Deed("rules_with_a_glob_of_choices", either(rule(braces)))
    yield Deed("rules_with_nested_choices", either(rule("{" * 20_000 + "a" + "}" * 20_000)))
    yield Deed("rules_with_a_glob_of_classes", either(rule("[a-z]" * 20_000)))
    yield Deed("rules_with_a_wide_class", either(rule("[\U00000001-\U0010ffff]" * 5_000)))
    yield Deed(
        "rules_with_10000_globs", either("".join(rule(f"layer{n}/*x*y*z*") for n in range(10_000)))
    )
    yield Deed(
        "rules_with_choices_of_megabytes",
        either(rule("{" + ",".join(f"layer{n}" for n in range(80_000)) + "}")),
    )
    yield Deed("rules_with_an_open_class", mistaken(rule("a[")))
    yield Deed("rules_with_an_open_choice", mistaken(rule("a{b,")))
    yield Deed("rules_of_2_megabytes", mistaken("#" * (2 << 20)))
    yield Deed("rules_of_no_text", mistaken(b"\xff\xfe[[rule]]"))
    yield Deed("rules_of_nul", mistaken(b"\0" * 1_000))
    yield Deed("rules_cut", mistaken('[[rule]]\ntag = "a'))
    yield Deed("rules_of_nested_lists", mistaken("a = " + "[" * 200_000))
    yield Deed("rules_of_nested_tables", mistaken("a = " + "{b = " * 100_000))
    yield Deed("rules_of_dotted_names", mistaken(".".join("a" * 100_000) + " = 1"))
    yield Deed("rules_of_headers", mistaken("[" + ".".join("a" * 100_000) + "]"))
    yield Deed("rules_with_a_long_number", mistaken("a = " + "9" * 500_000))
    yield Deed("rules_with_an_unknown_word", mistaken(USUAL + "colour = 'red'\n"))
    yield Deed("rules_with_another_type", mistaken("[[rule]]\ntag = 7\nrole = 'kernel'\n"))
    yield Deed("rules_said_twice", mistaken("[[rule]]\ntag = 'a'\ntag = 'b'\n"))
    yield Deed("rules_with_a_mark_of_order", either("\ufeff" + USUAL))
    yield Deed("rules_with_returns", right(USUAL.replace("\n", "\r\n")))
    yield Deed(
        "rules_for_everything", right("[[rule]]\ntag = '*'\nlayout = 'HWIO'\nrole = 'kernel'\n")
    )


@group("rules")
def files_that_are_none() -> Deeds:
    """Something else with the name of the rules file."""

    def made(make: Callable[[Path], None]) -> Callable[[World], None]:
        def act(world: World) -> None:
            (world.logdir / FILE).unlink(missing_ok=True)
            make(world.logdir / FILE)
            world.wait_told("bad_rules")
            world.check_alive()
            mend(world)

        return act

    yield Deed("rules_are_a_fifo", made(lambda path: os.mkfifo(path)))
    yield Deed("rules_are_a_directory", made(lambda path: path.mkdir()))
    yield Deed("rules_are_endless", made(lambda path: path.symlink_to("/dev/zero")))
    yield Deed("rules_are_a_link_to_themselves", made(lambda path: path.symlink_to(path)))

    def flickering(world: World) -> None:
        # Missing and present, right and wrong, changing faster than the program looks.
        for turn in range(300):
            put(world.logdir, USUAL if turn % 2 else "[[rule]]\n")
            (world.logdir / FILE).unlink()
        world.check_alive()
        mend(world)

    def missing(world: World) -> None:
        (world.logdir / FILE).unlink(missing_ok=True)
        world.wait_told()

    yield Deed("rules_flicker", flickering)
    yield Deed("rules_are_missing", missing)
