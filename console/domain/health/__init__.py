"""How bad is it: of everything together, of each object, and apart by transport, answers and cost."""

from console.domain.health.columns import NOT_SEEN, Columns, all_columns, answers_seen, columns
from console.domain.health.disagreement import Disagreement, disagreement
from console.domain.health.flow import (
    BAD_ATTEMPTS,
    BAD_ERROR_RATIO,
    FEW_ERRORS,
    WARN_ATTEMPTS,
    WARN_ERROR_RATIO,
    WARN_HEADROOM,
)
from console.domain.health.judging import findings, findings_in_steps, judge, overall
from console.domain.health.levels import OK, Finding, Health, Level
from console.domain.health.money import PHANTOM_SPEND, WARN_BUDGET_USED
from console.domain.health.work import (
    BAD_AGE_S,
    GROWING_FOR_MIN,
    GROWING_PART,
    WARN_AGE_S,
    WARN_REDELIVERED,
)

__all__ = [
    "BAD_AGE_S", "BAD_ATTEMPTS", "BAD_ERROR_RATIO", "FEW_ERRORS", "GROWING_FOR_MIN", "GROWING_PART", "NOT_SEEN", "OK",
    "PHANTOM_SPEND", "WARN_AGE_S", "WARN_ATTEMPTS", "WARN_BUDGET_USED", "WARN_ERROR_RATIO", "WARN_HEADROOM",
    "WARN_REDELIVERED", "Columns", "Disagreement", "Finding", "Health", "Level", "all_columns", "answers_seen",
    "columns", "disagreement", "findings", "findings_in_steps", "judge", "overall",
]  # fmt: skip
