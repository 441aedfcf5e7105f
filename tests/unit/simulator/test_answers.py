"""What is counted of the answers is what the world does, every fault shows in it, and its examples show it too."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from adapters.spans.answering.minutes import rows
from adapters.spans.answering.said import said
from console.domain.answers import LATE_S, Answers, AnswersQuery, Finish
from console.domain.errors import BackendError
from console.domain.ports import Answering
from console.domain.readings import Deployment
from console.domain.spans import SpanKind, Trace
from tests.unit.simulator.worlds import Yard, rpm

QUIET_S, ILL_S = 900.0, 900.0
SICK = f"""
schemaVersion: 1
name: sick
summary: every fault of answers at once, each with somebody else
quiet_s: {QUIET_S}
tracks:
  - {{target: deployment/chat-azure, fault: unparsed, points: [[0, 0.3]]}}
  - {{target: deployment/chat-azure, fault: fingerprint, points: [[0, 1]]}}
  - {{target: provider/openai+model/gpt-5, fault: refusals, points: [[0, 0.1]]}}
  - {{target: deployment/lite-mini, fault: strange_script, points: [[0, 0.3]]}}
  - {{target: deployment/lite-haiku, fault: empty, points: [[0, 0.2]]}}
  - {{target: deployment/summarise-claude, fault: shape, points: [[0, 0.5]]}}
  - {{target: deployment/summarise-azure, fault: tokenizer, points: [[0, 1.4]]}}
  - {{target: index/knowledge-base, fault: empty_retrieval, points: [[0, 0.3]]}}
  - {{target: index/knowledge-base, fault: score, points: [[0, 0.7]]}}
  - {{target: tenant/agents, fault: loop, points: [[0, 0.2]]}}
  - {{target: route/agents, fault: overflow, points: [[0, 0.1]]}}
