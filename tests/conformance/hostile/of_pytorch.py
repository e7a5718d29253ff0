"""Hostile files of PyTorch: pickles that execute, repeat, nest or lie."""

from __future__ import annotations

import struct

import numpy as np
import pickles as p
import wire
from case import kernel
from checkpoints import BAD, MARKER, NOT_READ, Content, Hostile, Hostiles, bytes_of, kind, of

FILE = "model.pt"
WEIGHT = kernel(1, (8, 3, 3, 3))
CONTENT = {"0": WEIGHT.astype("<f4").tobytes()}
VALUE = p.dictionary({"conv1.weight": p.tensor("0", WEIGHT.shape)})
WHOLE = p.archive(p.whole(VALUE), CONTENT)
OLD = p.old_file(VALUE, CONTENT)


def archived(name: str, pickle: Content, told: str = BAD, words: str = "") -> Hostile:
    """A hostile archive with this pickle."""
    content = lambda: p.archive(bytes_of(pickle), CONTENT)  # noqa: E731
    return of(f"pickle_{name}", FILE, content, told, words)


@kind
def cut() -> Hostiles:
    """The file ends early, in both forms."""
    for name, content in (("archive", WHOLE), ("old_file", OLD)):
        for place, length in (
            ("in_its_head", 3),
            ("early", 40),
            ("in_the_middle", len(content) // 2),
        ):
            yield of(f"pytorch_{name}_cut_{place}", FILE, content[:length], BAD, "not whole")
        yield of(f"pytorch_{name}_cut_at_the_end", FILE, content[:-1], BAD, "not whole")
    yield of("pytorch_empty", FILE, b"", BAD, "not whole")
    yield of("pytorch_of_zeros", FILE, bytes(1 << 20), BAD, "not whole")
    # Others use these endings too, so what begins as nothing known is not told.
    yield Hostile(
        "pytorch_of_noise",
        lambda run: (
            (run / FILE).write_bytes(b"\x01" + np.random.default_rng(1).bytes(1 << 20)) and None
        ),
        FILE,
        told="",
        verified="-",
    )
    for place in (60, len(WHOLE) - 6):
        yield of(f"pytorch_flipped_at_{place}", FILE, wire.flipped(WHOLE, place), BAD)
    yield of("pytorch_is_hdf5", FILE, b"\x89HDF\r\n\x1a\n" + bytes(1_000), NOT_READ)
    yield of("pytorch_is_a_pickle", FILE, p.whole(VALUE), NOT_READ, "torch.save")
    yield of("pytorch_is_gzip", FILE, b"\x1f\x8b\x08" + bytes(1_000), NOT_READ, "gunzip")


@kind
def flipped() -> Hostiles:
    """A number of the tensor is wrong: the checksum of the archive says so when it is read."""
    content = wire.flipped(WHOLE, WHOLE.index(CONTENT["0"]) + 10)
    make = lambda run: (run / FILE).write_bytes(content) and None  # noqa: E731
    yield Hostile("pytorch_flipped_number", make, FILE, "", verified="faults")


def executing(call: bytes) -> bytes:
    """A state dictionary with a call in it."""
    return p.whole(p.dictionary({"a": call, "conv1.weight": p.tensor("0", WEIGHT.shape)}))


@kind
def executed() -> Hostiles:
    """Calls that would make a file if they were executed: they are data, and the rest is shown."""
    shell, code = f"touch {MARKER}", f"open({str(MARKER)!r}, 'w')"
    calls = {
        "os_system": p.name("os", "system") + p.text(shell) + p.TUPLE1 + p.REDUCE,
        "posix_system": p.name("posix", "system") + p.text(shell) + p.TUPLE1 + p.REDUCE,
        "eval": p.name("builtins", "eval") + p.text(code) + p.TUPLE1 + p.REDUCE,
        "exec": p.name("builtins", "exec") + p.text(code) + p.TUPLE1 + p.REDUCE,
        "open": p.name("io", "open") + p.text(str(MARKER)) + p.text("w") + p.TUPLE2 + p.REDUCE,
        "popen": p.name("subprocess", "Popen")
        + p.EMPTY_LIST
        + p.MARK
        + p.text("touch")
        + p.text(str(MARKER))
        + p.APPENDS
        + p.TUPLE1
        + p.REDUCE,
        "runpy": p.name("runpy", "run_path") + p.text(str(MARKER)) + p.TUPLE1 + p.REDUCE,
        "instance": b"(S'" + shell.encode() + b"'\nios\nsystem\n",
        "object": p.MARK + p.name("os", "system") + p.text(shell) + b"o",
        "newobj": p.name("subprocess", "Popen") + p.text(shell) + p.TUPLE1 + b"\x81",
        "setstate": p.name("os", "system") + p.EMPTY_TUPLE + b"\x81" + p.text(shell) + p.BUILD,
        "stack_global": p.text("os")
        + p.text("system")
        + b"\x93"
        + p.text(shell)
        + p.TUPLE1
        + p.REDUCE,
        "torch_load": p.name("torch", "load") + p.text("/etc/passwd") + p.TUPLE1 + p.REDUCE,
        "torch_hub": p.name("torch.hub", "load")
        + p.text("a/b")
        + p.text("c")
        + p.TUPLE2
        + p.REDUCE,
        "hook": p.name("torch._utils", "_rebuild_from_type_v2")
        + p.MARK
        + p.name("os", "system")
        + p.name("os", "system")
        + p.text(shell)
        + p.TUPLE1
        + p.EMPTY_DICT
        + p.TUPLE
        + p.REDUCE,
        "persistent": p.text(shell) + p.PERSISTENT,
        "extension": b"\x82\x01",
    }
    good = {("conv1.weight", 12): WEIGHT}
    for name, call in calls.items():
        content = p.archive(executing(call), CONTENT)
        make = lambda run, content=content: (run / "model_step_12.pt").write_bytes(content) and None  # noqa: E731
        yield Hostile(f"executes_{name}", make, "model_step_12.pt", "", good=good)
    old = p.old_file(
        p.dictionary({"a": calls["os_system"], "conv1.weight": p.tensor("0", WEIGHT.shape)}),
        CONTENT,
    )
    make_old = lambda run: (run / "model_step_12.pt").write_bytes(old) and None  # noqa: E731
    yield Hostile("executes_os_system_in_an_old_file", make_old, "model_step_12.pt", "", good=good)


@kind
def lies() -> Hostiles:
    """Lengths that no pickle has, and instructions without objects."""
    lengths = {"4": (b"X", "<I", 0xFFFFFFFF), "8": (b"\x8d", "<Q", (1 << 64) - 1)}
    lengths |= {"bytes_8": (b"\x8e", "<Q", 1 << 62), "bytearray": (b"\x96", "<Q", 1 << 40)}
    lengths |= {"long_4": (b"\x8b", "<I", 0x7FFFFFFF), "bytes_4": (b"B", "<I", 0xFFFFFFFF)}
    for name, (op, form, length) in lengths.items():
        content = p.PROTOCOL + op + struct.pack(form, length) + b"abc" + p.STOP
        yield archived(f"length_of_{name}", content, BAD)
        old = p.old_file(b"")[: len(p.old_file(b"")) - 20] + content[2:]
        yield of(f"old_pickle_length_of_{name}", FILE, old, BAD)
    long = 1 << 21
    number = b"\x8b" + struct.pack("<I", long) + b"\xff" * long
    yield archived("number_of_16_million_bits", p.whole(p.dictionary({"step": number})), "")
    digits = b"I" + b"9" * 2_000_000 + b"\n"
    yield archived("number_of_2_million_digits", p.whole(p.dictionary({"step": digits})), "")
    broken = {
        "empty_stack": b"0",
        "mark_without_end": b"(((",
        "end_without_mark": b"t",
        "get_of_nothing": p.get(9),
        "put_far_away": b"N" + p.put(0xFFFFFFF0),
        "unknown_instruction": b"\xff",
        "no_stop": p.EMPTY_DICT * 3,
        "odd_pairs": p.EMPTY_DICT + p.MARK + b"N" + p.SETS,
        "build_of_nothing": b"b",
        "reduce_of_nothing": b"R",
        "class_of_a_number": b"K\x01K\x02\x93",
        "line_without_end": b"cos",
    }
    for name, content in broken.items():
        yield archived(name, p.PROTOCOL + content + (b"" if name == "no_stop" else p.STOP), BAD)
    yield archived("empty", b"", BAD)


@kind
def circles() -> Hostiles:
    """Objects that contain themselves, or one another very often."""
    itself = p.EMPTY_LIST + p.put(0) + p.get(0) + p.APPEND
    yield archived("list_in_itself", p.whole(itself), "")
    of_itself = p.EMPTY_DICT + p.put(0) + p.text("a") + p.get(0) + p.SET
    yield archived("dict_in_itself", p.whole(of_itself), "")
    module = p.name("a", "Module") + p.EMPTY_TUPLE + b"\x81" + p.put(0)
    state = p.dictionary({"_parameters": p.EMPTY_DICT, "_modules": p.dictionary({"a": p.get(0)})})
    yield archived("module_in_itself", p.whole(module + state + p.BUILD), "")
    persistent = p.EMPTY_LIST + p.put(0) + p.get(0) + p.PERSISTENT + p.APPEND
    yield archived("storage_in_itself", p.whole(persistent), "")
    view = p.name("torch._utils", "_rebuild_parameter") + p.EMPTY_LIST + p.put(0)
    yield archived("parameter_in_itself", p.whole(view + p.get(0) + p.APPEND + p.REDUCE), "")
    laughs = p.EMPTY_LIST + p.text("lol") + p.APPEND + p.put(0)
    for level in range(1, 40):
        laughs += p.EMPTY_LIST + p.MARK + p.get(level - 1) * 10 + p.APPENDS + p.put(level)
    yield archived("billion_laughs", p.whole(laughs), "")
    tensors = p.dictionary({"a": p.tensor("0", WEIGHT.shape)}) + p.put(0)
    for level in range(1, 40):
        pairs = b"".join(p.text(str(key)) + p.get(level - 1) for key in range(10))
        tensors += p.EMPTY_DICT + p.MARK + pairs + p.SETS + p.put(level)
    yield archived("billion_tensors", p.whole(tensors), NOT_READ, "too many")


@kind
def nested() -> Hostiles:
    """Very deep and very many objects."""
    deep = p.EMPTY_LIST * 1_000_000 + p.APPEND * 999_999
    yield archived("depth_of_a_million_lists", p.whole(deep), NOT_READ)
    yield archived("depth_of_a_million_tuples", p.whole(b"N" + p.TUPLE1 * 1_000_000), NOT_READ)
    yield archived("depth_of_a_million_marks", p.whole(p.MARK * 1_000_000), NOT_READ)
    calls = p.name("a", "b") + p.put(0) + p.EMPTY_TUPLE
    calls += (p.TUPLE1 + p.get(0) + b"\x85" + p.POP) * 500_000
    yield archived("depth_of_many_calls", p.whole(calls), NOT_READ)
    for name, one in (("lists", b"]Na0"), ("dicts", b"}NNs0"), ("objects", b"cos\na\n)R0")):
        yield archived(f"of_1400000_{name}", p.whole(one * 1_400_000 + b"N"), NOT_READ, "too many")
    yield archived("of_20_million_nones", p.whole(b"N" * 20_000_000), NOT_READ, "too many")
    items = p.EMPTY_LIST + (p.MARK + b"N" * 1_000 + p.APPENDS) * 3_900
    yield archived("list_of_3900000", p.whole(items), "")
    texts = p.text("x" * 47_000_000)
    yield archived("text_of_47_megabytes", p.whole(p.dictionary({"a": texts})), "")
    yield archived("of_60_megabytes", p.whole(p.text("x" * 60_000_000)), NOT_READ, "bytes")
    old = p.old_file(p.text("x" * 60_000_000))
    yield of("old_pickle_of_60_megabytes", FILE, old, NOT_READ, "too many")


@kind
def shapes() -> Hostiles:
    """Tensors whose shapes, strides and places lie."""
    tensors = {
        "beyond_its_storage": p.tensor("0", (9, 3, 3, 3)),
        "at_2_to_62": p.tensor("0", (1,), offset=1 << 62),
        "at_minus_1": p.tensor("0", (1,), offset=-1),
        "of_2_to_62": p.tensor("0", (1 << 62,), count=1 << 62),
        "of_huge_strides": p.tensor("0", (2, 2), stride=(1 << 62, 1 << 62)),
        "of_other_strides": p.tensor("0", (2, 2), stride=(1,)),
        "of_2_to_64_strides": p.tensor("0", (3, 3), stride=((1 << 64) - 1, 1)),
        "of_a_missing_storage": p.tensor("9", (1,)),
        "of_a_storage_above": p.tensor("../data.pkl", (1,)),
        "of_40_axes": p.tensor("0", (1,) * 40),
        "of_overflow": p.tensor("0", (1 << 32, 1 << 32), stride=(0, 0)),
    }
    for name, tensor in tensors.items():
        yield archived(f"tensor_{name}", p.whole(p.dictionary({"a": tensor})), NOT_READ)
    # Strides of 0 make few numbers many: the series is listed, and its numbers are not made.
    repeated = p.tensor("0", (1 << 15, 1 << 15), stride=(0, 0), count=1)
    yield archived("tensor_of_4_gib_by_strides", p.whole(p.dictionary({"a.weight": repeated})), "")
    shape = p.numbers((1,) * 1_000_000) + p.put(0) + p.POP
    hooks = p.name("collections", "OrderedDict") + p.EMPTY_TUPLE + p.REDUCE
    call = p.name("torch._utils", "_rebuild_tensor_v2")
    view = p.storage("0", 1) + p.integer(0) + p.get(0) + p.get(0) + p.FALSE + hooks
    one = call + p.MARK + view + p.TUPLE + p.REDUCE
    many = shape + p.dictionary({f"t{idx}": one for idx in range(1_000)})
    yield archived("tensors_of_a_million_axes", p.whole(many), NOT_READ, "axes")
    one = p.tensor("0", (1,)) + p.put(0) + p.POP

    def several() -> bytes:
        tensors = {f"t{idx}": p.tensor("0", (1,)) for idx in range(150_000)}
        return p.whole(p.dictionary(tensors))

    def million() -> bytes:
        pairs = b"".join(p.text(f"{idx:x}") + p.get(0) for idx in range(1_000_000))
        return p.whole(one + p.EMPTY_DICT + p.MARK + pairs + p.SETS)

    yield archived("of_150000_tensors", several, NOT_READ, "too many")
    yield archived("of_a_million_tensors", million, NOT_READ, "too many")
    named = one + p.text("n" * 999) + p.put(1) + p.POP + p.get(0) + p.put(2)
    for level in range(3, 60):
        named += p.EMPTY_DICT + p.get(1) + p.get(level - 1) + p.SET + p.put(level)
    top = b"".join(p.text(f"{idx:x}") + p.get(59) for idx in range(100_000))
    yield archived(
        "names_of_60_kilobytes", p.whole(named + p.EMPTY_DICT + p.MARK + top + p.SETS), NOT_READ
    )
