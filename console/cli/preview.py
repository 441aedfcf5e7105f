"""A proposal as text: what exactly would be done, what it changes in numbers, and what the guard says."""

from console.cli.forecasts import print_forecast
from console.cli.output import say, table
from console.domain.actions import CheckResult, Effect, ExpiryHome, Plan, Proposal
from console.domain.text import clean

_MARKS = {
    CheckResult.PASS: "ok",
    CheckResult.WARN: "warning",
    CheckResult.TYPE_NAME: "type the name",
    CheckResult.REFUSE: "REFUSED",
}


def print_proposal(proposal: Proposal) -> None:
    """Print all of it."""
    plan = proposal.plan
    if plan is not None:
        say(f"plan: {clean(plan.words, 400)}")
        for step in plan.steps:
            say(f"  · {clean(step.words, 400)}")
        if plan.steps:
            say(f"  seen when {_either(' and '.join(clean(e.words) for e in plan.expects), 'the backend shows it')}")
            say(f"  way back: {_either('; '.join(clean(step.words, 400) for step in plan.undo), 'none')}")
            say(f"  its end: {_end(plan)}")
        for words in plan.notes:
            say(f"  note: {clean(words, 400)}")
    if proposal.effects:
        say()
        rows = [_row(effect) for effect in proposal.effects]
        table(("EFFECT", "NOW", "THEN", "UNIT", ""), rows, styles=["red" if e.bad else "" for e in proposal.effects])
    if proposal.forecast is not None:
        print_forecast(proposal.forecast)
    say()
    checks = proposal.verdict.checks
    styles = ["bold red" if check.result is CheckResult.REFUSE else "" for check in checks]
    table(("GUARD", "RESULT", ""), [(c.name, _MARKS[c.result], c.words) for c in checks], styles=styles)
    say()


def _end(plan: Plan) -> str:
    """Who ends what the plan leaves behind."""
    if plan.expiry_home is not ExpiryHome.NOBODY:
        return f"kept by the {plan.expiry_home}"
    return "it holds until somebody puts it back" if plan.undo else "it leaves nothing behind"


def _row(effect: Effect) -> tuple[str, str, str, str, str]:
    return effect.label, _number(effect.before), _number(effect.after), effect.unit, effect.words


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    return "0" if abs(value) < 1e-6 else f"{value:,.4g}"


def _either(text: str, other: str) -> str:
    return text or other
