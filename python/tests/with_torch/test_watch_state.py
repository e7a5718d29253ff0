"""The recorded values are those of the model in evaluation mode at that step."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import seen
from trainings import MODELS, X, conv, made, steps, tensors

import convscope.torch
from convscope import Recorder

REPEATABLE = [name for name in MODELS if name not in ("merging", "noisy")]
"""Models whose output in evaluation mode does not depend on how they got into it."""


def evaluated(name: str, model: nn.Module) -> dict[str, np.ndarray]:
    """A new model with this one's state, run on the probe by itself in evaluation mode."""
    with torch.random.fork_rng():
        other = made(name)
    other.load_state_dict(model.state_dict())
    other.eval()
    given: dict[str, torch.Tensor] = {}
    for at in ("0", "3"):
        layer = other.get_submodule(at)
        layer.register_forward_hook(lambda _, x, y, at=at: given.update({f"{at}/activation": y}))
    with torch.no_grad():
        other(X)
        for at in ("0", "3"):
            layer = other.get_submodule(at)
            given[f"{at}/kernel"] = layer.weight
            given.update({f"{at}/bias": layer.bias} if layer.bias is not None else {})
        return {tag: value.numpy().copy() for tag, value in given.items()}


@pytest.mark.parametrize("probe", [X, None], ids=["probe", "batch"])
@pytest.mark.parametrize("name", REPEATABLE)
def test_kernels_and_activations_are_of_one_model(
    tmp_path: Path, binary: Path, name: str, probe: Any
) -> None:
    model, logdir = made(name), tmp_path / "log"
    truth: dict[int, dict[str, np.ndarray]] = {}
    keep = lambda step: truth.update({step: evaluated(name, model)})  # noqa: E731
    with Recorder(logdir, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=probe, every=1):
            steps(model, 3, keep)
        keep(3)
    with tensors(binary, logdir) as tensor:
        for step, expected in truth.items():
            for tag, value in expected.items():
                if probe is not None or not tag.endswith("activation"):
                    assert tensor(tag, step).tobytes() == value.tobytes(), (tag, step)
    assert not np.array_equal(truth[0]["0/kernel"], truth[3]["0/kernel"])


def test_a_copy_in_evaluation_mode_gives_the_same(tmp_path: Path, binary: Path) -> None:
    model, logdir = (
        nn.Sequential(parametrizations.spectral_norm(nn.Conv2d(1, 3, 3))),
        tmp_path / "log",
    )
    with Recorder(logdir, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X) as watch:
            model(X)
            other = copy.deepcopy(model).eval()
            watch.record(7)
    with tensors(binary, logdir) as tensor, torch.no_grad():
        assert tensor("0/kernel", 7).tobytes() == other[0].weight.numpy().tobytes()
        assert tensor("0/activation", 7).tobytes() == other(X).numpy().tobytes()


class Counting(nn.Conv2d):
    """Counts its passes, together with others."""

    def __init__(self, count: torch.Tensor) -> None:
        super().__init__(1, 1, 3)
        self.register_buffer("count", count)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        return super().forward(x) * self.count


def test_layers_share_a_buffer_in_the_probe_too(tmp_path: Path, binary: Path) -> None:
    count, logdir = torch.zeros(()), tmp_path / "log"
    model = nn.Sequential(Counting(count), Counting(count))
    expected = copy.deepcopy(model).eval()(X).detach()
    with Recorder(logdir, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X) as watch:
            watch.record(0)
    assert model[0].count is model[1].count is count and count == 0
    with tensors(binary, logdir) as tensor:
        assert tensor("1/activation", 0).tobytes() == expected.numpy().tobytes()


class Named(nn.Module):
    """Takes its pictures by name, among other things."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)

    def forward(self, scale: float, *, images: torch.Tensor, others: Any = ()) -> torch.Tensor:
        return self.conv(images * scale) + sum(one.sum() for one in others)


class Batch(Mapping[str, Any]):
    """Named arguments that are not a dict, such as a tokenizer returns."""

    def __getitem__(self, name: str) -> Any:
        return {"scale": 2.0, "images": X, "others": [X]}[name]

    def __iter__(self) -> Any:
        return iter(["scale", "images", "others"])

    def __len__(self) -> int:
        return 3


@pytest.mark.parametrize("probe", [dict(Batch()), Batch()], ids=["dict", "mapping"])
def test_a_probe_may_be_named_arguments(tmp_path: Path, binary: Path, probe: Any) -> None:
    model, logdir = Named(), tmp_path / "log"
    with Recorder(logdir, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=probe):
            expected = model(**probe) - X.sum()
    with tensors(binary, logdir) as tensor:
        np.testing.assert_allclose(
            tensor("conv/activation", 0), expected.detach(), rtol=1e-4, atol=1e-4
        )
        np.testing.assert_array_equal(tensor("input", 0), X)


DEVICES: list[str] = []
"""Outside of the module, because changes of the probe's pass within it are undone."""


