"""Each check has the case that would slip through without it."""

from typing import Any

import msgspec
import pytest

from console.config import Environment, SourceConfig
from console.control import guard
from console.control.guard import Busy, Case, judge_case
from console.control.rows import Held
from console.domain.actions import (
    Check,
    CheckResult,
    ExpiryHome,
    Intent,
    OnExpiry,
    Outcome,
    Override,
    OverrideState,
    Plan,
    Reset,
    Restore,
    SetWeight,
    Stage,
    Switch,
    Trip,
    Verb,
)
from console.domain.circuit import Circuit, Mode, Observed, ReplicaCircuit
from console.domain.errors import ErrorKind, Failure
from console.domain.freshness import Freshness
from console.domain.readings import (
    Ability,
    AnyReading,
    Deployment,
    Headroom,
    ReplicaStatus,
    Route,
    RouteTarget,
    Source,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.wire import Access, AccessLevel
from console.engine.clock import ManualClock
from console.engine.store import Store
from console.forecast.flow import shift
from tests.unit.control.backend import SOURCE, Backend, deployment, route

PASS, WARN, TYPE_NAME, REFUSE = CheckResult.PASS, CheckResult.WARN, CheckResult.TYPE_NAME, CheckResult.REFUSE
OPEN = Circuit(replicas=(ReplicaCircuit(replica="r1", observed=Observed.OPEN),))


class Bench:
    """A board as the backend shows it, on which single readings can be changed."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.backend = Backend(self.clock)
        self.store = Store("test", self.clock)
        self.config: dict[str, Any] = {}
        self.access = Access(operator="alice", uid=1000, level=AccessLevel.OPERATE, may_operate=True)
        self.held: tuple[Held, ...] = ()
        self.busy: tuple[Busy, ...] = ()

    async def look(self, *changed: AnyReading, freshness: Freshness = Freshness.FRESH, down: str = "") -> None:
        now = self.clock.now()
        seen = await self.backend.observe()
        by_ref = {reading.ref: reading for reading in (*seen.readings, *changed)}
        source = Source(
            ref=Ref(SOURCE, Kind.SOURCE, SOURCE), observed_at=now, adapter="memory", freshness=freshness,
            interval_s=5.0, last_ok_at=now,
            replicas=tuple(ReplicaStatus(name=r, url="", up=r != down) for r in self.backend.replicas),
        )  # fmt: skip
        self.store.observe(source, msgspec.structs.replace(seen, readings=tuple(by_ref.values())))

    def reading(self, name: str, **changes: Any) -> Deployment:
        found = self.store.board.readings[deployment(name)]
        assert isinstance(found, Deployment)
        return msgspec.structs.replace(found, **changes)

    async def plan(self, target: Ref, action: Any) -> Plan:
        match action:
            case Trip():
                return await self.backend.plan_trip(target, 600)
            case Reset():
                return await self.backend.plan_reset(target)
            case SetWeight():
                return await self.backend.plan_weight(target, action.weight)
            case _:
                return await self.backend.plan_switch(target, "spare", "")

    async def case(
        self, action: Any = None, target: Ref | None = None, plan: Plan | None = None, **changes: Any
    ) -> Case:
        action, target = action or Trip(), target or deployment("a")
        values: dict[str, Any] = {"reason": "why", "ttl_s": 600.0} | changes
        intent = Intent(target=target, action=action, **values)
        if plan is None and not isinstance(action, Restore):
            plan = await self.plan(target, action)
        return Case(
            intent=intent, plan=plan, failure=None, access=self.access, board=self.store.board,
            now=self.clock.now(),
            config=Environment(sources={SOURCE: SourceConfig(adapter="memory")}, **self.config),
            held=self.held, busy=self.busy, shift=shift(self.store.board, target, action),
        )  # fmt: skip

    async def hold(self, action: Any, target: Ref, owner: str = "alice") -> Held:
        plan = await self.plan(target, action)
        override = Override(
            id="o1", target=target, action=action, owner=owner, reason="was slow", created_at=0.0, expires_at=None,
            on_expiry=OnExpiry.REVERT, expiry_home=ExpiryHome.ENGINE, state=OverrideState.ACTIVE, plan=plan,
        )  # fmt: skip
        held = Held(override=override, parts=(plan,))
        self.held = (held,)
        return held

    async def busy_with(self, target: Ref, stage: Stage = Stage.EXECUTING, outcome: Outcome = Outcome.PENDING) -> None:
        plan = await self.plan(target, Trip() if target.kind is Kind.DEPLOYMENT else Switch("spare"))
        self.busy = (Busy("x1", "bob", plan, stage, outcome, "under way"),)


@pytest.fixture
async def bench() -> Bench:
    built = Bench()
    await built.look()
    return built


def found(check: Check) -> tuple[CheckResult, str]:
    return check.result, check.words


async def test_a_sound_action_passes_every_check(bench: Bench) -> None:
    verdict = judge_case(await bench.case())
    assert [check for check in verdict.checks if check.result is not PASS] == []
    assert len({check.name for check in verdict.checks}) == len(guard.CHECKS)


async def test_access(bench: Bench) -> None:
    bench.access = Access(operator="eve", uid=7, level=AccessLevel.READ_ONLY, why_not="eve is no operator")
    result, words = found(guard.access(await bench.case()))
    assert result is REFUSE
    assert "eve is no operator" in words


@pytest.mark.parametrize("reason", ["", "   ", "\t\n"])
async def test_reason(bench: Bench, reason: str) -> None:
    assert guard.reason(await bench.case(reason=reason)).result is REFUSE


async def test_ability_is_of_the_object(bench: Bench) -> None:
    case = await bench.case()
    await bench.look(bench.reading("a", can=(Ability(Verb.TRIP, able=False, reason="defined in a file"),)))
    assert found(guard.able(case)) == (REFUSE, "a: defined in a file")
    await bench.look(bench.reading("a", can=()))
    assert guard.able(case).result is REFUSE
    assert guard.able(await bench.case(target=deployment("nobody"), plan=case.plan)).result is REFUSE


async def test_ability_of_a_restore_is_its_way_back(bench: Bench) -> None:
    held = await bench.hold(Trip(), deployment("a"))
    assert guard.able(await bench.case(Restore("o1"))).result is PASS
    assert guard.able(await bench.case(Restore("gone"))).result is REFUSE
    plan = msgspec.structs.replace(held.override.plan, undo=())
    bench.held = (Held(override=msgspec.structs.replace(held.override, plan=plan), parts=(plan,)),)
    assert guard.able(await bench.case(Restore("o1"))).result is REFUSE


async def test_freshness(bench: Bench) -> None:
    case = await bench.case()
    await bench.look(freshness=Freshness.STALE)
    assert guard.fresh(case).result is REFUSE
    await bench.look()
    assert guard.fresh(case).result is PASS
    await bench.clock.advance(60)  # nobody has looked for a minute, and nobody has said so either
    assert guard.fresh(await bench.case()).result is REFUSE
    missing = guard.fresh(await bench.case(target=deployment("nobody"), plan=case.plan))
    assert missing.result is REFUSE
    assert "not reported" in missing.words


async def test_a_plan_has_to_be_there_and_to_do_something(bench: Bench) -> None:
    case = await bench.case()
    assert case.plan is not None
    empty = msgspec.structs.replace(case.plan, steps=())
    same = msgspec.structs.replace(case.plan, after=case.plan.before)
    assert guard.planned(await bench.case(plan=empty)).result is REFUSE
    assert guard.planned(await bench.case(plan=same)).result is WARN
    without = Case(
        case.intent, None, Failure(kind=ErrorKind.FORBIDDEN, message="the key may not"), case.access, case.board,
        case.now, case.config, (), (), case.shift,
    )  # fmt: skip
    assert guard.planned(without).result is REFUSE
    assert "may not" in guard.planned(without).words


async def test_a_plan_with_a_credential_is_refused(bench: Bench) -> None:
    case = await bench.case()
    assert case.plan is not None
    step = msgspec.structs.replace(case.plan.steps[0], args={"auth": "Bearer abcdefghijkl"})
    leaky = msgspec.structs.replace(case.plan, steps=(step,))
    assert guard.secretless(await bench.case(plan=leaky)).result is REFUSE


@pytest.mark.parametrize("action", [Trip(), SetWeight(0.0)])
async def test_the_last_healthy_target_takes_a_name(bench: Bench, action: Trip | SetWeight) -> None:
    assert guard.last_target(await bench.case(action)).result is PASS
    await bench.look(bench.reading("b", circuit=OPEN), bench.reading("c", circuit=Circuit(mode=Mode.FORCED_OPEN)))
    result, words = found(guard.last_target(await bench.case(action)))
    assert result is TYPE_NAME
    assert "main" in words
    assert guard.last_target(await bench.case(SetWeight(1.0))).result is PASS
    assert guard.last_target(await bench.case(target=deployment("b"))).result is PASS  # it takes nothing anyhow


async def test_a_failing_sibling_is_no_healthy_target(bench: Bench) -> None:
    failing = Traffic(window_s=60, requests_per_min=20, errors_per_min=15)
    await bench.look(bench.reading("b", traffic=failing), bench.reading("c", weight=0.0))
    main = bench.store.board.readings[route("main")]
    assert isinstance(main, Route)
    targets = tuple(RouteTarget(deployment=name) for name in "abc")
    await bench.look(
        bench.reading("b", traffic=failing), bench.reading("c", weight=0.0),
        msgspec.structs.replace(main, targets=targets),
    )  # fmt: skip
    assert guard.last_target(await bench.case()).result is TYPE_NAME


async def test_a_sibling_that_is_just_being_tripped_is_no_healthy_target(bench: Bench) -> None:
    await bench.look(bench.reading("c", circuit=OPEN))
    await bench.busy_with(deployment("b"))
    assert guard.last_target(await bench.case()).result is TYPE_NAME


async def test_a_switch_to_where_nobody_is_well_takes_a_name(bench: Bench) -> None:
    case = await bench.case(Switch("spare"), route("main"))
    assert guard.last_target(case).result is PASS
    await bench.look(bench.reading("d", circuit=OPEN))
    assert guard.last_target(case).result is TYPE_NAME
    await bench.hold(Switch("spare"), route("main"))
    await bench.look(*(bench.reading(name, circuit=OPEN) for name in "abc"))
    back = await bench.case(Restore("o1"), route("main"))
    assert guard.last_target(back).result is TYPE_NAME


@pytest.mark.parametrize(
    ("rules", "action", "result"),
    [
        ([{"match": "gw:deployment/a"}], Trip(), TYPE_NAME),
        ([{"match": "*:deployment/*"}], Trip(), TYPE_NAME),
        ([{"match": "gw:deployment/a", "rule": "never"}], Trip(), REFUSE),
        ([{"match": "gw:*"}, {"match": "*/a", "rule": "never"}], Trip(), REFUSE),
        ([{"match": "gw:deployment/a", "rule": "never"}], Restore("o1"), TYPE_NAME),
        ([{"match": "gw:deployment/A"}], Trip(), PASS),
        ([{"match": "gw:route/*", "rule": "never"}], Trip(), PASS),
    ],
)
async def test_protection(bench: Bench, rules: list[dict[str, str]], action: Any, result: CheckResult) -> None:
    bench.config = {"protect": rules}
    assert guard.protected(await bench.case(action)).result is result


async def test_protection_covers_what_a_plan_only_touches(bench: Bench) -> None:
    bench.config = {"protect": [{"match": "gw:deployment/a", "rule": "never", "why": "contract"}]}
    plan = await bench.backend.plan_weight(deployment("a"), 1.0)
    case = await bench.case(Switch("spare"), route("main"), plan=msgspec.structs.replace(plan, target=route("main")))
    result, words = found(guard.protected(case))
    assert result is REFUSE
    assert "contract" in words


@pytest.mark.parametrize(
    ("busy", "stage", "outcome", "result"),
    [
        ("a", Stage.EXECUTING, Outcome.PENDING, REFUSE),
        ("a", Stage.VERIFYING, Outcome.CONVERGING, REFUSE),
        ("a", Stage.EXECUTING, Outcome.UNKNOWN, WARN),
        ("b", Stage.EXECUTING, Outcome.PENDING, WARN),
        ("d", Stage.EXECUTING, Outcome.PENDING, PASS),
    ],
)
async def test_in_flight(bench: Bench, busy: str, stage: Stage, outcome: Outcome, result: CheckResult) -> None:
    await bench.busy_with(deployment(busy), stage, outcome)
    assert guard.one_at_a_time(await bench.case()).result is result


async def test_an_action_that_is_still_converging_may_be_taken_back(bench: Bench) -> None:
    held = await bench.hold(Trip(), deployment("a"))
    bench.busy = (Busy("o1", "alice", held.override.plan, Stage.VERIFYING, Outcome.CONVERGING, ""),)
    assert guard.one_at_a_time(await bench.case(Restore("o1"))).result is WARN
    bench.busy = (Busy("o1", "alice", held.override.plan, Stage.EXECUTING, Outcome.PENDING, ""),)
    assert guard.one_at_a_time(await bench.case(Restore("o1"))).result is REFUSE


async def test_another_hand_on_the_switch(bench: Bench) -> None:
    await bench.hold(Trip(), deployment("a"), owner="bob")
    result, words = found(guard.overridden(await bench.case(SetWeight(1.0))))
    assert result is WARN
    assert "bob" in words
    assert "was slow" in words
    assert guard.overridden(await bench.case(Restore("o1"))).result is WARN
    await bench.hold(Trip(), deployment("a"), owner="alice")
    assert guard.overridden(await bench.case(SetWeight(1.0))).result is PASS
    assert guard.overridden(await bench.case(target=deployment("b"))).result is PASS


async def test_a_setting_that_another_objects_override_holds_is_refused(bench: Bench) -> None:
    held = await bench.hold(SetWeight(1.0), deployment("a"))
    plan = msgspec.structs.replace(held.override.plan, target=route("main"))
    case = await bench.case(Switch("spare"), route("main"), plan=plan)
    assert guard.overridden(case).result is REFUSE


async def test_what_is_being_put_back_is_not_restored_twice(bench: Bench) -> None:
    held = await bench.hold(Trip(), deployment("a"), owner="bob")
    going = msgspec.structs.replace(held.override, state=OverrideState.REVERTING)
    bench.held = (Held(override=going, parts=held.parts),)
    assert guard.overridden(await bench.case(Restore("o1"))).result is REFUSE


@pytest.mark.parametrize(
    ("ttl", "result"),
    [
        (600.0, PASS), (14400.0, PASS), (14401.0, REFUSE), (0.0, REFUSE), (-1.0, REFUSE),
        (float("nan"), REFUSE), (float("inf"), REFUSE),
    ],
)  # fmt: skip
async def test_time_to_live(bench: Bench, ttl: float, result: CheckResult) -> None:
    assert guard.time_to_live(await bench.case(ttl_s=ttl)).result is result


async def test_what_the_backend_ends_by_itself_cannot_be_held(bench: Bench) -> None:
    bench.backend.home = ExpiryHome.BACKEND
    assert guard.time_to_live(await bench.case(on_expiry=OnExpiry.HOLD)).result is REFUSE
    assert "backend" in guard.time_to_live(await bench.case()).words
    bench.backend.home = ExpiryHome.ENGINE
    assert guard.time_to_live(await bench.case(on_expiry=OnExpiry.HOLD)).result is WARN
    assert guard.time_to_live(await bench.case(Reset(), ttl_s=None)).result is PASS


async def test_no_way_back_takes_a_name(bench: Bench) -> None:
    case = await bench.case()
    assert case.plan is not None
    one_way = msgspec.structs.replace(case.plan, undo=())
    assert guard.reversible(await bench.case(plan=one_way)).result is TYPE_NAME
    assert guard.reversible(await bench.case(Reset())).result is PASS


@pytest.mark.parametrize(
    ("left", "result"), [(500.0, PASS), (12.0, WARN), (9.0, TYPE_NAME), (0.0, TYPE_NAME), (None, WARN)]
)
async def test_headroom(bench: Bench, left: float | None, result: CheckResult) -> None:
    """Tripping `a` gives `b` and `c` ten requests a minute more each."""
    room = None if left is None else Headroom(requests_left=left, requests_limit=1000.0)
    await bench.look(bench.reading("b", headroom=room))
    check = guard.headroom(await bench.case())
    assert check.result is result
    assert result is PASS or "b" in check.words


async def test_a_replica_that_is_down_is_said(bench: Bench) -> None:
    await bench.look(down="r2")
    result, words = found(guard.replicas(await bench.case()))
    assert result is WARN
    assert "1/2" in words
