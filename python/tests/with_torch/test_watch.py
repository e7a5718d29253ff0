"""Real trainings in PyTorch under ``convscope.torch.watch``."""

from __future__ import annotations

import copy
import io
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

import seen
from trainings import X, conv

import convscope.torch
from convscope import Recorder
from convscope.recorder import RecordError


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """400 scanned digits of 8x8 pixels in [0, 1], and what they are."""
    data = load_digits()
    images = torch.tensor(data.images[:400, None] / 16, dtype=torch.float32)
    return images, torch.tensor(data.target[:400])


class Net(nn.Module):
    """Convolutions of several kinds, some in a block."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.block = nn.Sequential(
            nn.Conv2d(6, 6, 3, groups=6, bias=False),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(6, 4, 3, stride=2),
        )
        self.drop = nn.Dropout(0.2)
        self.out = nn.LazyLinear(10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block(torch.relu(self.norm(self.conv1(x))))
        return self.out(self.drop(x).flatten(1))


def steps(model: nn.Module, n: int, after: Any = lambda step: None) -> list[float]:
    """Trains for some steps; returns the losses."""
    x, y = digits()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for step in range(n):
        after(step)
        at = torch.arange(step * 16, step * 16 + 16) % len(x)
        loss = nn.functional.cross_entropy(model(x[at]), y[at])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def truth_of(model: nn.Module, probe: torch.Tensor) -> dict[str, np.ndarray]:
    """The weights and activations of the model, by running its parts on a copy."""
    net = copy.deepcopy(model).eval()
    with torch.no_grad():
        conv1 = net.conv1(probe)
        depthwise = net.block[0](torch.relu(net.norm(conv1)))
        transposed = net.block[2](torch.relu(depthwise))
    maps = {"conv1": conv1, "block.0": depthwise, "block.2": transposed}
    arrays = {f"{name}/activation": value.numpy() for name, value in maps.items()}
    for name in maps:
        layer = net.get_submodule(name)
        arrays[f"{name}/kernel"] = layer.weight.detach().numpy()
        if layer.bias is not None:
            arrays[f"{name}/bias"] = layer.bias.detach().numpy()
    return arrays


def test_a_real_training_is_recorded_bit_for_bit(tmp_path: Path, binary: Path) -> None:
    torch.manual_seed(3)
    model, probe = Net(), digits()[0][:3]
    with torch.no_grad():
        model.eval()(probe)
    model.train()
    truth: dict[int, dict[str, np.ndarray]] = {}
    keep = lambda step: truth.update({step: truth_of(model, probe)})  # noqa: E731
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=probe, every=10):
            losses = steps(model, 25, keep)
        keep(25)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])

    found = seen.series(binary, tmp_path)
    assert set(found) == {*truth[0], "input"}
    assert seen.sure_layouts(found) == {
        **{tag: "NCHW" for tag in found if tag.endswith(("activation", "input"))},
        **{"conv1/kernel": "OIHW", "block.0/kernel": "OIHW", "block.2/kernel": "IOHW"},
    }
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        for tag in truth[0]:
            assert found[tag]["steps"] == 4
            for step in (0, 10, 20, 25):
                got, expected = server.tensor(tag, step), truth[step][tag]
                assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
                assert got.tobytes() == expected.tobytes(), (tag, step)


KINDS = {
    nn.Conv1d: ("OIW", "NCW"),
    nn.Conv2d: ("OIHW", "NCHW"),
    nn.Conv3d: ("OIDHW", "NCDHW"),
    nn.ConvTranspose1d: ("IOW", "NCW"),
    nn.ConvTranspose2d: ("IOHW", "NCHW"),
    nn.ConvTranspose3d: ("IODHW", "NCDHW"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_convolution_has_its_layout(tmp_path: Path, binary: Path, kind: Any) -> None:
    kernel, activation = KINDS[kind]
    probe = torch.rand((2, 2) + (6, 5, 4)[: len(kernel) - 2])
    model = nn.Sequential(kind(2, 3, 2))
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=probe):
            model(probe)
    layouts = {"0/kernel": kernel, "0/activation": activation, "input": activation}
    assert seen.sure_layouts(seen.series(binary, tmp_path)) == layouts


def test_without_a_probe_the_batch_is_recorded(tmp_path: Path, binary: Path) -> None:
    model = conv()
    with Recorder(tmp_path, max_samples=2, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=2):
            outputs = [model(X * step) for step in range(5)]
            assert not model[0]._forward_hooks
    series = seen.series(binary, tmp_path)["0/activation"]
    assert (series["shape"], series["steps"], series["last_step"]) == ([2, 3, 6, 6], 3, 4)
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        got = server.tensor("0/activation", 4)
        assert got.tobytes() == outputs[4][:2].detach().numpy().tobytes()


def test_hooks_come_off(tmp_path: Path) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        watch = convscope.torch.watch(model, recorder, probe=X)
        model(X)
        watch.close()
        watch.close()
        n_before = recorder.wants(0), watch.n_steps
        model(X)
        assert (recorder.wants(0), watch.n_steps) == n_before
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks


def test_hooks_come_off_after_a_pass_that_failed(tmp_path: Path) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=1):
            with pytest.raises(RuntimeError):
                model(torch.rand(4, 2, 8, 8))
            model(X)
    assert not model[0]._forward_hooks


def test_copies_of_a_watched_model_are_not_watched(tmp_path: Path) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=1) as watch:
            copied = copy.deepcopy(model)
            file = io.BytesIO()
            torch.save(model, file)
            file.seek(0)
            loaded = torch.load(file, weights_only=False)
            copied(X), loaded(X)
            assert watch.n_steps == 0
            model(X)
            assert watch.n_steps == 1
    assert torch.equal(copied(X), model(X)) and torch.equal(loaded(X), model(X))


def test_recording_changes_nothing_of_the_training(tmp_path: Path, binary: Path) -> None:
    def trained(path: Path | None) -> list[torch.Tensor]:
        torch.manual_seed(1)
        model, probe = Net(), digits()[0][:2]
        model.eval()(probe)
        model.train()
        model.norm.eval()
        torch.manual_seed(2)
        if path is None:
            steps(model, 12)
        else:
            with Recorder(path, strict=True) as recorder:
                with convscope.torch.watch(model, recorder, probe=probe, every=3):
                    steps(model, 12)
        assert model.training and model.block.training and not model.norm.training
        return list(model.state_dict().values())

    for one, other in zip(trained(None), trained(tmp_path), strict=True):
        assert torch.equal(one, other)
    assert seen.series(binary, tmp_path)["conv1/activation"]["steps"] == 5


def test_steps_are_what_the_user_says(tmp_path: Path, binary: Path) -> None:
    model, at = conv(), {"step": 0}
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=10, step=lambda: at["step"]):
            for at["step"] in range(100, 121):
                model(X), model(X)
    series = seen.series(binary, tmp_path)["0/kernel"]
    assert (series["first_step"], series["last_step"], series["steps"]) == (100, 120, 3)


def test_evaluation_is_no_step(tmp_path: Path) -> None:
    model = conv().eval()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=1) as watch:
            model(X)
            assert watch.n_steps == 0


def test_layers_are_chosen_by_name(tmp_path: Path, binary: Path) -> None:
    model = Net()
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(ValueError, match="there are: conv1, block.0, block.2"):
            convscope.torch.watch(model, recorder, layers=["conv9"])
        with convscope.torch.watch(model, recorder, layers=["block.*"]):
            model(X)
    layers = {one["layer"] for one in seen.series(binary, tmp_path).values()}
    assert layers == {"block.0", "block.2"}


def test_a_model_without_convolutions_is_refused(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder, pytest.raises(ValueError, match="no layer of torch.nn"):
        convscope.torch.watch(nn.Linear(2, 2), recorder)


def test_a_layer_that_is_used_twice_has_two_activations(tmp_path: Path, binary: Path) -> None:
    layer = nn.Conv2d(1, 1, 3)
    model = nn.Sequential(layer, layer)
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X):
            model(X)
    found = seen.series(binary, tmp_path)
    assert found["0/activation"]["shape"] == [4, 1, 6, 6]
    assert found["0/activation_1"]["shape"] == [4, 1, 4, 4]


def test_compiled_and_wrapped_models_keep_their_names(tmp_path: Path, binary: Path) -> None:
    for number, wrap in enumerate([nn.DataParallel, lambda m: torch.compile(m, backend="eager")]):
        model = wrap(conv())
        logdir = tmp_path / str(number)
        with Recorder(logdir, strict=True) as recorder:
            with convscope.torch.watch(model, recorder, probe=X, every=2):
                for _ in range(4):
                    model(X)
        found = seen.series(binary, logdir)
        assert set(found) == {"0/kernel", "0/bias", "0/activation", "input"}
        assert found["0/activation"]["steps"] == 3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_every_precision_is_recorded_as_it_is(tmp_path: Path, binary: Path, dtype: Any) -> None:
    model = conv().to(dtype)
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X.to(dtype)):
            model(X.to(dtype))
    assert seen.series(binary, tmp_path)["0/kernel"]["dtype"] == str(dtype).removeprefix("torch.")
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        kernel = torch.tensor(server.tensor("0/kernel", 0)).to(dtype)
        assert torch.equal(kernel, model[0].weight)


TENSORS = {
    "with gradients": lambda: nn.Parameter(X * 2),
    "channels last": lambda: X.repeat(1, 3, 1, 1).to(memory_format=torch.channels_last),
    "turned": lambda: X.transpose(2, 3),
    "expanded": lambda: X.expand(4, 3, 8, 8),
    "a float8": lambda: X.to(torch.float8_e4m3fn),
    "negated lazily": lambda: torch._neg_view(X),
}


@pytest.mark.parametrize("what", TENSORS)
def test_whatever_tensor_holds_numbers_is_taken(tmp_path: Path, binary: Path, what: str) -> None:
    tensor = TENSORS[what]()
    with Recorder(tmp_path, max_channels=2, strict=True) as recorder:
        recorder.activation("a", tensor, 0, "NCHW")
    (tmp_path / "scratch").mkdir()
    with seen.served(binary, tmp_path, tmp_path / "scratch") as server:
        expected = tensor.detach()[:, :2].to(torch.float32).resolve_neg().numpy()
        np.testing.assert_array_equal(server.tensor("a/activation", 0), expected)


@pytest.mark.parametrize(
    "tensor",
    [X[0, 0].to_sparse(), torch.empty(2, 2, device="meta"), torch.rand(2, 2, 0)],
    ids=["sparse", "meta", "empty"],
)
def test_tensors_without_numbers_are_refused(tmp_path: Path, tensor: Any) -> None:
    with Recorder(tmp_path, strict=True) as recorder:
        with pytest.raises(RecordError, match="a/kernel"):
            recorder.kernel("a", tensor, 0)


def test_a_probe_that_does_not_fit_warns_once_and_kernels_are_recorded(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = conv()
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, probe=torch.rand(1, 5, 8, 8), every=1) as watch:
            for _ in range(5):
                model(X)
            assert watch.n_steps == 5
    assert len(caplog.records) == 1 and caplog.records[0].levelno == logging.WARNING
    assert "does not accept the probe" in caplog.text
    assert seen.series(binary, tmp_path)["0/kernel"]["steps"] == 6
    assert model.training and not model[0]._forward_hooks
