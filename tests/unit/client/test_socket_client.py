"""Whatever listens on the socket, the client says what is wrong and the way out, and never hangs."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from console.client import SocketClient, attach, socket_client
from console.domain.errors import EngineLost, Refusal
from console.domain.wire import PROTOCOL, Confirm

HEAD = f"HTTP/1.1 {{}}\r\nSwitchgear-Protocol: {PROTOCOL}\r\nConnection: close\r\n"
Answer = Callable[[asyncio.StreamWriter], None]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sg") as name:
        yield Path(name)


@asynccontextmanager
async def answering(folder: Path, sent: bytes, *, close: bool = True) -> AsyncIterator[SocketClient]:
    """A client of something that sends these bytes, whatever it is asked."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        if not close:
            await done.wait()
        writer.close()

    path = folder / "a.sock"
    server = await asyncio.start_unix_server(serve, str(path))
    async with server:
        try:
            yield SocketClient(path, "plant")
        finally:
            done.set()


def whole(status: str, body: bytes) -> bytes:
    return (HEAD.format(status) + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "went away"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "went away"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", "no Switchgear engine"),
        (whole("200 OK", b"{}"), "not of this console's version"),
        (whole("200 OK", b"<html>"), "not of this console's version"),
        (whole("200 OK", b"{}")[:-1], "went away"),
        (whole("500 Oh", b'{"error":"oh"}'), "oh"),
        (whole("502 Bad", b"<html>"), "no engine does"),
    ],
    ids=["nothing", "ssh", "somebody else", "no fields", "html", "cut", "500", "proxy"],
)
async def test_an_answer_that_is_none_is_an_engine_lost(folder: Path, sent: bytes, words: str) -> None:
    async with answering(folder, sent) as client:
        with pytest.raises(EngineLost, match=words):
            await client.hello()


async def test_a_no_is_a_refusal_with_its_code_and_the_way_out(folder: Path) -> None:
    async with answering(folder, whole("409 No", b'{"error":"held","way_out":"restore it"}')) as client:
        with pytest.raises(Refusal, match="held; restore it") as caught:
            await client.stop("now")
        assert caught.value.code == 409


async def test_a_confirm_whose_answer_is_lost_says_that_the_outcome_is_not_known(folder: Path) -> None:
    async with answering(folder, b"") as client:
        with pytest.raises(EngineLost, match=r"not known here.*switchgear audit list -e plant"):
            await client.confirm(Confirm(proposal_id="x"))


async def test_an_engine_that_hangs_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_client, "SILENCE_S", 0.05)
    async with answering(folder, b"", close=False) as client, aclosing(client.events()) as events:
        with pytest.raises(EngineLost, match="said nothing"):
            await anext(events)


async def test_a_stream_that_falls_silent_is_given_up_after_what_it_had_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_client, "SILENCE_S", 0.1)
    line = b'{"type":"heartbeat","seq":1,"at":2.0}\n'
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (line[:10], line[10:] + line))
    sent = (HEAD.format("200 OK") + "Transfer-Encoding: chunked\r\n\r\n").encode() + chunks
    async with answering(folder, sent, close=False) as client, aclosing(client.events()) as events:
        assert [(await anext(events)).seq, (await anext(events)).seq] == [1, 1]
        with pytest.raises(EngineLost, match="said nothing"):
            await anext(events)


async def test_a_line_that_is_no_event_is_an_engine_of_another_version(folder: Path) -> None:
    sent = (HEAD.format("200 OK") + 'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n').encode()
    async with answering(folder, sent) as client, aclosing(client.events()) as events:
        with pytest.raises(EngineLost, match="switchgear stop plant"):
            await anext(events)


async def test_without_an_engine_and_without_leave_to_start_one_the_way_out_is_said(folder: Path) -> None:
    with pytest.raises(EngineLost, match="`switchgear engine plant` starts one"):
        await SocketClient(folder / "none.sock", "plant").hello()
    (folder / "file.sock").touch()
    with pytest.raises(EngineLost, match="starts one"):
        await SocketClient(folder / "file.sock", "plant").hello()


async def test_a_socket_in_a_folder_that_others_may_write_is_not_spoken_to(folder: Path) -> None:
    async with answering(folder, whole("200 OK", b"{}")) as client:
        folder.chmod(0o777)
        with pytest.raises(EngineLost, match="can be written by others"):
            await client.hello()


async def test_attaching_does_not_wait_and_starts_nothing_when_not_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHGEAR_RUNTIME_DIR", str(folder))
    client = attach("plant", start=False)
    assert client.path == folder / "plant.sock"
    with pytest.raises(EngineLost):
        await client.hello()
    assert list(folder.iterdir()) == []