class Unpacking(nn.Module):
    """Takes one argument that holds all."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)

    def forward(self, batch: dict[str, Any]) -> torch.Tensor:
        DEVICES.append(batch["images"][0].device.type)
        return self.conv(batch["images"][0])


def test_a_probe_may_be_a_tuple_with_a_dict(tmp_path: Path, binary: Path) -> None:
    model, batch = Unpacking(), {"images": [X]}
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=(batch,)):
            model(batch)
    assert seen.series(binary, tmp_path)["conv/activation"]["steps"] == 2


def test_a_probe_is_taken_where_the_model_is(tmp_path: Path) -> None:
    model = Unpacking().to("meta")
    DEVICES.clear()
    with Recorder(tmp_path) as recorder:
        convscope.torch.watch(model, recorder, probe=({"images": [X]},)).close()
    assert DEVICES == ["meta"]


def test_each_layer_keeps_its_own_type(tmp_path: Path, binary: Path) -> None:
    class Mixed(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self[1](self[0](x).bfloat16())

    model = Mixed(nn.Conv2d(1, 3, 3), nn.Conv2d(3, 2, 3).bfloat16())
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X):
            model(X)
    found = seen.series(binary, tmp_path)
    assert {tag: one["dtype"] for tag, one in found.items()} == {
        **dict.fromkeys(("0/kernel", "0/bias", "0/activation", "input"), "float32"),
        **dict.fromkeys(("1/kernel", "1/bias", "1/activation"), "bfloat16"),
    }


class Partial(nn.Conv2d):
    """A convolution that also says where it had anything to see."""

    def forward(self, x: torch.Tensor) -> Any:
        y = super().forward(x)
        return y, y > 0


class Weightless(nn.Conv2d):
    """A convolution whose weight is computed elsewhere."""

    def __init__(self) -> None:
        super().__init__(1, 3, 3)
        del self.weight

    def forward(self, x: torch.Tensor) -> Any:
        return nn.functional.conv2d(x, x.new_ones(3, 1, 3, 3)), x


@pytest.mark.parametrize("kind", [lambda: Partial(1, 3, 3), Weightless])
def test_a_layer_of_its_own_kind_does_not_end_the_others(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture, kind: Any
) -> None:
    class Both(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self[1](self[0](x)[0])

    model = Both(kind(), nn.Conv2d(3, 2, 3))
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, probe=X):
            model(X)
    assert "0/activation" in caplog.text
    found = seen.series(binary, tmp_path)
    assert found["1/kernel"]["steps"] == found["1/activation"]["steps"] == 2


def test_a_failed_pass_leaves_no_activations_of_others(tmp_path: Path, binary: Path) -> None:
    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fails = nn.Conv2d(1, 3, 3), True

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            if self.fails:
                raise MemoryError
            return y

    model = Failing()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder):
            with pytest.raises(MemoryError):
                model(X)
            model.fails = False
            model(X)
            model.eval()(X)
    assert set(seen.series(binary, tmp_path)) == {"conv/kernel", "conv/bias", "conv/activation"}


def test_an_evaluation_after_a_failed_pass_is_not_recorded(tmp_path: Path, binary: Path) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder):
            with pytest.raises(RuntimeError):
                model(torch.rand(4, 2, 8, 8))
            model.eval()(X)
    assert set(seen.series(binary, tmp_path)) == {"0/kernel", "0/bias"}


OPERATIONS = [
    (nn.Conv2d(2, 8, 7, stride=2, padding=3), "Conv2D", [7, 7], [2, 2], [1, 1], "explicit"),
    (nn.Conv2d(8, 6, (3, 5), padding=(1, 2)), "Conv2D", [3, 5], [1, 1], [1, 1], "same"),
    (nn.Conv2d(6, 6, 3, padding="same", dilation=2), "Conv2D", [3, 3], [1, 1], [2, 2], "same"),
    (nn.Conv2d(6, 4, 1), "Conv2D", [1, 1], [1, 1], [1, 1], "valid"),
    (nn.ConvTranspose2d(4, 3, 2, stride=2), "Conv2DTranspose", [2, 2], [2, 2], [1, 1], None),
]


def test_what_each_layer_does_is_told(tmp_path: Path, binary: Path) -> None:
    model = nn.Sequential(*(one[0] for one in OPERATIONS))
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=torch.rand(1, 2, 32, 32)):
            pass
    found = seen.series(binary, tmp_path)
    for n, (layer, kind, window, strides, dilations, padding) in enumerate(OPERATIONS):
        for tag in (f"{n}/kernel", f"{n}/activation"):
            told = found[tag]["operation"]
            assert (told["kind"], told["position"], told["origin"]) == (kind, n, "writer"), tag
            assert (told["window"], told["strides"]) == (window, strides), tag
            assert (told["dilations"], told["padding"]) == (dilations, padding), tag
            assert told["outputs"] == layer.out_channels
            assert found[tag]["contradictions"] == []
