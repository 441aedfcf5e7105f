"""Agents made at random: calls told twice, attempts, tools that no span ran, clocks that are off; each counts once."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from console.domain.reconstruction import StageKind
from console.domain.spans import Message, Span, SpanKind, ToolCall
from tests.unit.traces.spans import answer, span, stage, told, user

K, S = SpanKind, StageKind
SEEDS = 150
LIBRARIES: tuple[dict[str, Any], ...] = (
    {"openinference.span.kind": "LLM"},
    {"llm.request.type": "chat"},
    {"gen_ai.operation.name": "chat"},
)


@dataclass
class Agent:
    """One request, and what is true of it."""

    chance: random.Random
    spans: list[Span] = field(default_factory=list)
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    failed: int = 0
    ran: list[str] = field(default_factory=list)
    """Ids of the calls that a span ran."""
    not_run: list[str] = field(default_factory=list)
    at: float = 0.0

    def add(self, parent: int, start: float, end: float, kind: SpanKind, **more: Any) -> int:
        self.spans.append(span(len(self.spans) + 1, parent, start, end, kind, **more))
        return len(self.spans)


def _agent(seed: int) -> Agent:
    agent = Agent(random.Random(seed))
    agent.add(0, 0, 1_000, K.REQUEST, input="in", output="out")
    step = agent.add(1, 0, 999, K.CHAIN, name="agent")
    for _ in range(agent.chance.randint(1, 6)):
        agent.at += 10
        if agent.chance.random() < 0.2:
            agent.calls, agent.failed = agent.calls + 1, agent.failed + 1
            agent.add(step, agent.at, agent.at + 1, K.MODEL, failed=True, error="429", attributes=LIBRARIES[0])
            agent.at += 2
        _ask(agent, step)
    agent.chance.shuffle(agent.spans)
    return agent


def _ask(agent: Agent, step: int) -> None:
    chance, at = agent.chance, agent.at
    calls = tuple(
        ToolCall(id=f"c{at}-{n}", name=chance.choice("ab"), arguments="{}") for n in range(chance.randint(0, 2))
    )
    into, out = chance.randint(1, 999), chance.randint(1, 99)
    told_of: dict[str, Any] = {
        "tokens_in": into, "tokens_out": out, "request_model": "m",
        "messages_in": (user("x"),), "messages_out": (answer("", calls=calls) if calls else answer("y"),),
    }  # fmt: skip
    own, *others = chance.sample(LIBRARIES, 3)
    agent.calls, agent.tokens_in, agent.tokens_out = agent.calls + 1, agent.tokens_in + into, agent.tokens_out + out
    call = agent.add(step, at, at + 3, K.MODEL, attributes=own, **told_of)
    match chance.choice(["once", "within", "beside", "gateway", "parallel"]):
        case "within":
            wrapped = agent.add(call, at, at + 3, K.OTHER, name="POST")
            agent.add(wrapped, at + 0.1, at + 2.9, K.MODEL, attributes=own, **told_of)
        case "beside":
            agent.add(step, at + 0.001, at + 2.999, K.MODEL, attributes=others[0], **told_of)
        case "gateway":
            skew = chance.choice([0.0, -40.0, 40.0])
            door = agent.add(call, at + skew + 0.5, at + skew + 2.5, K.REQUEST, service="gateway")
            agent.add(door, at + skew + 0.6, at + skew + 1, K.MODEL, service="gateway", failed=True)
            agent.add(door, at + skew + 1, at + skew + 2.4, K.MODEL, service="gateway", tokens_in=into, tokens_out=out)
        case "parallel":
            agent.calls, agent.tokens_in, agent.tokens_out = (
                agent.calls + 1,
                agent.tokens_in + into,
                agent.tokens_out + out,
            )
            agent.add(step, at, at + 3, K.MODEL, attributes=own, **told_of | {"messages_out": (answer("z"),)})
    for number, one in enumerate(calls):
        _run(agent, step, one, at + 4 + number)


def _run(agent: Agent, step: int, call: ToolCall, at: float) -> None:
    if agent.chance.random() < 0.4:
        agent.not_run.append(call.id)
        return
    agent.ran.append(call.id)
    ran = agent.add(step, at, at + 1, K.TOOL, tool_name=call.name, tool_call=call.id, result="r")
    if agent.chance.random() < 0.4:
        agent.add(ran, at, at + 0.9, K.TOOL, tool_name=call.name, arguments="{}")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_call_counts_once_and_every_tool_that_no_span_ran_is_found(seed: int) -> None:
    agent = _agent(seed)

    request = told(*agent.spans)

    asked, answered, tools = (stage(request, kind) for kind in (S.MODEL_INPUT, S.MODEL_RESPONSE, S.TOOLS))
    assert (len(asked.pieces), len(answered.pieces)) == (agent.calls, agent.calls)
    assert (asked.tokens_in or 0, answered.tokens_out or 0) == (agent.tokens_in, agent.tokens_out)
    assert sum(piece.failed for piece in answered.pieces) == agent.failed
    ids = {dict(piece.facts)["call id"]: piece.missing for piece in tools.pieces}
    assert sorted(ids) == sorted(agent.ran + agent.not_run)
    assert {one for one, missing in ids.items() if missing} == set(agent.not_run)
    assert len(tools.pieces) == len(ids)
    assert bool(tools.missing) == (not agent.ran)
    assert sum(one.own_s for one in request.critical) == pytest.approx(1_000)


def test_a_tools_answer_is_told_once_the_model_was_given_it() -> None:
    call = ToolCall(id="c", name="a")
    request = told(
        span(1, 0, 0, 9, K.REQUEST),
        span(2, 1, 0, 1, K.MODEL, messages_out=(answer("", calls=(call,)),)),
        span(3, 1, 2, 3, K.MODEL, messages_in=(Message(role="tool", text="4 degrees", answers="c"),)),
    )

    assert [piece.text for piece in stage(request, S.TOOLS).pieces] == ["4 degrees"]
