"""The arithmetic of service level objectives: error budgets and how fast they burn.

Burn is the error ratio divided by the budget (1 - target): at a burn of 1 the budget lasts exactly its period.
The windows are those of Google's SRE workbook ("Alerting on SLOs", multiwindow, multi-burn-rate): a rule fires when
its long window burns too fast and its short one shows that it still does.
"""

import math

import msgspec

from console.domain.alerts import Severity

_HOUR_S = 3600.0
_DAY_S = 86400.0


class BurnRule(msgspec.Struct, frozen=True, kw_only=True):
    """One pair of windows."""

    severity: Severity
    long_s: float
    """Seconds over which a part of the budget must have gone."""
    short_s: float
    """Seconds over which it must still be going at the same rate."""
    budget_part: float
    """The part of the period's budget that the long window may use before the rule fires."""

    def threshold(self, period_s: float) -> float:
        """The burn from which on the rule fires; never less than 1, at which the budget just lasts."""
        return max(1.0, self.budget_part * period_s / self.long_s)


BURN_RULES = (
    BurnRule(severity=Severity.PAGE, long_s=_HOUR_S, short_s=300.0, budget_part=0.02),
    BurnRule(severity=Severity.PAGE, long_s=6 * _HOUR_S, short_s=1800.0, budget_part=0.05),
    BurnRule(severity=Severity.TICKET, long_s=3 * _DAY_S, short_s=6 * _HOUR_S, budget_part=0.10),
)
"""For a period of 30 days: page at 14.4x (1 h, 5 min) and 6x (6 h, 30 min), ticket at 1x (3 d, 6 h)."""


def burn(errors: float, requests: float, target: float) -> float:
    """How many times faster than allowed the budget goes; 0 when nothing was asked."""
    return errors / requests / (1.0 - target) if requests > 0 else 0.0


def largest_burn(target: float) -> float:
    """The burn when every request fails: nothing can burn faster."""
    return 1.0 / (1.0 - target)


def check_objective(name: str, target: float, period_s: float) -> None:
    """See that every rule of an objective can fire.

    Args:
        name: the objective's name in the config, for the message.
        target: the part of requests that has to succeed, between 0 and 1.
        period_s: seconds for which one error budget has to last.

    Raises:
        ValueError: a rule never could, in words that say what would be right.
    """
    if not 0.0 < target < 1.0:
        raise ValueError(f"objective {name!r}: target {target:g} must lie between 0 and 1, as in 0.999")
    longest = max(rule.long_s for rule in BURN_RULES)
    if period_s < longest:
        raise ValueError(f"objective {name!r}: period must be at least {longest / _DAY_S:g}d, its longest window")
    most = largest_burn(target)
    for rule in BURN_RULES:
        needed = rule.threshold(period_s)
        if most < needed:
            lowest = math.ceil(10_000 * (1.0 - 1.0 / needed)) / 10_000
            hours = rule.long_s / _HOUR_S
            raise ValueError(
                f"objective {name!r}: its {hours:g} h rule fires at a burn of {needed:g}, which can never happen: with "
                f"target {target:g} the burn is {most:.3g} at most, when every request fails; "
                f"use a target of at least {lowest:g}, or a shorter period"
            )
