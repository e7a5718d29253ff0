"""What TensorBoard logs about a program that does not answer like ConvScope."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from tensorboard_played import Play, Script, head, playing

from convscope.tensorboard.address import Address, Ending
from convscope.tensorboard.backend import Absent, Attached
from convscope.tensorboard.presence import Presence

STREAM = head("Content-Type: text/event-stream") + b'event:revision\ndata:{"status":"ready"}\n\n'
BEGINNING = "The ConvScope tab is without its program: "


@pytest.fixture
def play() -> Iterator[Play]:
    """Makes fake daemons from scripts."""
    with playing() as make:
        yield make


def says(**answers: bytes) -> Script:
    """A script that answers by the last part of the path."""

    def answer(client: socket.socket, asked: bytes) -> None:
        client.sendall(answers[asked.split()[1].decode().rpartition("/")[2]])

    return answer


def whole(body: bytes) -> bytes:
    return head(f"Content-Length: {len(body)}") + body


def words(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_tab_without_its_program_is_shown_and_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    presence = Presence(Absent("no program"), is_ours=True)
    presence.watch()
    assert presence.is_shown()
    assert words(caplog) == [f"{BEGINNING}no program"]


FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nboom"


@pytest.mark.parametrize(
    ("is_ours", "answers", "expected"),
    [
        (True, {"health": FAILED}, "ConvScope answered 500 to /api/v1/health"),
        (True, {"health": b"SSH-2.0\x1b\r\n"}, "ConvScope did not answer (SSH-2.0\ufffd)"),
        (True, {"health": whole(b"[1]")}, "the answer to /api/v1/health is not ConvScope's"),
        (True, {"health": whole(b"<html>")}, "the answer to /api/v1/health is not"),
        (False, {"live": FAILED}, "ConvScope answered 500 to /api/v1/live"),
        (False, {"live": STREAM, "health": FAILED}, "ConvScope answered 500 to /api/v1/health"),
        (
            False,
            {"live": STREAM, "health": whole(b'{"scanned":[1]}')},
            "the answer to /api/v1/health",
        ),
    ],
)
def test_what_no_convscope_answers_is_warned_of_with_a_remedy(
    play: Play,
    caplog: pytest.LogCaptureFixture,
    is_ours: bool,
    answers: dict[str, bytes],
    expected: str,
) -> None:
    presence = Presence(play(says(**answers)), is_ours)
    presence.watch()
    assert presence.is_shown()
    (said,) = words(caplog)
    assert said.startswith(BEGINNING + expected) and said.endswith(": play it again")


def test_an_address_where_nobody_listens_is_named_without_its_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        place = f"127.0.0.1:{gone.getsockname()[1]}"
    Presence(Attached(f"http://{place}/?token=secret"), is_ours=False).watch()
    (said,) = words(caplog)
    assert said.startswith(f"{BEGINNING}ConvScope did not answer")
    assert said.endswith(f": start convscope serve at http://{place}/, or correct --convscope_url")


def test_the_end_is_not_warned_of(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    asked = iter((Address("127.0.0.1", port),))

    class Closed(Attached):
        def address(self) -> Address:
            for address in asked:
                return address
            raise Ending

    for _ in ("closed while it is asked", "closed before"):
        Presence(Closed(""), is_ours=True).watch()
    # The daemon ends after its stream was read.
    Presence(play(says(live=STREAM, health=b"")), is_ours=False).watch()
    assert words(caplog) == []


@pytest.mark.parametrize(
    ("health", "is_shown"),
    [
        (b'{"scanned":{"files":0},"checkpoints":{"count":0}}', False),
        (b'{"scanned":{"files":0}}', False),
        (b'{"scanned":{"files":1},"checkpoints":{"count":0}}', True),
        (b'{"scanned":{"files":0},"checkpoints":{"count":2}}', True),
        (b'{"scanned":{"files":0,"checkpoints":1},"checkpoints":{"count":0}}', True),
    ],
)
def test_event_files_and_checkpoints_are_worth_a_tab(
    play: Play, monkeypatch: pytest.MonkeyPatch, health: bytes, is_shown: bool
) -> None:
    presence = Presence(play(says(live=STREAM, health=whole(health))), is_ours=False)
    seen = []
    monkeypatch.setattr(
        "convscope.tensorboard.presence.time.sleep", lambda _: seen.append(presence.is_shown())
    )
    presence.watch()
    # It sleeps only if there is nothing yet.
    assert seen == ([] if is_shown else [False])
