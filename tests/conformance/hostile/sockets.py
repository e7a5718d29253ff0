"""Client sockets -> how many the program has not closed, and how many it may have open."""

from __future__ import annotations

import resource
import select
import socket
import struct
from collections.abc import Iterable

HEADERS_WITHIN_S = 10
"""The program closes a connection without a request after this time."""
RESERVED = 192
MOST_CONNECTIONS = 8_192


def half_of_connections() -> int:
    """How many idle connections a program has room for, and how many event streams.

    It may have as many descriptors as the hard limit of this process says (``server/bounds.rs``).
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else hard - RESERVED
    return min(most, MOST_CONNECTIONS) // 2


def still_open(streams: Iterable[socket.socket]) -> int:
    """How many sockets the other side has not closed. Nothing is read from them."""
    poll, count = select.poll(), 0
    closed = select.POLLRDHUP | select.POLLHUP | select.POLLERR
    for stream in streams:
        poll.register(stream, select.POLLRDHUP)
        events = poll.poll(0)
        poll.unregister(stream)
        count += not (events and events[0][1] & closed)
    return count


def reset(streams: Iterable[socket.socket]) -> None:
    """Resets connections, so that a thousand of them leave no state in the kernel."""
    for stream in streams:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
