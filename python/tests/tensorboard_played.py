"""A fake daemon that follows a script, and the response that the tab gives to a WSGI server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from convscope.tensorboard.address import Address
from convscope.tensorboard.proxy import Proxy

Script = Callable[[socket.socket, bytes], Any]
HANG_S = 60
"""Ends a hang only."""


class Played:
    """A fake daemon that runs its script once for each connection."""

    remedy = "play it again"

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


@contextmanager
def playing() -> Iterator[Play]:
    """Makes fake daemons from scripts."""
    made: list[Played] = []

    def make(script: Script) -> Played:
        made.append(Played(script))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Reply:
    """The response to one request, as a WSGI server gets it."""

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
