"""Booked spend beside tokens × price, as the domain's readings. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from adapters.litellm.fleet import Fleet
from adapters.litellm.flow import Flows
from adapters.litellm.spend import Booked, Books, Budget
from adapters.prices import list_price
from console.domain.readings import Spend, SpendScope
from console.domain.refs import Kind, Ref


class _Subject(NamedTuple):
    """Whom a sum is about, and what is known of it besides the books."""

    scope: SpendScope
    name: str
    booked: Booked
    by_model: Mapping[str, Booked]
    usd_in_window: float | None
    budget: Budget | None = None
    blocked: bool = False


def spend_readings(source: str, now: float, books: Books, flows: Flows, fleet: Fleet) -> list[Spend]:
    """The total, then every provider, model and key. `observed_at` is the moment when the books were read."""
    own = {model.called: model.own_price for model in fleet.models.values()}
    subjects = [*_large(books, flows, fleet), *_keys(books, flows)]
    return [_reading(source, now, books, flows, own, subject) for subject in subjects]


def _large(books: Books, flows: Flows, fleet: Fleet) -> list[_Subject]:
    spent: dict[str, float] = {}
    for name, model in fleet.models.items():
        if (flow := flows.deployments.get(name)) is not None:
            spent[model.called] = spent.get(model.called, 0.0) + flow.usd
    total = sum(flow.usd for flow in flows.deployments.values())
    subjects = [_Subject(SpendScope.TOTAL, "all", books.total, books.models, total)]
    for name, booked in books.providers.items():
        models = {model: each for model, each in books.models.items() if model.partition("/")[0] == name}
        usd = sum(value for model, value in spent.items() if model.partition("/")[0] == name)
        subjects.append(_Subject(SpendScope.PROVIDER, name, booked, models, usd, books.provider_budgets.get(name)))
    for name, booked in books.models.items():
        subjects.append(_Subject(SpendScope.MODEL, name, booked, {name: booked}, spent.get(name, 0.0)))
    return subjects


def _keys(books: Books, flows: Flows) -> list[_Subject]:
    return [
        _Subject(
            SpendScope.KEY,
            book.name,
            book.booked,
            book.by_model,
            flows.usd_of_key.get(hashed, 0.0),
            book.budget,
            book.blocked,
        )
        for hashed, book in books.keys.items()
    ]


def _reading(
    source: str,
    now: float,
    books: Books,
    flows: Flows,
    own: Mapping[str, tuple[float, float] | None],
    subject: _Subject,
) -> Spend:
    is_key = subject.scope is SpendScope.KEY
    name = subject.name if is_key else f"{subject.scope}/{subject.name}"
    booked, budget = subject.booked, subject.budget
    rate = None if subject.usd_in_window is None else flows.per_h(subject.usd_in_window)
    return Spend(
        ref=Ref(source, Kind.KEY if is_key else Kind.SPEND, name),
        observed_at=books.read_at,
        scope=subject.scope,
        subject=subject.name,
        usd_today=round(booked.usd, 6),
        usd_per_h=rate,
        window_s=flows.window_s,
        requests_today=booked.requests,
        failed_today=booked.failed,
        tokens_in_today=booked.tokens_in,
        tokens_out_today=booked.tokens_out,
        priced_usd_today=priced(subject.by_model, own),
        budget_usd=budget.limit_usd if budget else None,
        budget_used_usd=round(budget.used_usd, 6) if budget else None,
        budget_period=budget.period if budget else "",
        budget_resets_at=budget.resets_at if budget else None,
        exhausted_at=exhausted_at(budget, rate, now),
        blocked=subject.blocked,
    )


def priced(models: Mapping[str, Booked], own: Mapping[str, tuple[float, float] | None]) -> float | None:
    """Tokens × price over several models in US dollars; None when the price of one that was used is not known."""
    total = 0.0
    for name, booked in models.items():
        if not booked.tokens_in and not booked.tokens_out:
            continue
        if (price := own.get(name)) is not None:
            total += booked.tokens_in * price[0] + booked.tokens_out * price[1]
            continue
        usd = list_price(name, "", booked.tokens_in, booked.tokens_out, booked.cached_in)
        if usd is None:
            return None
        total += usd
    return round(total, 6)


def exhausted_at(budget: Budget | None, usd_per_h: float | None, now: float) -> float | None:
    """When the budget ends at this rate, to the minute; None when it lasts until its reset, or nothing is spent."""
    if budget is None or not usd_per_h:
        return None
    left = budget.limit_usd - budget.used_usd
    end = now + max(0.0, left) / usd_per_h * 3600.0
    if budget.resets_at is not None and end >= budget.resets_at:
        return None
    return round(end / 60.0) * 60.0
