"""A run on standard output: a line for every new word of it, until a person is wanted or it is over."""

import asyncio

from console.cli.exits import Exit
from console.cli.output import note, say
from console.cli.preview import print_proposal
from console.client import SocketClient
from console.domain.runbooks import Run, RunState, RunStep
from console.domain.text import clean

LOOK_S = 0.3
"""How often the run is asked for."""

OF_STATE = {RunState.SUCCEEDED: Exit.OK, RunState.FAILED: Exit.FAILED, RunState.ABORTED: Exit.STOPPED}
"""The exit code of a run that is over; WARN for one that goes on."""


class Teller:
    """Says what is new since it was asked last."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def tell(self, run: Run) -> None:
        """A line for each step, and for the run, whose words have changed."""
        for step in run.steps:
            if step.attempt or step.words:
                self._line(step.id, f"{step.id}: {_state(step.state)}{_words(step.words)}")
        self._line("", f"{run.id}: {_state(run.state)}{_words(run.words)}")

    def _line(self, name: str, line: str) -> None:
        if self._said.get(name) != line:
            self._said[name] = line
            say(clean(line, 400))


async def follow(client: SocketClient, run: Run, teller: Teller, *, to_end: bool = False) -> Run:
    """Tell of a run until it is over, or until it wants a person and `to_end` is not asked for."""
    try:
        while True:
            teller.tell(run)
            wants = run.state in (RunState.AWAITING, RunState.PAUSED)
            if run.state.over or (wants and not to_end):
                return run
            await asyncio.sleep(LOOK_S)
            run = await client.run(run.id)
    except asyncio.CancelledError:
        note(f"the run goes on without this command: `switchgear runbook watch {run.id} -e {client.environment}`")
        raise


def ended(run: Run, environment: str) -> int:
    """The exit code, and how to go on with a run that is not over."""
    if run.state.over:
        return OF_STATE[run.state]
    note(f"the run is {_state(run.state)}: `switchgear runbook order {run.id} {_orders(run)} -e {environment}`")
    return Exit.WARN


def print_step(step: RunStep) -> None:
    """What a person is asked about."""
    say()
    say(clean(step.title, 400))
    for line in step.docs.splitlines()[:40]:
        say(f"  {clean(line, 400)}")
    if step.proposal is not None:
        print_proposal(step.proposal)


def _orders(run: Run) -> str:
    if run.state is RunState.PAUSED:
        return "resume|retry|skip|abort"
    step = run.step(run.current)
    return "done|skip|abort" if step is not None and step.kind == "manual" else "confirm|skip|abort"


def _state(state: str) -> str:
    return state.replace("_", " ")


def _words(words: str) -> str:
    return f": {words}" if words else ""
