"""A proposal and its receipt as lines: what will be done, what it changes, what the guard says, what came of it."""

from collections.abc import Iterator

from console.domain.actions import (
    Check,
    CheckResult,
    Effect,
    ExpiryHome,
    OnExpiry,
    Outcome,
    Plan,
    Proof,
    Proposal,
    Receipt,
    Stage,
    Verb,
)
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view import doing, forecast
from console.ui.view.facts import fact, heading, labelled, numbered, words
from console.ui.view.parts import padded
from console.ui.view.timeline import OUTCOME_STYLE

_CHECK_STYLE = {
    CheckResult.PASS: "ok",
    CheckResult.WARN: "warn",
    CheckResult.TYPE_NAME: "warn",
    CheckResult.REFUSE: "bad",
}
_CHECK_OUTCOME = {
    CheckResult.PASS: Outcome.VERIFIED,
    CheckResult.WARN: Outcome.UNVERIFIED,
    CheckResult.TYPE_NAME: Outcome.UNVERIFIED,
    CheckResult.REFUSE: Outcome.FAILED,
}
"""The guard's results are drawn with the signs of the outcomes."""

UNSAID = "reason"
"""The guard's check that refuses while no reason is given: the dialog asks for it, so it is no alarm there."""

_HOME = {
    ExpiryHome.BACKEND: "by the backend itself",
    ExpiryHome.ENGINE: "by the engine, or by its next start if it dies",
    ExpiryHome.NOBODY: "nothing stays behind, so nothing expires",
}
_THEN = {
    OnExpiry.REVERT: "what was before is put back",
    OnExpiry.PROBE: "a few requests probe first",
    OnExpiry.HOLD: "it stays until someone restores it",
}
_TITLES = {
    Verb.TRIP: "Trip",
    Verb.RESET: "Reset",
    Verb.WEIGHT: "Change the weight of",
    Verb.SWITCH: "Switch",
    Verb.RESTORE: "Undo the override of",
    Verb.PAUSE: "Pause",
    Verb.RESUME: "Resume",
    Verb.PARK: "Park what waits in",
    Verb.REPLAY: "Replay what was parked of",
    Verb.FINISH: "Finish what waits in",
    Verb.REQUEUE: "Requeue the dead letters of",
    Verb.ISOLATE: "Isolate the retries of",
    Verb.PURGE: "Purge",
    Verb.STOP: "Stop what moves in",
    Verb.REISSUE: "Send the recorded call to",
}
_HELD = (Verb.PARK, Verb.ISOLATE)
"""What stays behind until somebody ends it."""
TIMED = (Verb.TRIP, Verb.RESET, Verb.WEIGHT, Verb.SWITCH, Verb.RESTORE, Verb.PAUSE, Verb.FINISH)
"""Verbs for which the dialog asks how long."""


def title(verb: Verb, name: str) -> str:
    """`Trip azure-b`."""
    return f"{_TITLES[verb]} {fmt.name(name, 48)}"


def lines(proposal: Proposal, width: int, glyphs: Glyphs) -> list[Line]:
    """Everything that an operator has to know before saying yes; the most decisive first."""
    found: list[Line] = []
    if any(check.result is CheckResult.REFUSE and check.name != UNSAID for check in proposal.verdict.checks):
        found += _refused(proposal, width, glyphs)
    if proposal.effects:
        found.append(heading("What changes", width, glyphs, "before and after"))
        label = min(34, max(width_of(fmt.name(effect.label)) for effect in proposal.effects))
        found += (_effect(effect, label, width, glyphs) for effect in proposal.effects)
    if proposal.forecast is not None:
        found += forecast.table(proposal.forecast, width, glyphs)
    found += _checks(proposal, "The guard warns", (CheckResult.WARN, CheckResult.TYPE_NAME), width, glyphs)
    if proposal.plan is not None:
        found += _plan(proposal, proposal.plan, width, glyphs)
    found += _checks(proposal, "The guard is content with", (CheckResult.PASS,), width, glyphs)
    return found


