"""Refused values -> one warning for each kind of mistake."""

from __future__ import annotations

import logging
import re

log = logging.getLogger("convscope")

MOST_COMPLAINTS = 100
"""After this many different warnings, no more are logged."""


class Complaints:
    """The warnings about refused values that were already logged."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def log(self, tag: str, error: Exception) -> None:
        """Logs why a value is refused, unless the same was logged for its tag before."""
        # The same mistake may have other steps and lengths in each call.
        kind = f"{tag} {re.sub('[0-9]+', '0', str(error))}"
        if kind not in self._logged and len(self._logged) < MOST_COMPLAINTS:
            self._logged.add(kind)
            log.warning("convscope: %.500s was not recorded: %s", tag, error)
