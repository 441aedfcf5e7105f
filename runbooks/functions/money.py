"""Money: what flows, what is left, what does not add up."""

import math
from statistics import median

from console.domain.readings import Deployment, Provider, Route, Spend, SpendScope
from console.domain.refs import Kind
from console.domain.text import clean
from runbooks.functions.catalogue import Value, function
from runbooks.functions.past import past_of
from runbooks.looking import Look, Unsaid

GROUP = "money"
GREATEST = 20
"""Keys that are held against their past: those that spend the most."""
GROWN = 2.5
"""Work that comes in batches doubles what its key spends, again and again."""
OF_ALL = 0.1
"""It grew by more than this part of what all keys spend: a small key that begins to be used explains nothing."""
FEWEST = 12
"""Means of 15 s that have to be known: three minutes."""
NOW = 6
"""Means of 15 s that are now."""
SUMS = "a sum by its subject: `all`, a provider, a model, a key, a team"


def _told(value: float | None, what: str) -> float:
    if value is None:
        raise Unsaid(f"{what} is not told")
    return value


@function("usd_per_h(x)", "$/h", "What a deployment, route or provider costs now.", GROUP)
def usd_per_h(look: Look, x: object) -> Value:
    """Dollars an hour."""
    found = look.reading(x, (Kind.DEPLOYMENT, Kind.ROUTE, Kind.PROVIDER))
    return _told(found.usd_per_h if isinstance(found, Deployment | Route | Provider) else None, "what it costs")


@function("usd_per_request(d)", "$", "What one request to a deployment costs.", GROUP)
def usd_per_request(look: Look, d: object) -> Value:
    """Dollars a request."""
    return _told(look.one(d, Deployment).usd_per_request, "what a request costs")


def _sum(look: Look, subject: object) -> Spend:
    """A sum by its subject or its own name."""
    if not isinstance(subject, str) or not subject:
        raise Unsaid("no sum is named")
    found = [one for one in look.of(Spend) if subject in (one.subject, one.ref.name, str(one.ref))]
    if not found:
        raise Unsaid(f"there is no sum of {clean(subject, 80)!r}")
    if len(found) > 1:
        raise Unsaid(
            f"several sums are of {clean(subject, 80)!r}: {', '.join(clean(str(one.ref)) for one in found[:4])}"
        )
    look.fresh(found[0].ref)
    return found[0]


@function("spend(subject)", "$/h", f"Booked dollars an hour of {SUMS}.", GROUP)
def spend(look: Look, subject: object) -> Value:
    """Booked dollars an hour."""
    return _told(_sum(look, subject).usd_per_h, "what is spent an hour")


@function("spent_today(subject)", "$", "Booked since 00:00 UTC.", GROUP)
def spent_today(look: Look, subject: object) -> Value:
    """Booked today."""
    return _told(_sum(look, subject).usd_today, "what was spent today")


@function("budget(subject)", "$", "Its budget for the whole period.", GROUP)
def budget(look: Look, subject: object) -> Value:
    """The budget."""
    return _told(_sum(look, subject).budget_usd, "a budget")


@function("budget_left(subject)", "part", "What is left of its budget, 0 to 1.", GROUP)
def budget_left(look: Look, subject: object) -> Value:
    """Part of the budget left."""
    found = _sum(look, subject)
    total, used = _told(found.budget_usd, "a budget"), _told(found.budget_used_usd, "what is used of its budget")
    return max(0.0, 1.0 - used / total) if total else 0.0


@function(
    "budget_lasts(subject)",
    "s",
    "Until its budget ends at the present rate; endless when it lasts until it is renewed.",
    GROUP,
)
def budget_lasts(look: Look, subject: object) -> Value:
    """Seconds until the budget ends."""
    found = _sum(look, subject)
    _told(found.budget_usd, "a budget")
    return math.inf if found.exhausted_at is None else max(0.0, found.exhausted_at - look.scope.now)


@function("phantom(subject)", "", "Booked spend ÷ tokens × price; 1 agrees, 20 is money that nobody spent.", GROUP)
def phantom(look: Look, subject: object) -> Value:
    """Booked ÷ priced."""
    return _told(_sum(look, subject).disagreement, "what it should have cost")


@function("blocked(subject)", "bool", "Whether it may spend nothing any more.", GROUP)
def blocked(look: Look, subject: object) -> Value:
    """Whether it is blocked."""
    return _sum(look, subject).blocked


@function(
    "grown_key([window])",
    "name",
    "The one key that spends far more than at the beginning of the last while (`30m`, at most an hour): 2.5 times as "
    "much an hour, and a tenth of what all spend. None when none does, or several do: then it is the price, or the "
    "books.",
    GROUP,
)
def grown_key(look: Look, window: object = "1h") -> Value:
    """Who spends more than before."""
    keys = [one for one in look.of(Spend) if one.scope is SpendScope.KEY and one.usd_per_h]
    keys.sort(key=lambda one: (-(one.usd_per_h or 0.0), one.ref.name))
    worth = OF_ALL * sum(one.usd_per_h or 0.0 for one in keys)
    grown = [one.subject for one in keys[:GREATEST] if _growth(look, one, window) > worth]
    return grown[0] if len(grown) == 1 else None


def _growth(look: Look, key: Spend, window: object) -> float:
    """Dollars an hour that a key spends more than it did; 0 where that is not far more, or too little was seen."""
    values = [value for value in past_of(look, key.ref, "usd_per_h", window) if value is not None]
    if len(values) < FEWEST:
        return 0.0
    before, now = median(values[: len(values) // 3]), sum(values[-NOW:]) / NOW
    return now - before if now >= GROWN * before else 0.0
