"""Every way of failing has its name, its place and its way out, and no answer holds more than it may."""

import asyncio
import base64
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import http_wire
from adapters.http import Credential, Server, safe_url
from console.domain.errors import BackendError, ConfigError, ErrorKind, Failure
from tests.unit.adapters.misbehaving import Misbehaving, misbehaving


class Shape(msgspec.Struct):
    name: str = ""


@pytest.fixture
async def bad() -> AsyncIterator[Misbehaving]:
    async with misbehaving() as server:
        yield server


def _server(bad: Misbehaving, **more: Any) -> Server:
    return Server(bad.url, timeout_s=more.pop("timeout_s", 2.0), **more)


async def _read(server: Server, path: str = "/x") -> Failure:
    with pytest.raises(BackendError) as caught:
        await server.json(path, Shape)
    await server.close()
    return caught.value.failure


async def _write(server: Server) -> Failure:
    with pytest.raises(BackendError) as caught:
        await server.write("POST", "/x", {"a": 1})
    return caught.value.failure


async def test_a_good_answer(bad: Misbehaving) -> None:
    bad.body = b'{"name": "x", "other": [1, 2]}'
    server = _server(bad)
    assert (await server.json("/x", Shape)).name == "x"
    assert await server.write("POST", "/y", {}) == bad.body
    assert server.requests == 2
    assert bad.hits == [("GET", "/x"), ("POST", "/y")]
    await server.close()


@pytest.mark.parametrize("mode", ["hang", "trickle"])
async def test_a_server_that_hangs_or_trickles(bad: Misbehaving, mode: str) -> None:
    bad.mode = mode
    failure = await _read(_server(bad, timeout_s=0.2))
    assert failure.kind is ErrorKind.TIMEOUT
    assert failure.where == f"GET {bad.url}/x"
    assert (await _write(_server(bad, timeout_s=0.2))).kind is ErrorKind.UNKNOWN_OUTCOME


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        failure = await _read(Server(url, timeout_s=1.0))
        assert failure.kind is ErrorKind.UNREACHABLE
        assert failure.way_out
        assert (await _write(Server(url, timeout_s=1.0))).kind is ErrorKind.UNREACHABLE


async def test_a_page_for_people(bad: Misbehaving) -> None:
    bad.body, bad.content_type = b"<html>\x1b[31mlogin</html>", "text/html; charset=utf-8"
    failure = await _read(_server(bad))
    assert failure.kind is ErrorKind.MALFORMED
    assert "text/html" in failure.message
    assert "login page" in failure.way_out


async def test_json_that_is_cut_or_of_another_shape(bad: Misbehaving) -> None:
    for body in (b'{"name": "x', b"", b"\xff\xfe", b'{"name": 5}', b"[1]", b"[" * 100_000):
        bad.body = body
        assert (await _read(_server(bad))).kind is ErrorKind.MALFORMED, body[:20]


async def test_an_answer_that_ends_before_its_length(bad: Misbehaving) -> None:
    bad.mode = "cut"
    assert (await _read(_server(bad))).kind is ErrorKind.MALFORMED
    assert (await _write(_server(bad))).kind is ErrorKind.UNKNOWN_OUTCOME


async def test_an_answer_without_end_is_not_read_to_its_end(bad: Misbehaving) -> None:
    bad.mode = "huge"
    failure = await _read(_server(bad))
    assert failure.kind is ErrorKind.MALFORMED
    assert "larger than 8 MB" in failure.message