def _refused(proposal: Proposal, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield heading("Not now", width, glyphs)
    refused = (check for check in proposal.verdict.checks if check.result is CheckResult.REFUSE)
    for text in (check.words for check in refused if check.name != UNSAID):
        yield from words(f"{glyphs.outcome[Outcome.FAILED]} {fmt.name(text, 300)}", width, "bad", key=text)


def _effect(effect: Effect, name: int, width: int, glyphs: Glyphs) -> Line:
    before, after = (fmt.quantity(value, effect.unit) for value in (effect.before, effect.after))
    # A number that only stands for now, or only for then, is no change: it gets no arrow.
    change = effect.before is not None and effect.after is not None
    if not change and effect.after is None:
        before, after = "", before
    elif not change:
        before = ""
    mark = f" {glyphs.outcome[Outcome.UNVERIFIED]} {fmt.name(effect.words, 80)}" if effect.bad else ""
    note = mark or (f" {fmt.name(effect.words, 80)}" if effect.words else "")
    cells = (
        Cell(f" {fit(fmt.name(effect.label, 60), name)} "),
        Cell(fit(before, 11, right=True), "muted"),
        Cell(f" {glyphs.arrow if change else ' '} ", "muted"),
        Cell(fit(after, 11), "bad" if effect.bad else "strong"),
        Cell(fit(note, max(0, width - name - 28)), "warn" if effect.bad else "muted"),
    )
    return Line(cells, key=("effect", effect.label, effect.unit))


def _plan(proposal: Proposal, plan: Plan, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield heading("What is done", width, glyphs)
    if plan.verb is Verb.STOP:
        # It changes nothing at the backend by itself: there is nothing to show, to put back, or to expire.
        yield from words(fmt.name(plan.words, 300), width)
        yield from _notes(plan, width)
        return
    yield from numbered((fmt.name(step.words, 300) for step in plan.steps), width)
    shows = "; ".join(fmt.name(item.words, 160) for item in plan.expects if item.words)
    on = f"on all {len(plan.replicas)} replicas" if len(plan.replicas) > 1 else "at the backend"
    within = f", within {fmt.duration(plan.converge_s)}"
    if shows:
        yield from labelled("done when", f"{shows}, seen {on}{within}", width)
    back = "; ".join(fmt.name(step.words, 160) for step in plan.undo)
    yield from labelled("way back", back or "none: this cannot be undone", width, "" if back else "warn")
    yield from labelled("ends", _ends(proposal, plan), width)
    yield from _notes(plan, width)


def _notes(plan: Plan, width: int) -> Iterator[Line]:
    for note in plan.notes:
        yield from labelled("note", fmt.name(note, 300), width, "notice")


def _checks(
    proposal: Proposal, title: str, results: tuple[CheckResult, ...], width: int, glyphs: Glyphs
) -> Iterator[Line]:
    found = [check for check in proposal.verdict.checks if check.result in results]
    if found:
        yield heading(title, width, glyphs)
    for check in found:
        yield from _check(check, width, glyphs)


def _check(check: Check, width: int, glyphs: Glyphs) -> Iterator[Line]:
    style = _CHECK_STYLE[check.result]
    sign = glyphs.outcome[_CHECK_OUTCOME[check.result]]
    # What passes is said in one line; what does not may take as many as it needs.
    quiet = check.result is CheckResult.PASS
    text = fmt.name(check.words, 300)
    lines = labelled(f"{sign} {fmt.name(check.name, 20)}", text, width, "muted" if quiet else style)
    for at, line in enumerate(lines):
        if at == 0:
            yield line._replace(cells=(Cell(line.cells[0].text, style), *line.cells[1:]))
        elif not quiet:
            yield line


def _ends(proposal: Proposal, plan: Plan) -> str:
    """When it ends by itself, who ends it, and what happens then."""
    if plan.expiry_home is ExpiryHome.NOBODY and plan.verb in _HELD:
        return "not by itself: it stays set aside until somebody replays it"
    if plan.expiry_home is ExpiryHome.NOBODY or proposal.intent.ttl_s is None:
        return _HOME[plan.expiry_home]
    after, then = fmt.duration(proposal.intent.ttl_s), _THEN[proposal.intent.on_expiry]
    return f"after {after}, {_HOME[plan.expiry_home]}; then {then}"


def progress(receipt: Receipt, width: int, glyphs: Glyphs) -> list[Line]:
    """What became of it, so far: the outcome, and what each replica shows."""
    holds = sum(proof.holds is True for proof in receipt.proofs)
    count = f" {holds}/{len(receipt.proofs)} replicas" if receipt.proofs else ""
    style = OUTCOME_STYLE[receipt.outcome]
    head = f"{glyphs.outcome[receipt.outcome]} {receipt.outcome}{count}"
    found = [
        heading("What came of it", width, glyphs),
        fact("outcome", Cell(head, style), key="outcome"),
        fact("stage", Cell(str(receipt.stage), "muted" if receipt.stage is Stage.DONE else ""), key="stage"),
    ]
    if receipt.progress is not None:
        found += doing.facts(receipt, width, glyphs)
    if receipt.words:
        found += labelled("so far", fmt.name(receipt.words, 400), width)
    found += (_proof(proof, width, glyphs) for proof in receipt.proofs)
    if receipt.failure is not None:
        found += labelled("failure", fmt.name(str(receipt.failure), 400), width, "bad")
    found += forecast.outturn(receipt, width, glyphs)
    if receipt.stage is not Stage.DONE:
        found += words("You may close this: the engine goes on, and the Log shows the end.", width, "muted")
    return found


def _proof(proof: Proof, width: int, glyphs: Glyphs) -> Line:
    shown = {True: Outcome.VERIFIED, False: Outcome.CONVERGING, None: Outcome.UNKNOWN}[proof.holds]
    said = {True: "shows it", False: "not yet", None: "no answer"}[proof.holds]
    seen = f"  {fmt.name(proof.seen, 120)}" if proof.seen else ""
    cells = (
        *padded(f"{glyphs.outcome[shown]} {said}", 13, OUTCOME_STYLE[shown]),
        Cell(fit(f"{fmt.clock(proof.read_at)}{seen}", max(0, width - 30)), "muted"),
    )
    return fact(f"  {fmt.name(proof.replica, 14)}", *cells, key=("proof", proof.replica))
