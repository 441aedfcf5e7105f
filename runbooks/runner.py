"""The engine's task that follows runbooks: all runs, one step after the other, on the engine's own clock."""

from console.control.access import Peer
from console.domain.errors import Refusal
from console.domain.runbooks import Evidence, EvidenceQuery, Picture, Run, RunbookInfo, RunCommand, StartRun
from console.domain.text import clean


class Runner:
    """All runs of one engine."""

    async def runbooks(self) -> tuple[RunbookInfo, ...]:
        """The runbooks that there are."""
        return ()

    async def start(self, start: StartRun, peer: Peer) -> Run:
        """Begin a runbook.

        Raises:
            Refusal: there is none of that name.
        """
        raise Refusal(f"there is no runbook {clean(start.runbook, 60)}", code=404)

    async def order(self, command: RunCommand, peer: Peer) -> Run:
        """Say something to a run.

        Raises:
            Refusal: there is no such run.
        """
        return await self.run(command.run)

    async def run(self, run_id: str) -> Run:
        """One run.

        Raises:
            Refusal: there is no such run.
        """
        raise Refusal(f"there is no run {clean(run_id, 60)}", code=404)

    async def evidence(self, query: EvidenceQuery) -> tuple[Evidence, ...]:
        """What was kept of a run, oldest first.

        Raises:
            Refusal: there is no such run.
        """
        await self.run(query.run)
        return ()

    async def keep_picture(self, picture: Picture, peer: Peer) -> None:
        """Keep a holder's screen with the evidence of a step.

        Raises:
            Refusal: there is no such run.
        """
        await self.run(picture.run)
