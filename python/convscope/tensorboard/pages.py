"""What is answered where the daemon does not: words for people, JSON for the page."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Headers = list[tuple[str, str]]

# Within what TensorBoard allows pages: no script, and styles of our own.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>ConvScope</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:44em;margin:4em auto;padding:0 1.5em}}
code{{overflow-wrap:anywhere}}</style></head>
<body><h1>ConvScope cannot show anything yet</h1>
<p role="alert"><code>{message}</code></p>
<p>The rest of TensorBoard is not touched by this. <a href="index.html">Try again</a></p>
</body></html>
"""


def refusal(path: str, status: HTTPStatus, message: str) -> tuple[str, Headers, bytes]:
    """A failure, as a page where a page was asked for and as the API's JSON elsewhere.

    Returns:
        The status line, headers and body.
    """
    if path in ("/index.html", "/"):
        kind, body = "text/html; charset=utf-8", _PAGE.format(message=html.escape(message))
    else:
        code = status.name.lower()
        kind, body = "application/json", json.dumps({"code": code, "message": message})
    content = body.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
    headers += [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    if kind.startswith("text/html"):
        headers.append(("Content-Security-Policy", _POLICY))
    return f"{status.value} {status.phrase}", headers, content


def serve_module(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """The module that TensorBoard loads into the tab's frame, as a WSGI application."""
    content = _MODULE.encode()
    headers = [("Content-Type", "text/javascript; charset=utf-8")]
    headers += [("Content-Length", str(len(content))), ("Cache-Control", "no-cache")]
    headers += [("X-Content-Type-Options", "nosniff")]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


# TensorBoard keeps the frame of a tab that was left and gives it no height. The page within is then
# taken out, so that it asks for nothing, and put back at the address it had.
_MODULE = r"""
const REPLY_WITHIN_MS = 500;

/** What TensorBoard's address says to us: #convscope&p.convscope.step=20 gives {step: '20'}. */
function linked() {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    // One who does not speak this protocol never answers.
    setTimeout(() => done({}), REPLY_WITHIN_MS);
    port1.onmessage = ({ data }) => {
      if (typeof data === 'string') data = JSON.parse(data);
      if (data.isReply) done(data.payload ?? {});
    };
    window.parent.postMessage('experimental.bootstrap', '*', [port2]);
    const type = 'experimental.GetURLPluginData';
    port1.postMessage({ type, id: 0, payload: undefined, error: null, isReply: false });
  });
}

export async function render() {
  const query = new URLSearchParams(await linked()).toString();
  let address = query === '' ? 'index.html' : `index.html?${query}`;
  let frame = null;
  Object.assign(document.documentElement.style, { height: '100%' });
  Object.assign(document.body.style, { margin: '0', height: '100%', overflow: 'hidden' });

  const show = () => {
    frame = document.createElement('iframe');
    frame.title = 'ConvScope';
    frame.allow = 'clipboard-write; fullscreen';
    frame.src = address;
    Object.assign(frame.style, { border: '0', width: '100%', height: '100%', display: 'block' });
    document.body.append(frame);
  };
  const rest = () => {
    const { href } = frame.contentWindow.location;
    if (href !== 'about:blank') address = href;
    frame.remove();
    frame = null;
  };
  const follow = () => {
    if (window.innerHeight > 0 && frame === null) show();
    else if (window.innerHeight === 0 && frame !== null) rest();
  };
  window.addEventListener('resize', follow);
  follow();
}
"""
