"""The ConvScope tab in a real TensorBoard, over HTTP and in a real Chromium.

Run it with the Python of the TensorBoard to test:

    .venv/bin/python tests/conformance/tensorboard_tab.py [--bin target/debug/convscope]
        [--installed] [--keep target/tab.png] [--only CASE] [--screenshot docs/tensorboard.png]

Responses through TensorBoard must equal the direct responses of the same program; arrays must be
those that were logged. A fake program, which stores its requests, shows that they arrive as they
were sent.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from tensorboard.version import VERSION
from tensorboard_board import (
    BROWSER_WITHIN_S,
    PATIENCE_S,
    Board,
    Site,
    append_scalar,
    append_step,
    has_ended,
    wait_until,
)
from tensorboard_scene import FIXTURE, ROOT, Scene

HERE = Path(__file__).resolve().parent
KERNEL = "conv1/weights"
SHEET = f"/api/v1/sheet?run=.&tag={KERNEL}&step=40"
NEXT_STEP = 50
MOST_STREAMS = 32
"""As in ``convscope.tensorboard.proxy``."""


def check_same_answers(tab: Site, direct: Site) -> None:
    """Pictures, films, numbers, JSON and the page equal those of the program, byte for byte."""
    tag = quote(KERNEL, safe="")
    for path in (
        "/index.html",
        "/assets/page.js",
        SHEET,
        f"/api/v1/sheet?run=.&tag={tag}&step=40&cmap=viridis&view=slice&slice=1",
        f"/api/v1/film?run=.&tag={tag}&format=apng",
        f"/api/v1/tensor?run=.&tag={tag}&step=40",
        "/api/v1/openapi.json",
        "/api/v1/sheet?run=.&tag=none",
        "/nothing/here",
    ):
        ours, theirs = tab.get(path), direct.get(path)
        assert ours.status == theirs.status, (path, ours.status, ours.body[:200])
        assert ours.body == theirs.body, path
        # The validator of a film differs between processes.
        names = ("content-type", "cache-control")
        for name in names if "film" in path else (*names, "etag"):
            assert ours.headers.get(name) == theirs.headers.get(name), (path, name)
        # TensorBoard decides who may show the tab in a frame.
        policy = theirs.headers.get("content-security-policy", "")
        expected = policy.removesuffix("; frame-ancestors 'self'")
        assert ours.headers.get("content-security-policy", "") == expected, path
        assert ours.headers["x-content-type-options"] == "nosniff", path
        head = tab.get(path, "HEAD")
        assert (head.status, head.body) == (ours.status, b""), path
    assert tab.get("/api/v1/openapi.json", accept_encoding="gzip").body[:2] == b"\x1f\x8b"


def check_validators(tab: Site) -> None:
    """What the browser has is not sent again."""
    etag = tab.get(SHEET).headers["etag"]
    known = tab.get(SHEET, if_none_match=etag)
    assert (known.status, known.body, known.headers["etag"]) == (304, b"", etag)
    assert tab.get(SHEET, if_none_match='"other"').status == 200
    refused = tab.get(SHEET, "POST")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def check_step_arrives(tab: Site, log: Path, run: str = ".") -> None:
    """A new step is announced by the event stream, and its values are those that were logged."""
    array = np.random.default_rng(5).normal(size=(5, 5, 3, 64)).astype(np.float32)
    with tab.events() as events:
        assert next(events)["changed"] == []
        append_step(log, KERNEL, NEXT_STEP, array)
        for event in events:
            last = {(c["run"], c["tag"]): c["last_step"] for c in event["changed"]}
            if last.get((run, KERNEL)) == NEXT_STEP:
                break
        else:
            raise AssertionError("the event stream ended before the step")
    answer = tab.get(f"/api/v1/tensor?run={quote(run)}&tag={KERNEL}&step={NEXT_STEP}")
    assert np.array_equal(np.load(io.BytesIO(answer.body)), array)


def check_active(board: Board) -> None:
    """The tab is active, and TensorBoard prints no warnings about it."""
    entry = board.listing()["convscope"]
    assert entry["enabled"] and entry["tab_name"] == "ConvScope", entry
    module = entry["loading_mechanism"]["module_path"]
    script = board.get(module.removeprefix(board.prefix))
    assert script.status == 200 and b"export function render" in script.body
    assert board.get("/data/plugin_entry.html?name=convscope").status == 200
    for words in ("In 3.0", "Traceback", "ConvScope", "convscope"):
        assert words not in board.said(), board.said()


def check_ends_with(board: Board, how: signal.Signals) -> None:
    """The program ends with TensorBoard, whatever signal ends TensorBoard."""
    daemon = board.daemon()
    board.process.send_signal(how)
    board.process.wait(PATIENCE_S)
    wait_until(lambda: has_ended(daemon), f"the program ends after {how.name}")


def default(scene: Scene) -> None:
    """One logdir, TensorBoard without options: responses, live steps, and the end by SIGKILL."""
    logdir = scene.logdir("default")
    with scene.board("--logdir", logdir) as board, scene.daemon(logdir) as direct:
        check_active(board)
        check_same_answers(board.tab, direct)
        check_validators(board.tab)
        check_step_arrives(board.tab, next(logdir.iterdir()))
        check_active(board)
        check_ends_with(board, signal.SIGKILL)


def slow_and_prefixed(scene: Scene) -> None:
    """--load_fast=false, --path_prefix and --bind_all; the end by SIGTERM."""
    logdir = scene.logdir("prefixed")
    options = ("--load_fast=false", "--path_prefix=/deep/tb", "--bind_all")
    with scene.board("--logdir", logdir, *options) as board, scene.daemon(logdir) as direct:
        check_active(board)
        check_same_answers(board.tab, direct)
        check_step_arrives(board.tab, next(logdir.iterdir()))
        check_ends_with(board, signal.SIGTERM)


def several_logdirs(scene: Scene) -> None:
    """--logdir_spec: runs have TensorBoard's names; two TensorBoards are independent."""
    first, second = scene.logdir("first/train"), scene.logdir("second/train")
    other = scene.logdir("other")
    spec = f"a:{first.parent},b:{second.parent}"
    with scene.board("--logdir_spec", spec) as board, scene.board("--logdir", other) as apart:
        check_active(board)
        for tab in (board.tab, apart.tab):
            wait_until(
                lambda tab=tab: tab.get("/api/v1/health").json()["status"] != "loading",
                "all is read",
            )
        names = ["a/train", "b/train"]
        runs = board.tab.get("/api/v1/runs").json()["runs"]
        assert sorted(run["run"] for run in runs) == names, runs
        wait_until(lambda: sorted(board.get("/data/runs").json()) == names, "the same names")
        check_step_arrives(board.tab, next(second.iterdir()), "b/train")
        assert board.daemon() != apart.daemon()
        steps = apart.tab.get(f"/api/v1/steps?run=.&tag={KERNEL}")
        assert str(NEXT_STEP) not in steps.body.decode()
        check_ends_with(board, signal.SIGKILL)
        answer = apart.tab.get(SHEET)
        assert answer.status == 200, (answer.status, answer.body[:300])


