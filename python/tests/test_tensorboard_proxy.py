"""What the tab forwards, tested with a fake daemon that follows a script."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection

import pytest
from tensorboard_played import HANG_S, Play, Reply, chunk, head, playing

from convscope.tensorboard import proxy as proxies
from convscope.tensorboard.address import Address
from convscope.tensorboard.backend import Absent, Attached
from convscope.tensorboard.proxy import Proxy


@pytest.fixture
def play() -> Iterator[Play]:
    """Makes fake daemons from scripts."""
    with playing() as make:
        yield make


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
        expected = {"etag": '"e"', "x-content-type-options": "nosniff"}
        assert reply.headers == expected | {"content-type": "application/octet-stream"}


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


def test_who_may_frame_the_page_is_for_tensorboard_to_say(play: Play) -> None:
    policy = "Content-Security-Policy: default-src 'none'; base-uri 'none'; frame-ancestors 'self'"
    answer = head(policy, "Content-Length: 1") + b"x"
    proxy = Proxy(play(lambda client, _: client.sendall(answer)), "/p")
    with closing(Reply(proxy, "/index.html")) as reply:
        assert reply.read() == b"x"
        assert reply.headers["content-security-policy"] == "default-src 'none'; base-uri 'none'"


def test_beyond_the_limit_a_stream_is_its_first_event_and_when_to_ask_again(play: Play) -> None:
    left = threading.Semaphore(0)

    def live(client: socket.socket, _: bytes) -> None:
        # The first event comes in two pieces, and the next one follows in the second.
        start = head("Content-Type: text/event-stream", "Transfer-Encoding: chunked")
        client.sendall(start + chunk(b"event:revision\nda"))
        client.sendall(chunk(b"ta:1\n\nevent:revision\ndata:2\n\n"))
        with suppress(ConnectionResetError):  # If something was not read.
            client.recv(1)
        left.release()

    proxy = Proxy(play(live), "/p", most_streams=2)
    # The daemon has the same stream at each of them.
    paths = ("/api/v1/live", "/api/v1/live/", "/api/v1/live/")
    first, second, third = (Reply(proxy, path) for path in paths)
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
    proxy = Proxy(play(lambda client, _: client.sendall(b"SSH-2.0\x1b\r\n")), "/p")
    reply = Reply(proxy, "/api/v1/runs")
    assert reply.status == "502 Bad Gateway"
    refused = json.loads(reply.read())
    assert refused["code"] == "bad_gateway" and refused["message"].endswith(
        "(SSH-2.0\ufffd): play it again"
    )


def test_words_may_hold_bytes_of_a_path_that_are_no_text() -> None:
    proxy = Proxy(Absent("gs://\udcff"), "/p")
    assert b"gs://\\udcff" in Reply(proxy, "/index.html").read()
    assert json.loads(Reply(proxy, "/api/v1/runs").read())["message"] == "gs://\udcff"


def test_an_address_where_nobody_listens_is_named_without_its_token() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        place = f"127.0.0.1:{gone.getsockname()[1]}/x"
    proxy = Proxy(Attached(f"http://name:secret@{place}?token=secret"), "/p")
    page = Reply(proxy, "/index.html").read().decode()
    assert f"start convscope serve at http://{place}, or correct --convscope_url" in page
    assert "secret" not in page


def test_a_silent_page_is_given_up_before_a_silent_film(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxies, "PAGE_WITHIN_S", 0.01)
    is_asked_for = threading.Event()

    def silent(client: socket.socket, asked: bytes) -> None:
        assert is_asked_for.wait(HANG_S)
        client.sendall(head("Content-Length: 0"))

    proxy = Proxy(play(silent), "/p")
    page = Reply(proxy, "/index.html")
    assert page.status == "504 Gateway Timeout" and b"or play it again" in page.read()
    is_asked_for.set()
    with closing(Reply(proxy, "/api/v1/film")) as film:
        assert film.status == "200 OK"


def test_pages_have_seconds_and_the_api_minutes(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience: list[float] = []

    def note(_: Address, answer_within_s: float) -> HTTPConnection:
        patience.append(answer_within_s)
        raise TimeoutError

    monkeypatch.setattr(Address, "connect", note)
    proxy = Proxy(Attached("http://x"), "/p")
    for path in ("/", "/assets/page.js", "/api/v1/live"):
        Reply(proxy, path)
    assert patience == [10, 10, 120]


def test_a_request_that_comes_back_is_refused(play: Play) -> None:
    daemon = play(lambda client, _: client.sendall(head("Content-Length: 0")))
    proxy = Proxy(daemon, "/p")
    given = {"HTTP_X_CONVSCOPE_TAB": "another"}
    with closing(Reply(proxy, "/x", **given)) as reply:
        assert reply.status == "200 OK", "a tab may show another one's"
    (request,) = daemon.requests
    sent = next(line for line in request.split(b"\r\n") if line.startswith(b"X-ConvScope-Tab: "))
    names = sent.decode().partition(": ")[2]
    assert names.startswith("another, ") and names.count(",") == 1
    page = Reply(proxy, "/index.html", HTTP_X_CONVSCOPE_TAB=f"{names}, third")
    assert page.status == "508 Loop Detected"
    assert b"--convscope_url names this TensorBoard itself" in page.read()
    assert len(daemon.requests) == 1


def test_a_path_does_not_lead_out_of_what_is_before_it(play: Play) -> None:
    daemon = play(lambda client, _: client.sendall(head("Content-Length: 0")))

    class Below(Attached):
        def address(self) -> Address:
            return Address("127.0.0.1", daemon.port, "/below")

    proxy = Proxy(Below(""), "/p")
    assert Reply(proxy, "/../secret").status == "400 Bad Request"
    with closing(Reply(proxy, "/a..b")) as reply:
        assert reply.status == "200 OK"
    assert [request.split()[1] for request in daemon.requests] == [b"/below/a..b"]


def test_what_has_no_type_is_bytes_but_where_the_browser_has_it(play: Play) -> None:
    def known(client: socket.socket, _: bytes) -> None:
        client.sendall(b"HTTP/1.1 304 Not Modified\r\n\r\n")

    assert "content-type" not in Reply(Proxy(play(known), "/p"), "/x").headers
    untyped = play(lambda client, _: client.sendall(head("Content-Length: 0")))
    with closing(Reply(Proxy(untyped, "/p"), "/x")) as reply:
        assert reply.headers["content-type"] == "application/octet-stream"


def test_without_a_daemon_the_page_says_why_and_the_api_too() -> None:
    proxy = Proxy(Absent("no <program>"), "/p")
    page = Reply(proxy, "/index.html")
    assert page.status == "503 Service Unavailable"
    words = page.read()
    assert b"no &lt;program&gt;" in words
    assert b'<a href="">' in words, "the query, which says what is looked at, is asked for again"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    refused = Reply(proxy, "/api/v1/runs")
    expected = {"code": "service_unavailable", "message": "no <program>"}
    assert json.loads(refused.read()) == expected
    assert Reply(proxy, "/api/v1/runs", REQUEST_METHOD="HEAD").read() == b""
    assert Reply(proxy, "/api/v1/runs", REQUEST_METHOD="POST").headers["allow"] == "GET, HEAD"
