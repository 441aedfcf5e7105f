"""The one choke point: a list of small pure checks, each of which looks at one case and says one thing.

Whoever asks (a key, the palette, the command line, a raw call on the socket) passes here twice: when an action
is proposed, and with fresh data when it is confirmed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import msgspec

from console.config import Environment
from console.control.plans import fields, touched
from console.control.preview import Shift, headroom_ratio, is_open, routes_of
from console.control.redact import holds_secret
from console.control.rows import Held
from console.domain.actions import (
    Check,
    CheckResult,
    ExpiryHome,
    Intent,
    OnExpiry,
    Outcome,
    OverrideState,
    Plan,
    Reset,
    Restore,
    SetWeight,
    Stage,
    Switch,
    Trip,
    Verb,
    Verdict,
)
from console.domain.board import Board
from console.domain.errors import Failure
from console.domain.freshness import Freshness, freshness
from console.domain.health import Level, judge
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.wire import Access, AccessLevel

PASS, WARN, TYPE_NAME, REFUSE = CheckResult.PASS, CheckResult.WARN, CheckResult.TYPE_NAME, CheckResult.REFUSE


@dataclass(frozen=True, slots=True)
class Busy:
    """An action that is not over."""

    id: str
    operator: str
    plan: Plan
    stage: Stage
    outcome: Outcome
    words: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the checks may look at."""

    intent: Intent
    plan: Plan | None
    failure: Failure | None
    """Why there is no plan."""
    access: Access
    board: Board
    now: float
    config: Environment
    held: tuple[Held, ...]
    """Every override that has not ended."""
    busy: tuple[Busy, ...]
    shift: Shift

    @property
    def target(self) -> Ref:
        """What is acted on."""
        return self.intent.target

    @property
    def name(self) -> str:
        """The target's own name, fit to be shown."""
        return clean(self.target.name, 80)

    @property
    def takes_away(self) -> bool:
        """Whether the action keeps requests away from a deployment."""
        action = self.intent.action
        return isinstance(action, Trip) or (isinstance(action, SetWeight) and action.weight == 0)

    @property
    def restored(self) -> Held | None:
        """The override that a restore ends."""
        action = self.intent.action
        wanted = action.override_id if isinstance(action, Restore) else ""
        return next((item for item in self.held if item.override.id == wanted), None)


def access(case: Case) -> Check:
    """Only an operator in `operate` changes anything."""
    if case.access.level is AccessLevel.OPERATE:
        return Check("access", PASS, f"{case.access.operator} may operate")
    way_out = case.access.why_not or "ask for operate first, with a reason"
    return Check("access", REFUSE, f"read-only: {way_out}")


def reason(case: Case) -> Check:
    """The audit log has to say why."""
    if case.intent.reason.strip():
        return Check("reason", PASS, case.intent.reason)
    return Check("reason", REFUSE, "a reason is required: whoever comes next has to know why")


def able(case: Case) -> Check:
    """Abilities are per object: what is defined in a file may not be changed by a call."""
    if isinstance(case.intent.action, Restore):
        held = case.restored
        if held is None:
            return Check("ability", REFUSE, "the override has ended: there is nothing to put back")
        if not held.override.plan.undo:
            return Check("ability", REFUSE, "this override has no way back")
        return Check("ability", PASS, "its way back is on record")
    reading = case.board.readings.get(case.target)
    if reading is None:
        return Check("ability", REFUSE, f"{case.name} is not on the board")
    ability = reading.ability(case.intent.action.verb)
    if ability.able:
        return Check("ability", PASS, f"{ability.verb} works on {case.name}")
    return Check("ability", REFUSE, f"{case.name}: {clean(ability.reason)}")


def fresh(case: Case) -> Check:
    """Nobody acts on a picture of the past."""
    state = case.board.freshness(case.target)
    source = case.board.source(case.target.source)
    seen = case.board.observed_at(case.target)
    if state is Freshness.FRESH and source is not None:
        state = freshness(seen, case.now, source.interval_s)
    if state is Freshness.FRESH:
        return Check("freshness", PASS, f"{case.name} was seen {case.now - (seen or case.now):.0f} s ago")
    if state is Freshness.MISSING:
        return Check("freshness", REFUSE, f"{case.name} is not reported by {case.target.source}: look at its source")
    age = f"{case.now - seen:.0f} s ago" if seen else "never"
    words = f"stale: {case.name} was last seen {age}; {case.target.source} has to answer before anything is changed"
    return Check("freshness", REFUSE, words)


def planned(case: Case) -> Check:
    """The backend's adapter must know how, and say exactly what it would do."""
    if case.plan is None:
        return Check("plan", REFUSE, str(case.failure or "there is no plan"))
    if not case.plan.steps:
        return Check("plan", REFUSE, "nothing to do: the backend already shows it")
    if case.plan.before and case.plan.before == case.plan.after:
        return Check("plan", WARN, f"nothing would change: {case.name} is already so")
    return Check("plan", PASS, clean(case.plan.words))


