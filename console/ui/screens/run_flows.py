"""What commands on runbooks open: the choice of one, the form that begins it, its page, and what is said to a run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from console.domain.errors import Refusal
from console.domain.runbooks import Parameter, Run, RunbookInfo, RunCommand, RunOrder, RunStep, StartRun, StepKind
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit
from console.ui.view import run_words
from console.ui.view import runbooks as view
from console.ui.view.run_steps import sketch

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp
    from console.ui.screens.forms import Field

_WIDEST = 96
_HINT = "Enter on the last line begins it; Esc leaves everything as it is"
OTHER_LINES = 14
"""Lines of the form that are no steps and no fields: border, title, words, choices, hints."""


async def run_page(app: "SwitchgearApp", run_id: str) -> None:
    """Show a run; without an id the foremost one, and when that is open the next that goes on."""
    from console.ui.screens.run import RunScreen

    if not run_id:
        here = app.followed()
        others = [run for run in run_words.going_on(app.board) if here is None or run.id != here.id]
        run = run_words.foremost(app.board, app.access)
        run = next(iter(others), run) if here is not None else run
        if run is None:
            raise Refusal("no runbook is being followed")
        run_id = run.id
    if any(isinstance(screen, RunScreen) and screen.run_id == run_id for screen in app.screen_stack):
        while not (isinstance(app.screen, RunScreen) and app.screen.run_id == run_id):
            await app.pop_screen()
        return
    await app.push_screen(RunScreen(run_id))


async def begin(app: "SwitchgearApp", name: str, *, dry: bool) -> None:
    """Choose a runbook unless it is named, ask for its parameters, begin it and show its run.

    Raises:
        Refusal: there is none of that name, or it has faults.
    """
    books = await app.api.runbooks()
    chosen = await _chosen(app, books, name, dry=dry)
    if chosen is None:
        return
    if chosen.book.faults:
        raise Refusal(f"{chosen.book.id} cannot begin: {fmt.name(chosen.book.faults[0], 300)}")
    values = chosen.offer.parameters if chosen.offer is not None else {}
    wrong = ""
    while True:
        start = await _form(app, chosen, values, wrong, dry=dry)
        if start is None:
            return
        if not start.dry:
            await _operating(app)
        try:
            run = await app.api.start_run(start)
        except Refusal as refusal:
            values, wrong, dry = start.parameters, fmt.name(refusal.words, 300), start.dry
            continue
        await run_page(app, run.id)
        return


async def _operating(app: "SwitchgearApp") -> None:
    from console.ui.screens.flows import operate

    if not app.operating:
        await operate(app)
    if not app.operating:
        raise Refusal("not begun: it takes operate; a dry run does not")


async def _chosen(app: "SwitchgearApp", books: Sequence[RunbookInfo], name: str, *, dry: bool) -> view.Choice | None:
    from console.ui.screens.forms import ChoiceScreen

    found = view.choices(app.board, books, app.incident() or "")
    if name:
        fitting = [choice for choice in found if choice.book.id == name]
        if not fitting:
            raise Refusal(f"no runbook {fmt.name(name, 40)!r}")
        return fitting[0]
    if not found:
        raise Refusal("there is no runbook: put one into a folder that the config names under `runbooks`")
    title = "Which runbook, dry?" if dry else "Which runbook?"
    hint = "Enter asks what is missing; nothing begins before that. Esc goes back"
    lines = view.lines(found, _room(app), app.glyphs)
    key = await app.push_screen_wait(ChoiceScreen(title, view.heading(_room(app)), lines, view.notes(found), hint=hint))
    return None if key is None else found[int(key)]


async def _form(
    app: "SwitchgearApp", choice: view.Choice, given: Mapping[str, str], wrong: str, *, dry: bool
) -> StartRun | None:
    """Ask for the parameters, with those filled in that are given; `wrong` is why once more. None after Esc."""
    from console.ui.screens.forms import Field, FormScreen

    book, offer = choice.book, choice.offer
    fields = [_field(parameter, given.get(parameter.name, parameter.default)) for parameter in book.parameters]
    fields.append(Field("dry run", "yes" if dry else "no", "yes: nothing is done", _yes_or_no, ("no", "yes")))
    values = {parameter.name: field.value for parameter, field in zip(book.parameters, fields, strict=False)}
    most = max(2, app.size.height - len(fields) - OTHER_LINES)
    steps = _steps(book.steps, values, _room(app), most)
    said = [*view.said(choice, _room(app)), *(_text(line) for line in steps)]
    first = next((at for at, field in enumerate(fields) if field.wrong(field.value)), len(fields) - 1)
    if wrong or offer is None:
        first = next((at for at, field in enumerate(fields) if field.choices and not field.value), first)
    title = f"{'Go dry through' if dry else 'Begin'}: {fmt.name(book.title, 60)}"
    answer = await app.push_screen_wait(FormScreen(title, said, fields, first=first, hint=_HINT, wrong=wrong))
    if answer is None:
        return None
    *texts, rehearsed = answer
    return StartRun(
        runbook=book.id,
        parameters={one.name: value for one, value in zip(book.parameters, texts, strict=True) if value},
        incident=offer.incident if offer is not None else "",
        alert=offer.alert if offer is not None else "",
        dry=rehearsed == "yes",
        request=uuid4().hex,
    )


def _field(parameter: Parameter, value: str) -> "Field":
    from console.ui.screens.forms import Field

    hint = parameter.docs or parameter.type + ("" if parameter.required else ", may stay empty")
    choices = tuple(fmt.name(one) for one in parameter.choices)
    return Field(
        parameter.name,
        fmt.name(value, 200) if value else "",
        fmt.name(hint, 80),
        lambda text: view.wrong(parameter, text),
        choices,
    )


def _yes_or_no(text: str) -> str:
    return "" if text in ("yes", "no") else "yes or no"


def _room(app: "SwitchgearApp") -> int:
    """Columns of text in a dialog."""
    return min(_WIDEST, app.size.width) - 5


def _steps(steps: Sequence[RunStep], given: Mapping[str, str], width: int, most: int) -> list[Line]:
    """As many steps as have room."""
    lines = list(sketch(steps if len(steps) <= most else steps[: most - 1], given, width))
    more = len(steps) - len(lines)
    return [*lines, Line((Cell(f"    and {fmt.plural(more, 'step')} more"),))] if more else lines


def _text(line: Line) -> str:
    return "".join(cell.text for cell in line.cells).rstrip()


# What is said to a run


async def tell(app: "SwitchgearApp", run: Run, order: RunOrder, reason: str) -> None:
    """Say something to a run, after what is still missing was asked for."""
    command: RunCommand | None = RunCommand(run=run.id, order=order, step=run.current, reason=reason)
    match order:
        case RunOrder.CONFIRM:
            command = await _answer(app, run)
        case RunOrder.SKIP if not reason:
            command = await _reason(app, run)
        case RunOrder.ABORT:
            command = await _abort(app, run, reason)
        case RunOrder.TAKE | RunOrder.PAUSE | RunOrder.RESUME:
            command = RunCommand(run=run.id, order=order)
    if command is None:
        return
    told = await app.api.order_run(command)
    step = told.step(run.current)
    what = fmt.name(step.title, 60) if step is not None and order not in _OF_THE_RUN else fmt.name(told.title, 60)
    app.say(f"{_DONE[command.order]}: {what}")


_OF_THE_RUN = (RunOrder.TAKE, RunOrder.PAUSE, RunOrder.RESUME, RunOrder.ABORT)
_DONE = {
    RunOrder.CONFIRM: "confirmed",
    RunOrder.DONE: "done",
    RunOrder.RETRY: "tried again",
    RunOrder.SKIP: "left out",
    RunOrder.PAUSE: "paused",
    RunOrder.RESUME: "goes on",
    RunOrder.ABORT: "aborted",
    RunOrder.TAKE: "yours now",
}


async def _answer(app: "SwitchgearApp", run: Run) -> RunCommand | None:
    """What the run awaits: a yes after it was shown what it is to, or the word that a manual step is done."""
    step = run.step(run.current)
    if step is None:
        raise Refusal("the run awaits nothing now")
    if step.proposal is None and step.kind is StepKind.MANUAL:
        return RunCommand(run=run.id, order=RunOrder.DONE, step=step.id)
    if step.proposal is None:
        return await _go_on(app, run, step)
    from console.ui.screens.step import StepScreen

    await app.push_screen_wait(StepScreen(run, step, step.proposal))
    return None


async def _go_on(app: "SwitchgearApp", run: Run, step: RunStep) -> RunCommand | None:
    """A yes to what has no plan: a command that the config names."""
    from console.ui.screens.forms import ChoiceScreen

    ways = (("not now", "the run goes on waiting"), ("do it", fmt.name(step.words or step.title, 60)))
    lines = [Line((Cell(f" {fit(key, 12)}", "strong"), Cell(words, "muted")), key=key) for key, words in ways]
    heading = Line((Cell(f" {fit('answer', 12)}", "title"),))
    title = f"Step {run_words.place(run)}: {fmt.name(step.title, 60)}"
    chosen = await app.push_screen_wait(ChoiceScreen(title, heading, lines, {}, hint="Enter takes it; Esc goes back"))
    return RunCommand(run=run.id, order=RunOrder.CONFIRM, step=step.id) if chosen == "do it" else None


async def _reason(app: "SwitchgearApp", run: Run) -> RunCommand | None:
    from console.ui.screens.forms import Field, FormScreen

    step = run.step(run.current)
    title = fmt.name(step.title, 60) if step is not None else ""
    field = Field("reason", "", "why it is left out", lambda text: "" if text else "say why: others will read it")
    said = ["The run goes on at the next step. Nothing of this one is done any more."]
    answer = await app.push_screen_wait(FormScreen(f"Leave out: {title}", said, [field]))
    return None if answer is None else RunCommand(run=run.id, order=RunOrder.SKIP, step=run.current, reason=answer[0])


async def _abort(app: "SwitchgearApp", run: Run, reason: str) -> RunCommand | None:
    from console.ui.screens.forms import ChoiceScreen

    done = [step for step in run.steps if step.action_id or step.ramp is not None]
    back = ", ".join(fmt.name(step.title, 40) for step in reversed(done)) or "nothing was done yet"
    ways = (
        ("go on", "do not abort", "The run goes on as it is."),
        ("abort", "leave what was done", "What its steps did stays as it is; overrides keep their expiry."),
        ("roll back", "put back what was done", f"The last first: {back}."),
    )
    lines = [Line((Cell(f" {fit(key, 12)}", "strong"), Cell(words, "muted")), key=key) for key, words, _ in ways]
    notes = {key: note for key, _, note in ways}
    heading = Line((Cell(f" {fit('what to do', 12)}", "title"),))
    title = f"Abort {fmt.name(run.title, 60)}?"
    chosen = await app.push_screen_wait(ChoiceScreen(title, heading, lines, notes, hint="Enter takes it; Esc goes on"))
    if chosen not in ("abort", "roll back"):
        return None
    return RunCommand(run=run.id, order=RunOrder.ABORT, reason=reason, rollback=chosen == "roll back")
