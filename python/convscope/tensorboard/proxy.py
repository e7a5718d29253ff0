"""A request to TensorBoard -> the same request to the daemon, and its answer as it comes.

Bodies are passed on in pieces, so a film is never in memory. Queries and validators (``ETag``,
``If-None-Match``) are passed as they are. TensorBoard has a thread for each open answer; event
streams stay open, so there are at most ``MOST_STREAMS`` of them. Whoever comes later gets the first
event, which says where things stand, and one that says when to ask again, and so polls.
"""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

from .address import ANSWER_WITHIN_S, Address, Backend, Unavailable
from .pages import Headers, StartResponse, refusal
from .said import printable

Environ = dict[str, Any]

MOST_STREAMS = 32
PIECE_BYTES = 1 << 16
PAGE_WITHIN_S = 10
"""The page and its parts lie ready; only what is below ``_API`` may take longer."""
_API = "/api/v1/"
_EVENTS = "text/event-stream"
_POLICY = "content-security-policy"
_AGAIN = b"event:again\ndata:1000\n\n"
"""An event of ours, behind the first one: ask again in so many milliseconds."""
# What the daemon reads. Cookies and passwords are for TensorBoard, or for a proxy before it.
_PASSED = ("ACCEPT", "ACCEPT_ENCODING", "IF_NONE_MATCH", "RANGE", "IF_RANGE", "LAST_EVENT_ID")
# Names the tabs that passed a request on, so that one sees its own come back.
_PASSED_BY = "X-ConvScope-Tab"
# They belong to one connection (RFC 9110, 7.6.1), or TensorBoard's server writes its own.
_KEPT_BACK = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer")
    + ("transfer-encoding", "upgrade", "date", "server", "set-cookie")
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class Outside(Exception):
    """A path that may lead out of what stands before the daemon's paths."""


class Proxy:
    """A WSGI application below ``/data/plugin/convscope``."""

    def __init__(self, backend: Backend, prefix: str, most_streams: int = MOST_STREAMS) -> None:
        """Connects to nothing yet.

        Args:
            backend: Whom to ask.
            prefix: What TensorBoard puts before our paths, without a slash behind.
            most_streams: How many event streams may be open at once.
        """
        self._backend = backend
        self._prefix = prefix
        self._name = secrets.token_hex(8)
        self._streams = threading.BoundedSemaphore(most_streams)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; never raises for what the daemon does."""
        path = environ.get("PATH_INFO", "").removeprefix(self._prefix)
        method = environ["REQUEST_METHOD"]

        def refuse(status: HTTPStatus, message: str, *more: tuple[str, str]) -> Iterable[bytes]:
            line, headers, body = refusal(path, status, message)
            start_response(line, headers + list(more))
            return [] if method == "HEAD" else [body]

        if method not in ("GET", "HEAD"):
            words = f"{method} is not for ConvScope, which only shows: use GET"
            return refuse(HTTPStatus.METHOD_NOT_ALLOWED, words, ("Allow", "GET, HEAD"))
        passed_by = _passed_by(environ)
        if self._name in passed_by:
            words = "--convscope_url names this TensorBoard itself: name a convscope serve"
            return refuse(HTTPStatus.LOOP_DETECTED, words)
        try:
            connection, response = self._ask(environ, path, [*passed_by, self._name])
        except Unavailable as failure:
            return refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(failure))
        except Outside:
            return refuse(HTTPStatus.BAD_REQUEST, f"{path} has a .. in it: name the path itself")
        except TimeoutError:
            words = f"ConvScope took too long to answer: try again, or {self._backend.remedy}"
            return refuse(HTTPStatus.GATEWAY_TIMEOUT, words)
        except (OSError, HTTPException, ValueError) as error:
            reason = printable(str(error))
            words = f"ConvScope did not answer ({reason}): {self._backend.remedy}"
            return refuse(HTTPStatus.BAD_GATEWAY, words)
        start_response(f"{response.status} {response.reason}", _passed_back(response))
        if method == "HEAD" or response.status == HTTPStatus.NOT_MODIFIED:
            connection.close()
            return []
        body = Body(connection, response, environ.get("werkzeug.socket"))
        return Stream(body, self._streams) if _is_stream(response) else body

    def _ask(
        self, environ: Environ, path: str, passed_by: list[str]
    ) -> tuple[HTTPConnection, HTTPResponse]:
        headers = {_PASSED_BY: ", ".join(passed_by)}
        try:
            return _sent(self._backend.address(), environ, path, headers)
        except (ConnectionError, HTTPException):
            # It may have died since; the backend looks, and starts another one.
            return _sent(self._backend.address(), environ, path, headers)


def _sent(
    address: Address, environ: Environ, path: str, headers: dict[str, str]
) -> tuple[HTTPConnection, HTTPResponse]:
    if address.base and ".." in path.split("/"):
        raise Outside
    connection = address.connect(ANSWER_WITHIN_S if path.startswith(_API) else PAGE_WITHIN_S)
    try:
        target = address.base + quote(path.encode("latin-1")) + _query(environ)
        connection.putrequest(
            environ["REQUEST_METHOD"], target, skip_host=True, skip_accept_encoding=True
        )
        headers = headers | address.headers()
        for name in _PASSED:
            if f"HTTP_{name}" in environ:
                headers[name.replace("_", "-").title()] = environ[f"HTTP_{name}"]
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection, connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _passed_by(environ: Environ) -> list[str]:
    """The tabs that a request has come through."""
    names = environ.get("HTTP_" + _PASSED_BY.upper().replace("-", "_"), "")
    return [name.strip() for name in names.split(",") if name.strip()]


def _is_stream(response: HTTPResponse) -> bool:
    kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    return response.status == HTTPStatus.OK and kind == _EVENTS


def _query(environ: Environ) -> str:
    """The query as it was sent; only bytes that a request must not hold are written as %XX."""
    query = environ.get("QUERY_STRING", "")
    return "?" + quote(query.encode("latin-1"), safe=_PRINTABLE) if query else ""


def _passed_back(response: HTTPResponse) -> Headers:
    headers = [
        (name, _without_frames(value) if name.lower() == _POLICY else value)
        for name, value in response.getheaders()
        if name.lower() not in _KEPT_BACK
    ]
    # TensorBoard warns of every answer without it.
    if response.getheader("X-Content-Type-Options") is None:
        headers.append(("X-Content-Type-Options", "nosniff"))
    # One who has it already keeps what it was called.
    if response.status != HTTPStatus.NOT_MODIFIED and response.getheader("Content-Type") is None:
        headers.append(("Content-Type", "application/octet-stream"))
    return headers


def _without_frames(policy: str) -> str:
    """A page's policy, but for who may frame it: that is for TensorBoard, which notebooks frame."""
    parts = [part.strip() for part in policy.split(";")]
    return "; ".join(part for part in parts if not part.startswith("frame-ancestors"))


