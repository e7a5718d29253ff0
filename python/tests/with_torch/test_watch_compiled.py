"""Models that are compiled before and after ``convscope.torch.watch``: the compiled code is the
same as without it, and so is the training.

``pytest -s`` prints the graph breaks with and without. ``benches/compiled.py`` measures how long a
step takes.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

import seen
from trainings import X, conv

import convscope.torch
from convscope import Recorder


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """Each test starts without compiled code."""
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


class Net(nn.Module):
    """A user's own class, whose hooks PyTorch compiles apart from its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(4))
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.stem(x)))
        for block in self.blocks:
            x = x + torch.relu(block(x))
        return self.out(self.drop(x).mean((2, 3)))


def sequential() -> nn.Module:
    """A model of PyTorch's own class, whose hooks are compiled with it."""
    body = [nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.ReLU()]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(64, 1))


MODELS: dict[str, Callable[[], nn.Module]] = {"own class": Net, "Sequential": sequential}
LAYERS = {"own class": "stem", "Sequential": "0"}
Watch = Callable[[nn.Module], Any]


def wrapped_first(model: nn.Module, backend: str, watch: Watch, n: int, **options: Any) -> None:
    run = torch.compile(model, backend=backend, **options)
    with watch(run):
        train(model, run, n)


def whole_first(*arguments: Any) -> None:
    wrapped_first(*arguments, fullgraph=True)


def in_place_first(model: nn.Module, backend: str, watch: Watch, n: int) -> None:
    model.compile(backend=backend, fullgraph=True)
    with watch(model):
        train(model, model, n)


def wrapped_later(model: nn.Module, backend: str, watch: Watch, n: int) -> None:
    with watch(model):
        train(model, torch.compile(model, backend=backend, fullgraph=True), n)


def in_place_later(model: nn.Module, backend: str, watch: Watch, n: int) -> None:
    with watch(model):
        model.compile(backend=backend)
        train(model, model, n)


def in_part(model: nn.Module, backend: str, watch: Watch, n: int) -> None:
    part = next(one for one in model.children())
    part.compile(backend=backend)
    with watch(model):
        train(model, model, n)


def loss_too(model: nn.Module, backend: str, watch: Watch, n: int) -> None:
    with watch(model):
        train(model, torch.compile(lambda x: model(x).relu(), backend=backend), n)


ORDERS = {
    "compile, watch": wrapped_first,
    "compile whole, watch": whole_first,
    "compile in place, watch": in_place_first,
    "watch, compile whole": wrapped_later,
    "watch, compile in place": in_place_later,
    "compile a part, watch": in_part,
    "watch, compile model and loss": loss_too,
}
LATER = [order for order in ORDERS if order.startswith("watch")]


