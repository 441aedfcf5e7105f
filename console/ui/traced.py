"""What screens of recorded requests have beside every screen's: what commands on requests ask of the one on top."""

from typing import ClassVar

from console.domain.readings import Request
from console.domain.refs import Ref
from console.ui.room import Room


class TracedRoom(Room):
    """A screen of recorded requests."""

    VIEWS: ClassVar[bool] = False
    """Whether it shows one request in several views; then `turn_to` and `step` work."""

    def request(self, ref: Ref) -> Request | None:
        """A request in a line that the board may have no more; None when it is not known here either."""
        return None

    def leave(self) -> bool:
        """Leave what is the screen's own to leave before the screen itself; False when there is nothing."""
        return False

    def turn_to(self, view: str) -> None:
        """Show another view of the request: `stages`, `tree` or `lanes`."""

    def step(self, by: int) -> None:
        """Play back: show the next (1) or the previous (-1) recorded step."""