def died(scene: Scene) -> None:
    """A program that was killed is restarted by the next request."""
    with scene.board("--logdir", scene.logdir("died")) as board:
        before = board.daemon()
        picture = board.tab.get(SHEET).body
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: has_ended(before), "the program ends")
        assert wait_until(lambda: board.tab.get(SHEET).body == picture, "the picture is back")
        assert board.daemon() != before


def without_program(scene: Scene) -> None:
    """No program: a page that says so, one warning, and a TensorBoard that works."""
    missing = str(scene.scratch / "nowhere")
    with scene.board("--logdir", scene.logdir("without"), CONVSCOPE_BIN=missing) as board:
        assert board.listing()["convscope"]["enabled"]
        page = board.tab.get("/index.html")
        assert page.status == 503 and page.headers["content-type"].startswith("text/html")
        assert missing in page.body.decode() and "Try again" in page.body.decode()
        refusal = board.tab.get("/api/v1/runs")
        assert refusal.status == 503 and missing in refusal.json()["message"]
        wait_until(lambda: board.get("/data/runs").json() == ["."], "TensorBoard shows its runs")
        assert board.said().count("without its program") == 1, board.said()
        assert "In 3.0" not in board.said() and "Traceback" not in board.said()


def attached(scene: Scene) -> None:
    """--convscope_url and CONVSCOPE_URL show a program that is already running, with its token."""
    logdir, empty = scene.logdir("attached"), scene.scratch / "empty"
    empty.mkdir()
    with scene.daemon(logdir, "--token", "a b") as direct:
        url = f"http://localhost:{direct.port}/?token=a%20b"
        with scene.board("--logdir", empty, "--convscope_url", url) as board:
            check_active(board)
            assert direct.get(SHEET).status == 401
            assert board.tab.get(SHEET).body[:4] == b"\x89PNG"
        with scene.board("--logdir", empty, CONVSCOPE_URL=url) as board:
            assert board.tab.get(SHEET).body[:4] == b"\x89PNG"
    with scene.board("--logdir", empty, "--convscope_url", "ftp://x") as board:
        assert "ftp://x" in board.tab.get("/index.html").body.decode()
    with scene.board("--logdir", empty, "--convscope_url", url) as board:
        wait_until(lambda: "did not answer" in board.said(), "TensorBoard's log says so")
        page = board.tab.get("/index.html").body.decode()
        for words in (page, board.said()):
            assert f"at http://localhost:{direct.port}/, or correct --convscope_url" in words, words
            assert "a b" not in words and "a%20b" not in words, words
        assert board.said().count("without its program") == 1, board.said()


