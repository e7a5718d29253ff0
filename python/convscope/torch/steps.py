"""The passes and updates of a training -> its steps, and which steps are recorded."""

from __future__ import annotations

import operator
from collections.abc import Callable


class StepCounter:
    """Counts the steps of a training.

    A step is a pass of the model in training mode, or an update of its weights if passes are a
    part of compiled code. Passes that are replayed from a CUDA graph are not seen.

    Attributes:
        n_steps: steps so far.
        last: the last step that was recorded.
        has_seen_nothing: whether passes are compiled and no update was seen either.
    """

    def __init__(self, every: int, given: Callable[[], int] | None) -> None:
        """Starts at step 0.

        Args:
            every: steps from one recording to the next.
            given: returns the current step, if the user counts steps.
        """
        self.n_steps = 0
        self.last: int | None = None
        self.has_seen_nothing = False
        self._every = every
        self._given = given
        self._has_missed_replays = False
        self._has_counted_pass = False

    @property
    def current(self) -> int:
        """The current step.

        Raises:
            TypeError: the user's function does not return a whole number.
        """
        if self._given is None:
            return self.n_steps
        given = self._given()
        try:
            return operator.index(given)
        except TypeError as error:
            raise TypeError(
                f"the function step= returned {given!r}, which is not a whole number; "
                "let it return one"
            ) from error

    def known(self) -> int | None:
        """The current step, or None if some were not counted."""
        has_missed = self._has_missed_replays or self.has_seen_nothing
        return None if has_missed and self._given is None else self.current

    def count_pass(self) -> int | None:
        """Counts a pass that begins.

        Returns:
            Its step, if it is to be recorded.
        """
        step = self._count()
        self._has_counted_pass = True
        return step

    def count_update(self) -> int | None:
        """Counts an update that begins, unless its pass was counted.

        Returns:
            Its step, if it is to be recorded.
        """
        self.has_seen_nothing = False
        if self._has_counted_pass:
            self._has_counted_pass = False
            return None
        return self._count()

    def miss_replays(self) -> None:
        """Called when a pass was captured: its replays will not be counted."""
        self._has_missed_replays = True

    def miss_passes(self) -> None:
        """Called when passes are no longer seen, so that updates are counted."""
        self.has_seen_nothing = True

    def _count(self) -> int | None:
        step = self.known()
        self.n_steps += 1
        is_due = step is not None and step != self.last and step % self._every == 0
        return step if is_due else None