class Body:
    """An answer's bytes as they come. The WSGI server calls ``close`` at the end, in any case."""

    def __init__(
        self, connection: HTTPConnection, response: HTTPResponse, client: socket.socket | None
    ) -> None:
        """Takes over the connection; ``client`` is the browser's, where the server tells it."""
        self._connection = connection
        self._response = response
        self._client = client

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next piece, as soon as there is one."""
        try:
            piece = self._response.read1(PIECE_BYTES)
        except (OSError, HTTPException) as error:
            raise self._broken(error) from error
        if piece:
            return piece
        if self._response.length:
            raise self._broken(EOFError(f"{self._response.length} bytes are missing"))
        raise StopIteration

    def close(self) -> None:
        """Leaves the daemon, which then stops working for this answer."""
        self._response.close()
        self._connection.close()

    def _broken(self, error: Exception) -> ConnectionError:
        # A cut body must not look whole or be waited for, so the browser's connection ends too.
        if self._client is not None:
            try:
                self._client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # The browser left first.
        return ConnectionAbortedError(f"the answer of ConvScope broke off: {error}")


class Stream:
    """An event stream: whole while there is room, else its first event and when to ask again."""

    def __init__(self, body: Body, room: threading.BoundedSemaphore) -> None:
        """Takes a place in ``room`` where one is free."""
        self._body = body
        self._room = room
        self._has_place = room.acquire(blocking=False)
        self._seen = b""

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """What comes next; without a place, the end is behind the first event's blank line."""
        if self._has_place:
            return next(self._body)
        if b"\n\n" in self._seen:
            raise StopIteration
        piece = next(self._body)
        self._seen += piece
        end = self._seen.find(b"\n\n")
        if end < 0:
            return piece
        return piece[: len(piece) - (len(self._seen) - end - 2)] + _AGAIN

    def close(self) -> None:
        """Gives the place back."""
        self._body.close()
        if self._has_place:
            self._has_place = False
            self._room.release()
