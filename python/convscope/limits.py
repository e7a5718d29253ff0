"""How much of an array is recorded -> what is kept of its axes."""

from __future__ import annotations

from convscope.arguments import whole
from convscope.meaning import Meaning


class Limits:
    """The first samples and channels, of which no more are kept."""

    def __init__(self, max_samples: int | None, max_channels: int | None) -> None:
        """Takes the two options of a recorder; None for all.

        Raises:
            ValueError: one is less than 1.
        """
        self._samples = slice(_limit("max_samples", max_samples))
        self._channels = slice(_limit("max_channels", max_channels))

    def kept(self, meaning: Meaning) -> tuple[slice, ...]:
        """What is kept of the first axes of an array; of the others all is.

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
