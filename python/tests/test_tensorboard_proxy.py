"""What the tab passes on, against a daemon that is played line by line."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from convscope.tensorboard.address import Absent, Address, Attached, Unavailable
from convscope.tensorboard.proxy import Proxy

Script = Callable[[socket.socket, bytes], Any]
HANG_S = 60


class Played:
    """A daemon that says what its script says, once for each connection."""

    def __init__(self, script: Script) -> None:
        self.requests: list[bytes] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += client.recv(65536)
            self.requests.append(asked)
            self._script(client, asked)


Play = Callable[[Script], Played]


@pytest.fixture
def play() -> Iterator[Play]:
    """Makes daemons of scripts."""
    made: list[Played] = []

    def make(script: Script) -> Played:
        made.append(Played(script))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Reply:
    """What a WSGI server is given for one request."""

    def __init__(self, proxy: Proxy, path: str, query: str = "", **environ: object) -> None:
        self.status, self.headers = "", dict[str, str]()
        given = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/p{path}", "QUERY_STRING": query}
        self.body = proxy(given | environ, self._start)

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status, self.headers = status, {name.lower(): value for name, value in headers}

    def read(self) -> bytes:
        return b"".join(self.body)

    def read_to(self, end: bytes) -> bytes:
        seen, pieces = b"", iter(self.body)
        while end not in seen:
            seen += next(pieces)
        return seen

    def close(self) -> None:
        if hasattr(self.body, "close"):
            self.body.close()


def head(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_film_is_passed_on_while_it_is_made(play: Play) -> None:
    go_on = threading.Event()

    def film(client: socket.socket, _: bytes) -> None:
        client.sendall(head("Transfer-Encoding: chunked", 'ETag: "e"') + chunk(b"first"))
        assert go_on.wait(HANG_S)
        client.sendall(chunk(b"second") + b"0\r\n\r\n")

    with closing(Reply(Proxy(play(film), "/p"), "/api/v1/film")) as reply:
        assert reply.read_to(b"first") == b"first"
        go_on.set()
        assert reply.read() == b"second"
        assert reply.headers == {"etag": '"e"', "x-content-type-options": "nosniff"}


@pytest.mark.parametrize(
    "answer",
    [
        head("Content-Length: 9") + b"half",
        head("Transfer-Encoding: chunked") + chunk(b"half"),
        head("Transfer-Encoding: chunked") + b"9\r\nhalf",
    ],
)
def test_a_body_that_breaks_off_does_not_look_whole(play: Play, answer: bytes) -> None:
    ours, browsers = socket.socketpair()
    proxy = Proxy(play(lambda client, _: client.sendall(answer)), "/p")
    with ours, browsers, closing(Reply(proxy, "/x", **{"werkzeug.socket": ours})) as reply:
        with pytest.raises(ConnectionAbortedError, match="broke off"):
            reply.read()
        assert browsers.recv(1) == b""


def test_beyond_the_limit_a_stream_is_its_first_event_and_when_to_ask_again(play: Play) -> None:
    left = threading.Semaphore(0)

    def live(client: socket.socket, _: bytes) -> None:
        # The first event comes in two pieces, and the next one follows in the second.
        start = head("Content-Type: text/event-stream", "Transfer-Encoding: chunked")
        client.sendall(start + chunk(b"event:revision\nda"))
        client.sendall(chunk(b"ta:1\n\nevent:revision\ndata:2\n\n"))
        client.recv(1)
        left.release()

    proxy = Proxy(play(live), "/p", most_streams=2)
    first, second, third = (Reply(proxy, "/api/v1/live") for _ in range(3))
    assert third.read() == b"event:revision\ndata:1\n\nevent:again\ndata:1000\n\n"
    third.close()
    first.read_to(b"data:2\n\n")
    first.close()
    for _ in range(2):
        assert left.acquire(timeout=HANG_S), "the daemon hears that nobody listens any more"
    fourth = Reply(proxy, "/api/v1/live")
    fourth.read_to(b"data:2\n\n")
    second.close()
    fourth.close()


def test_queries_and_validators_arrive_as_they_were_sent(play: Play) -> None:
    daemon = play(lambda client, _: client.sendall(head("Content-Length: 0")))
    query = "run=a%2Fb&tag=a+b&tag=%E4%B8&&z&q=~'()"
    given = {"HTTP_IF_NONE_MATCH": '"e"', "HTTP_COOKIE": "c=1", "HTTP_HOST": "evil.example"}
    Reply(Proxy(daemon, "/p"), "/api/v1/sheet", query, **given).close()
    Reply(Proxy(daemon, "/p"), "/a b\n\xc3\xa4", "x=\xff\r\nHost:y").close()
    first, second = (request.decode() for request in daemon.requests)
    assert first.startswith(f"GET /api/v1/sheet?{query} HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{daemon.port}\r\n" in first and 'If-None-Match: "e"' in first
    assert "c=1" not in first and "evil" not in first and "Accept-Encoding" not in first
    assert second.startswith("GET /a%20b%0A%C3%A4?x=%FF%0D%0AHost:y HTTP/1.1\r\n")


def test_a_daemon_that_left_is_looked_for_once_more(play: Play) -> None:
    daemon = play(lambda client, _: client.sendall(head("Content-Length: 2") + b"ok"))
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    addresses = [daemon.address(), Address("127.0.0.1", port)]

    class Moved(Attached):
        def address(self) -> Address:
            return addresses.pop()

    with closing(Reply(Proxy(Moved(""), "/p"), "/x")) as reply:
        assert (reply.status, reply.read()) == ("200 OK", b"ok")


def test_what_is_no_http_is_a_bad_gateway(play: Play) -> None:
    proxy = Proxy(play(lambda client, _: client.sendall(b"SSH-2.0-x\r\n")), "/p")
    reply = Reply(proxy, "/api/v1/runs")
    assert reply.status == "502 Bad Gateway"
    assert json.loads(reply.read())["code"] == "bad_gateway"


def test_without_a_daemon_the_page_says_why_and_the_api_too() -> None:
    proxy = Proxy(Absent("no <program>"), "/p")
    page = Reply(proxy, "/index.html")
    assert page.status == "503 Service Unavailable"
    assert b"no &lt;program&gt;" in page.read()
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    refused = Reply(proxy, "/api/v1/runs")
    expected = {"code": "service_unavailable", "message": "no <program>"}
    assert json.loads(refused.read()) == expected
    assert Reply(proxy, "/api/v1/runs", REQUEST_METHOD="HEAD").read() == b""
    assert Reply(proxy, "/api/v1/runs", REQUEST_METHOD="POST").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:6007/", Address("localhost", 6007)),
        ("gpu-box:6007", Address("gpu-box", 6007)),
        ("http://[::1]:6007/a/b/?token=x%20y", Address("::1", 6007, "/a/b", token="x y")),
        ("https://kernels.example", Address("kernels.example", 443, is_https=True)),
    ],
)
def test_addresses_are_read_as_they_are_printed(url: str, expected: Address) -> None:
    assert Attached(url).address() == expected


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:port/", "http://[::1", "/tmp"])
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(Unavailable, match="is no address"):
        Attached(url).address()


def test_a_host_of_version_6_has_brackets_and_a_token_is_not_shown() -> None:
    address = Address.parse("http://[::1]:6007/?token=secret")
    assert address.headers() == {"Host": "[::1]:6007", "Authorization": "Bearer secret"}
    assert "secret" not in repr(address)
