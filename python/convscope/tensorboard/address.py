"""Where a ConvScope daemon is reached, and the error that says why none is."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

ANSWER_WITHIN_S = 120
"""A daemon that is silent for so long is taken for gone; a film may begin after half of it."""


class Unavailable(Exception):
    """There is no daemon to ask. The message says what was tried and what to do."""


@dataclass(frozen=True)
class Address:
    """A daemon's place.

    Attributes:
        host: A name or an address, without brackets.
        port: A TCP port.
        base: What stands before the daemon's paths: empty, or ``/prefix`` without a slash behind.
        is_https: Whether TLS is spoken.
        token: What the daemon wants to be told, if anything.
    """

    host: str
    port: int
    base: str = ""
    is_https: bool = False
    token: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Address:
        """Reads ``http://HOST:PORT/PREFIX?token=T``, as ``convscope serve`` prints it.

        Raises:
            Unavailable: Where it is no such address.
        """
        text = url if "://" in url else f"http://{url}"
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if not host or parts.scheme not in ("http", "https"):
            raise Unavailable(
                f"{url!r} is no address of a ConvScope: it looks like http://localhost:6007/"
            )
        is_https = parts.scheme == "https"
        return cls(
            host=host,
            port=port or (443 if is_https else 80),
            base=parts.path.rstrip("/"),
            is_https=is_https,
            token=parse_qs(parts.query).get("token", [None])[0],
        )

    def netloc(self) -> str:
        """What stands in ``Host``: the daemon refuses names that are not its own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def connect(self) -> HTTPConnection:
        """A connection, made when the first request is sent."""
        kind = HTTPSConnection if self.is_https else HTTPConnection
        return kind(self.host, self.port, timeout=ANSWER_WITHIN_S)

    def headers(self) -> dict[str, str]:
        """What every request to the daemon carries."""
        headers = {"Host": self.netloc()}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


class Backend(Protocol):
    """A daemon of our own, or one that runs already."""

    def address(self) -> Address:
        """Where it is; starts it where that is ours to do.

        Raises:
            Unavailable: Where there is none.
        """
        ...

    def close(self) -> None:
        """Ends what was started; nothing else."""
        ...


class Attached:
    """A daemon that somebody else started and ends."""

    def __init__(self, url: str) -> None:
        """Remembers the address as it was typed; it is read when it is first needed."""
        self._url = url

    def address(self) -> Address:
        """Its address.

        Raises:
            Unavailable: Where it is no address.
        """
        return Address.parse(self._url)

    def close(self) -> None:
        """Does nothing: it is not ours."""


class Absent:
    """No daemon, for a reason that is known from the start."""

    def __init__(self, reason: str) -> None:
        """Remembers the reason, in words for the user."""
        self._reason = reason

    def address(self) -> Address:
        """Never returns.

        Raises:
            Unavailable: Always.
        """
        raise Unavailable(self._reason)

    def close(self) -> None:
        """Does nothing."""
