"""What an array is in the network -> its tag, and its metadata (docs/meaning.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from convscope.arguments import text
from convscope.events import Metadata
from convscope.layouts import Role
from convscope.operation import Operation

MOST_METADATA = 4096
"""In bytes. ConvScope does not read longer metadata; the tag contains the layer too."""


@dataclass(frozen=True)
class Meaning:
    """What a caller says about an array, unchanged.

    Attributes:
        role: what the array is in its layer.
        layer: the layer's name; empty for an input.
        name: the end of the tag.
        layout: which axis is which, or None.
        operation: the operation of the layer, or None.
    """

    role: Role
    layer: str
    name: str
    layout: str | None = None
    operation: Operation | None = None

    @property
    def path(self) -> str:
        """The tag: the layer and the name."""
        return f"{self.layer}/{self.name}" if self.layer else f"{self.name}"

    @property
    def letters(self) -> str | None:
        """The layout in capitals."""
        return self.layout.upper() if isinstance(self.layout, str) else self.layout

    def metadata(self) -> Metadata:
        """The metadata of the tag; without the layer if that is too long."""
        said: dict[str, Any] = {"layer": text(self.layer) or None, "role": self.role}
        said["layout"] = self.letters
        said["operation"] = None if self.operation is None else self.operation.entries()
        content = _content(said)
        if len(content) > MOST_METADATA:
            content = _content({**said, "layer": None})
        return Metadata("convscope", content)


def _content(said: dict[str, Any]) -> bytes:
    known = {key: entry for key, entry in said.items() if entry is not None}
    return json.dumps(known, ensure_ascii=False).encode()
