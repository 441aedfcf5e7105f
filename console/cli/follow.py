"""Follows an action from its confirmation to its last receipt, on standard output."""

import asyncio
import sys

from console.cli.exits import OF_OUTCOME
from console.cli.output import note, say
from console.client import SocketClient
from console.domain.actions import Outcome, Progress, Proposal, Receipt, Stage, Verb
from console.domain.durations import words_of
from console.domain.errors import EngineLost
from console.domain.text import clean, printable

LOOK_S = 0.2
"""How often the receipt is asked for while an action runs."""
GRACE_S = 30.0
"""How much longer than the plan's own time the command waits for the last word."""
NEWS_S = 5.0
"""How often progress is worth a line where nobody can overwrite it."""


async def follow(client: SocketClient, proposal: Proposal, receipt: Receipt) -> int:
    """Print every new word about the action until the last one; the exit code says what came of it.

    A plan with a lasting step, or a model call, is followed for as long as it takes.
    """
    plan = proposal.plan
    lasting = plan is not None and (plan.lasting or plan.verb is Verb.REISSUE)
    patience = None if lasting else (plan.converge_s if plan else 60.0) + GRACE_S
    try:
        async with asyncio.timeout(patience):
            receipt = await _to_the_end(client, receipt)
    except TimeoutError:
        note(f"no last word after {patience:.0f} s; the engine goes on: `switchgear status {client.environment}`")
    except EngineLost as lost:
        raise EngineLost(f"{lost}. The action goes on without this command, or is taken up at the next start") from lost
    for proof in receipt.proofs:
        seen = {True: "shows it", False: "does not show it", None: "could not be asked"}[proof.holds]
        say(f"  {clean(proof.replica)}: {seen}{': ' + clean(proof.seen) if proof.seen else ''}")
    if receipt.failure is not None:
        note(str(receipt.failure))
    if receipt.override_id and receipt.outcome is not Outcome.REVERTED:
        say(f"undo: switchgear act restore {receipt.override_id} -e {client.environment} --reason …")
    return OF_OUTCOME[receipt.outcome]


async def _to_the_end(client: SocketClient, receipt: Receipt) -> Receipt:
    said, bar = "", _Bar()
    while True:
        line = f"{receipt.outcome}: {receipt.words}"
        if line != said:
            said = line
            bar.clear()
            say(line)
        if receipt.stage is Stage.DONE:
            return receipt
        if receipt.progress is not None:
            bar.show(receipt.progress)
        await asyncio.sleep(LOOK_S)
        receipt = await client.receipt(receipt.id)


def progress_line(progress: Progress) -> str:
    """`34,211 of 100,000 · 6,400/s · 10 s left`."""
    parts = [f"{progress.done:,}" + ("" if progress.total is None else f" of {progress.total:,}")]
    parts += [] if progress.per_s is None else [f"{progress.per_s:,.0f}/s"]
    parts += [] if progress.left_s is None else [f"{words_of(progress.left_s)} left"]
    return " · ".join([*parts, *([clean(progress.words, 100)] if progress.words else [])])


class _Bar:
    """Progress on one line of a terminal, or now and then a line of its own where output goes to a file."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._shown = ""
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        line = progress_line(progress)
        now = asyncio.get_running_loop().time()
        if line == self._shown or (not self._terminal and now < self._next):
            return
        self._shown, self._next = line, now + NEWS_S
        if self._terminal:
            sys.stdout.write(f"\r\x1b[K  {printable(line)}")
            sys.stdout.flush()
        else:
            say(f"  {line}")

    def clear(self) -> None:
        if self._terminal and self._shown:
            sys.stdout.write("\r\x1b[K")
            self._shown = ""
