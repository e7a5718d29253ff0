"""Where a ConvScope daemon is reached, and the error that says why none is."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

CONNECT_WITHIN_S = 5
"""A firewall that swallows requests would hold a thread of TensorBoard for minutes."""
ANSWER_WITHIN_S = 120
"""A daemon that is silent for so long is taken for gone; a film may begin after half of it."""
# Blanks and line ends would make another request of it.
_IN_AN_ADDRESS = frozenset(string.printable) - frozenset(string.whitespace)


class Unavailable(Exception):
    """There is no daemon to ask. The message says what was tried and what to do."""


class Ending(Unavailable):
    """There is none any more, because TensorBoard ends."""

    def __init__(self) -> None:
        """Always says the same."""
        super().__init__("TensorBoard is ending")


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
            host, port = parts.hostname or "", parts.port
            # Refuses what the look-up of a name would: empty parts, and those above 63 bytes.
            host.encode("idna")
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        is_plain = _IN_AN_ADDRESS.issuperset(_without_query(text))
        if not host or not is_plain or parts.scheme not in ("http", "https"):
            raise Unavailable(
                f"{shown(url)!r} is no address of a ConvScope: it looks like http://localhost:6007/"
            )
        token = parse_qs(parts.query).get("token", [None])[0]
        if token is not None and not (token.isascii() and token.isprintable()):
            raise Unavailable(
                f"The token for {shown(url)} cannot be sent: give convscope serve a --token "
                "of printable ASCII"
            )
        is_https = parts.scheme == "https"
        return cls(
            host=host,
            port=port or (443 if is_https else 80),
            base=parts.path.rstrip("/"),
            is_https=is_https,
            token=token,
        )

    def netloc(self) -> str:
        """What stands in ``Host``: the daemon refuses names that are not its own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def connect(self, answer_within_s: float = ANSWER_WITHIN_S) -> HTTPConnection:
        """A connection that stands.

        Args:
            answer_within_s: How long the daemon may be silent.

        Raises:
            Unavailable: Where this Python cannot speak TLS.
            OSError: Where nobody answers.
        """
        kind = _tls() if self.is_https else HTTPConnection
        connection = kind(self.host, self.port, timeout=CONNECT_WITHIN_S)
        try:
            connection.connect()
            connection.sock.settimeout(answer_within_s)
        except BaseException:
            connection.close()
            raise
        return connection

    def headers(self) -> dict[str, str]:
        """What every request to the daemon carries."""
        headers = {"Host": self.netloc()}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


def shown(url: str) -> str:
    """An address as it may be shown: without its query, which has the token, and passwords."""
    return re.sub(r"^(\w+://)?.*@", r"\1", _without_query(url), flags=re.DOTALL)


def _without_query(url: str) -> str:
    return re.split("[?#]", url)[0]


def _tls() -> type[HTTPConnection]:
    # Here, since a Python may be without ssl, and TensorBoard must start all the same.
    try:
        from http.client import HTTPSConnection
    except ImportError as error:
        raise Unavailable(
            "This Python has no ssl: name an http address with --convscope_url"
        ) from error
    return HTTPSConnection


class Backend(Protocol):
    """A daemon of our own, or one that runs already."""

    @property
    def remedy(self) -> str:
        """What to do where it does not answer, for the end of a message."""
        ...

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

    @property
    def remedy(self) -> str:
        """Names the address that was tried."""
        return f"start convscope serve at {shown(self._url)}, or mend --convscope_url"

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

    remedy = ""
    """The reason says what to do."""

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
