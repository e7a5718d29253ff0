"""How --convscope_url is parsed, and how long the tab waits for it."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from convscope.tensorboard.address import Address, Unavailable
from convscope.tensorboard.backend import Attached


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:6007/", Address("localhost", 6007)),
        ("gpu-box:6007", Address("gpu-box", 6007)),
        ("http://[::1]:6007/a/b/?token=x%20y", Address("::1", 6007, "/a/b", token="x y")),
        ("https://kernels.example", Address("kernels.example", 443, is_https=True)),
    ],
)
def test_addresses_are_read_as_they_are_printed(url: str, expected: Address) -> None:
    assert Attached(url).address() == expected


UNUSABLE = (
    *("ftp://x", "http://", "http://x:port/", "http://[::1", "/tmp"),
    *("http://a b/", "http://a\nb/", "http://a\tb/", "http://x/a b", "http://x/\x7f", "\0"),
    *("http://\u5b57.example/", "http://x/\u5b57", "http://x/\udcff"),
    *(f"http://{'a' * 64}.example/", "http://a..b/"),
)


@pytest.mark.parametrize("url", UNUSABLE)
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(Unavailable, match="is no address"):
        Attached(url).address()


def test_a_host_of_version_6_has_brackets_and_a_token_is_not_shown() -> None:
    address = Address.parse("http://[::1]:6007/?token=secret")
    assert address.headers() == {"Host": "[::1]:6007", "Authorization": "Bearer secret"}
    assert "secret" not in repr(address)


@pytest.mark.parametrize("url", ["http://x:port/{}", "ftp://me:secret@x/{}", "me:secret@/ {}"])
def test_a_refusal_does_not_hold_what_is_secret(url: str) -> None:
    for query in ("?token=secret", "#secret", "?token=%FFsecret"):
        with pytest.raises(Unavailable) as failure:
            Attached(url.format(query)).address()
        assert "secret" not in str(failure.value)
        assert url.rpartition("@")[2].partition("/")[0] in str(failure.value)


@pytest.mark.parametrize("token", ["secret%0A", "secret%00", "secret\u5b57", "secret%E4"])
def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(Unavailable, match="token for http://x/ cannot be sent") as failure:
        Attached(f"http://x/?token={token}").address()
    assert "secret" not in str(failure.value)


def test_connecting_is_given_up_early_and_an_answer_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patience: list[float] = []
    create = socket.create_connection

    def note(place: tuple[str, int], timeout: float, *more: None) -> socket.socket:
        patience.append(timeout)
        return create(place, timeout, *more)

    monkeypatch.setattr(socket, "create_connection", note)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        address = Address("127.0.0.1", listener.getsockname()[1])
        for wished, expected in ((None, 120), (7.0, 7.0)):
            with closing(address.connect() if wished is None else address.connect(wished)) as made:
                assert made.sock.gettimeout() == expected
    assert patience == [5, 5]


def test_a_python_without_ssl_speaks_http_and_says_so() -> None:
    code = """
import sys
sys.modules["ssl"] = None
from convscope.tensorboard.address import Address, Unavailable
try:
    Address.parse("https://x").connect()
except Unavailable as failure:
    print(failure)
"""
    source = str(Path(__file__).resolve().parents[1])
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "has no ssl" in said.stdout
