"""Every code block of the pages about Keras, TensorFlow and the recipe runs."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest
import readers
import seen

PAGES_OF_OTHERS = {"pytorch.md": "with_torch", "jax.md": "with_jax"}
"""Pages whose blocks run in a separate environment -> the folder of their tests."""


def test_keras(tmp_path: Path, binary: Path) -> None:
    listing, served = pages.run("keras.md", tmp_path, binary)
    assert "conv2/activation  activation  NHWC" in listing and served == ""
    (tmp_path / "logs" / "train").rename(tmp_path / "train")
    found = seen.series(binary, tmp_path / "logs")
    assert seen.sure_layouts(found) == {
        **{"conv1/kernel": "HWIO", "conv2/kernel": "HWIO", "input": "NHWC"},
        **{"conv1/activation": "NHWC", "conv2/activation": "NHWC"},
    }
    assert found["conv1/kernel"]["last_step"] == 114


def test_tensorflow(tmp_path: Path, binary: Path) -> None:
    (listing,) = pages.run("tensorflow.md", tmp_path, binary)
    assert "3 steps, 0 to 20" in listing
    (tmp_path / "logs" / "run1").rename(tmp_path / "run1")
    found = seen.series(binary, tmp_path / "logs")
    assert seen.sure_layouts(found) == {"conv1/kernel": "HWIO", "conv1/activation": "NHWC"}
    found = seen.series(binary, tmp_path / "run1")
    assert found["separable/depthwise_kernel"]["layout"] == "HWIM"
    told = found["conv2/kernel"]["operation"]
    assert (told["kind"], told["strides"], told["outputs"]) == ("Conv2D", [2, 2], 32)


def test_recipe(tmp_path: Path, binary: Path) -> None:
    *_, listing = pages.run("recipe.md", tmp_path, binary)
    assert "filtered_images_layer1/image" in listing and "conv1/filters/image" in listing
    assert set(seen.sure_layouts(seen.series(binary, tmp_path / "new"))) == {
        "conv1/kernel",
        "conv1/activation",
    }
    classic = {value.tag for _, value in readers.by_tensorboard(tmp_path / "classic")}
    assert {"filtered_images_layer1/image/15", "conv1/filters/image/2"} <= classic


@pytest.mark.parametrize("page", PAGES_OF_OTHERS)
def test_every_page_with_python_has_a_test(page: str) -> None:
    folder = Path(__file__).parents[1] / PAGES_OF_OTHERS[page]
    assert any(page in path.read_text() for path in folder.glob("test_*.py"))


def test_no_block_is_left_out() -> None:
    tested = {"keras.md", "tensorflow.md", "recipe.md", *PAGES_OF_OTHERS}
    for page in tested:
        n_fences = (pages.DOCS / page).read_text().count("```")
        run = pages.sessions(page)
        n_python = sum(len(session.python) for session in run)
        n_blocks = len([1 for block in pages.FENCE.finditer((pages.DOCS / page).read_text())])
        assert n_fences == 2 * n_blocks and n_python > 0
        n_commands = n_blocks - n_python
        assert (n_commands > 0) == any(session.commands for session in run)