def in_a_circle(scene: Scene) -> None:
    """A tab can show the tab of another TensorBoard, and reports an error if that is its own."""
    logdir = scene.logdir("circle")
    with scene.board("--logdir", logdir) as first:
        url = f"http://localhost:{first.port}/data/plugin/convscope/"
        with scene.board("--logdir", logdir, "--convscope_url", url) as second:
            check_same_answers(second.tab, first.tab)
            check_step_arrives(second.tab, next(logdir.iterdir()))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    url = f"http://localhost:{port}/data/plugin/convscope/"
    with scene.board("--port", port, "--logdir", logdir, "--convscope_url", url) as board:
        page = board.tab.get("/index.html")
        assert page.status == 508 and "names this TensorBoard itself" in page.body.decode()
        # The first request may have come before TensorBoard listened.
        wait_until(lambda: "without its program" in board.said(), "TensorBoard's log says so")


def hangs(scene: Scene) -> None:
    """A program that never answers does not delay the end of TensorBoard."""
    program, is_started = scene.scratch / "hangs", scene.scratch / "hangs.started"
    program.write_text(f"#!/bin/sh\n: > '{is_started}'\nexec sleep 1000000\n")
    program.chmod(0o700)
    with scene.board("--logdir", scene.scratch, CONVSCOPE_BIN=str(program)) as board:
        wait_until(is_started.exists, "the program is started")
        daemon = board.daemon()
        board.process.send_signal(signal.SIGTERM)
        board.process.wait(PATIENCE_S)
        assert "did not listen" not in board.said(), board.said()
        assert has_ended(daemon)


def is_active(listing: dict[str, Any]) -> bool:
    """Whether TensorBoard shows the tab among the active ones."""
    return listing["convscope"]["enabled"]


def nothing_to_show(scene: Scene) -> None:
    """Without files, the tab is inactive but works; any log or checkpoint makes it active."""
    for name in ("events.out.tfevents.1", "best.pt"):
        logdir = scene.scratch / f"nothing-but-{name}"
        logdir.mkdir()
        with scene.board("--logdir", logdir) as board:
            listing = board.listing
            wait_until(lambda look=listing: not is_active(look()), "the tab is inactive")
            assert board.tab.get("/index.html").status == 200
            if name == "best.pt":
                (logdir / name).write_bytes(b"PK\x03\x04")
            else:
                append_scalar(logdir / name, "loss", 0, 0.5)
            wait_until(lambda look=listing: is_active(look()), "the tab is active")
            runs = board.tab.get("/api/v1/runs").json()["runs"]
            assert all(run["series"] == 0 for run in runs), runs


def crowded(scene: Scene) -> None:
    """Many pages at once: each is notified of a step, one too many polls, pictures are served."""
    logdir = scene.logdir("crowded")
    with scene.board("--logdir", logdir) as board, contextlib.ExitStack() as stack:
        streams = [stack.enter_context(board.tab.events()) for _ in range(MOST_STREAMS)]
        before = [next(events)["revision"] for events in streams]
        first = board.tab.get("/api/v1/live").body
        assert first.count(b"event:revision") == 1, first
        assert first.endswith(b"\n\nevent:again\ndata:1000\n\n"), first
        assert board.tab.get(SHEET).status == 200
        check_step_polled(board.tab, next(logdir.iterdir()), first)
        assert all(next(e)["revision"] > known for e, known in zip(streams, before, strict=True))


