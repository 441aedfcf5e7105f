"""Runbooks and runs in the words that a front is told: what could be begun, and how a new run looks."""

from console.domain.board import Board
from console.domain.runbooks import Parameter, Run, RunbookInfo, RunState, RunStep, StartRun, StepKind
from console.domain.text import clean
from runbooks.loader import Book, Faulty
from runbooks.parameters import Values, choices_of, written
from runbooks.schema import Match, Runbook, Step
from runbooks.targets import shown


def info_of(one: Book | Faulty, board: Board) -> RunbookInfo:
    """What a front is told of a file."""
    if isinstance(one, Faulty):
        return RunbookInfo(id=clean(one.id, 60), title=clean(one.path.name), path=str(one.path), faults=one.faults)
    book = one.runbook
    parameters = tuple(
        Parameter(
            name=name, type=item.type, docs=clean(item.docs),
            default="" if item.default is None else str(item.default), choices=choices_of(item, board),
            required=item.default is None and item.source is None,
        )
        for name, item in book.parameters.items()
        if not item.hidden
    )  # fmt: skip
    return RunbookInfo(
        id=book.id, title=clean(book.title), summary=clean(book.summary, 500),
        path="" if one.shipped else str(one.path), parameters=parameters, steps=steps_of(book, {}),
        matches=tuple(_matched(match) for match in book.match),
    )  # fmt: skip


def steps_of(runbook: Runbook, values: Values) -> tuple[RunStep, ...]:
    """The steps of a runbook, none begun."""
    return tuple(
        RunStep(
            id=step.id, kind=kind_of(step), title=clean(shown(step.title or _title(step), values)),
            docs=shown(step.docs, values, markdown=True), verb=step.action.verb if step.action else None,
        )
        for step in runbook.steps
    )  # fmt: skip


def kind_of(step: Step) -> StepKind:
    """What a step does."""
    return next(kind for kind in StepKind if getattr(step, kind) is not None)


def run_of(book: Book, start: StartRun, values: Values, run_id: str, who: str, uid: int, now: float) -> Run:
    """A run that is to begin."""
    return Run(
        id=run_id, runbook=book.runbook.id, title=clean(book.runbook.title),
        path="" if book.shipped else str(book.path),
        hash=book.hash, started_by=who, holder=who, uid=uid, started_at=now, updated_at=now, state=RunState.RUNNING,
        parameters=written(values), reckoned=tuple(name for name, one in book.runbook.parameters.items() if one.hidden),
        steps=steps_of(book.runbook, values), dry=start.dry,
        incident=start.incident, alert=start.alert,
    )  # fmt: skip


def _title(step: Step) -> str:
    if step.action:
        to = f" to {step.action.to}" if step.action.to else ""
        return f"{step.action.verb} {step.action.target}{to}"
    if step.manual:
        return step.manual.ask
    if step.ramp:
        return f"move {step.ramp.route} to {step.ramp.to}"
    return f"run {step.command.name}" if step.command else step.id


def _matched(match: Match) -> str:
    words = [
        match.rule,
        match.aspect,
        match.kind,
        f"culprit {match.culprit}" if match.culprit else "",
        match.when or "",
    ]
    return ", ".join(filter(None, words))