def train(model: nn.Module, run: Callable[[torch.Tensor], torch.Tensor], n: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    for step in range(n):
        optimizer.zero_grad()
        (run(X + step / 10) - 1).pow(2).mean().backward()
        optimizer.step()


def sentences(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of ConvScope, without those of the compiler."""
    return [one.getMessage() for one in caplog.records if one.name == "convscope"]


def figures() -> dict[str, int]:
    """The counts of the compiler since the last call."""
    counted = {
        "graph breaks": sum(counters["graph_break"].values()),
        "graphs": counters["stats"]["unique_graphs"],
    }
    torch._dynamo.reset()
    counters.clear()
    return counted


def trained(
    kind: str, order: str, backend: str, path: Path | None, probe: Any
) -> tuple[dict[str, torch.Tensor], dict[str, int]]:
    """The state after a training of twelve steps, and the counts of the compiler."""
    torch.manual_seed(7)
    model = MODELS[kind]()
    if path is None:
        ORDERS[order](model, backend, lambda _: nullcontext(), 12)
    else:
        with Recorder(path) as recorder:
            options = {"probe": probe, "every": 5}
            watch = lambda one: convscope.torch.watch(one, recorder, **options)  # noqa: E731
            ORDERS[order](model, backend, watch, 12)
    grads = {f"{name}.grad": one.grad for name, one in model.named_parameters()}
    state = {**model.state_dict(), **grads, "random": torch.get_rng_state()}
    return {name: one.clone() for name, one in state.items() if one is not None}, figures()


@pytest.mark.parametrize("probe", [None, X[:2]], ids=["batch", "probe"])
@pytest.mark.parametrize("backend", ["eager", "inductor"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", MODELS)
def test_compiled_code_and_training_are_the_same_without_us(
    tmp_path: Path, kind: str, order: str, backend: str, probe: Any
) -> None:
    without, counted = trained(kind, order, backend, None, None)
    under, counted_under = trained(kind, order, backend, tmp_path, probe)
    differing = [name for name in without if not torch.equal(without[name], under[name])]
    how = f"{backend}, {'a probe' if probe is not None else 'no probe'}"
    print(f"| {kind} | {order} | {how} | {counted} | {counted_under} | {differing or 'equal'} |")
    assert (differing, counted_under) == ([], counted)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", MODELS)
def test_all_steps_are_recorded_with_a_probe(
    tmp_path: Path, binary: Path, kind: str, order: str, caplog: pytest.LogCaptureFixture
) -> None:
    trained(kind, order, "eager", tmp_path, X[:2])
    found = seen.series(binary, tmp_path)
    for end in ("kernel", "activation"):
        one = found[f"{LAYERS[kind]}/{end}"]
        assert (one["first_step"], one["last_step"], one["steps"]) == (0, 12, 4)
    said = sentences(caplog)
    assert len(said) == (order in LATER)
    assert not said or "compiled after watch" in said[0]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", MODELS)
def test_without_a_probe_compiled_layers_have_kernels_and_one_sentence_says_so(
    tmp_path: Path, binary: Path, kind: str, order: str, caplog: pytest.LogCaptureFixture
) -> None:
    trained(kind, order, "eager", tmp_path, None)
    found = seen.series(binary, tmp_path)
    kernel = found[f"{LAYERS[kind]}/kernel"]
    assert (kernel["first_step"], kernel["last_step"], kernel["steps"]) == (0, 12, 4)
    activations = {tag.partition("/")[0] for tag in found if tag.endswith("activation")}
    eager = {"own class": {f"blocks.{n}" for n in range(4)}, "Sequential": {"3"}}[kind]
    assert activations == (eager if order == "compile a part, watch" else set())
    (said,) = sentences(caplog)
    assert "a probe" in said and ("record(step)" in said) == (order in LATER)


def test_kernels_are_those_before_the_update(tmp_path: Path, binary: Path) -> None:
    torch.manual_seed(7)
    model, kept = conv(), {}
    (tmp_path / "scratch").mkdir()
    with Recorder(tmp_path / "log", strict=True) as recorder:
        with convscope.torch.watch(model, recorder, probe=X[:2], every=2):
            run = torch.compile(model, backend="eager")
            optimizer = torch.optim.SGD(model.parameters(), 0.05)
            for step in range(5):
                kept[step] = model[0].weight.detach().clone()
                optimizer.zero_grad()
                run(X).sum().backward()
                optimizer.step()
        kept[5] = model[0].weight.detach().clone()
    with seen.served(binary, tmp_path / "log", tmp_path / "scratch") as server:
        for step in (0, 2, 4, 5):
            kernel = server.tensor("0/kernel", step)
            assert kernel.tobytes() == kept[step].numpy().tobytes()
            layer = nn.functional.conv2d(X[:2], kept[step], model[0].bias) if step == 5 else None
            if layer is not None:
                got = server.tensor("0/activation", step)
                assert got.tobytes() == layer.detach().numpy().tobytes()


def test_a_step_that_is_compiled_as_a_whole_is_recorded_by_hand(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = conv()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)

    def step() -> None:
        optimizer.zero_grad()
        model(X).sum().backward()
        optimizer.step()

    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, every=2) as watch:
            run = torch.compile(step, backend="eager")
            for number in range(4):
                run()
                if number == 2:
                    watch.record(number)
            watch.record()
    # Nothing is recorded under a step that was not counted, neither in the training nor at its end.
    kernel = seen.series(binary, tmp_path)["0/kernel"]
    assert (kernel["first_step"], kernel["last_step"]) == (2, 2)
    traced, uncounted, unseen = sentences(caplog)
    assert "call record(step)" in traced and "needs the step" in uncounted
    assert "nothing was recorded automatically" in unseen


def test_an_update_of_another_model_is_no_step(tmp_path: Path, binary: Path) -> None:
    model, other = conv(), conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder, every=1) as watch:
            run = torch.compile(model, backend="eager")
            for _ in range(3):
                train(other, other, 2)
                train(model, run, 1)
            assert watch.n_steps == 3
        train(model, run, 1)
        assert watch.n_steps == 3
    assert seen.series(binary, tmp_path)["0/kernel"]["last_step"] == 3


def test_a_pass_that_is_seen_is_not_counted_again_by_its_update(tmp_path: Path) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder) as watch:
            train(model, torch.compile(model, backend="eager"), 2)
            train(model, model, 3)
            assert watch.n_steps == 5


def test_steps_are_what_the_user_says(tmp_path: Path, binary: Path) -> None:
    model, at = conv(), {"step": 0}
    with Recorder(tmp_path, strict=True) as recorder:
        step = lambda: at["step"]  # noqa: E731
        with convscope.torch.watch(model, recorder, every=10, step=step):
            run = torch.compile(model, backend="eager")
            optimizer = torch.optim.SGD(model.parameters(), 0.05)
            for at["step"] in range(100, 121):
                # The gradients of two passes make one step.
                (run(X) + run(X)).sum().backward()
                optimizer.step()
    series = seen.series(binary, tmp_path)["0/kernel"]
    assert (series["first_step"], series["last_step"], series["steps"]) == (100, 120, 3)


def test_evaluation_may_be_compiled_while_training_is_not(
    tmp_path: Path, binary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = conv()
    with Recorder(tmp_path) as recorder:
        with convscope.torch.watch(model, recorder, every=2):
            evaluate = torch.compile(model, backend="eager")
            for _ in range(4):
                model.eval()
                evaluate(X)
                train(model.train(), model, 1)
    assert sentences(caplog) == []
    found = seen.series(binary, tmp_path)
    assert found["0/kernel"]["steps"] == found["0/activation"]["steps"] + 1 == 3


def test_a_program_need_not_end_a_watch_for_its_model_to_go(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        model = conv()
        convscope.torch.watch(model, recorder)
        train(model, torch.compile(model, backend="eager"), 1)
        weight = weakref.ref(model[0])
        del model
        torch._dynamo.reset()
        gc.collect()
        assert weight() is None


def test_an_exported_model_is_watched_as_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = conv()
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder) as watch:
            torch.export.export(model, (X,))
            train(model, model, 3)
            assert watch.n_steps == 3
    assert sentences(caplog) == []


def test_a_compiled_call_is_as_it_was_after_the_watch(tmp_path: Path) -> None:
    model = conv()
    model.compile(backend="eager")
    before = model._compiled_call_impl
    with Recorder(tmp_path, strict=True) as recorder:
        with convscope.torch.watch(model, recorder):
            model(X)
    assert model._compiled_call_impl is before


def test_the_compiler_is_not_imported_by_a_watch(tmp_path: Path) -> None:
    script = """
import sys, torch, convscope, convscope.torch
model, x = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1)), torch.rand(1, 1, 2, 2)
with convscope.Recorder(sys.argv[1]) as recorder:
    with convscope.torch.watch(model, recorder, probe=x, every=1):
        model(x).sum().backward()
assert "torch._dynamo" not in sys.modules
"""
    at = Path(convscope.__file__).parents[1]
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True, cwd=at)
