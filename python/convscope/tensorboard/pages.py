"""The tab's module, and responses when there is none of the daemon: a page, or JSON for the
page."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Headers = list[tuple[str, str]]

# Stricter than TensorBoard's policy: no script, and only the page's own styles.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_MODULE = Path(__file__).with_name("tab.js")

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>ConvScope</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:44em;margin:4em auto;padding:0 1.5em}}
code{{white-space:pre-wrap;overflow-wrap:anywhere}}</style></head>
<body><h1>ConvScope cannot show anything yet</h1>
<p role="alert"><code>{message}</code></p>
<p>The rest of TensorBoard works as before. <a href="">Try again</a></p>
</body></html>
"""


def refusal(path: str, status: HTTPStatus, message: str) -> tuple[str, Headers, bytes]:
    """A failure, as a page if a page was requested, otherwise as the API's JSON.

    Returns:
        The status line, headers and body.
    """
    if path in ("/index.html", "/"):
        kind, body = "text/html; charset=utf-8", _PAGE.format(message=html.escape(message))
    else:
        code = status.name.lower()
        kind, body = "application/json", json.dumps({"code": code, "message": message})
    # The path of a logdir may contain bytes that are not UTF-8, which Python decodes as surrogates.
    content = body.encode("utf-8", "backslashreplace")
    headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
    headers += [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    if kind.startswith("text/html"):
        headers.append(("Content-Security-Policy", _POLICY))
    return f"{status.value} {status.phrase}", headers, content


def serve_module(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """The module that TensorBoard loads into the tab's frame, as a WSGI application."""
    content = _MODULE.read_bytes()
    headers = [("Content-Type", "text/javascript; charset=utf-8")]
    headers += [("Content-Length", str(len(content))), ("Cache-Control", "no-cache")]
    headers += [("X-Content-Type-Options", "nosniff")]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]
