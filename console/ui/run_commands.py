"""The commands on runbooks: begin one, come back to its run, and answer it. Capitals, so that none is hit by chance."""

from collections.abc import Sequence

from console.domain.runbooks import Run, RunOrder, RunState, StepState
from console.ui.command import Command
from console.ui.desk import Desk
from console.ui.view.run_words import is_mine

_AGAIN = (StepState.FAILED, StepState.UNKNOWN)


def _no_run(desk: Desk) -> str:
    """Why nothing can be said to the run whose page is open: there is none, or another operator has control."""
    run = desk.followed()
    if desk.lost:
        return desk.lost
    if run is None:
        return "open the run first (run)" if desk.foremost() is not None else "no runbook is being followed"
    if run.state.over:
        return f"the run is over: {run.state}"
    return "" if is_mine(run, desk.access) else f"{run.holder} has control: take it first (take)"


def _nothing_awaited(desk: Desk) -> str:
    run = desk.followed()
    why = _no_run(desk)
    return why or ("" if run is not None and run.state is RunState.AWAITING else "the run awaits nothing from you now")


def _not_again(desk: Desk) -> str:
    run = desk.followed()
    step = run.step(run.current) if run is not None else None
    why = _no_run(desk)
    return why or ("" if step is not None and step.state in _AGAIN else "its present step has not failed")


def _no_step(desk: Desk) -> str:
    run = desk.followed()
    return _no_run(desk) or ("" if run is not None and run.current else "it stands at no step now")


def _not_taken(desk: Desk) -> str:
    run = desk.followed()
    if desk.lost or run is None or run.state.over:
        return _no_run(desk)
    return "you have control already" if is_mine(run, desk.access) else ""


def _no_runs(desk: Desk) -> str:
    begins = desk.keys().get("runbook") or "runbook"
    return "" if desk.foremost() is not None else f"no runbook is being followed; {begins} begins one"


def _hold(desk: Desk, _: str) -> None:
    run: Run | None = desk.followed()
    paused = run is not None and run.state is RunState.PAUSED
    desk.tell_run(RunOrder.RESUME if paused else RunOrder.PAUSE, "")


def _offered(desk: Desk) -> Sequence[str]:
    return list(dict.fromkeys(offer.runbook for offer in desk.board.offers))


RUN_COMMANDS: tuple[Command, ...] = (
    Command(
        "run",
        "Run",
        "Show the run that awaits you, otherwise the newest one; again, the next.",
        lambda desk, run_id: desk.open_run(run_id),
        "R",
        argument="[ID]",
        why_not=_no_runs,
        choices=lambda desk: list(desk.board.runs),
        group="Runbooks",
    ),
    Command(
        "runbook",
        "Runbooks",
        "Choose a runbook, those that fit what is wrong first, and begin it.",
        lambda desk, name: desk.pick_runbook(name, dry=False),
        "B",
        argument="[NAME]",
        why_not=lambda desk: desk.lost,
        choices=_offered,
        group="Runbooks",
    ),
    Command(
        "dry-run",
        "Dry run",
        "Choose a runbook and go through it without doing anything: actions are planned, judged and shown.",
        lambda desk, name: desk.pick_runbook(name, dry=True),
        "D",
        argument="[NAME]",
        why_not=lambda desk: desk.lost,
        choices=_offered,
        group="Runbooks",
    ),
    Command(
        "yes",
        "Answer",
        "Answer what the run awaits: see what its step would do and confirm it, or say that it has been done.",
        lambda desk, _: desk.tell_run(RunOrder.CONFIRM, ""),
        "Y",
        why_not=_nothing_awaited,
        group="Runbooks",
        bar=True,
    ),
    Command(
        "retry",
        "Try again",
        "Try the step that failed once more.",
        lambda desk, _: desk.tell_run(RunOrder.RETRY, ""),
        "T",
        why_not=_not_again,
        group="Runbooks",
        bar=True,
    ),
    Command(
        "skip",
        "Leave out",
        "Leave the run's present step out, with a reason.",
        lambda desk, reason: desk.tell_run(RunOrder.SKIP, reason),
        "S",
        argument="[REASON]",
        why_not=_no_step,
        group="Runbooks",
        bar=True,
    ),
    Command(
        "hold-run",
        "Hold/go on",
        "Pause the run, or let it go on when it is paused.",
        _hold,
        "P",
        why_not=_no_run,
        group="Runbooks",
        bar=True,
    ),
    Command(
        "abort",
        "Abort",
        "End the run early; asks whether what its steps did is put back.",
        lambda desk, reason: desk.tell_run(RunOrder.ABORT, reason),
        "A",
        argument="[REASON]",
        why_not=_no_run,
        group="Runbooks",
        bar=True,
    ),
    Command(
        "take",
        "Take control",
        "Take control of the run from whoever has it; everybody else watches.",
        lambda desk, _: desk.tell_run(RunOrder.TAKE, ""),
        "C",
        why_not=_not_taken,
        group="Runbooks",
        bar=True,
    ),
)
"""In the order of the help."""