def secretless(case: Case) -> Check:
    """A plan is written down and shown, so that nothing in it may be a credential."""
    if case.plan is not None and holds_secret(msgspec.json.encode(case.plan).decode()):
        return Check("secrets", REFUSE, "the plan holds what looks like a credential: report this fault of the adapter")
    return Check("secrets", PASS, "nothing in the plan looks like a credential")


def last_target(case: Case) -> Check:
    """A route must keep a healthy target, unless somebody types the name."""
    alone = [route for route in _losing_routes(case) if not _healthy(case, route, but=case.target)]
    if alone:
        names = ", ".join(clean(route.ref.name) for route in alone)
        others = ", ".join(clean(name) for route in alone for name in route.fallbacks)
        left = f"only the fallbacks {others} are left" if others else "nothing is left to answer"
        return Check("last target", TYPE_NAME, f"no other healthy target in {names}: {left}")
    destination = _destination(case)
    if destination is not None and not _healthy(case, destination):
        words = f"{clean(destination.ref.name)} has no healthy target to take the requests"
        return Check("last target", TYPE_NAME, words)
    return Check("last target", PASS, "a healthy target is left")


def _losing_routes(case: Case) -> list[Route]:
    """The routes that lose a target which takes requests now."""
    reading = case.board.readings.get(case.target)
    if not case.takes_away or not isinstance(reading, Deployment) or is_open(reading):
        return []
    return routes_of(case.board, case.target)


def _destination(case: Case) -> Route | None:
    """The route that will have to answer: where a switch leads, or back where its restore leads."""
    action = case.intent.action
    held = case.restored
    if isinstance(action, Switch):
        found = case.board.readings.get(Ref(case.target.source, Kind.ROUTE, action.to))
    elif held is not None and any(part.verb is Verb.SWITCH for part in held.parts):
        found = case.board.readings.get(case.target)
    else:
        return None
    return found if isinstance(found, Route) else None


def _healthy(case: Case, route: Route, but: Ref | None = None) -> list[str]:
    """The targets of a route that answer well now, without those that somebody is just taking away."""
    leaving = {item.plan.target for item in case.busy if item.plan.verb is Verb.TRIP}
    found = []
    for item in route.targets:
        ref = Ref(route.ref.source, Kind.DEPLOYMENT, item.deployment)
        reading = case.board.readings.get(ref)
        if ref == but or ref in leaving or not isinstance(reading, Deployment):
            continue
        weight = reading.weight if item.weight is None else item.weight
        if weight != 0 and not is_open(reading) and judge(case.board, reading).level < Level.STALE:
            found.append(item.deployment)
    return found


def protected(case: Case) -> Check:
    """Objects that the config protects, whether they are the target or only touched by the plan."""
    refs = {case.target} | (touched(case.plan) if case.plan else set())
    found = [(ref, rule) for ref in sorted(refs) for rule in case.config.protect if fnmatchcase(str(ref), rule.match)]
    found.sort(key=lambda item: item[1].rule != "never")
    if not found:
        return Check("protection", PASS, "nothing here is protected")
    ref, rule = found[0]
    why = f": {rule.why}" if rule.why else ""
    if rule.rule == "never" and not isinstance(case.intent.action, Restore):
        return Check("protection", REFUSE, clean(f"{ref.name} is protected by the config ({rule.match}){why}"))
    return Check("protection", TYPE_NAME, clean(f"{ref.name} is protected by the config ({rule.match}){why}"))


def one_at_a_time(case: Case) -> Check:
    """A second action on an object while one is in flight would make both unprovable."""
    mine = {case.target} | (touched(case.plan) if case.plan else set())
    for item in case.busy:
        if not mine & touched(item.plan):
            continue
        what = f"{item.plan.verb} {clean(item.plan.target.name)} by {clean(item.operator)}"
        if item.stage is Stage.VERIFYING and case.restored is not None and case.restored.override.id == item.id:
            return Check("in flight", WARN, f"{what} is not yet seen everywhere; this takes it back")
        if item.outcome is Outcome.UNKNOWN:
            return Check("in flight", WARN, f"nobody can tell yet what became of {what}; this takes over")
        return Check("in flight", REFUSE, f"{what} is in flight ({clean(item.words, 80)}); wait for its receipt")
    siblings = [item for item in case.busy if _same_route(case, item)]
    if siblings:
        first = siblings[0]
        what = f"{first.plan.verb} {clean(first.plan.target.name)} by {clean(first.operator)}"
        return Check("in flight", WARN, f"{what} is in flight on the same route: the numbers are about to change")
    return Check("in flight", PASS, "nothing else is in flight here")


def _same_route(case: Case, item: Busy) -> bool:
    def routes(ref: Ref) -> set[Ref]:
        return {route.ref for route in routes_of(case.board, ref)}

    return bool(routes(case.target) & routes(item.plan.target))