@pytest.mark.parametrize(
    ("status", "headers", "read", "write"),
    [
        (401, {}, ErrorKind.UNAUTHORISED, ErrorKind.UNAUTHORISED),
        (403, {}, ErrorKind.FORBIDDEN, ErrorKind.FORBIDDEN),
        (404, {}, ErrorKind.UNSUPPORTED, ErrorKind.UNSUPPORTED),
        (409, {}, ErrorKind.CONFLICT, ErrorKind.CONFLICT),
        (429, {"retry-after": "7"}, ErrorKind.THROTTLED, ErrorKind.THROTTLED),
        (503, {"retry-after": "7"}, ErrorKind.THROTTLED, ErrorKind.UNKNOWN_OUTCOME),
        (500, {}, ErrorKind.FAILED, ErrorKind.UNKNOWN_OUTCOME),
        (502, {}, ErrorKind.UNREACHABLE, ErrorKind.UNKNOWN_OUTCOME),
        (503, {}, ErrorKind.UNREACHABLE, ErrorKind.UNKNOWN_OUTCOME),
        (307, {"location": "/elsewhere"}, ErrorKind.MALFORMED, ErrorKind.MALFORMED),
    ],
)
async def test_statuses(
    bad: Misbehaving, status: int, headers: dict[str, str], read: ErrorKind, write: ErrorKind
) -> None:
    bad.status, bad.headers, bad.body = (
        status,
        headers,
        b'{"error": {"message": "because \x1b[2J"}}'.replace(b"\x1b", b"\\u001b"),
    )
    failure = await _read(_server(bad))
    assert failure.kind is read
    assert f"HTTP {status}" in failure.message
    assert failure.retry_after_s == (7.0 if headers.get("retry-after") else None)
    assert "\x1b" not in str(failure)
    assert (await _write(_server(bad))).kind is write


async def test_the_first_line_of_a_plain_text_says_what_is_wrong_and_a_page_for_people_does_not(
    bad: Misbehaving,
) -> None:
    bad.status, bad.body = 404, b"Project with name x not found\nTraceback\x1b[2J"
    bad.content_type = "text/plain; charset=utf-8"
    assert (await _read(_server(bad))).message == "HTTP 404: Project with name x not found"
    bad.content_type = "text/html"
    assert (await _read(_server(bad))).message == "HTTP 404"


async def test_a_read_is_asked_again_when_its_connection_went_stale_and_a_write_never(bad: Misbehaving) -> None:
    bad.mode = "drop once"
    server = _server(bad)
    assert (await server.json("/x", Shape)).name == ""
    await server.close()
    assert len(bad.hits) == 2
    bad.hits.clear()
    assert (await _write(_server(bad))).kind is ErrorKind.UNKNOWN_OUTCOME
    assert len(bad.hits) == 1
    bad.mode = "drop"
    assert (await _read(_server(bad))).kind is ErrorKind.UNREACHABLE


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_write_that_could_be_repeated_is_sent_once_all_the_same(bad: Misbehaving, method: str) -> None:
    bad.mode = "drop"
    with pytest.raises(BackendError) as caught:
        await _server(bad).write(method, "/x", {})
    assert caught.value.kind is ErrorKind.UNKNOWN_OUTCOME
    assert bad.hits == [(method, "/x")]


@asynccontextmanager
async def _saying(words: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that says the same to everybody and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls) as server:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n{}{}{}{}", "was cut"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nxyz", "no HTTP"),
    ],
)
async def test_an_answer_that_is_no_http_or_broken_inside(words: bytes, said: str) -> None:
    async with _saying(words) as url:
        failure = await _read(Server(url, timeout_s=2.0))
        assert failure.kind is ErrorKind.MALFORMED
        assert said in failure.message
        assert (await _write(Server(url, timeout_s=2.0))).kind is ErrorKind.UNKNOWN_OUTCOME


async def test_a_compressed_answer_is_read_up_to_the_same_limit(bad: Misbehaving) -> None:
    bad.headers = {"content-encoding": "gzip"}
    bad.body = gzip.compress(b'{"name": "small"}')
    server = _server(bad)
    assert (await server.json("/x", Shape)).name == "small"
    await server.close()
    bad.body = gzip.compress(b" " * 50_000_000)
    assert "larger than 8 MB" in (await _read(_server(bad))).message


@pytest.mark.parametrize("url", ["http://[::1/x", "http://host:notaport", "ftp://127.0.0.1/x", "nothing", "http://"])
async def test_a_url_that_is_none_is_said(url: str) -> None:
    failure = await _read(Server(url, timeout_s=1.0))
    assert failure.kind is ErrorKind.UNREACHABLE
    assert "correct the URL" in failure.way_out