"""


async def _answers(yard: Yard, since: float = 0.0) -> tuple[Answers, ...]:
    store = yard.traces
    assert isinstance(store, Answering)
    return await store.answers(AnswersQuery(source="traces", since=since, until=yard.clock.now() - LATE_S))


class Sick:
    """A world before and while everything is wrong with its answers."""

    def __init__(self, yard: Yard, rows: tuple[Answers, ...], onset: float) -> None:
        self.yard = yard
        # A world of large steps counts what happens within a step in the minute that the step ends.
        self.before = [row for row in rows if row.at < onset]
        self.after = [row for row in rows if row.at > onset]

    async def traces(self, rows: Iterable[Answers], most: int = 40) -> list[Trace]:
        ids = [one for row in rows for one in row.examples][-most:]
        return [await self.yard.traces.trace(one) for one in ids]


@pytest.fixture(scope="module")
async def sick(tmp_path_factory: pytest.TempPathFactory) -> Sick:
    path: Path = tmp_path_factory.mktemp("scenarios") / "sick.yaml"
    path.write_text(SICK)
    yard = Yard(str(path), tick_s=15.0, speed=1.0)
    onset = yard.clock.now() + QUIET_S
    await yard.clock.advance(QUIET_S + ILL_S)
    return Sick(yard, await _answers(yard), onset)


def _at(rows: Iterable[Answers], deployment: str) -> list[Answers]:
    found = [row for row in rows if row.group.deployment == deployment]
    assert found
    return found


def _part(rows: list[Answers], field: str, of: str) -> float:
    return float(sum(getattr(row, field) for row in rows) / sum(getattr(row, of) for row in rows))


def _finished(rows: list[Answers], reason: Finish) -> float:
    counts = sum((Counter(row.finish) for row in rows), Counter[Finish]())
    return counts[reason] / counts.total()


async def test_rows_are_whole_minutes_and_what_the_gateway_counts() -> None:
    yard = Yard(tick_s=15.0)
    await yard.clock.advance(600)
    rows = await _answers(yard)
    assert {row.at % 60 for row in rows} == {0}
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert len({(row.at, row.group) for row in rows}) == len(rows)
    minutes = len({row.at for row in rows})
    counted: Counter[str] = Counter()
    for row in rows:
        counted[row.group.deployment] += row.calls
        assert sum(row.finish.values()) == row.calls
        assert sum(row.shapes.values()) <= row.calls - row.failed
        assert row.unparsed <= row.structured
    deployments = [one for one in (await yard.sim.look()).readings if isinstance(one, Deployment)]
    assert not any(row.group.route == "embed" for row in rows)  # vectors say nothing
    for one in deployments:
        if one.routes == ("embed",):
            continue
        expected = rpm(one) * minutes
        assert counted[one.ref.name] == pytest.approx(expected, rel=0.25, abs=5 * expected**0.5)
    whole = {(row.group.tenant, row.group.service) for row in rows if row.group.route == "chat"}
    assert whole == {("web", "api"), ("mobile", "api"), ("mobile", "chat-worker")}


async def test_what_is_counted_does_not_depend_on_who_asks_when() -> None:
    often, once = Yard(tick_s=15.0), Yard(tick_s=15.0)
    begin = often.clock.now()
    told: list[Answers] = []
    since = 0.0
    for _ in range(10):
        await often.clock.advance(60)
        told += await _answers(often, since)
        since = often.clock.now() - LATE_S
    await once.clock.advance(600)
    assert tuple(told) == await _answers(once)
    since, until = begin + 120.0, begin + 240.0
    asked = await once.traces.answers(AnswersQuery(source="traces", since=since, until=until))
    assert {row.at for row in asked} == {begin + 180.0, begin + 240.0}
    other = Yard(tick_s=15.0, seed=2)
    await other.clock.advance(600)
    assert await _answers(other) != tuple(told)


def test_on_a_calm_day_little_is_wrong(sick: Sick) -> None:
    chats = [row for row in sick.before if row.finish]
    assert 0.001 < _part(chats, "unparsed", "structured") < 0.009
    assert _finished(chats, Finish.REFUSAL) < 0.006
    assert _finished(chats, Finish.EMPTY) < 0.004
    assert 0.005 < _finished(chats, Finish.LENGTH) < 0.03
    assert _part(chats, "strange_script", "with_text") < 0.008
    searches = [row for row in chats if row.retrievals]
    assert 0.01 < _part(searches, "empty_retrievals", "retrievals") < 0.03
    assert all(0.7 < row.top_score_p50 < 0.95 for row in searches if row.top_score_p50 and row.retrievals > 20)
    agents = _at(chats, "agents-claude")
    assert max(row.calls_most for row in agents) <= 8
    assert {row.repeats_most for row in agents} <= {1, 2}
    assert not any(row.repeating or row.overflows for row in chats)


def test_every_fault_shows_in_the_counts_of_whom_it_hits_and_of_nobody_else(sick: Sick) -> None:
    azure, openai = _at(sick.after, "chat-azure"), _at(sick.after, "chat-openai")
    assert _part(azure, "unparsed", "structured") == pytest.approx(0.3, abs=0.05)
    assert _part(openai, "unparsed", "structured") < 0.01
    assert {row.group.fingerprint for row in azure}.isdisjoint(
        {row.group.fingerprint for row in _at(sick.before, "chat-azure")}
    )
    assert {row.group.fingerprint for row in openai} == {
        row.group.fingerprint for row in _at(sick.before, "chat-openai")
    }
    assert _finished(openai, Finish.REFUSAL) == pytest.approx(0.1, abs=0.02)
    assert _finished(azure, Finish.REFUSAL) < 0.01
    mini, haiku = _at(sick.after, "lite-mini"), _at(sick.after, "lite-haiku")
    assert _part(mini, "strange_script", "with_text") == pytest.approx(0.3, abs=0.06)
    assert _finished(haiku, Finish.EMPTY) == pytest.approx(0.2, abs=0.05)
    assert _finished(mini, Finish.EMPTY) < 0.02
    claude = _at(sick.after, "summarise-claude")
    known = {shape for row in _at(sick.before, "summarise-claude") for shape in row.shapes}
    fresh = sum(count for row in claude for shape, count in row.shapes.items() if shape not in known)
    assert fresh / sum(row.structured for row in claude) == pytest.approx(0.5, abs=0.1)
    for name, factor in (("summarise-azure", 1.4), ("chat-azure", 1.0)):
        before, after = (_part(_at(rows, name), "tokens_of_chars", "chars_in") for rows in (sick.before, sick.after))
        assert after / before == pytest.approx(factor, rel=0.04)
    searches = [row for row in sick.after if row.retrievals > 20]
    assert _part(searches, "empty_retrievals", "retrievals") == pytest.approx(0.3, abs=0.03)
    assert all(0.45 < row.top_score_p50 < 0.65 for row in searches if row.top_score_p50)


def test_agents_that_loop_and_calls_that_are_too_long_show_in_calls_repeats_and_money(sick: Sick) -> None:
    before, after = _at(sick.before, "agents-claude"), _at(sick.after, "agents-claude")
    looping = [row for row in after if row.repeating]
    assert looping
    assert all(row.calls_most >= 15 and row.repeats_most >= 10 for row in looping)
    assert all(row.repeating == row.examples[0] for row in looping)
    assert sum(row.overflows for row in after) > 20
    assert all(row.failed >= row.overflows for row in after)
    assert max(row.fill_p99 or 0.0 for row in after) >= 1.0
    assert max(row.fill_p99 or 0.0 for row in before) < 0.5
    assert sum(row.usd or 0.0 for row in after) > 4 * sum(row.usd or 0.0 for row in before)


def _counted(traces: Iterable[Trace]) -> list[Answers]:
    """What the stores that fold spans would count of these requests."""
    told = [(one.trace_id, [known for span in one.spans if (known := said(span))]) for one in traces]
    return list(rows(told, 0.0, 1e11))


def _all(counted: list[Answers], field: str) -> int:
    return sum(getattr(row, field) for row in counted)


async def test_examples_lead_to_requests_in_which_any_trace_store_counts_the_same(sick: Sick) -> None:
    async def counted(found: Iterable[Answers]) -> list[Answers]:
        """Of the strangest example of a few rows."""
        ids = [row.examples[0] for row in found][-8:]
        assert len(ids) == 8
        return _counted([await sick.yard.traces.trace(one) for one in ids])

    azure = await counted(row for row in _at(sick.after, "chat-azure") if row.unparsed and not row.repeating)
    assert _all(azure, "unparsed") == _all(azure, "calls") == 8
    groups = {msgspec.structs.replace(row.group, provider="") for row in sick.after}
    assert {msgspec.structs.replace(row.group, provider="") for row in azure} <= groups
    openai = [row for row in _at(sick.after, "chat-openai") if Finish.REFUSAL in row.finish and not row.unparsed]
    refused = await counted(openai)
    assert sum(row.finish.get(Finish.REFUSAL, 0) for row in refused) == _all(refused, "calls") == 8
    haiku = [row for row in _at(sick.after, "lite-haiku") if Finish.EMPTY in row.finish]
    silent = await counted(row for row in haiku if not row.unparsed and Finish.REFUSAL not in row.finish)
    assert sum(row.finish.get(Finish.EMPTY, 0) for row in silent) == _all(silent, "calls") == 8
    mini = [row for row in _at(sick.after, "lite-mini") if row.strange_script and not row.unparsed]
    strange = await counted(row for row in mini if not {Finish.REFUSAL, Finish.EMPTY} & set(row.finish))
    assert _all(strange, "strange_script") == _all(strange, "calls") == 8
    known = {shape for row in sick.after for shape in row.shapes if row.group.deployment == "summarise-claude"}
    before = {shape for row in sick.before for shape in row.shapes}
    claude = [row for row in _at(sick.after, "summarise-claude") if set(row.shapes) - before]
    fresh = _counted(await sick.traces(claude))
    assert sum(bool(set(row.shapes) & (known - before)) for row in fresh) > 8
    agents = [row for row in sick.after if row.overflows]
    too_long = _counted([await sick.yard.traces.trace(one) for row in agents[-6:] for one in row.examples])
    assert _all(too_long, "overflows") > 10
    searched = _counted(await sick.traces(row for row in sick.after if row.empty_retrievals))
    assert _all(searched, "empty_retrievals") > 5
    loop = next(row for row in sick.after if row.repeating)
    round_and_round = _counted([await sick.yard.traces.trace(loop.repeating)])
    assert max(row.repeats_most for row in round_and_round) >= 15


async def test_the_request_that_goes_round_in_a_circle_calls_one_tool_with_the_same_arguments_and_costs(
    sick: Sick,
) -> None:
    repeating = [row.repeating for row in sick.after if row.repeating][-1]
    trace = await sick.yard.traces.trace(repeating)
    tools = [span for span in trace.spans if span.kind is SpanKind.TOOL]
    assert len(tools) >= 20
    assert len({(span.facts.tool_name, span.content.arguments if span.content else "") for span in tools}) == 1
    models = [span for span in trace.spans if span.kind is SpanKind.MODEL]
    assert trace.request is not None
    assert (trace.request.attempts, len(models)) == (len(tools), len(tools))
    assert trace.request.usd == pytest.approx(sum(span.facts.usd or 0.0 for span in models), rel=1e-3)
    assert (trace.request.usd or 0.0) > 3.0


async def test_a_call_that_is_too_long_comes_again_every_half_minute_and_is_billed(sick: Sick) -> None:
    found = await sick.traces(row for row in _at(sick.after, "agents-claude") if row.overflows)
    trace = next(one for one in found if one.request and one.request.error.startswith("400"))
    models = [span for span in trace.spans if span.kind is SpanKind.MODEL]
    gaps = {round(later.started_at - earlier.started_at, 3) for earlier, later in pairwise(models)}
    assert gaps == {30.0}
    assert all(span.failed and "longer than the model's context window" in span.error for span in models)
    assert trace.request is not None
    assert trace.request.usd
    assert all(span.facts.usd for span in models)


async def test_a_store_that_is_lost_answers_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lost.yaml"
    path.write_text(
        "{schemaVersion: 1, name: lost, summary: one, quiet_s: 30, "
        "tracks: [{target: source/traces, fault: lost, points: [[0, 1], [60, 1], [60, 0]]}]}"
    )
    yard = Yard(str(path), tick_s=15.0, speed=1.0)
    await yard.clock.advance(45)
    with pytest.raises(BackendError, match="no answer"):
        await _answers(yard)
    await yard.clock.advance(60)
    assert await _answers(yard)