def overridden(case: Case) -> Check:
    """Somebody's hand may already be on this switch."""
    if isinstance(case.intent.action, Restore):
        return _restored_by(case)
    wanted = fields(case.plan) if case.plan else set()
    for item in case.held:
        override = item.override
        said = f"{override.action.verb} by {clean(override.owner)} ({clean(override.reason, 80)})"
        if override.target == case.target:
            verb = "ends" if isinstance(case.intent.action, Reset) else "takes over"
            mine = override.owner == case.access.operator
            return Check("override", PASS if mine else WARN, f"this {verb} {said}")
        if wanted & fields(override.plan):
            words = f"{said} on {clean(override.target.name)} holds the same setting: restore that first"
            return Check("override", REFUSE, words)
    return Check("override", PASS, "nobody's override is in the way")


def _restored_by(case: Case) -> Check:
    held = case.restored
    if held is None or held.override.owner == case.access.operator:
        return Check("override", PASS, "it is the operator's own")
    override = held.override
    words = f"this ends {override.action.verb} by {clean(override.owner)} ({clean(override.reason, 80)})"
    if override.state is OverrideState.REVERTING:
        return Check("override", REFUSE, "it is being put back already")
    return Check("override", WARN, words)


def time_to_live(case: Case) -> Check:
    """An override ends by itself, within the environment's policy."""
    ttl, most = case.intent.ttl_s, case.config.overrides.max_ttl
    if isinstance(case.intent.action, Reset | Restore) or ttl is None:
        return Check("expiry", PASS, "leaves nothing behind")
    if not math.isfinite(ttl) or ttl <= 0:
        return Check("expiry", REFUSE, "the time to live has to be more than 0 seconds")
    if ttl > most:
        return Check(
            "expiry", REFUSE, f"{ttl / 60:.0f} min is longer than this environment allows ({most / 60:.0f} min)"
        )
    home = case.plan.expiry_home if case.plan else ExpiryHome.ENGINE
    if home is ExpiryHome.BACKEND and case.intent.on_expiry is not OnExpiry.REVERT:
        return Check("expiry", REFUSE, f"the backend ends this by itself: {case.intent.on_expiry} cannot be had")
    if case.intent.on_expiry is OnExpiry.HOLD:
        return Check("expiry", WARN, "it stays after its time, until somebody restores it")
    where = "by the backend itself" if home is ExpiryHome.BACKEND else "by this engine"
    return Check("expiry", PASS, f"ends in {ttl / 60:.0f} min, {where}")


def reversible(case: Case) -> Check:
    """What cannot be undone takes the name, typed."""
    if case.plan is None or case.plan.undo or isinstance(case.intent.action, Reset | Restore):
        return Check("way back", PASS, "there is a way back" if case.plan and case.plan.undo else "none is needed")
    return Check("way back", TYPE_NAME, "there is no way back from this")


def headroom(case: Case) -> Check:
    """Who gets the load has to be able to carry it."""
    wanted, unknown = case.config.overrides.headroom, list[str]()
    worst: tuple[float, str] | None = None
    for name in case.shift.receivers():
        ratio = headroom_ratio(case.board, case.shift, name)
        if ratio is None:
            unknown.append(clean(name, 60))
        elif worst is None or ratio < worst[0]:
            worst = (ratio, clean(name, 60))
    if worst is not None and worst[0] < wanted:
        words = f"{worst[1]} has headroom for {worst[0]:.1f} × the shifted demand; {wanted:g} × is wanted"
        return Check("headroom", TYPE_NAME if worst[0] < 1 else WARN, words)
    if unknown:
        return Check("headroom", WARN, f"the headroom of {', '.join(unknown[:3])} is not known")
    return Check(
        "headroom", PASS, "nothing is shifted" if worst is None else f"{worst[1]}: {worst[0]:.1f} × the demand"
    )


def replicas(case: Case) -> Check:
    """An action counts as done when every replica shows it: one that is down now will not."""
    source = case.board.source(case.target.source)
    down = [clean(item.name) for item in source.replicas if not item.up] if source else []
    if source is None or not down:
        return Check("replicas", PASS, "every replica answers")
    up = len(source.replicas) - len(down)
    return Check("replicas", WARN, f"{up}/{len(source.replicas)} replicas answer: {', '.join(down)} cannot show it")


CHECKS: tuple[Callable[[Case], Check], ...] = (
    access,
    reason,
    fresh,
    able,
    planned,
    secretless,
    protected,
    one_at_a_time,
    overridden,
    time_to_live,
    last_target,
    headroom,
    reversible,
    replicas,
)
"""Every check, in the order in which an operator reads them."""


def judge_case(case: Case, checks: Sequence[Callable[[Case], Check]] = CHECKS) -> Verdict:
    """What all checks say."""
    return Verdict(tuple(check(case) for check in checks))
