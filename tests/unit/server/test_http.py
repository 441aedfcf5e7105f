"""The door over a real Unix socket: rights, hostile questions, and what a slow or vanished console costs."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from console.client import SocketClient
from console.client.exchange import Exchange
from console.control.access import Peer
from console.domain.actions import Intent, Trip
from console.domain.arrival import EventReader
from console.domain.board import Board
from console.domain.conversations import ConversationQuery
from console.domain.difference import CompareQuery
from console.domain.errors import EngineLost, Refusal
from console.domain.refs import Ref
from console.domain.runbooks import EvidenceQuery, Picture, RunCommand, RunOrder, RunsQuery, StartRun
from console.domain.spans import RequestQuery, TraceQuery
from console.domain.wire import (
    AccessLevel,
    AccessRequest,
    AlertMark,
    AuditQuery,
    Confirm,
    HistoryQuery,
    LogKind,
    LogQuery,
)
from console.engine.clock import ManualClock
from console.runtime import Runtime
from console.server import http
from console.server.door import Door
from console.server.http import LARGEST_BODY, listening
from console.server.peers import Accounts
from tests.unit.server.engines import OWNER, READER, STRANGER, engine

TARGET = Ref.parse("world:deployment/chat-openai")


class Served:
    """An engine in this process behind a real socket; `peer` is whom the kernel is said to have seen."""

    def __init__(self, path: Path, door: Door, runtime: Runtime, clock: ManualClock) -> None:
        self.path = path
        self.door = door
        self.runtime = runtime
        self.clock = clock
        self.client = SocketClient(path, "test")

    async def raw(self, sent: bytes) -> tuple[int, dict[str, Any]]:
        """Status and body of whatever comes back for these bytes."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else {"text": body.decode()}

    async def post(self, path: str, body: bytes, *, method: str = "POST") -> tuple[int, dict[str, Any]]:
        """One question, written by hand."""
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        return await self.raw(head.encode() + body)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="sg") as name:
        yield Path(name)


@asynccontextmanager
async def served(
    folder: Path, monkeypatch: pytest.MonkeyPatch, peer: Peer = OWNER, **settings: Any
) -> AsyncIterator[Served]:
    async def seen(accounts: Accounts, connection: object) -> Peer:
        return peer

    monkeypatch.setattr(Accounts, "peer_of", seen)
    async with engine(folder, **settings) as (door, runtime, clock):
        path = folder / "run" / "test.sock"
        async with listening(door, path):
            yield Served(path, door, runtime, clock)
        assert not path.exists()


async def test_every_call_of_the_interface_works_over_the_socket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(folder, monkeypatch) as it:
        client = it.client
        assert (await client.hello()).access.operator == "olga"
        assert (await client.access(AccessRequest(level=AccessLevel.OPERATE, reason="r"))).level is AccessLevel.OPERATE
        proposal = await client.propose(Intent(target=TARGET, action=Trip(), reason="why"))
        assert proposal.verdict.allowed
        receipt = await client.confirm(Confirm(proposal_id=proposal.id, typed_name=TARGET.name))
        assert (await client.receipt(receipt.id)).intent.target == TARGET
        assert len((await client.history(HistoryQuery(ref=TARGET, points=10))).series) >= 0
        assert any(entry.operator == "olga" for entry in await client.log(LogQuery()))
        assert (await client.audit(AuditQuery(limit=5)))[0].seq > 1
        assert (await client.verify_audit()).holds
        states = {state.name: state for state in await client.detectors()}
        assert states["stale-source"].watching == 1
        assert {row.source for row in await client.check()} == {"world"}
        with pytest.raises(Refusal):
            await client.mark(AlertMark(alert_id="no such alert"))
        with pytest.raises(Refusal) as caught:
            await client.receipt("no/such?receipt")
        assert caught.value.code == 404


