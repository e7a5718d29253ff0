"""Limits of samples and channels -> the slices of an array that are recorded."""

from __future__ import annotations

from convscope.arguments import whole
from convscope.meaning import Meaning


class Limits:
    """The largest numbers of samples and channels that are recorded, starting with the first."""

    def __init__(self, max_samples: int | None, max_channels: int | None) -> None:
        """Checks the two options of a recorder; None means all.

        Raises:
            ValueError: one is less than 1.
        """
        self._samples = slice(_limit("max_samples", max_samples))
        self._channels = slice(_limit("max_channels", max_channels))

    def kept(self, meaning: Meaning) -> tuple[slice, ...]:
        """The slices to keep of the first axes of an array; other axes are kept whole.

        Samples are the first axis of activations and inputs. Channels are limited in activations
        whose layout says which axis they are.
        """
        if meaning.role not in ("activation", "input"):
            return ()
        letters = meaning.letters if meaning.role == "activation" else None
        axis = letters.find("C") if isinstance(letters, str) else -1
        if axis < 0 or self._channels.stop is None:
            return (self._samples,)
        return (self._samples, *(slice(None),) * (axis - 1), self._channels)


def _limit(name: str, count: int | None) -> int | None:
    return None if count is None else whole(name, count)
