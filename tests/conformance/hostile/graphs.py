"""Logged graphs and Keras models that are deep, endless, huge or invalid."""

from __future__ import annotations

import json

import wire
from case import AROUND, Case, Cases, between, kind

MAY = ("bad_graph",)


def node(name: str, operation: str, *inputs: str, attributes: bytes = b"") -> bytes:
    """A NodeDef."""
    content = wire.block(1, name.encode()) + wire.block(2, operation.encode())
    return content + b"".join(wire.block(3, one.encode()) for one in inputs) + attributes


def attribute(name: str, content: bytes) -> bytes:
    """An entry of a node's attributes."""
    return wire.block(5, wire.block(1, name.encode()) + wire.block(2, content))


def graph(*nodes: bytes, library: bytes = b"") -> bytes:
    """A record with a GraphDef."""
    content = b"".join(wire.block(1, one) for one in nodes) + (
        wire.block(2, library) if library else b""
    )
    return wire.record(wire.double(1, wire.WALL_TIME) + wire.block(4, content))


def function(name: str, *nodes: bytes) -> bytes:
    """A FunctionDef of a library."""
    return wire.block(
        1,
        wire.block(1, wire.block(1, name.encode())) + b"".join(wire.block(3, one) for one in nodes),
    )


def called(name: str, callee: str) -> bytes:
    """A node that calls a function."""
    return node(
        name,
        "PartitionedCall",
        attributes=attribute("f", wire.block(10, wire.block(1, callee.encode()))),
    )


def convolution(name: str, *inputs: str) -> bytes:
    """A Conv2D."""
    return node(name, "Conv2D", *inputs)


@kind("graphs")
def broken_graphs() -> Cases:
    """Bytes in the place of a graph that are not a graph."""
    event = wire.double(1, wire.WALL_TIME)
    broken = {
        "noise": b"\x0f\xff" * 99,
        "cut": wire.block(1, b"\x0a\x7fabc"),
        "text": b"node { name: 'a' }",
    }
    for name, content in broken.items():
        record = wire.record(event + wire.block(4, content))
        yield Case(f"graph_of_{name}", between(record), ("bad_graph",), good=AROUND)
        meta = wire.record(event + wire.block(9, wire.block(2, content)))
        yield Case(f"meta_graph_of_{name}", between(meta), ("bad_graph",), good=AROUND)
    damaged = wire.flipped(graph(convolution("c", "x", "k")), 30)
    yield Case(
        "graph_with_a_flipped_bit",
        between(damaged),
        may=("bad_graph", "bad_payload_crc"),
        good=AROUND,
    )
    often = graph(convolution("c", "x", "k")) * 2_000
    yield Case("graph_2000_times", between(often), may=MAY, good=AROUND)


@kind("graphs")
def endless_graphs() -> Cases:
    """Nodes that feed themselves, functions that call themselves, calls that double."""
    cycle = [node("a", "Identity", "c"), node("b", "Identity", "a"), node("c", "Identity", "b")]
    cycle.append(node("s", "TensorSummaryV2", "t", "a", "m"))
    yield Case("graph_in_a_circle", between(graph(*cycle)), may=MAY, good=AROUND)
    itself = graph(
        called("start", "f"), library=function("f", called("again", "f"), called("twice", "f"))
    )
    yield Case("graph_of_a_recursive_function", between(itself), may=MAY, good=AROUND)
    levels = b"".join(
        function(f"f{n}", called("a", f"f{n + 1}"), called("b", f"f{n + 1}")) for n in range(60)
    )
    double = graph(
        called("start", "f0"), library=levels + function("f60", convolution("c", "x", "k"))
    )
    yield Case("graph_that_doubles_60_times", between(double), may=MAY, good=AROUND)
    chain = [node(f"n{n}", "Identity", f"n{n + 1}") for n in range(50_000)]
    chain += [convolution("c", "n0", "k"), node("s", "TensorSummaryV2", "t", "n0", "m")]
    yield Case("graph_of_a_long_chain", between(graph(*chain)), may=MAY, good=AROUND)