async def test_runbooks_and_runs_are_the_same_over_the_socket_as_at_the_door(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(folder, monkeypatch) as it:
        client, desk = it.client, it.door.for_peer(OWNER)
        assert await client.runbooks() == await desk.runbooks()
        start = StartRun(runbook="ramp", parameters={"route": "chat", "to": "chat-azure"}, dry=True, request="once")
        begun = await client.start_run(start)
        assert (begun.dry, begun.holder) == (True, "olga")
        assert (await client.start_run(start)).id == begun.id
        assert (await client.run(begun.id)).runbook == "ramp"
        assert [one.id for one in (await client.runs(RunsQuery())).runs] == [begun.id]
        assert await client.evidence(EvidenceQuery(run=begun.id)) == await desk.evidence(EvidenceQuery(run=begun.id))
        with pytest.raises(Refusal):
            await client.order_run(RunCommand(run=begun.id, order=RunOrder.RESUME))
        with pytest.raises(Refusal, match="no run"):
            await client.run("r/0?")
        with pytest.raises(Refusal, match="no run") as caught:
            await client.keep_picture(Picture(run="r0", step="one", svg="x" * (2 * LARGEST_BODY)))
        assert caught.value.code == 404, "a picture may be larger than any question"
        assert await client.calibration() == ()


async def test_what_is_asked_of_a_trace_store_is_the_same_over_the_socket_as_at_the_door(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"scenario": "split-snapshots", "part": "traces"}
    sources = {"calls": {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": options}}
    async with served(folder, monkeypatch, sources=sources) as it:
        await it.clock.advance(90.0)
        client, desk = it.client, it.door.for_peer(OWNER)
        rows = await client.requests(RequestQuery(source="calls"))
        assert rows == await desk.requests(RequestQuery(source="calls"))
        trace = TraceQuery(source="calls", trace_id=rows[0].trace_id)
        assert await client.trace(trace) == await desk.trace(trace)
        assert await client.reconstruct(trace) == await desk.reconstruct(trace)
        compare = CompareQuery(source="calls", trace_id=rows[0].trace_id)
        assert await client.compare(compare) == await desk.compare(compare)
        name = next(row.conversation for row in rows if row.conversation)
        talk = ConversationQuery(source="calls", conversation=name)
        assert await client.conversation(talk) == await desk.conversation(talk)
        with pytest.raises(Refusal, match="no request of the conversation nobody"):
            await client.conversation(ConversationQuery(source="calls", conversation="nobody"))


async def test_the_kernels_word_is_what_counts(folder: Path) -> None:
    async with engine(folder) as (door, _, _clock):
        path = folder / "run" / "test.sock"
        async with listening(door, path):
            with pytest.raises(Refusal, match="may not look"):  # This process is neither olga (uid 1000) nor in %ops.
                await SocketClient(path, "test").hello()


async def test_an_engine_that_ends_takes_only_its_own_socket_away(folder: Path) -> None:
    async with engine(folder) as (door, _, _clock):
        path = folder / "run" / "test.sock"
        async with listening(door, path):
            path.rename(path.with_suffix(".old"))  # so that the kernel does not give its number to the next file
            path.write_text("the next engine's")
        assert path.exists()


async def test_a_reader_may_rehearse_over_the_raw_socket_and_nothing_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = (
        b'{"target":{"source":"world","kind":"deployment","name":"chat-openai"},"action":{"type":"trip"},"reason":"x"}'
    )
    async with served(folder, monkeypatch, READER) as it:
        status, proposal = await it.post("/v1/propose", intent)
        assert status == 200
        refused = [
            await it.post("/v1/confirm", json.dumps({"proposal_id": proposal["id"]}).encode()),
            await it.post("/v1/access", b'{"level":"operate","reason":"me"}'),
            await it.post("/v1/reconcile", b""),
            await it.post("/v1/stop", b"{}"),
            await it.post("/v1/mark", b'{"alert_id":"x"}'),
        ]
        assert [status for status, _ in refused] == [403] * 5
        assert all(problem["error"] for _, problem in refused)
        assert it.runtime.store.board.overrides == {}


async def test_a_stranger_is_answered_with_403_everywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(folder, monkeypatch, STRANGER) as it:
        for path in ("/v1/hello", "/v1/events", "/v1/audit/verify", "/v1/receipts/x"):
            assert (await it.post(path, b"", method="GET"))[0] == 403
        assert (await it.post("/v1/propose", b"{}"))[0] == 400
        assert it.door.attached == 0


HOSTILE = {
    "empty": ("/v1/log", b"", 400),
    "not json": ("/v1/log", b"not json", 400),
    "not utf-8": ("/v1/log", b"\xff\xfe", 400),
    "wrong type": ("/v1/log", b'{"limit":"many"}', 400),
    "deep list": ("/v1/log", b"[" * 60_000, 400),
    "deep object": ("/v1/log", b'{"ref":' * 9_000, 400),
    "huge number": ("/v1/log", b'{"limit":' + b"9" * 5_000 + b"}", 400),
    "too large": ("/v1/log", b'{"x":"' + b"a" * LARGEST_BODY + b'"}', 413),
    "control characters": ("/v1/confirm", b'{"proposal_id":"\\u0000\\u001b[2J"}', 403),
    "no such kind": ("/v1/propose", b'{"target":{"source":"w","kind":"x","name":"x"},"action":{"type":"trip"}}', 400),
    "no such route": ("/v1/nowhere", b"", 404),
    "wrong method": ("/v1/hello", b"", 405),
    "out of the tree": ("/v1/receipts/..%2f..%2fetc", b"", 405),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_body_is_answered_with_a_problem(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path, body, status = HOSTILE[name]
    async with served(folder, monkeypatch) as it:
        answered, problem = await it.post(path, body)
        assert (answered, set(problem)) == (status, {"error", "way_out"})
        assert "\x1b" not in problem["error"]
        assert (await it.client.hello()).environment == "test"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/hello HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"POST /v1/log HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    ],
    ids=["tls", "no such version", "long header", "negative length"],
)
async def test_what_is_no_http_is_answered_and_forgotten(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    async with served(folder, monkeypatch) as it:
        status, _ = await it.raw(sent)
        assert status == 400
        assert (await it.client.hello()).environment == "test"


async def test_another_protocol_is_told_the_way_out_and_may_still_stop(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(folder, monkeypatch) as it:
        other = b"Host: x\r\nSwitchgear-Protocol: 99\r\nConnection: close\r\n"
        status, problem = await it.raw(b"GET /v1/events HTTP/1.1\r\n" + other + b"\r\n")
        assert status == 426
        assert "switchgear stop" in problem["error"]
        assert (await it.raw(b"GET /v1/hello HTTP/1.1\r\n" + other + b"\r\n"))[0] == 200
        sent = b"POST /v1/stop HTTP/1.1\r\n" + other + b"Content-Length: 2\r\n\r\n{}"
        assert (await it.raw(sent))[0] == 204
        assert it.door.stopped.is_set()


async def test_two_consoles_see_the_same_action_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(folder, monkeypatch, access="operate") as it:
        seen = [asyncio.ensure_future(_first_receipt(SocketClient(it.path, "test"))) for _ in range(2)]
        while it.door.attached < 2:
            await asyncio.sleep(0.01)
        proposal = await it.client.propose(Intent(target=TARGET, action=Trip(), reason="why"))
        receipt = await it.client.confirm(Confirm(proposal_id=proposal.id, typed_name=TARGET.name))
        assert await asyncio.wait_for(asyncio.gather(*seen), 10) == [receipt.id] * 2


async def _first_receipt(client: SocketClient) -> str:
    async with aclosing(client.events()) as events:
        board = Board()
        async for event in events:
            board.apply(event)
            if board.receipts:
                return next(iter(board.receipts))
    raise AssertionError("the stream ended")


async def test_a_console_that_does_not_read_is_coalesced_and_then_catches_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "PACE_S", 0.0)
    async with served(folder, monkeypatch) as it:
        slow = Exchange(it.path)
        await slow.open()
        await slow.send("GET", "/v1/events", None)
        assert (await slow.head())[0] == 200
        while it.door.attached < 1:
            await asyncio.sleep(0.01)
        words = "x" * 150
        for step in range(20_000):
            it.runtime.store.say(LogKind.ENGINE, f"{step} {words}")
            if step % 50 == 0:
                await asyncio.sleep(0)
        (inbox,) = it.door._inboxes
        assert inbox.pending < 300
        board, reader, lines = Board(), EventReader(), 0
        rest = b""
        async for piece in slow.body():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                board.apply(reader.read(line))
                lines += 1
            if board.seq >= it.runtime.store.board.seq:
                break
        slow.close()
        assert lines < 10_000
        assert board.log == it.runtime.store.board.log


async def test_a_console_that_vanishes_ends_its_stream(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(folder, monkeypatch) as it:
        gone = Exchange(it.path)
        await gone.open()
        await gone.send("GET", "/v1/events", None)
        await gone.head()
        assert it.door.attached == 1
        gone.close()
        for _ in range(50):
            await it.clock.advance(1.0)
            await asyncio.sleep(0.02)
            if it.door.attached == 0:
                break
        assert it.door.attached == 0


async def test_an_engine_that_ends_says_so_to_its_consoles(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(folder, monkeypatch) as it, aclosing(it.client.events()) as events:
        await anext(events)
        it.door.close()
        with pytest.raises(EngineLost, match="has ended"):
            async for _ in events:
                pass
