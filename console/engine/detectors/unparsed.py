"""Answers that had to be of a form and are not: JSON that does not parse, arguments that a tool's schema refuses."""

from console.domain.answers import Answers
from console.engine.detectors.groups import Fault
from console.engine.detectors.growing import Growing, whose
from console.engine.detectors.naming import percent


class Unparsed(Growing):
    """Tells when more structured answers than usual cannot be parsed, whoever is to blame."""

    name = "unparsed"
    rule = "unparsed"
    summary = "structured answers and tool arguments that cannot be parsed"
    counted = "structured answers"

    def part(self, row: Answers) -> tuple[float, float]:
        """Unparsed of structured answers."""
        return row.unparsed, row.structured

    def words(self, fault: Fault) -> str:
        """What is wrong."""
        return f"{percent(fault.part)} of structured answers of {whose(fault)} cannot be parsed"
