"""Every code block of docs/jax.md runs, and the recorder accepts arrays of JAX."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pages
import pytest
import seen

from convscope import Recorder
from convscope.recorder import RecordError


def test_jax(tmp_path: Path, binary: Path) -> None:
    (listing,) = pages.run("jax.md", tmp_path, binary)
    assert "3 steps, 0 to 20" in listing
    layouts = seen.sure_layouts(seen.series(binary, tmp_path / "logs"))
    assert layouts == {
        **{"conv1/kernel": "HWIO", "conv2/kernel": "HWIO"},
        **{"conv1/activation": "NHWC", "conv2/activation": "NHWC"},
    }


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "int8"])
def test_arrays_of_jax_are_recorded_bit_for_bit(tmp_path: Path, binary: Path, dtype: str) -> None:
    array = jax.random.normal(jax.random.key(0), (3, 3, 2, 4)).astype(dtype)
    with Recorder(tmp_path, strict=True) as recorder:
        recorder.kernel("conv1", array, 0, "HWIO")
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        got = jnp.asarray(server.tensor("conv1/kernel", 0)).astype(dtype)
        assert np.asarray(got).tobytes() == np.asarray(array).tobytes()


def test_a_tracer_is_refused(tmp_path: Path) -> None:
    with Recorder(tmp_path, strict=True) as recorder:

        @jax.jit
        def traced(array: jax.Array) -> jax.Array:
            recorder.kernel("conv1", array, 0, "HWIO")
            return array

        with pytest.raises(RecordError, match="outside of traced or compiled functions"):
            traced(jnp.ones((3, 3, 1, 2)))
