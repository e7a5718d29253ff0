"""Requests over HTTP that are malformed, endless or absurd."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from case import TAG, Wrong
from deeds import GOOD, Deed, Deeds, World, group
from program import HOST

OF_GOOD = f"run={GOOD}&tag={TAG.replace('/', '%2F')}"


def connection(world: World) -> socket.socket:
    """A connection to the program."""
    return socket.create_connection((HOST, world.program.port), timeout=15)


def said(world: World, request: bytes, limit: int = 1 << 16) -> bytes:
    """The response to some bytes, up to its end or a limit."""
    out = b""
    with connection(world) as stream:
        with contextlib.suppress(OSError):
            stream.sendall(request)
        with contextlib.suppress(OSError):
            while len(out) < limit and (some := stream.recv(1 << 16)):
                out += some
    return out


def status_of(answer: bytes) -> int:
    """The status of a response; 0 if the connection was closed without one."""
    head = answer.split(b" ", 2)
    return (
        int(head[1]) if len(head) > 1 and head[0].startswith(b"HTTP/") and head[1].isdigit() else 0
    )


def raw(request: bytes, *allowed: int) -> Callable[[World], None]:
    """Some bytes, and the allowed statuses of the response; 0 for a closed connection."""

    def act(world: World) -> None:
        status = status_of(said(world, request))
        if status not in allowed:
            raise Wrong(f"{request[:60]!r} gave {status}")

    return act


def get(address: str, headers: str = "Host: localhost\r\n") -> bytes:
    """The bytes of a request that ends its connection."""
    return f"GET {address} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode()


@group("requests")
def malformed_requests() -> Deeds:
    """Bytes that are not, or not quite, HTTP."""
    health = "/api/v1/health"
    closed = (0, 400, 408, 414, 431)
    yield Deed("request_of_noise", raw(b"\x00\x01\x02\xff" * 500 + b"\r\n\r\n", *closed))
    yield Deed(
        "request_of_tls", raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), *closed)
    )
    yield Deed(
        "request_of_http_2", raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), *closed, 505)
    )
    yield Deed("request_of_http_0_9", raw(b"GET /\r\n\r\n", *closed))
    yield Deed("request_of_newlines", raw(b"\r\n" * 50_000 + get(health), *closed, 200))
    for length in (9_000, 70_000, 2_000_000):
        yield Deed(f"address_of_{length}", raw(get(f"{health}?{'a' * length}"), *closed))
    yield Deed("address_of_a_long_tag", raw(get(f"/api/v1/sheet?tag={'k' * 30_000}"), *closed, 404))
    yield Deed(
        "header_of_a_megabyte",
        raw(get(health, f"Host: localhost\r\nX: {'a' * 1_000_000}\r\n"), *closed),
    )
    many = "Host: localhost\r\n" + "".join(f"X{n}: a\r\n" for n in range(5_000))
    yield Deed("header_5000_times", raw(get(health, many), *closed))
    yield Deed("host_is_foreign", raw(get(health, "Host: evil.example\r\n"), 421))
    yield Deed(
        "host_twice", raw(get(health, "Host: localhost\r\nHost: evil.example\r\n"), 400, 421)
    )
    yield Deed("host_after_an_address", raw(get(health, "Host: [::1]evil.example\r\n"), 400, 421))
    yield Deed("host_with_a_user", raw(get(f"http://localhost@evil.example{health}"), 400, 421))
    yield Deed("host_of_the_address_is_foreign", raw(get(f"http://evil.example{health}"), 400, 421))
    yield Deed("host_missing", raw(get(health, ""), 400, 421))
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"):
        request = get(health).replace(b"GET", method.encode(), 1)
        yield Deed(f"method_{method.lower()}", raw(request, 405))
    connect = b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    yield Deed("method_connect", raw(connect, 400, 405, 421))
    body = f"GET {health} HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\n\r\n"
    yield Deed("body_of_a_negative_length", raw((body % "-1").encode(), *closed))
    yield Deed(
        "body_of_exabytes",
        raw((body % "9223372036854775807").encode() + bytes(99_999), *closed, 200, 413),
    )
    chunks = (
        f"GET {health} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    yield Deed(
        "body_of_a_huge_chunk", raw(chunks + b"ffffffffffffffff\r\n" + bytes(99_999), *closed, 200)
    )
    both = chunks.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n") + b"0\r\n\r\n"
    yield Deed("body_of_two_lengths", raw(both, *closed, 200))


SHEETS = (
    """
    zoom=0 zoom=64&cols=1 zoom=65 zoom=-1 zoom=9999999999999999999999 zoom=1e3 zoom=%00
    cols=0 cols=100000 cols=18446744073709551616 cols=4294967295&zoom=64&gutter=64
    gutter=65 gutter=-0 channels=0-99999999999 channels=99 channels=- channels=3-1
    range=fixed:nan:inf range=fixed:1:0 range=fixed:1e999:2 range=fixed:-3.4e38:3.4e38
    range=fixed:0:1e-320 range=percentile:101 range=percentile:-1 range=percentile:nan
    range=std:0 range=std:-1 range=std:1e308 blend=nan blend=2 blend=-1 blend=1e-320
    layout=ZZZZ layout=HHHH layout=HWIO&view=maps layout=NHWC view=%ff
    view=components&order=similarity order=similarity&labels=index&zoom=64 unknown=1 tag=again
    step=99999999999999999999 step=-1 step=1.5 attempt=18446744073709551616 attempt=1 attempt=-1
    sample=99999999999 slice=4294967296 cmap=../../etc/passwd format=tiff minus_step=99
    minus_run=nowhere match=cosine minus_step=0&match=cosine&view=components
    scope=run&range=zscale&blend=1
