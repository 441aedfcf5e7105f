"""Checks of other hands on the same switch: what the config protects, what is in flight, what is overridden."""

from fnmatch import fnmatchcase

from console.control.aftermath import ends, taken_over
from console.control.guard.case import PASS, REFUSE, TYPE_NAME, WARN, Busy, Case
from console.control.plans import fields, touched
from console.control.rows import Held
from console.domain.actions import (
    Check,
    Outcome,
    OverrideState,
    Replay,
    Reset,
    Restore,
    Resume,
    Stage,
)
from console.domain.refs import Ref
from console.domain.text import clean
from console.forecast.routing import routes_of


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
        if item.plan.lasting and item.stage is Stage.EXECUTING:
            words = f"{what} is under way ({clean(item.words, 80)}); stop it first, or wait for its end"
            return Check("in flight", REFUSE, words)
        if item.stage is Stage.VERIFYING and case.restored is not None and case.restored.override.id == item.id:
            return Check("in flight", WARN, f"{what} is not yet seen everywhere; this takes it back")
        if item.outcome is Outcome.UNKNOWN:
            return Check("in flight", WARN, f"nobody can tell yet what became of {what}; this takes over")
        return Check("in flight", REFUSE, f"{what} is in flight ({clean(item.words, 80)}); wait for its receipt")
    siblings = [item for item in case.busy if touched(item.plan) and _same_route(case, item)]
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
            mine = override.owner == case.access.operator
            return Check("override", PASS if mine else WARN, _with_former(case, item, said))
        if wanted & fields(override.plan):
            words = f"{said} on {clean(override.target.name)} holds the same setting: restore that first"
            return Check("override", REFUSE, words)
    return Check("override", PASS, "nobody's override is in the way")


def _with_former(case: Case, held: Held, said: str) -> str:
    """What becomes of the override that is on the object already."""
    if isinstance(case.intent.action, Reset | Resume | Replay):
        return f"this ends {said}" if ends(case.intent.action, held) else f"{said} stays as it is"
    beside = case.plan is not None and not taken_over(held, case.plan)
    return f"{said} stays beside it" if beside else f"this takes over {said}"


def _restored_by(case: Case) -> Check:
    held = case.restored
    if held is None or held.override.owner == case.access.operator:
        return Check("override", PASS, "it is the operator's own")
    override = held.override
    words = f"this ends {override.action.verb} by {clean(override.owner)} ({clean(override.reason, 80)})"
    if override.state is OverrideState.REVERTING:
        return Check("override", REFUSE, "it is being put back already")
    return Check("override", WARN, words)
