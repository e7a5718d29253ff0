"""Whether there is anything to show: watched on a thread, answered from memory.

The daemon is started by this thread, so that its index stands when the tab is opened and
TensorBoard waits for nothing. Unknown counts as present, and so does a failure: the tab then says
what to do.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from importlib import metadata
from typing import Any

from .address import Address, Backend, Unavailable

LOOK_AT_MOST_EVERY_S = 2
logger = logging.getLogger("tensorboard")


class Presence:
    """What is known of the daemon's series."""

    def __init__(self, backend: Backend, is_ours: bool) -> None:
        """Looks at nothing yet.

        Args:
            backend: Whom to ask.
            is_ours: Whether it comes with this package, and so should be of its version.
        """
        self._backend = backend
        self._is_ours = is_ours
        self._is_empty = False

    def is_shown(self) -> bool:
        """False only where the daemon has looked through the logdir and found nothing to draw."""
        return not self._is_empty

    def start(self) -> None:
        """Begins to look, on a thread that ends with the process or when something is found."""
        threading.Thread(target=self.watch, name="convscope-presence", daemon=True).start()

    def watch(self) -> None:
        """Looks until something is found or the daemon is gone."""
        try:
            address = self._backend.address()
            if self._is_ours:
                _compare_versions(address)
            self._follow(address)
        except Unavailable as failure:
            logger.warning("The ConvScope tab is without its program: %s", failure)
        except Exception as error:  # A thread that only looks must not speak in tracebacks.
            logger.debug("ConvScope is not watched any more: %s", error)
        self._is_empty = False

    def _follow(self, address: Address) -> None:
        """Returns when there is something to show."""
        connection = address.connect()
        try:
            connection.request("GET", f"{address.base}/api/v1/live", headers=address.headers())
            stream = connection.getresponse()
            while line := stream.readline():
                if not line.startswith(b"data:"):
                    continue
                is_loading = json.loads(line[5:]).get("status") == "loading"
                if _has_series(address):
                    return
                self._is_empty = not is_loading
                # Events that come meanwhile wait in the socket; the daemon gathers what follows.
                time.sleep(LOOK_AT_MOST_EVERY_S)
        finally:
            connection.close()


def _get(address: Address, path: str) -> Any:
    connection = address.connect()
    try:
        connection.request("GET", address.base + path, headers=address.headers())
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _has_series(address: Address) -> bool:
    return any(run["series"] > 0 for run in _get(address, "/api/v1/runs")["runs"])


def _compare_versions(address: Address) -> None:
    theirs = _get(address, "/api/v1/health")["version"]
    try:
        ours = metadata.version("convscope")
    except metadata.PackageNotFoundError:
        return
    if theirs != ours:
        logger.warning(
            "The convscope program is of version %s and the Python package of %s: "
            "pip install --force-reinstall convscope brings both in line",
            theirs,
            ours,
        )
