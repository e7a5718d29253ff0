"""The text of an address -> the address of a ConvScope daemon, or why it is none."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import SplitResult, parse_qs, urlsplit

CONNECT_WITHIN_S = 5
"""Without it, a firewall that drops requests would block a thread of TensorBoard for minutes."""
ANSWER_WITHIN_S = 120
"""A daemon that sends nothing for this time counts as gone; films may take half of it to begin."""
# Blanks and line ends would change the request.
_IN_AN_ADDRESS = frozenset(string.printable) - frozenset(string.whitespace)


class Unavailable(Exception):
    """There is no daemon. The message says what was tried and what to do."""


class Ending(Unavailable):
    """There is no daemon any more, because TensorBoard ends."""

    def __init__(self) -> None:
        """Sets the message."""
        super().__init__("TensorBoard is ending")


@dataclass(frozen=True)
class Address:
    """The address of a daemon.

    Attributes:
        host: A name or an address, without brackets.
        port: A TCP port.
        base: The prefix of the daemon's paths: empty, or ``/prefix`` without a slash at its end.
        is_https: Whether TLS is used.
        token: The token that the daemon requires, or None.
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
            Unavailable: It is not such an address.
        """
        parts = _parts(url)
        token = parse_qs(parts.query).get("token", [None])[0]
        if token is not None and not (token.isascii() and token.isprintable()):
            raise Unavailable(
                f"The token for {shown(url)} cannot be sent: give convscope serve a --token "
                "of printable ASCII"
            )
        is_https = parts.scheme == "https"
        return cls(
            host=parts.hostname or "",
            port=parts.port or (443 if is_https else 80),
            base=parts.path.rstrip("/"),
            is_https=is_https,
            token=token,
        )

    def netloc(self) -> str:
        """The value of ``Host``: the daemon refuses foreign names."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def connect(self, answer_within_s: float = ANSWER_WITHIN_S) -> HTTPConnection:
        """An open connection.

        Args:
            answer_within_s: How long the daemon may send nothing.

        Raises:
            Unavailable: This Python has no TLS.
            OSError: Nothing listens there.
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
        """The headers of every request to the daemon."""
        headers = {"Host": self.netloc()}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


def shown(url: str) -> str:
    """An address without passwords and without its query, which contains the token."""
    return re.sub(r"^(\w+://)?.*@", r"\1", _without_query(url), flags=re.DOTALL)


def _parts(url: str) -> SplitResult:
    """The parts of an address; the scheme is ``http`` if none is given.

    Raises:
        Unavailable: It is not an address of a daemon.
    """
    text = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port  # Raises if the port is not a number.
        # Raises for names that cannot be resolved: with empty parts, or parts of more than 63
        # bytes.
        host.encode("idna")
    except ValueError:
        parts, host = urlsplit(""), ""
    is_plain = _IN_AN_ADDRESS.issuperset(_without_query(text))
    if not host or not is_plain or parts.scheme not in ("http", "https"):
        raise Unavailable(
            f"{shown(url)!r} is no address of a ConvScope: use one such as http://localhost:6007/"
        )
    return parts


def _without_query(url: str) -> str:
    return re.split("[?#]", url)[0]


def _tls() -> type[HTTPConnection]:
    # Imported here, because a Python may lack ssl, and TensorBoard must start without it too.
    try:
        from http.client import HTTPSConnection
    except ImportError as error:
        raise Unavailable(
            "This Python has no ssl, so it cannot reach https: name an http address with "
            "--convscope_url"
        ) from error
    return HTTPSConnection
