"""Answers with letters of a script that the question did not have: what a broken sampler or kernel makes."""

from console.domain.answers import Answers
from console.engine.detectors.groups import Fault
from console.engine.detectors.growing import Growing, whose
from console.engine.detectors.naming import percent


class StrangeScript(Growing):
    """Tells when more answers than usual have letters that do not belong there."""

    name = "script"
    rule = "script"
    summary = "answers with letters of a script that the question did not have"
    counted = "answers with text"

    def part(self, row: Answers) -> tuple[float, float]:
        """Answers in a strange script of those whose text was recorded."""
        return row.strange_script, row.with_text

    def words(self, fault: Fault) -> str:
        """What is wrong."""
        return f"{percent(fault.part)} of answers of {whose(fault)} have letters of a script that was not asked in"
