"""A model call that is sent once more: through the same seven steps, once, and in nobody's way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from adapters.reissuing import Asked, Calls, Price
from console.control.control import Control
from console.domain.actions import Outcome, Plan, Proof, Stage, Step, Trip, Verb
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import Clock
from console.domain.refs import Ref
from console.domain.reissues import RecordedCall
from console.domain.spans import Facts, Span, SpanKind
from console.domain.verbs import Reissue
from tests.unit.control.backend import Backend, deployment
from tests.unit.control.house import House

WORDS = "the patient's name is Ada"
ACTION = Reissue(source="traces", trace_id="ab" * 16, span_id="cd" * 8, max_usd=0.05)
CALL = RecordedCall(
    trace_id=ACTION.trace_id,
    span_id=ACTION.span_id,
    body={"messages": [{"role": "user", "content": WORDS}]},
    tokens_in=100,
    tokens_out=50,
)


class Calling(Backend):
    """The backend, with model calls that last until `clock` says so."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.calls_made = 0
        self.lasts_s = 0.0
        self.wrong: BackendError | None = None
        self.memory = Calls()

    async def plan_reissue(self, target: Ref, call: RecordedCall, action: Reissue) -> Plan:
        return self.memory.plan(target, Asked(target.name, "m", "p", Price(1e-6, 2e-6)), call, action, "g")

    def answer(self, target: Ref, action: Reissue) -> Span | None:
        return self.memory.answer(target, action)

    async def execute(self, step: Step) -> None:
        if step.op != "chat.reissue":
            return await super().execute(step)
        self.memory.take(step)
        self.calls_made += 1
        await self.clock.sleep(self.lasts_s)
        if self.wrong is not None:
            raise self.wrong
        facts = Facts(tokens_in=90, tokens_out=40)
        self.memory.keep(step, Span(span_id="1" * 16, name="chat", kind=SpanKind.MODEL, started_at=1.0, facts=facts))
        return None

    async def generation(self, plan: Plan) -> str:
        return "g" if plan.verb is Verb.REISSUE else await super().generation(plan)

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        if plan.verb is Verb.REISSUE:
            return self.memory.prove(plan, self.clock.now())
        return await super().prove(plan, undone=undone)


class Recorded(House):
    """A house with a trace store beside its gateway."""

    def __init__(self, path: Path, **config: Any) -> None:
        super().__init__(path, Calling, **config)
        self.asked: list[Reissue] = []
        self.found: Callable[[], RecordedCall] = lambda: CALL

    def _control(self, *parts: Any, **more: Any) -> Control:
        async def recordings(action: Reissue) -> RecordedCall:
            self.asked.append(action)
            return self.found()

        return super()._control(*parts, **more, recordings=recordings)

    @property
    def calling(self) -> Calling:
        assert isinstance(self.backend, Calling)
        return self.backend


async def test_it_is_previewed_sent_once_proved_by_its_answer_and_leaves_nothing_behind(tmp_path: Path) -> None:
    h = Recorded(tmp_path / "audit.db")
    await h.start()
    proposal = await h.propose(ACTION)
    assert proposal.verdict.allowed, proposal.verdict.refusals
    assert not proposal.verdict.needs_name
    assert {effect.unit for effect in proposal.effects} == {"tokens", "$"}
    receipt = await h.confirm(proposal)
    await h.clock.advance(5)
    receipt = h.receipt(receipt.id)
    assert (receipt.stage, receipt.outcome, h.calling.calls_made) == (Stage.DONE, Outcome.VERIFIED, 1)
    assert "90/40 tokens" in receipt.proofs[0].seen
    assert not h.store.board.overrides
    assert h.calling.answer(deployment("a"), ACTION) is not None
    await h.kill()


async def test_nothing_of_what_was_said_reaches_the_audit_log(tmp_path: Path) -> None:
    h = Recorded(tmp_path / "audit.db")
    await h.start()
    await h.act(ACTION)
    await h.kill()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"reissue" in written
    assert WORDS.encode() not in written


async def test_a_trip_waits_for_no_model_call(tmp_path: Path) -> None:
    h = Recorded(tmp_path / "audit.db")
    await h.start()
    h.calling.lasts_s = 60.0
    receipt = await h.confirm(await h.propose(ACTION))
    await h.clock.advance(1)
    assert h.receipt(receipt.id).stage is not Stage.DONE
    trip = await h.act(Trip())
    assert h.receipt(trip).outcome is Outcome.VERIFIED
    assert h.receipt(receipt.id).stage is not Stage.DONE
    await h.clock.advance(60)
    assert h.receipt(receipt.id).outcome is Outcome.VERIFIED
    await h.kill()


async def test_an_answer_that_was_lost_is_unknown_and_never_asked_for_again(tmp_path: Path) -> None:
    h = Recorded(tmp_path / "audit.db")
    await h.start()
    h.calling.wrong = BackendError(ErrorKind.UNKNOWN_OUTCOME, "the connection broke")
    receipt = await h.confirm(await h.propose(ACTION))
    await h.clock.advance(120)
    assert (h.receipt(receipt.id).outcome, h.calling.calls_made) == (Outcome.UNKNOWN, 1)
    await h.kill()


async def test_an_engine_that_was_killed_in_the_middle_says_unknown_and_sends_nothing(tmp_path: Path) -> None:
    h = Recorded(tmp_path / "audit.db")
    await h.start()
    h.calling.lasts_s = 60.0
    receipt = await h.confirm(await h.propose(ACTION))
    await h.clock.advance(1)
    await h.kill()
    h.calling.memory = Calls()
    await h.start()
    await h.clock.advance(120)
    assert (h.receipt(receipt.id).outcome, h.calling.calls_made) == (Outcome.UNKNOWN, 1)
    await h.kill()


async def test_what_was_not_recorded_is_not_replayable(tmp_path: Path) -> None:
    h = Recorded(tmp_path / "audit.db")
    await h.start()

    def nothing() -> RecordedCall:
        raise BackendError(ErrorKind.UNSUPPORTED, "not replayable: content not recorded")

    h.found = nothing
    proposal = await h.propose(ACTION)
    assert not proposal.verdict.allowed
    assert any("content not recorded" in words for words in proposal.verdict.refusals)
    await h.kill()


async def test_it_takes_operate_and_a_cap_that_makes_sense(tmp_path: Path) -> None:
    h = Recorded(tmp_path / "audit.db", access="read-only")
    await h.start()
    assert not (await h.propose(ACTION)).verdict.allowed
    for max_usd in (0.0, -1.0, 1e9, float("nan")):
        refused = (await h.propose(msgspec.structs.replace(ACTION, max_usd=max_usd))).verdict.refusals
        assert any("may cost" in words for words in refused), max_usd
    await h.kill()


async def test_without_a_trace_store_there_is_nothing_to_send(tmp_path: Path) -> None:
    h = House(tmp_path / "audit.db", Calling)
    await h.start()
    refused = (await h.propose(ACTION)).verdict.refusals
    assert any("keeps no requests" in words for words in refused)
    await h.kill()
