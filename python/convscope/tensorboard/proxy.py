"""A request to TensorBoard -> the same request to the daemon, and its answer as it comes.

Bodies are passed on in pieces, so a film is never in memory. Queries and validators (``ETag``,
``If-None-Match``) are passed as they are. TensorBoard has a thread for each open answer; event
streams stay open, so there are at most ``MOST_STREAMS`` of them. Whoever comes later gets the first
event, which says where things stand, and one that says when to ask again, and so polls.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

from .address import Address, Backend, Unavailable
from .pages import Headers, StartResponse, refusal

Environ = dict[str, Any]

MOST_STREAMS = 32
PIECE_BYTES = 1 << 16
_LIVE = "/api/v1/live"
_AGAIN = b"event:again\ndata:1000\n\n"
"""An event of ours, behind the first one: ask again in so many milliseconds."""
# What the daemon reads. Cookies and passwords are for TensorBoard, or for a proxy before it.
_PASSED = ("ACCEPT", "ACCEPT_ENCODING", "IF_NONE_MATCH", "RANGE", "IF_RANGE", "LAST_EVENT_ID")
# They belong to one connection (RFC 9110, 7.6.1), or TensorBoard's server writes its own.
_KEPT_BACK = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer")
    + ("transfer-encoding", "upgrade", "date", "server", "set-cookie")
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


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
        try:
            connection, response = self._ask(environ, path)
        except Unavailable as failure:
            return refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(failure))
        except TimeoutError:
            words = "ConvScope took too long to answer: try again"
            return refuse(HTTPStatus.GATEWAY_TIMEOUT, words)
        except (OSError, HTTPException, ValueError) as error:
            words = f"ConvScope did not answer ({error}): is it still running, and of this version?"
            return refuse(HTTPStatus.BAD_GATEWAY, words)
        start_response(f"{response.status} {response.reason}", _passed_back(response))
        if method == "HEAD" or response.status == HTTPStatus.NOT_MODIFIED:
            connection.close()
            return []
        body = Body(connection, response, environ.get("werkzeug.socket"))
        return Stream(body, self._streams) if path == _LIVE and response.status == 200 else body

    def _ask(self, environ: Environ, path: str) -> tuple[HTTPConnection, HTTPResponse]:
        address = self._backend.address()
        try:
            return _sent(address, environ, path)
        except (ConnectionError, HTTPException):
            # It may have died since; the backend looks, and starts another one.
            return _sent(self._backend.address(), environ, path)


def _sent(address: Address, environ: Environ, path: str) -> tuple[HTTPConnection, HTTPResponse]:
    connection = address.connect()
    try:
        target = address.base + quote(path.encode("latin-1")) + _query(environ)
        connection.putrequest(
            environ["REQUEST_METHOD"], target, skip_host=True, skip_accept_encoding=True
        )
        headers = address.headers()
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


def _query(environ: Environ) -> str:
    """The query as it was sent; only bytes that a request must not hold are written as %XX."""
    query = environ.get("QUERY_STRING", "")
    return "?" + quote(query.encode("latin-1"), safe=_PRINTABLE) if query else ""


def _passed_back(response: HTTPResponse) -> Headers:
    headers = [
        (name, value) for name, value in response.getheaders() if name.lower() not in _KEPT_BACK
    ]
    # TensorBoard warns of every answer without it.
    if response.getheader("X-Content-Type-Options") is None:
        headers.append(("X-Content-Type-Options", "nosniff"))
    return headers


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
