"""What is looked at, told to the engine: a source that cannot afford all details of all queues reads these."""

from typing import TYPE_CHECKING

from textual.timer import Timer

from console.domain.errors import EngineLost, Refusal
from console.domain.refs import Kind, Ref
from console.domain.wire import FOCUS_MOST, Focus

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp

SOON_S = 0.2
"""How long a hand that scrolls is waited for."""
AGAIN_S = 15.0
"""How often the same is said again: half of the time for which the engine believes it."""


class Gaze:
    """Says which queues are in sight when that changes, and again while they are; nothing while there are none."""

    def __init__(self, app: "SwitchgearApp") -> None:
        self._app = app
        self._refs: tuple[Ref, ...] = ()
        self._timer: Timer | None = None

    def at(self, refs: tuple[Ref, ...]) -> None:
        """From now on these objects are in sight."""
        queues = tuple(dict.fromkeys(ref for ref in refs if ref.kind is Kind.QUEUE))[:FOCUS_MOST]
        if queues != self._refs:
            self._refs = queues
            self._in(SOON_S)

    def _in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._app.set_timer(seconds, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if not self._app.lost:
            self._app.run_worker(self._send(Focus(refs=self._refs)), exit_on_error=False)
        if self._refs:
            self._in(AGAIN_S)

    async def _send(self, focus: Focus) -> None:
        try:
            await self._app.api.focus(focus)
        except (Refusal, EngineLost):
            return  # the link says that the engine is lost; it is told again in a while
