"""Whether money is spent as it should be: budgets, blocks, and what is booked against what it should cost."""

from console.domain.health.levels import OK, Health, Level
from console.domain.readings import Spend
from console.domain.text import clean

WARN_BUDGET_USED = 0.8
PHANTOM_SPEND = 1.5
"""Booked ÷ priced spend from which on the two are said to disagree."""


def of_spend(spend: Spend) -> Health:
    """A sum against its budget and its price."""
    name = clean(spend.subject)
    if spend.blocked:
        return Health(Level.BAD, "blocked", f"{name} may spend nothing")
    if spend.budget_usd and spend.budget_used_usd is not None:
        used = spend.budget_used_usd / spend.budget_usd
        if used >= 1:
            return Health(Level.BAD, "over budget", f"{name} has used {used:.0%} of its budget")
        if used >= WARN_BUDGET_USED:
            return Health(Level.WARN, "budget", f"{name} has used {used:.0%} of its budget")
    off = spend.disagreement
    if off is not None and not 1 / PHANTOM_SPEND < off < PHANTOM_SPEND:
        return Health(Level.WARN, "disagrees", f"{name}: booked spend is {off:.1f}× tokens × price")
    return OK