@kind("graphs")
def huge_graphs() -> Cases:
    """Very many nodes, inputs, attributes, and names of megabytes."""
    many = graph(*(convolution(f"c{n}", f"c{n - 1}", f"k{n}") for n in range(250_000)))
    yield Case("graph_of_250000_nodes", between(many), may=MAY, good=AROUND)
    wide = graph(
        node("wide", "AddN", *(f"x{n}" for n in range(300_000))), convolution("c", "wide", "k")
    )
    yield Case("graph_of_300000_inputs", between(wide), may=MAY, good=AROUND)
    starry = [convolution(f"c{n}", "hub", f"k{n}") for n in range(20_000)] + [
        node("hub", "Placeholder")
    ]
    yield Case("graph_of_a_star", between(graph(*starry)), may=MAY, good=AROUND)
    dense = [
        node(f"n{n}", "AddN", *(f"n{m}" for m in range(max(0, n - 60), n))) for n in range(2_000)
    ]
    dense += [convolution("c", "n1999", "k"), node("s", "TensorSummaryV2", "t", "c", "m")]
    yield Case("graph_of_many_ways", between(graph(*dense)), may=MAY, good=AROUND)
    long = graph(node("n" * (2 << 20), "Conv2D", "x" * (1 << 20)))
    yield Case("graph_of_long_names", between(long), may=MAY, good=AROUND)
    same = graph(*([convolution("c", "c", "c")] * 50_000))
    yield Case("graph_of_one_name", between(same), may=MAY, good=AROUND)
    deep = b""
    for _ in range(3_000):
        deep = wire.block(10, wire.block(2, wire.block(1, b"a") + wire.block(2, deep)))
    nested = graph(node("n", "Conv2D", "x", "k", attributes=attribute("f", deep)))
    yield Case("graph_of_nested_attributes", between(nested), may=MAY, good=AROUND)
    strides = wire.block(1, wire.block(3, b"".join(wire.varint(-1) for _ in range(100_000))))
    odd = graph(node("c", "Conv2D", "x", "k", attributes=attribute("strides", strides)))
    yield Case("graph_of_odd_strides", between(odd), may=MAY, good=AROUND)


@kind("graphs")
def keras_models() -> Cases:
    """The JSON of a model, as Keras's callback logs it, and in forms that nobody logs."""
    layer = {"class_name": "Conv2D", "config": {"name": "c", "kernel_size": [3, 3], "filters": 4}}
    nested: dict = layer
    for _ in range(100):
        nested = {"class_name": "Sequential", "config": {"name": "m", "layers": [nested]}}
    models = {
        "cut": b'{"class_name": "Sequential", "config": ',
        "no_text": b"\xff\xfe\x00",
        "of_brackets": b"[" * 1_000_000,
        "of_nested_objects": b'{"config":' * 200_000,
        "of_nested_models": json.dumps(nested).encode(),
        "of_9_megabytes": b'{"class_name": "' + b"x" * (9 << 20) + b'"}',
        "of_50000_layers": json.dumps(
            {"class_name": "Sequential", "config": {"layers": [layer] * 50_000}}
        ).encode(),
        "of_odd_numbers": json.dumps(
            {
                "class_name": "Sequential",
                "config": {
                    "layers": [
                        {
                            "class_name": "Conv2D",
                            "config": {
                                "name": "c",
                                "kernel_size": [-1, 1e308],
                                "filters": -5,
                                "strides": [0, 0],
                            },
                        }
                    ]
                },
            }
        ).encode(),
        "of_a_circle": json.dumps(
            {
                "class_name": "Functional",
                "config": {
                    "layers": [
                        {
                            "class_name": "Conv2D",
                            "name": "a",
                            "config": {"name": "a"},
                            "inbound_nodes": [[["b", 0, 0, {}]]],
                        },
                        {
                            "class_name": "Conv2D",
                            "name": "b",
                            "config": {"name": "b"},
                            "inbound_nodes": [[["a", 0, 0, {}]]],
                        },
                    ]
                },
            }
        ).encode(),
        "of_nothing": b"",
        "of_null": b"null",
    }
    for name, model in models.items():
        content = wire.number(1, 7) + wire.shape(()) + wire.block(8, model)
        record = wire.logged("keras", 0, content, wire.metadata("graph_keras_model"))
        yield Case(f"model_{name}", between(record), may=MAY, good=AROUND)