async def test_a_host_that_nobody_knows() -> None:
    failure = await _read(Server("http://nobody.invalid", timeout_s=2.0))
    assert failure.kind is ErrorKind.UNREACHABLE
    assert (await _write(Server("http://nobody.invalid", timeout_s=2.0))).kind is ErrorKind.UNREACHABLE


async def test_user_and_password_of_a_url_are_sent_and_not_shown(bad: Misbehaving) -> None:
    server = Server(bad.url.replace("//", "//us%40er:pa%20ss@"), timeout_s=2.0)
    await server.json("/x", Shape)
    await server.close()
    assert bad.seen == ["Basic " + base64.b64encode(b"us@er:pa ss").decode()]
    assert server.url == bad.url


async def test_the_proxy_of_the_environment_is_asked(bad: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", bad.url)
    monkeypatch.setenv("no_proxy", "near.invalid")
    server = Server("http://far.invalid", timeout_s=2.0)
    await server.json("/x", Shape)
    await server.close()
    assert (await _read(Server("http://near.invalid", timeout_s=2.0))).kind is ErrorKind.UNREACHABLE
    assert len(bad.hits) == 1


async def test_only_a_certificate_that_is_trusted_is_talked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path(__file__).parent / "self_signed.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    words = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}"
    http_wire._certificates.cache_clear()
    async with _saying(words, context) as url:
        failure = await _read(Server(url, timeout_s=2.0))
        assert failure.kind is ErrorKind.UNREACHABLE
        assert "certificate" in failure.message
        http_wire._certificates.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
        server = Server(url, timeout_s=2.0)
        await server.json("/x", Shape)
        await server.close()
    http_wire._certificates.cache_clear()


async def test_a_credential_is_never_said(bad: Misbehaving) -> None:
    bad.status, bad.body = 403, b'{"error": {"message": "sk-very-secret may not do this"}}'
    credential = Credential("env:KEY", lambda reference: "sk-very-secret")
    failure = await _read(_server(bad, credential=credential))
    assert bad.seen == ["Bearer sk-very-secret"]
    assert "sk-very" not in str(failure)
    assert "may not do this" in failure.message


async def test_a_credential_that_was_rotated_is_resolved_again_after_a_401(bad: Misbehaving) -> None:
    secrets = iter(["old", "new"])
    server = _server(bad, credential=Credential("env:KEY", lambda reference: next(secrets)))
    bad.status = 401
    with pytest.raises(BackendError):
        await server.json("/x", Shape)
    bad.status = 200
    await server.json("/x", Shape)
    await server.json("/x", Shape)
    await server.close()
    assert bad.seen == ["Bearer old", "Bearer new", "Bearer new"]


async def test_a_reference_that_leads_nowhere_is_said(bad: Misbehaving) -> None:
    def nowhere(reference: str) -> str:
        raise ConfigError(f"{reference} is not set")

    failure = await _read(_server(bad, credential=Credential("env:KEY", nowhere)))
    assert failure.kind is ErrorKind.UNAUTHORISED
    assert "env:KEY is not set" in failure.message
    assert bad.hits == []


@pytest.mark.parametrize("secret", ["sk-geheim\nsecond line", "sk-geheim\x00", "sk-gehé"])
async def test_a_credential_that_fits_no_header_is_said_and_not_shown(bad: Misbehaving, secret: str) -> None:
    failure = await _read(_server(bad, credential=Credential("env:KEY", lambda reference: secret)))
    assert failure.kind is ErrorKind.UNAUTHORISED
    assert "env:KEY" in failure.message
    assert "geh" not in str(failure)


async def test_a_backends_habits_come_before_the_status(bad: Misbehaving) -> None:
    bad.status, bad.body = 500, b'{"detail": {"error": "DB not connected"}}'
    server = _server(bad, explain=lambda status, words: (ErrorKind.UNSUPPORTED, "no") if "DB" in words else None)
    assert (await _write(server)).kind is ErrorKind.UNSUPPORTED


def test_a_url_is_shown_without_what_is_secret_in_it() -> None:
    assert safe_url("https://user:pa%20ss@host:8443/base/?key=x#y") == "https://host:8443/base"
    assert safe_url("http://[::1]:4000/") == "http://[::1]:4000"
    assert safe_url("http://host:notaport/") == "an unreadable URL"