def check_step_polled(tab: Site, log: Path, first: bytes) -> None:
    """A client that polls is notified of a step."""
    append_step(log, KERNEL, NEXT_STEP, np.ones((5, 5, 3, 64), np.float32))
    wait_until(lambda: tab.get("/api/v1/live").body != first, "another revision")


def untouched(scene: Scene) -> None:
    """Requests reach the program as they were sent, without TensorBoard's cookies and passwords."""
    noted: list[tuple[str, dict[str, str]]] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            noted.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Noting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/under"
    query = "run=a%2Fb&tag=a+b%20c/d&tag=%E4%B8&x=%26&y==&z&&q=~'!*()"
    with scene.board(
        "--logdir", scene.scratch, "--path_prefix=/tb", "--convscope_url", url
    ) as board:
        headers = {"cookie": "a=b", "authorization": "Basic x", "if_none_match": '"e"'}
        assert board.tab.get(f"/api/v1/sheet?{query}", **headers).body == b"ok"
    server.shutdown()
    (path, seen), *_ = [request for request in noted if "sheet" in request[0]]
    assert path == f"/under/api/v1/sheet?{query}", path
    assert seen["host"] == f"127.0.0.1:{server.server_port}" and seen["if-none-match"] == '"e"'
    assert "cookie" not in seen and "authorization" not in seen, seen


def browser(scene: Scene) -> None:
    """Chromium opens the tab and shows the sheet of conv1, and a new step without a reload."""
    logdir = scene.logdir("logs")
    for run in ("second", "third"):
        scene.logdir(f"logs/{run}")
    log = next(logdir.glob("*tfevents*"))
    with scene.board("--logdir", logdir, "--path_prefix=/tb") as board:
        url = f"http://localhost:{board.port}/tb/"
        argv = ["node", HERE / "tensorboard_tab.mjs", url, *filter(None, [scene.kept_picture])]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            hang = threading.Timer(BROWSER_WITHIN_S, process.kill)
            hang.start()
            for line in process.stdout:
                if line.startswith("append "):
                    step = int(line.split()[1])
                    array = np.load(FIXTURE / "truth" / "conv1__weights__0.npy")
                    append_step(log, KERNEL, step, array)
                else:
                    print(f"    {line}", end="")
            hang.cancel()
        assert process.returncode == 0, "the browser saw something else"
        assert "In 3.0" not in board.said() and "Traceback" not in board.said(), board.said()


def take_picture(scene: Scene, target: Path) -> None:
    """The tab on the recording of the demo, for the documentation."""
    logdir = scene.scratch / "recording"
    shutil.copytree(ROOT / "demo" / "recording", logdir)
    with scene.board("--logdir", logdir) as board:
        argv = ["node", HERE / "tensorboard_picture.mjs", f"http://localhost:{board.port}/", target]
        subprocess.run(argv, check=True, timeout=BROWSER_WITHIN_S)


CASES: tuple[Callable[[Scene], None], ...] = (
    default,
    slow_and_prefixed,
    several_logdirs,
    died,
    without_program,
    attached,
    in_a_circle,
    hangs,
    nothing_to_show,
    crowded,
    untouched,
    browser,
)


def main() -> None:
    """Runs every case, or raises."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=ROOT / "target" / "debug" / "convscope")
    parser.add_argument("--installed", action="store_true", help="the package that pip installed")
    parser.add_argument("--keep", type=Path, help="the tab as the browser saw it after a new step")
    parser.add_argument("--screenshot", type=Path, help="only make this picture")
    parser.add_argument("--only", choices=[case.__name__ for case in CASES])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="training-") as folder:
        scripts = Path(sysconfig.get_path("scripts"))
        binary = scripts / "convscope" if arguments.installed else arguments.bin.resolve()
        scene = Scene(binary, Path(folder))
        scene.kept_picture = arguments.keep and arguments.keep.resolve()
        if not arguments.installed:
            scene.use_sources()
        if arguments.screenshot:
            take_picture(scene, arguments.screenshot.resolve())
            return
        for case in CASES:
            if arguments.only in (None, case.__name__):
                case(scene)
                print(f"TensorBoard {VERSION}, {case.__name__}: {case.__doc__.splitlines()[0]}")


if __name__ == "__main__":
    main()
