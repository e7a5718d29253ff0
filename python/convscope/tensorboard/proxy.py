"""A request to TensorBoard -> the same request to the daemon, and its response as it arrives.

Bodies are forwarded in pieces, so a film is never in memory as a whole. Queries and validators
(``ETag``, ``If-None-Match``) are forwarded unchanged. TensorBoard has a thread for each open
response; event streams stay open, so there are at most ``MOST_STREAMS`` of them. Further clients
get the first event, which has the current state, and one that says when to ask again, so that they
poll.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

from .address import ANSWER_WITHIN_S, Address, Unavailable
from .backend import Backend
from .body import Body, Stream
from .pages import Headers, StartResponse, refusal
from .last_lines import printable

Environ = dict[str, Any]

MOST_STREAMS = 32
PAGE_WITHIN_S = 10
"""The page and its assets are ready to send; only requests below ``_API`` may take longer."""
_API = "/api/v1/"
_EVENTS = "text/event-stream"
_POLICY = "content-security-policy"
# The headers that the daemon reads. Cookies and passwords are meant for TensorBoard, or for a proxy
# before it.
_PASSED = ("ACCEPT", "ACCEPT_ENCODING", "IF_NONE_MATCH", "RANGE", "IF_RANGE", "LAST_EVENT_ID")
# Lists the tabs that forwarded a request, so that a tab recognizes its own requests.
_PASSED_BY = "X-ConvScope-Tab"
# Headers that belong to one connection (RFC 9110, 7.6.1), or that TensorBoard's server writes
# itself.
_KEPT_BACK = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer")
    + ("transfer-encoding", "upgrade", "date", "server", "set-cookie")
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class Refusal(Exception):
    """A request that is answered without the daemon.

    Attributes:
        status: The status of the response.
        headers: Additional headers of the response.
    """

    def __init__(self, status: HTTPStatus, message: str, headers: Headers | None = None) -> None:
        """The message is the body of the response, for the user."""
        super().__init__(message)
        self.status = status
        self.headers = headers or []


class Proxy:
    """A WSGI application below ``/data/plugin/convscope``."""

    def __init__(self, backend: Backend, prefix: str, most_streams: int = MOST_STREAMS) -> None:
        """Does not connect yet.

        Args:
            backend: The daemon.
            prefix: What TensorBoard puts before the tab's paths, without a slash at its end.
            most_streams: How many event streams may be open at once.
        """
        self._backend = backend
        self._prefix = prefix
        self._name = secrets.token_hex(8)
        self._streams = threading.BoundedSemaphore(most_streams)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request; errors of the daemon raise no exception."""
        path = environ.get("PATH_INFO", "").removeprefix(self._prefix)
        try:
            connection, response = self._response(environ, path)
        except Refusal as error:
            line, headers, content = refusal(path, error.status, str(error))
            start_response(line, headers + error.headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]
        start_response(f"{response.status} {response.reason}", _passed_back(response))
        if environ["REQUEST_METHOD"] == "HEAD" or response.status == HTTPStatus.NOT_MODIFIED:
            connection.close()
            return []
        body = Body(connection, response, environ.get("werkzeug.socket"))
        return Stream(body, self._streams) if _is_stream(response) else body

    def _response(self, environ: Environ, path: str) -> tuple[HTTPConnection, HTTPResponse]:
        """The daemon's response.

        Raises:
            Refusal: There is none.
        """
        passed_by = self._passed_by(environ)
        try:
            return self._ask(environ, path, [*passed_by, self._name])
        except Unavailable as error:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        except TimeoutError as error:
            words = f"ConvScope took too long to answer: try again, or {self._backend.remedy}"
            raise Refusal(HTTPStatus.GATEWAY_TIMEOUT, words) from error
        except (OSError, HTTPException, ValueError) as error:
            reason = printable(str(error))
            words = f"ConvScope did not answer ({reason}): {self._backend.remedy}"
            raise Refusal(HTTPStatus.BAD_GATEWAY, words) from error

    def _passed_by(self, environ: Environ) -> list[str]:
        """The tabs that a request has come through.

        Raises:
            Refusal: It must not be forwarded: it would change something, or this tab has already
                forwarded it.
        """
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            words = f"ConvScope changes nothing, so it takes no {method}: use GET"
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, words, [("Allow", "GET, HEAD")])
        names = environ.get("HTTP_" + _PASSED_BY.upper().replace("-", "_"), "")
        passed_by = [name.strip() for name in names.split(",") if name.strip()]
        if self._name in passed_by:
            words = (
                "--convscope_url names this TensorBoard itself: give it that of a convscope serve"
            )
            raise Refusal(HTTPStatus.LOOP_DETECTED, words)
        return passed_by

    def _ask(
        self, environ: Environ, path: str, passed_by: list[str]
    ) -> tuple[HTTPConnection, HTTPResponse]:
        headers = {_PASSED_BY: ", ".join(passed_by)}
        try:
            return _sent(self._backend.address(), environ, path, headers)
        except (ConnectionError, HTTPException):
            # The daemon may have died since; the backend checks this and restarts it.
            return _sent(self._backend.address(), environ, path, headers)


def _sent(
    address: Address, environ: Environ, path: str, headers: dict[str, str]
) -> tuple[HTTPConnection, HTTPResponse]:
    if address.base and ".." in path.split("/"):
        # Such a path may leave the prefix of the daemon's paths.
        words = f"{path} has a .. in it: name the path itself"
        raise Refusal(HTTPStatus.BAD_REQUEST, words)
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


def _is_stream(response: HTTPResponse) -> bool:
    kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    return response.status == HTTPStatus.OK and kind == _EVENTS


def _query(environ: Environ) -> str:
    """The query as it was sent; only bytes that a request must not contain are written as %XX."""
    query = environ.get("QUERY_STRING", "")
    return "?" + quote(query.encode("latin-1"), safe=_PRINTABLE) if query else ""


def _passed_back(response: HTTPResponse) -> Headers:
    headers = [
        (name, _without_frames(value) if name.lower() == _POLICY else value)
        for name, value in response.getheaders()
        if name.lower() not in _KEPT_BACK
    ]
    # TensorBoard warns about every response without it.
    if response.getheader("X-Content-Type-Options") is None:
        headers.append(("X-Content-Type-Options", "nosniff"))
    # A client that already has the body also has its type.
    if response.status != HTTPStatus.NOT_MODIFIED and response.getheader("Content-Type") is None:
        headers.append(("Content-Type", "application/octet-stream"))
    return headers


def _without_frames(policy: str) -> str:
    """The policy of a page without ``frame-ancestors``: TensorBoard decides this, and notebooks
    show it in frames."""
    parts = [part.strip() for part in policy.split(";")]
    return "; ".join(part for part in parts if not part.startswith("frame-ancestors"))
