"""What the tab shows: a daemon that runs already, or none. ``child`` has the one that it starts."""

from __future__ import annotations

from typing import Protocol

from .address import Address, Unavailable, shown


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
        return f"start convscope serve at {shown(self._url)}, or correct --convscope_url"

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
