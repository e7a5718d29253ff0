"""Hostile archives and lists of files of Keras."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import zips
from checkpoints import BAD, NOT_READ, Hostile, Hostiles, kind, of
from of_hdf5 import WHOLE as WEIGHTS
from zips import Member

FILE = "model.keras"
INDEX = "model.weights.json"


def saved(config: bytes, weights: bytes = WEIGHTS) -> bytes:
    """An archive as Keras writes it."""
    members = [("metadata.json", b"{}"), ("config.json", config), ("model.weights.h5", weights)]
    return zips.archive([Member(name, content) for name, content in members])


@kind
def archives() -> Hostiles:
    """Archives that are cut, empty or of other things."""
    whole = saved(b"{}")
    for name, length in (
        ("early", 40),
        ("in_the_middle", len(whole) // 2),
        ("by_a_byte", len(whole) - 1),
    ):
        yield of(f"keras_cut_{name}", FILE, whole[:length], BAD, "not whole")
    yield of("keras_empty", FILE, b"", BAD, "not whole")
    yield of("keras_of_zeros", FILE, bytes(1 << 20), BAD, "not whole")
    yield of("keras_of_noise", FILE, np.random.default_rng(1).bytes(1 << 20), BAD)
    yield of("keras_is_hdf5", FILE, WEIGHTS, BAD, "the archive has no end")
    yield of("keras_of_nothing", FILE, zips.archive([]), NOT_READ)
    yield of("keras_with_cut_weights", FILE, saved(b"{}", WEIGHTS[:-9]), BAD, "model.weights.h5")
    yield of(
        "keras_with_weights_of_text", FILE, saved(b"{}", b"weights" * 99), BAD, "model.weights.h5"
    )


@kind
def configurations() -> Hostiles:
    """Configurations that are no JSON, deep or enormous: the weights are shown without names."""
    layer = '{"class_name": "Dense", "config": {"name": "%s", "layers": %s}}'
    deep = "[]"
    for level in range(40):
        deep = f"[{layer % (level, deep)}]"
    configs = {
        "of_no_text": b"\xff\xfe",
        "cut": b'{"config": {"layers": [',
        "of_a_list": b"[]",
        "of_nan": b'{"config": {"layers": NaN}}',
        "of_depth": b"[" * 1_000_000,
        "of_models_in_models": f'{{"config": {{"layers": {deep}}}}}'.encode(),
        "of_a_million_objects": b'{"config": {"layers": [' + b'{"":0},' * 1_000_000 + b"{}]}}",
        "of_a_million_numbers": b'{"config": {"layers": [' + b"0," * 3_000_000 + b"0]}}",
    }
    for name, config in configs.items():
        yield of(f"keras_configuration_{name}", FILE, saved(config), "")
    long = b'{"a": "' + b"x" * (9 << 20) + b'"}'
    yield of("keras_configuration_of_9_megabytes", FILE, saved(long), NOT_READ, "config.json")


def index(weight_map: object) -> bytes:
    """A list of files."""
    return json.dumps({"metadata": {"total_size": 0}, "weight_map": weight_map}).encode()


@kind
def indices() -> Hostiles:
    """Lists that name what is not beside them, themselves, or too much."""
    for name, place in (
        ("above", "../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("of_dots", ".."),
    ):
        yield of(f"keras_list_names_{name}", INDEX, index({"/layers/a/vars": place}), NOT_READ)
    yield of("keras_list_names_itself", INDEX, index({"/layers/a/vars": INDEX}), BAD)
    million = {f"{idx:x}": f"{idx:x}" for idx in range(800_000)}
    yield of("keras_list_of_800000_layers", INDEX, index(million), NOT_READ)
    yield of("keras_list_of_a_million_files", INDEX, index({"a": ["b"] * 3_000_000}), NOT_READ)
    yield of("keras_list_of_depth", INDEX, b'{"weight_map": {"a": ' + b"[" * 1_000, BAD)
    yield of("keras_list_of_numbers", INDEX, index({"a": 7}), BAD)
    yield of("keras_list_cut", INDEX, index({"a": "b"})[:-9], BAD, "not whole")
    huge = b'{"metadata": {"total_size": 1e300}, "weight_map": {}}'
    yield of("keras_list_of_many_bytes", INDEX, huge, BAD)

    def device(run: Path) -> None:
        (run / INDEX).write_bytes(index({"/layers/a/vars": "a.bin"}))
        os.symlink("/dev/zero", run / "a.bin")

    yield Hostile("keras_list_names_a_device", device, INDEX, NOT_READ, "regular file")
