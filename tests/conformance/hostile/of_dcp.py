"""Hostile directories of ``torch.distributed.checkpoint``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pickles as p
from case import Tensors, kernel
from checkpoints import BAD, MARKER, NOT_READ, Content, Hostile, Hostiles, bytes_of, kind

FILE = ".metadata"
ITEMS = "__0_0.distcp"
NAME = "conv1.weight"
WEIGHT = kernel(1, (8, 3, 3, 3))
ITEM = p.archive(p.whole(p.tensor("0", WEIGHT.shape)), {"0": WEIGHT.astype("<f4").tobytes()})
CLASSES = "torch.distributed.checkpoint.metadata"
NEW = b"\x81"
GOOD: Tensors = {(NAME, 12): WEIGHT}
Shape = tuple[int, ...]


def instance(name: str, state: bytes, module: str = CLASSES) -> bytes:
    """An object of a class with this state."""
    return p.name(module, name) + p.EMPTY_TUPLE + NEW + state + p.BUILD


def size(*lengths: int) -> bytes:
    """A ``torch.Size``."""
    return p.name("torch", "Size") + p.numbers(lengths) + p.TUPLE1 + p.REDUCE


def stored(shape: Shape, chunks: list[tuple[Shape, Shape]]) -> bytes:
    """What the metadata say of a tensor: its shape, and the first index and shape of each chunk."""
    parts = b"".join(
        instance(
            "ChunkStorageMetadata",
            p.dictionary({"offsets": size(*start), "sizes": size(*lengths)}),
        )
        for start, lengths in chunks
    )
    properties = p.MARK + p.name("torch", "float32") + p.NONE + p.FALSE + p.NONE + p.FALSE + p.TUPLE
    state = {
        "properties": instance("TensorProperties", properties),
        "size": size(*shape),
        "chunks": p.EMPTY_LIST + p.MARK + parts + p.APPENDS,
    }
    return instance("TensorStorageMetadata", p.dictionary(state))


def place(name: str, start: Shape, file: str, offset: int, length: int) -> bytes:
    """The key and the value that say where a chunk is."""
    index = {"fqn": p.text(name), "offset": size(*start), "index": p.NONE}
    info = {
        "relative_path": p.text(file),
        "offset": p.integer(offset),
        "length": p.integer(length),
        "transform_descriptors": p.NONE,
    }
    module = "torch.distributed.checkpoint.filesystem"
    return instance("MetadataIndex", p.dictionary(index)) + instance(
        "_StorageInfo", p.dictionary(info), module
    )


def metadata(tensors: bytes, places: bytes, **more: bytes) -> bytes:
    """The file ``.metadata``; ``tensors`` and ``places`` are keys and values."""
    state = {
        "state_dict_metadata": p.EMPTY_DICT + p.MARK + tensors + p.SETS,
        "storage_data": p.EMPTY_DICT + p.MARK + places + p.SETS,
    }
    return p.whole(instance("Metadata", p.dictionary(state | more)))


def one(
    *,
    file: str = ITEMS,
    offset: int = 0,
    length: int | None = None,
    shape: Shape = WEIGHT.shape,
    chunks: list[tuple[Shape, Shape]] | None = None,
) -> bytes:
    """The metadata of one tensor, whose chunks all are the same item."""
    chunks = [((0, 0, 0, 0), WEIGHT.shape)] if chunks is None else chunks
    length = len(ITEM) if length is None else length
    places = b"".join(place(NAME, start, file, offset, length) for start, _ in chunks)
    return metadata(p.text(NAME) + stored(shape, chunks), places)


def saved(
    name: str,
    content: Content,
    told: str = BAD,
    words: str = "",
    *,
    item: Content = ITEM,
    good: Tensors | None = None,
    more: Callable[[Path], None] | None = None,
    verified: str | None = None,
) -> Hostile:
    """A hostile directory with this ``.metadata`` and this file of items."""

    def make(run: Path) -> None:
        folder = run / "step_12"
        folder.mkdir()
        (folder / FILE).write_bytes(bytes_of(content))
        if more:
            more(folder)
        else:
            (folder / ITEMS).write_bytes(bytes_of(item))

    return Hostile(f"dcp_{name}", make, FILE, told, words, good=good, verified=verified)


@kind
def executed() -> Hostiles:
    """Pickles that call something, in the metadata and in an item."""
    yield saved("good", one(), "", good=GOOD)
    call = p.name("os", "system") + p.text(f"touch {MARKER}") + p.TUPLE1 + p.REDUCE
    yield saved("that_calls_a_program", p.whole(call), "", verified="-")
    places = place(NAME, (0, 0, 0, 0), ITEMS, 0, len(ITEM))
    with_call = metadata(
        p.text(NAME) + stored(WEIGHT.shape, [((0,) * 4, WEIGHT.shape)]), places, planner_data=call
    )
    yield saved("that_calls_a_program_beside", with_call, "", good=GOOD)
    hook = instance("Metadata", call)
    yield saved("whose_state_calls_a_program", p.whole(hook), BAD, verified=None)
    item = p.archive(p.whole(call))
    yield saved("item_that_calls_a_program", one(length=len(item)), NOT_READ, item=item)


@kind
def nested() -> Hostiles:
    """Very deep and very many objects."""
    yield saved(
        "depth_of_a_million", p.whole(p.EMPTY_LIST * 1_000_000 + p.APPEND * 999_999), NOT_READ
    )
    yield saved("of_20_million_nones", lambda: p.whole(b"N" * 20_000_000), NOT_READ, "too many")
    yield saved("of_60_megabytes", lambda: p.whole(p.text("x" * 60_000_000)), NOT_READ, "bytes")
    laughs = p.EMPTY_LIST + p.put(0)
    for level in range(1, 40):
        laughs += p.EMPTY_LIST + p.MARK + p.get(level - 1) * 10 + p.APPENDS + p.put(level)
    yield saved("billion_laughs", p.whole(instance("Metadata", laughs)), "", verified="-")
    chunk = ((0, 0, 0, 0), WEIGHT.shape)
    yield saved("250000_chunks", lambda: one(chunks=[chunk] * 250_000), NOT_READ)

    def tensors() -> bytes:
        form = stored((1,), [((0,), (1,))])
        named = b"".join(p.text(f"{idx:x}") + p.get(0) for idx in range(60_000))
        return metadata(p.text("a") + form + p.put(0) + named, b"")

    yield saved("60000_tensors", tensors, NOT_READ, "50000")
    long = "n" * 1_000_000
    yield saved(
        "long_name_without_a_form",
        metadata(p.text(long) + instance("TensorStorageMetadata", p.EMPTY_DICT), b""),
        BAD,
    )
    many = b"".join(p.text(f"{long}{idx}") + stored((1,), []) for idx in range(40))
    yield saved("names_of_a_megabyte", lambda: metadata(many, b""), "")
    axes = stored((1,) * 10_000, [((0,) * 10_000, (1,) * 10_000)])
    yield saved("of_10000_axes", metadata(p.text(NAME) + axes, b""), NOT_READ)


@kind
def elsewhere() -> Hostiles:
    """Items in other places."""
    for name, file in (
        ("above", "../../../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("nowhere", "nothing.distcp"),
        ("null", "a\0b"),
        ("itself", FILE),
        ("long", "x" * 100_000),
    ):
        told = BAD if name == "itself" else NOT_READ
        yield saved(f"items_{name}", one(file=file, length=16), told)
    yield saved("items_in_a_fifo", one(), NOT_READ, more=lambda folder: os.mkfifo(folder / ITEMS))
    yield saved(
        "items_in_a_device",
        one(),
        NOT_READ,
        more=lambda folder: (folder / ITEMS).symlink_to("/dev/zero"),
    )
    for name, offset, length in (
        ("beyond_the_file", 1 << 40, 100),
        ("at_2_to_63", 1 << 63, 1 << 63),
        ("of_2_to_64", 0, 1 << 64),
        ("at_minus_1", -1, 100),
        ("of_nothing", 0, 0),
        ("cut", 0, len(ITEM) - 5),
    ):
        told = NOT_READ if name in ("of_2_to_64", "at_2_to_63", "at_minus_1") else BAD
        yield saved(f"item_{name}", one(offset=offset, length=length), told)
    files = b"".join(place(f"k{idx}", (0,), f"f{idx}", 0, 1) for idx in range(30_000))
    yield saved(
        "of_30000_files", metadata(p.text(NAME) + stored((1,), [((0,), (1,))]), files), NOT_READ
    )


@kind
def chunks() -> Hostiles:
    """Chunks that overlap, leave their tensor, or do not fill it."""
    whole = WEIGHT.shape
    zero = (0, 0, 0, 0)
    for name, shape, parts, told in (
        ("over_one_another", (12, 3, 3, 3), [(zero, whole), ((4, 0, 0, 0), whole)], ""),
        ("outside_of_the_tensor", (8, 3, 3, 3), [((4, 0, 0, 0), whole)], ""),
        ("at_2_to_62", (8, 3, 3, 3), [((1 << 62, 0, 0, 0), whole)], ""),
        ("of_another_number_of_axes", (8, 27), [(zero, whole)], ""),
        ("that_leave_gaps", (1 << 20, 3, 3, 3), [(zero, whole)], ""),
        ("of_2_to_62", (1 << 62, 3, 3, 3), [(zero, (1 << 62, 3, 3, 3))], NOT_READ),
        ("of_none", (1 << 40, 1 << 40), [], ""),
    ):
        yield saved(
            f"chunks_{name}", one(shape=shape, chunks=parts), told, verified=None if told else "-"
        )
