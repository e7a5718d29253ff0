"""TensorBoard's entry point: the tab "ConvScope".

The tab shows the daemon's own page, fetched through TensorBoard, whose content policy allows
requests to its own origin only. Nothing here waits or raises while TensorBoard starts.
"""

from __future__ import annotations

import argparse
import atexit
import os
from typing import Any

from tensorboard.plugins import base_plugin

from .._find import find_binary
from .backend import Absent, Attached, Backend
from .child import Child
from .logdir import Logdir
from .pages import serve_module
from .presence import Presence
from .proxy import Proxy

NAME = "convscope"


class Plugin(base_plugin.TBLoader):  # type: ignore[misc]
    """The class of the entry point: defines the flag and creates the tab."""

    def define_flags(self, parser: argparse.ArgumentParser) -> None:
        """Adds ``--convscope_url``."""
        try:
            parser.add_argument_group("ConvScope plugin").add_argument(
                "--convscope_url",
                metavar="URL",
                type=str,
                default="",
                help="A running ConvScope that the tab shows, such as http://localhost:6007/. "
                "The default is the variable CONVSCOPE_URL; if that is not set either, a ConvScope "
                "is started on the logdir.",
            )
        except argparse.ArgumentError:
            pass  # The flag was defined before.

    def load(self, context: Any) -> base_plugin.TBPlugin:
        """Creates the tab; a thread starts its daemon."""
        return Tab(context)


class Tab(base_plugin.TBPlugin):  # type: ignore[misc]
    """The tab and its routes."""

    plugin_name = NAME

    def __init__(self, context: Any) -> None:
        """Chooses the daemon, without waiting for it."""
        self.backend, is_ours = _backend(context)
        atexit.register(self.backend.close)
        self._proxy = Proxy(self.backend, f"/data/plugin/{NAME}")
        self._presence = Presence(self.backend, is_ours)
        self._presence.start()

    def get_plugin_apps(self) -> dict[str, Any]:
        """The module of the tab's frame; everything else comes from the daemon."""
        return {"/index.js": serve_module, "/*": self._proxy}

    def is_active(self) -> bool:
        """Whether the tab is active, without waiting: False only if neither event files nor
        checkpoints were found."""
        return self._presence.is_shown()

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """The tab is a frame of its own, which reloads itself."""
        return base_plugin.FrontendMetadata(
            es_module_path="/index.js", tab_name="ConvScope", disable_reload=True
        )


def _backend(context: Any) -> tuple[Backend, bool]:
    """The daemon to show, and whether it is this package's program."""
    flags = context.flags
    url = getattr(flags, "convscope_url", "") or os.environ.get("CONVSCOPE_URL", "")
    if url:
        return Attached(url), False
    if os.name != "posix":
        return Absent(
            "ConvScope runs on Linux and macOS only: name one that runs there with --convscope_url"
        ), True
    logdir = Logdir(context.logdir or "", getattr(flags, "logdir_spec", "") or "")
    return Child(find_binary, logdir.served), True
