"""The daemon that the tab shows: one that is already running, or none; see ``child`` for its
own."""

from __future__ import annotations

from typing import Protocol

from .address import Address, Unavailable, shown


class Backend(Protocol):
    """A daemon that this package starts, or one that is already running."""

    @property
    def remedy(self) -> str:
        """What to do if it does not answer, for the end of a message."""
        ...

    def address(self) -> Address:
        """Its address; starts the daemon first, if this package does that.

        Raises:
            Unavailable: There is none.
        """
        ...

    def close(self) -> None:
        """Ends the daemon, if this package started it."""
        ...


class Attached:
    """A daemon that somebody else started and ends."""

    def __init__(self, url: str) -> None:
        """Stores the address as it was typed; it is parsed when it is needed."""
        self._url = url

    @property
    def remedy(self) -> str:
        """Contains the address that was tried."""
        return f"start convscope serve at {shown(self._url)}, or correct --convscope_url"

    def address(self) -> Address:
        """Its address.

        Raises:
            Unavailable: It is not an address.
        """
        return Address.parse(self._url)

    def close(self) -> None:
        """Does nothing: somebody else ends it."""


class Absent:
    """No daemon, for a reason that is known from the start."""

    remedy = ""
    """The reason says what to do."""

    def __init__(self, reason: str) -> None:
        """Stores the reason, a message for the user."""
        self._reason = reason

    def address(self) -> Address:
        """Never returns.

        Raises:
            Unavailable: Always.
        """
        raise Unavailable(self._reason)

    def close(self) -> None:
        """Does nothing."""
