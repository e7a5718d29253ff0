"""Whether there is anything to show: watched by a thread, and known without waiting.

All event files and checkpoints count, whatever they contain: if there are no tensors, the page says
how to log them.

This thread starts the daemon, so that its index is ready when the tab is opened, and TensorBoard
does not wait. An unknown state counts as present, and so does a failure: the tab then says what to
do, and so does one line in TensorBoard's log.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from importlib import metadata
from typing import Any

from .address import Address, Ending, Unavailable
from .backend import Backend
from .last_lines import printable

LOOK_AT_MOST_EVERY_S = 2
logger = logging.getLogger("tensorboard")


class NotConvScope(Exception):
    """A response that does not come from ConvScope."""


class Presence:
    """What is known about the daemon's logdir."""

    def __init__(self, backend: Backend, is_ours: bool) -> None:
        """Does not look yet.

        Args:
            backend: The daemon.
            is_ours: Whether it comes with this package, so that it should have the same version.
        """
        self._backend = backend
        self._is_ours = is_ours
        self._is_empty = False
        self._has_answered = False

    def is_shown(self) -> bool:
        """False only if the daemon has looked and found neither event file nor checkpoint."""
        return not self._is_empty

    def start(self) -> None:
        """Starts a thread that looks until something is found or the process ends."""
        threading.Thread(target=self.watch, name="convscope-presence", daemon=True).start()

    def watch(self) -> None:
        """Looks until something is found or the daemon is gone."""
        try:
            self._look(self._backend.address())
        except Ending:
            pass  # This needs no message.
        except Unavailable as failure:
            logger.warning("The ConvScope tab is without its program: %s", failure)
        except Exception as error:  # No traceback is logged, because nothing is lost.
            logger.debug("ConvScope is not watched any more: %s", error)
        self._is_empty = False

    def _look(self, address: Address) -> None:
        try:
            if self._is_ours:
                _compare_versions(address)
            self._follow(address)
        except NotConvScope as error:
            raise Unavailable(f"{error}: {self._backend.remedy}") from error
        except (OSError, HTTPException) as error:
            if self._has_answered:
                raise
            self._backend.address()  # Raises Ending where TensorBoard is ending.
            reason = printable(str(error))
            raise Unavailable(
                f"ConvScope did not answer ({reason}): {self._backend.remedy}"
            ) from error

    def _follow(self, address: Address) -> None:
        """Returns when there is something to look at."""
        with _answer(address, "/api/v1/live") as stream:
            self._has_answered = True
            while line := stream.readline():
                if not line.startswith(b"data:"):
                    continue
                is_loading = json.loads(line[5:]).get("status") == "loading"
                if _has_files(address):
                    return
                self._is_empty = not is_loading
                # Events that arrive meanwhile wait in the socket; the daemon merges later ones.
                time.sleep(LOOK_AT_MOST_EVERY_S)


@contextmanager
def _answer(address: Address, path: str) -> Iterator[HTTPResponse]:
    connection = address.connect()
    try:
        connection.request("GET", address.base + path, headers=address.headers())
        response = connection.getresponse()
        if response.status != 200:
            raise NotConvScope(f"ConvScope answered {response.status} to {path}")
        yield response
    finally:
        connection.close()


@contextmanager
def _json(address: Address, path: str) -> Iterator[Any]:
    """The JSON of a response; if an entry is missing when it is used, it is not ConvScope's."""
    with _answer(address, path) as response:
        answer = response.read()
    try:
        yield json.loads(answer)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotConvScope(f"the answer to {path} is not ConvScope's") from error


def _has_files(address: Address) -> bool:
    with _json(address, "/api/v1/health") as answer:
        # A program that the user started may be older than this package.
        n_checkpoints: int = answer.get("checkpoints", {"count": 0})["count"]
        n_files: int = answer["scanned"]["files"]
        # Those of kinds that are read are counted apart.
        n_read: int = answer["scanned"].get("checkpoints", 0)
    return n_files + n_read + n_checkpoints > 0


def _compare_versions(address: Address) -> None:
    with _json(address, "/api/v1/health") as answer:
        theirs = answer["version"]
    try:
        ours = metadata.version("convscope")
    except metadata.PackageNotFoundError:
        return
    if theirs != ours:
        logger.warning(
            "The convscope program has the version %s and the Python package %s: "
            "pip install --force-reinstall convscope makes them the same",
            theirs,
            ours,
        )
