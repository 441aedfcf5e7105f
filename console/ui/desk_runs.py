"""The app's half that commands on runbooks use: choosing one, coming back to its run, answering it, its pictures."""

from collections.abc import Mapping

from console.domain.errors import EngineLost, Refusal
from console.domain.runbooks import PICTURE_MOST, Picture, Run, RunOrder
from console.domain.wire import Access
from console.ui.desk_alarms import AlarmsDesk
from console.ui.view import run_words

PICTURE_REST_S = 0.3
"""How long no key has come before a picture of the screen is taken."""


class RunsDesk(AlarmsDesk):
    """What commands may use on runbooks and runs."""

    access: Access | None
    """What this operator may do now; None before the engine has answered."""

    def followed(self) -> Run | None:
        """The run whose page is open, as the board has it."""
        room = self.room
        run_id = room.followed() if room is not None else None
        return self.board.runs.get(run_id) if run_id is not None else None

    def foremost(self) -> Run | None:
        """The run to come back to: one that awaits this operator, another that goes on, otherwise the last."""
        return run_words.foremost(self.board, self.access)

    def open_run(self, run_id: str) -> None:
        """Show a run; without an id the foremost one, and when that is open the next that goes on."""
        from console.ui.screens import run_flows

        self.perform(run_flows.run_page(self._console, run_id))

    def pick_runbook(self, name: str, *, dry: bool) -> None:
        """Offer the runbooks, or ask at once for what one of that name needs; then begin it."""
        from console.ui.screens import run_flows

        self.perform(run_flows.begin(self._console, name, dry=dry))

    def tell_run(self, order: RunOrder, reason: str) -> None:
        """Say something to the run whose page is open; what is still missing is asked for."""
        from console.ui.screens import run_flows

        run = self.followed()
        if run is not None:
            self.perform(run_flows.tell(self._console, run, order, reason))

    def picture_steps(self, before: Mapping[str, Run]) -> None:
        """Keep the screen with each step that has ended since, of the runs that this operator has control of.

        Args:
            before: the runs as they were.
        """
        for run in self.board.runs.values():
            was = before.get(run.id)
            if was is None or was is run or not run_words.is_mine(run, self.access):
                continue
            for step in run.steps:
                old = was.step(step.id)
                if run_words.has_ended(step) and old is not None and old.state is not step.state:
                    self.run_worker(self._picture(run.id, step.id), group="pictures", exit_on_error=False)

    async def _picture(self, run_id: str, step_id: str) -> None:
        """Take it once the end is on the screen and the keys rest; a picture that cannot be kept is no fault."""
        await self._console.turns.pause(PICTURE_REST_S)
        svg = self.export_screenshot()
        if len(svg) > PICTURE_MOST:
            return
        try:
            await self.api.keep_picture(Picture(run=run_id, step=step_id, svg=svg))
        except (Refusal, EngineLost) as error:
            self.log.warning(f"the picture of {run_id}/{step_id} was not kept: {error}")
