"""The body of a daemon's response -> its pieces as they arrive."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse

PIECE_BYTES = 1 << 16
_AGAIN = b"event:again\ndata:1000\n\n"
"""An event that is added after the first one: the client asks again after this many
milliseconds."""


class Body:
    """The bytes of a response as they arrive. The WSGI server always calls ``close`` at the end."""

    def __init__(
        self, connection: HTTPConnection, response: HTTPResponse, client: socket.socket | None
    ) -> None:
        """Takes over the connection; ``client`` is the browser's socket, if the server gives it."""
        self._connection = connection
        self._response = response
        self._client = client

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next piece, as soon as it arrives."""
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
        """Closes the connection, so that the daemon stops working on this response."""
        self._response.close()
        self._connection.close()

    def _broken(self, error: Exception) -> ConnectionError:
        # A truncated body must not look complete, and the browser must not wait for the rest, so
        # the browser's connection is closed too.
        if self._client is not None:
            try:
                self._client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # The browser has already disconnected.
        return ConnectionAbortedError(f"the answer of ConvScope broke off: {error}")


class Stream:
    """An event stream: complete if a place is free, otherwise its first event and when to ask
    again."""

    def __init__(self, body: Body, places: threading.BoundedSemaphore) -> None:
        """Takes a place of the semaphore, if one is free."""
        self._body = body
        self._places = places
        self._has_place = places.acquire(blocking=False)
        self._seen = b""

    def __iter__(self) -> Iterator[bytes]:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next piece; without a place, the stream ends after its first event."""
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
            self._places.release()