""".split()
    + ["channels=" + "0-3," * 2_000 + "0", "channels=" + "0" * 9_000, "v=" + "x" * 5_000]
)
FILMS = """
    fps=0 fps=nan fps=1e9 fps=-1 every=0 every=18446744073709551616 every=99 from=9&to=1 to=nan
    from=-9223372036854775808&to=9223372036854775807 format=avi stamp=yes zoom=64&cols=1&gutter=64
""".split()
NUMBERS = """
    steps=all points=0 points=99999999999 dead_over=nan format=csv from=9&to=1 steps=%00 layout=Z
    steps=all&points=18446744073709551615 steps=all&from=-9223372036854775808
""".split()
OPTIONS = {
    "sheet": SHEETS,
    "sheet/info": SHEETS,
    "values": SHEETS,
    "difference": [*SHEETS, *(f"minus_step=0&{option}" for option in SHEETS)],
    "film": FILMS + SHEETS,
    "stats": NUMBERS,
    "range": SHEETS,
    "tensor": SHEETS,
}
ENCODINGS = (
    """
    % %zz %0 %ff%fe %00 + &&& = tag tag=%f0%28%8c%bc ;tag=a tag[]=a
""".split()
    + ["a" * 6_000]
)
PATHS = """
    series steps sheet sheet/info film stats tensor range health colormap live skipped values runs
    difference options openapi.json
""".split()
ELSEWHERE = (
    """
    /.. /../../etc/passwd /%2e%2e/%2e%2e/etc/passwd //etc/passwd /assets/..%2f..%2fetc/passwd
    /\\..\\ /%00 /api/v1/ /api/v1//health /api/v2/health /.convscope.toml *
""".split()
    + ["/" + "a/" * 3_000]
)


@group("requests")
def absurd_options() -> Deeds:
    """Options that are huge or empty, each answered by a status for a bad request."""

    def asked(path: str, options: list[str]) -> Callable[[World], None]:
        def act(world: World) -> None:
            for option in options:
                status, body = world.program.get_raw(f"/api/v1/{path}?{OF_GOOD}&{option}", option)
                if status not in (200, 400, 404, 414, 415, 422, 503):
                    raise Wrong(f"{path} {option[:80]} gave {status}: {body[:100]!r}")

        return act

    for path, options in OPTIONS.items():
        yield Deed(f"options_of_{path.replace('/', '_')}", asked(path, options))


@group("requests")
def bad_encodings() -> Deeds:
    """Malformed queries, and paths that lead elsewhere."""

    def encoded(path: str) -> Callable[[World], None]:
        def act(world: World) -> None:
            for query in ENCODINGS:
                status = status_of(said(world, get(f"/api/v1/{path}?{query}"), limit=100))
                if status not in (200, 400, 404, 414, 422, 431):
                    raise Wrong(f"{path}?{query[:40]} gave {status}")

        return act

    def elsewhere(world: World) -> None:
        for path in ELSEWHERE:
            answer = said(world, get(path))
            if status_of(answer) not in (0, 400, 404, 414) or b"root:" in answer:
                raise Wrong(f"{path[:60]} gave {answer[:60]!r}")

    for path in PATHS:
        yield Deed(f"encodings_of_{path.replace('/', '_')}", encoded(path))
    yield Deed("paths_that_lead_away", elsewhere)
