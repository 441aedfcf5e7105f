"""The confirmation dialog of a runbook's step: what the engine has planned for it, with the runbook's own reason."""

from console.domain.actions import Intent, Proposal
from console.domain.errors import Refusal
from console.domain.runbooks import Run, RunCommand, RunOrder, RunStep
from console.ui import format as fmt
from console.ui.screens.confirm import ConfirmScreen
from console.ui.view.run_words import place


class StepScreen(ConfirmScreen):
    """Shows what a step would do, asks, and leaves what comes of it to the run's page."""

    FIELDS = False

    def __init__(self, run: Run, step: RunStep, proposal: Proposal) -> None:
        """Make the dialog.

        Args:
            run: whose step it is.
            step: the step, which awaits a yes.
            proposal: what it awaits it for.
        """
        super().__init__(proposal.intent, "")
        self._run_id = run.id
        self._place = f"Step {place(run)} of {len(run.steps)}"
        self._runbook = fmt.name(run.title, 80)
        self._step_id = step.id
        self._shown = proposal
        self._sent = False
        """Whether a yes is on its way."""

    def heading(self) -> str:
        """Which step it is, what it does, and of which runbook."""
        return f"{self._place}: {super().heading()}  ({self._runbook})"

    async def proposed(self, intent: Intent) -> Proposal:
        """What the engine has planned for the step; it plans anew by itself when that is too old.

        Raises:
            Refusal: the step awaits no yes any more.
        """
        run = self.desk.board.runs.get(self._run_id)
        step = run.step(self._step_id) if run is not None else None
        if run is None or run.current != self._step_id or step is None or step.proposal is None:
            raise Refusal("the step awaits no yes any more: Esc goes back to the run")
        self._shown = step.proposal
        return step.proposal

    async def agreed(self, proposal: Proposal, name: str) -> None:
        """Say yes for the run."""
        order = RunCommand(run=self._run_id, order=RunOrder.CONFIRM, step=self._step_id, name=name)
        self._sent = True
        try:
            await self.desk.api.order_run(order)
        finally:
            self._sent = False

    def on_board_changed(self) -> None:
        """Show what was planned anew before it can be confirmed; give way to the run when nothing is awaited."""
        super().on_board_changed()
        if self._sent:
            return
        run = self.desk.board.runs.get(self._run_id)
        step = run.step(self._step_id) if run is not None else None
        planned = step.proposal if step is not None else None
        if planned is None:
            self.action_cancel()
        elif planned.id != self._shown.id:
            self._propose("it was planned anew: look again")
