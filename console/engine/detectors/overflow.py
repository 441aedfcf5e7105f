"""Requests that are longer than the window of the model: refused, sent again, and billed each time."""

from console.domain.answers import Answers
from console.engine.detectors.groups import Fault
from console.engine.detectors.growing import Growing, whose
from console.engine.detectors.naming import percent


class ContextOverflow(Growing):
    """Tells when more calls than usual are refused for their length, minute after minute."""

    name = "context-overflow"
    rule = "context-overflow"
    summary = "calls that are refused because their input is longer than the model's window, again and again"
    counted = "calls"

    def part(self, row: Answers) -> tuple[float, float]:
        """Calls that were too long, of all."""
        return row.overflows, row.calls

    def words(self, fault: Fault) -> str:
        """What is wrong."""
        return (
            f"{percent(fault.part)} of calls of {whose(fault)} are refused because they are longer than the model's "
            "window, and are sent again"
        )
