"""What the door makes of a trace store: requests put together, conversations and comparisons, on the simulated one."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.domain.alerts import AlertState
from console.domain.conversations import ConversationQuery, Mark, MarkKind, MarkQuery
from console.domain.difference import CompareQuery
from console.domain.errors import BackendError, ErrorKind, Refusal
from console.domain.reconstruction import StageKind
from console.domain.refs import Kind
from console.domain.spans import LaneKind, RequestQuery, SpanKind, Trace, TraceQuery
from console.runtime import Runtime
from console.server import tracing
from console.server.door import Desk
from tests.unit.server.engines import OWNER, STRANGER, engine
from tests.unit.traces.marked import read
from tests.unit.traces.spans import TRACE, span

SOURCES: dict[str, Any] = {
    "calls": {
        "adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": {"scenario": "calm", "part": "traces"},
    },
    "world": {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": {"scenario": "calm"}},
}  # fmt: skip


async def test_a_request_is_put_together(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, _, clock):
        await clock.advance(60.0)
        desk = door.for_peer(OWNER)
        (newest,) = await desk.requests(RequestQuery(source="calls", limit=1))
        found = await desk.reconstruct(TraceQuery(source="calls", trace_id=newest.trace_id))
        assert found.trace.request == newest
        assert [stage.kind for stage in found.stages] == list(StageKind)
        assert [lane.kind for lane in found.lanes] == list(LaneKind)


async def test_no_word_of_a_request_is_sent_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = (
        span(1),
        span(2, 1, kind=SpanKind.TOOL, arguments="{}", result="21 degrees", attributes={"tool.name": "w"}),
    )

    async def trace(trace_id: str) -> Trace:
        return Trace(trace_id=trace_id, spans=spans)

    async with engine(tmp_path, sources=SOURCES) as (door, runtime, _):
        monkeypatch.setattr(runtime.adapters["calls"], "trace", trace)
        found = await door.for_peer(OWNER).reconstruct(TraceQuery(source="calls", trace_id=TRACE))
        assert [piece.text for stage in found.stages for piece in stage.pieces if piece.text] == ["21 degrees"]
        assert list(found.trace.spans) == [msgspec.structs.replace(one, content=None) for one in spans]


async def test_a_long_request_goes_out_in_two_answers_that_are_one_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_so_far: list[str] = []
    monkeypatch.setattr(tracing, "LONG_SPANS", 20)
    steps = [span(number, 1, number, number + 0.5, failed=number == 7) for number in range(2, 22)]

    async def trace(trace_id: str) -> Trace:
        read_so_far.append(trace_id)
        return Trace(trace_id=trace_id, spans=(span(1, 0, 0.0, 30.0), *steps))

    async with engine(tmp_path, sources=SOURCES) as (door, runtime, clock):
        monkeypatch.setattr(runtime.adapters["calls"], "trace", trace)
        desk = door.for_peer(OWNER)
        brief, all_of_it = (
            TraceQuery(source="calls", trace_id=TRACE, brief=True),
            TraceQuery(source="calls", trace_id=TRACE),
        )
        first, second = await desk.reconstruct(brief), await desk.reconstruct(all_of_it)
        assert (first.brief, second.brief, len(read_so_far)) == (True, False, 1)
        assert first.lanes == ()
        assert len(second.trace.spans) == 21
        # what stages are shown with: why one failed, names of the critical path, and when it began
        shown = {one.span_id for one in first.trace.spans}
        assert shown == {f"{number:016x}" for number in (1, 7)} | {one.span_id for one in second.critical}
        assert msgspec.structs.replace(first, brief=False, trace=second.trace, lanes=second.lanes) == second
        await desk.reconstruct(all_of_it)
        assert len(read_so_far) == 2
        await desk.reconstruct(brief)
        await clock.advance(tracing.KEPT_S)
        await desk.reconstruct(all_of_it)
        assert len(read_so_far) == 4, "what was kept is too old by then"


async def test_a_short_request_is_one_answer(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, _, clock):
        await clock.advance(60.0)
        desk = door.for_peer(OWNER)
        (newest,) = await desk.requests(RequestQuery(source="calls", limit=1))
        found = await desk.reconstruct(TraceQuery(source="calls", trace_id=newest.trace_id, brief=True))
        assert not found.brief
        assert found.lanes


async def test_a_comparison_picks_the_last_good_one_like_it(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, _, clock):
        await clock.advance(120.0)
        desk = door.for_peer(OWNER)
        rows = await desk.requests(RequestQuery(source="calls"))
        looked_at = rows[0]
        like = [r for r in rows[1:] if (r.name, r.service, r.failed) == (looked_at.name, looked_at.service, False)]
        found = await desk.compare(CompareQuery(source="calls", trace_id=looked_at.trace_id))
        assert found.first.trace_id in {one.trace_id for one in like}
        assert (found.second.trace_id, len(found.stages)) == (looked_at.trace_id, 7)
        assert found.chosen.startswith(f"the last good {looked_at.name} of {looked_at.service}, ")
        query = CompareQuery(source="calls", trace_id=looked_at.trace_id, against=rows[5].trace_id)
        named = await desk.compare(query)
        assert (named.first.trace_id, named.chosen) == (rows[5].trace_id, "")


async def test_nothing_good_before_it_is_said(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, _, clock):
        await clock.advance(60.0)
        desk = door.for_peer(OWNER)
        oldest = (await desk.requests(RequestQuery(source="calls", limit=1000)))[-1]
        with pytest.raises(Refusal, match="choose one to compare with"):
            await desk.compare(CompareQuery(source="calls", trace_id=oldest.trace_id))


async def test_a_conversation_is_shown_in_turns(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, _, clock):
        await clock.advance(240.0)
        desk = door.for_peer(OWNER)
        rows = await desk.requests(RequestQuery(source="calls", limit=1000))
        talks = [row.conversation for row in rows if row.conversation]
        name = max(set(talks), key=talks.count)
        found = await desk.conversation(ConversationQuery(source="calls", conversation=name))
        mine = sorted((row for row in rows if row.conversation == name), key=lambda row: row.started_at)
        assert [turn.request for turn in found.turns] == mine
        assert all(turn.request.service in turn.services for turn in found.turns)
        assert all(turn.snapshots for turn in found.turns)
        assert found.divergences == ()
        last = await desk.conversation(ConversationQuery(source="calls", conversation=name, limit=1))
        assert (len(last.turns), last.cut) == (1, len(mine) - 1)


async def test_what_is_not_there_or_not_allowed_is_refused(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, _, _clock):
        desk = door.for_peer(OWNER)
        with pytest.raises(BackendError, match="no request of the conversation nobody is kept"):
            await desk.conversation(ConversationQuery(source="calls", conversation="nobody"))
        with pytest.raises(Refusal, match="no source"):
            await desk.reconstruct(TraceQuery(source="elsewhere", trace_id="ab" * 16))
        with pytest.raises(Refusal, match="1 to 1000"):
            await desk.conversation(ConversationQuery(source="calls", conversation="x", limit=0))
        stranger = door.for_peer(STRANGER)
        for call in (
            stranger.reconstruct(TraceQuery(source="calls", trace_id="ab" * 16)),
            stranger.conversation(ConversationQuery(source="calls", conversation="x")),
            stranger.compare(CompareQuery(source="calls", trace_id="ab" * 16)),
        ):
            with pytest.raises(Refusal) as caught:
                await call
            assert caught.value.code == 403


class Marked:
    """The simulated store's requests with marks of a test's own."""

    def __init__(self, runtime: Runtime, *marks: Mark, refuses: bool = False) -> None:
        self.store: Any = runtime.adapters["calls"]
        self.kept = marks
        self.refuses = refuses
        self.asked: list[MarkQuery] = []

    async def requests(self, query: RequestQuery) -> Any:
        return await self.store.requests(query)

    async def trace(self, trace_id: str) -> Trace:
        raise AssertionError("no span tree is read for a conversation")

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        self.asked.append(query)
        if self.refuses:
            raise BackendError(ErrorKind.UNSUPPORTED, "nothing of it is kept")
        return tuple(mark for mark in self.kept if not query.conversation or mark.conversation == query.conversation)


async def conversation_name(desk: Desk) -> tuple[str, str]:
    rows = await desk.requests(RequestQuery(source="calls", limit=1000))
    row = next(row for row in rows if row.conversation)
    return row.conversation, row.trace_id


async def test_what_others_did_meanwhile_tells_a_hand_over_from_a_disagreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, runtime, clock):
        await clock.advance(120.0)
        name, trace = await conversation_name(door.for_peer(OWNER))
        at = clock.now()
        own = (read(at, "api", "v1", talk=name, trace=trace), read(at + 9, "worker", "v2", talk=name, trace="other"))
        query = ConversationQuery(source="calls", conversation=name)
        found = await tracing.conversation_of(Marked(runtime, *own), query, 900.0)
        assert [one.first for one in found.divergences] == [own[1]]
        handed = Marked(runtime, *own, read(at - 9, "worker", "v1", talk="elsewhere"))
        assert (await tracing.conversation_of(handed, query, 900.0)).divergences == ()
        assert handed.asked[1].kinds == (MarkKind.RETRIEVAL, MarkKind.MEMORY)
        assert handed.asked[1].limit == tracing.OTHERS_MOST
        monkeypatch.setattr(tracing, "OTHERS_MOST", 3)
        crowded = await tracing.conversation_of(handed, query, 900.0)
        assert "of what others read meanwhile only the newest 3 are known here" in crowded.notes
        torn = (own[0], msgspec.structs.replace(own[1], trace_id=trace))
        found = await tracing.conversation_of(Marked(runtime, *torn), query, 900.0)
        (turn,) = [turn for turn in found.turns if turn.request.trace_id == trace]
        assert turn.first_difference == torn[1].span_id
        assert turn.snapshots == ("api: kb@v1", "worker: kb@v2")


async def test_a_store_without_marks_says_so_and_shows_the_turns(tmp_path: Path) -> None:
    async with engine(tmp_path, sources=SOURCES) as (door, runtime, clock):
        await clock.advance(120.0)
        name, _ = await conversation_name(door.for_peer(OWNER))
        store = Marked(runtime, refuses=True)
        found = await tracing.conversation_of(store, ConversationQuery(source="calls", conversation=name), 900.0)
        assert found.turns
        assert found.turns[0].services == (found.turns[0].request.service,)
        assert found.notes == ("disagreements cannot be seen: nothing of it is kept",)


async def test_a_service_that_is_left_behind_raises_one_alert_that_leads_to_its_conversation(tmp_path: Path) -> None:
    """A whole engine on a world in which rates, latencies and errors are as they should be."""

    def part(name: str) -> dict[str, Any]:
        options = {"scenario": "split-snapshots", "world": "plant", "part": name}
        return {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": options}

    sources = {"gateway": part("gateway"), "jobs": part("queues"), "calls": part("traces")}
    async with engine(tmp_path, sources=sources) as (door, runtime, clock):
        for _ in range(100):
            await clock.advance(1.0)
            await asyncio.sleep(0.005)
        firing = [alert for alert in runtime.store.board.alerts.values() if alert.state is AlertState.FIRING]
        assert [alert.rule for alert in firing] == ["divergence/snapshots"]
        assert firing[0].ref.kind is Kind.CONVERSATION
        assert " conversations disagree; conversation conv-" in firing[0].words
        found = await door.for_peer(OWNER).conversation(
            ConversationQuery(source="calls", conversation=firing[0].ref.name)
        )
        assert found.divergences
        assert any(turn.first_difference for turn in found.turns)
        assert "chat-worker" in found.divergences[0].services
