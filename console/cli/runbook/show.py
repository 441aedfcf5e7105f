"""Print one runbook: when it is offered, what it asks for, its steps."""

import argparse
from collections.abc import Iterator

from console.cli.exits import Exit
from console.cli.output import note, say
from console.cli.runbook.known import known
from console.domain.runbooks import RunbookInfo, RunStep
from console.domain.text import clean


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("id", metavar="ID", help="as `switchgear runbook list` names it")
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")


def run(options: argparse.Namespace) -> int:
    """Print it, or its faults."""
    found = known(options.env)
    one = next((info for info in found if info.id == options.id), None)
    if one is None:
        note(f"there is no runbook {clean(options.id, 60)!r}; there are: {', '.join(info.id for info in found)}")
        return Exit.CONFIG
    for line in _lines(one):
        say(line)
    return Exit.WARN if one.faults else Exit.OK


def _lines(one: RunbookInfo) -> Iterator[str]:
    yield f"{one.id}: {clean(one.title)}"
    yield from one.faults
    if one.summary:
        yield clean(one.summary, 500)
    if one.matches:
        yield ""
        yield "offered when"
        yield from (f"  {clean(words, 500)}" for words in one.matches)
    if one.parameters:
        yield ""
        yield "asks for"
    for each in one.parameters:
        default = f" ({clean(each.default)})" if each.default else ""
        yield f"  {each.name}: {each.type}{default}  {clean(each.docs, 500)}".rstrip()
    if one.steps:
        yield ""
        yield "steps"
    for number, step in enumerate(one.steps, 1):
        yield from _step(number, step)


def _step(number: int, step: RunStep) -> Iterator[str]:
    title = "" if step.title == step.id else f"  {clean(step.title)}"
    yield f"  {number}. {step.id} [{step.kind}]{title}"
    for condition in step.conditions:
        yield f"       {condition.role}: {clean(condition.text, 1000)}"
    yield from (f"       {clean(line, 500)}" for line in step.docs.splitlines() if line.strip())
