"""Disagreements that were planted into requests, sent as OpenTelemetry spans, kept by the collector, found again."""

import random
from collections.abc import Iterator

import pytest

from console.domain.conversations import Conversation, ConversationQuery, DivergenceKind, Mark, MarkKind, MarkQuery
from console.server.tracing import conversation_of
from console.traces.split import WINDOW_S, divergences
from tests.contract.recorded_otlp import RecordedTraces, opened
from tests.unit.adapters.spans_sent import Sent, message
from tests.unit.traces.test_split_generated import CLEAN, PLANTED, Told, World

SERVER = 2


class Stream:
    """Marks as the spans that leave them: a root that alone knows the conversation, and its work in many services."""

    def __init__(self, marks: list[Mark]) -> None:
        self._traces = {trace: number for number, trace in enumerate(dict.fromkeys(mark.trace_id for mark in marks), 1)}
        self._spans = {mark.span_id: number for number, mark in enumerate(marks, 10_000)}
        self._marks = marks

    def name(self, span_id: str) -> str:
        """A mark's span id as it is on the wire."""
        return f"{self._spans[span_id]:016x}"

    def bodies(self, chance: random.Random) -> list[bytes]:
        """A body for each span, in any order, some twice."""
        sent = [*self._roots(), *(self._work(mark) for mark in self._marks)]
        sent += chance.choices(sent, k=len(sent) // 4)
        chance.shuffle(sent)
        return sent

    def _roots(self) -> Iterator[bytes]:
        first: dict[str, Mark] = {}
        last: dict[str, float] = {}
        for mark in self._marks:
            first.setdefault(mark.trace_id, mark)
            last[mark.trace_id] = max(mark.ended_at or mark.at, last.get(mark.trace_id, 0.0))
        for trace, mark in first.items():
            number = self._traces[trace]
            talk = {"gen_ai.conversation.id": mark.conversation} if mark.conversation else {}
            root = Sent(
                number, trace=number, name="POST /chat", kind=SERVER, start_ms=1000.0 * mark.at,
                ms=1000.0 * (last[trace] - mark.at), attributes=talk,
            )  # fmt: skip
            yield message(root, service=mark.service).SerializeToString()

    def _work(self, mark: Mark) -> bytes:
        number = self._traces[mark.trace_id]
        if mark.kind is MarkKind.RETRIEVAL:
            facts = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": mark.source}
            facts |= {"retrieval.snapshot.version": mark.version} if mark.version else {}
        else:
            facts = {"app.memory.op": mark.op, "app.memory.store": mark.source, "app.memory.key": mark.key}
            facts |= {"app.memory.version": mark.version} if mark.version else {}
        span = Sent(
            self._spans[mark.span_id], parent=number, trace=number, name="work", start_ms=1000.0 * mark.at, ms=200.0,
            attributes=facts,
        )  # fmt: skip
        return message(span, service=mark.service).SerializeToString()


def worlds(seed: int) -> tuple[Stream, Told, random.Random]:
    """Some worlds as one stream of spans, and what was planted into them, by the spans on the wire."""
    made = [World(number) for number in range(seed, seed + 12)]
    for world in made:
        for act in (*world.chance.choices(CLEAN, k=3), *world.chance.choices(PLANTED, k=2)):
            act(world)
            world.cool_down()
    stream = Stream([mark for world in made for mark in world.marks])
    planted = {(kind, talk, stream.name(span)) for world in made for kind, talk, span in world.planted}
    return stream, planted, random.Random(seed)


@pytest.mark.parametrize("seed", [20_000, 30_000, 40_000])
async def test_all_planted_are_found_in_what_the_collector_kept_and_none_is_invented(seed: int) -> None:
    stream, planted, chance = worlds(seed)
    async with opened(stream.bodies(chance)) as bench:
        marks = await bench.adapter.marks(MarkQuery(source="traces", since=0.0))
        found = divergences(marks)
        assert {(one.kind, one.first.conversation, one.first.span_id) for one in found} == planted
        for talk in sorted({talk for _, talk, _ in planted if talk})[:5]:
            page = await opened_page(bench, talk)
            assert {(one.kind, one.first.span_id) for one in page.divergences if one.conversation == talk} == {
                (kind, span) for kind, where, span in planted if where == talk
            }
            assert {turn.first_difference for turn in page.turns} - {""} <= {span for _, _, span in planted}


async def opened_page(bench: RecordedTraces, talk: str) -> Conversation:
    """A conversation as it is shown; each of its requests names the services that took part."""
    page = await conversation_of(bench.adapter, ConversationQuery(source="traces", conversation=talk), WINDOW_S)
    assert page.turns
    assert all(turn.services for turn in page.turns)
    return page


async def test_marks_of_one_kind_and_of_one_conversation_can_be_asked_for() -> None:
    stream, planted, chance = worlds(50_000)
    (talk, *_) = sorted(where for kind, where, _ in planted if where and kind is not DivergenceKind.SNAPSHOTS)
    async with opened(stream.bodies(chance)) as bench:
        every = await bench.adapter.marks(MarkQuery(source="traces", since=0.0))
        assert [mark.at for mark in every] == sorted(mark.at for mark in every)
        kinds = (MarkKind.MEMORY,)
        of_kind = await bench.adapter.marks(MarkQuery(source="traces", since=0.0, kinds=kinds))
        assert set(of_kind) == {mark for mark in every if mark.kind is MarkKind.MEMORY}
        mine = await bench.adapter.marks(MarkQuery(source="traces", since=0.0, conversation=talk))
        assert set(mine) == {mark for mark in every if mark.conversation == talk}
        newest = await bench.adapter.marks(MarkQuery(source="traces", since=every[5].at, limit=7))
        assert [mark.at for mark in newest] == [mark.at for mark in every[-7:]]
