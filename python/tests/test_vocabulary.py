"""The recorder writes the words that ConvScope reads.

``src/model/vocabulary.json`` lists them; the tests of ``src/model`` compare the program with it.
"""

from __future__ import annotations

import json
from typing import get_args

from pages import REPOSITORY

from convscope.layouts import ALLOWED, RANKS
from convscope.meaning import Meaning
from convscope.operation import KINDS, Operation, Padding

VOCABULARY = json.loads((REPOSITORY / "src" / "model" / "vocabulary.json").read_text())


def test_the_program_has_the_same_layouts() -> None:
    layouts = VOCABULARY["layouts"]
    assert ALLOWED.keys() == RANKS.keys() == layouts.keys()
    for role, by_rank in layouts.items():
        assert list(ALLOWED[role]) == [name for names in by_rank.values() for name in names]
        assert [str(rank) for rank in RANKS[role]] == list(by_rank)
        assert all(len(name) == int(rank) for rank, names in by_rank.items() for name in names)


def test_the_program_has_the_same_operations_and_paddings() -> None:
    assert KINDS == VOCABULARY["operations"]
    assert list(get_args(Padding)) == VOCABULARY["paddings"]


def test_the_program_understands_what_is_written() -> None:
    operation = Operation("Conv2D", 3, (7, 5), (2, 1), (1, 3), "explicit", 64)
    metadata = Meaning("kernel", "conv1", "kernel", "oihw", operation).metadata()
    assert metadata.plugin == "convscope"
    assert json.loads(metadata.content) == VOCABULARY["example"]
