"""Spend in total, by provider, by model and by key: four views of the same dollars."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from adapters.simulator.counters import DAY_S, WINDOW_S, Sums
from adapters.simulator.parts import (
    ATTEMPTS,
    FAILURE_NAMES,
    KEY_CALLS,
    KEY_FAILED,
    KEY_IN,
    KEY_OUT,
    KEY_USD,
    PRICED,
    TOKENS_IN,
    TOKENS_OUT,
    USD,
    Deployment,
    Tenant,
)
from adapters.simulator.world import World
from console.domain.readings import Spend, SpendScope
from console.domain.refs import Kind, Ref

_PARTS: Final = (USD, ATTEMPTS, TOKENS_IN, TOKENS_OUT)


class Ledger:
    """Reads one world's money for one source, at one moment."""

    def __init__(self, world: World, source: str, at: float) -> None:
        self._world = world
        self._source = source
        self._at = at

    def spends(self) -> Iterator[Spend]:
        """The total, then every provider, model and key."""
        world = self._world
        yield self._of(SpendScope.TOTAL, "all", world.deployments.values())
        for provider in world.providers.values():
            yield self._of(SpendScope.PROVIDER, provider.spec.name, provider.deployments)
        models: dict[str, list[Deployment]] = {}
        for item in world.deployments.values():
            models.setdefault(item.spec.model, []).append(item)
        for name, items in models.items():
            yield self._of(SpendScope.MODEL, name, items)
        for tenant in world.tenants:
            yield self._of_key(tenant)

    def _of(self, scope: SpendScope, subject: str, items: Iterable[Deployment]) -> Spend:
        usd = calls = tokens_in = tokens_out = failed = rate = priced = 0.0
        for item in items:
            sums = item.sums
            usd += sums.today(USD)
            calls += sums.today(ATTEMPTS)
            tokens_in += sums.today(TOKENS_IN)
            tokens_out += sums.today(TOKENS_OUT)
            failed += sum(sums.today(index) for index in FAILURE_NAMES)
            rate += sums.per_s(self._world.now)[USD]
            priced += sums.today(PRICED)
        return Spend(
            ref=Ref(self._source, Kind.SPEND, f"{scope}/{subject}"),
            observed_at=self._at,
            scope=scope,
            subject=subject,
            usd_today=round(usd, 2),
            usd_per_h=round(3600.0 * rate, 2),
            window_s=WINDOW_S,
            requests_today=round(calls),
            failed_today=round(failed),
            tokens_in_today=round(tokens_in),
            tokens_out_today=round(tokens_out),
            priced_usd_today=round(priced, 2),
        )

    def _of_key(self, tenant: Tenant) -> Spend:
        sums: Sums = tenant.sums
        used, budget = sums.today(KEY_USD), tenant.spec.budget_usd
        rate = sums.per_s(self._world.now)[KEY_USD]
        resets_at = (math.floor(self._at / DAY_S) + 1.0) * DAY_S
        exhausted_at = None
        if budget is not None and rate > 0:
            empty = self._at + max(0.0, budget - used) / rate
            # To the minute: the estimate moves with every request, and nobody needs its seconds.
            exhausted_at = math.floor(empty / 60.0) * 60.0 if empty < resets_at else None
        return Spend(
            ref=Ref(self._source, Kind.KEY, tenant.spec.key),
            observed_at=self._at,
            scope=SpendScope.KEY,
            subject=tenant.spec.key,
            usd_today=round(used, 2),
            usd_per_h=round(3600.0 * rate, 2),
            window_s=WINDOW_S,
            requests_today=round(sums.today(KEY_CALLS)),
            failed_today=round(sums.today(KEY_FAILED)),
            tokens_in_today=round(sums.today(KEY_IN)),
            tokens_out_today=round(sums.today(KEY_OUT)),
            budget_usd=budget,
            budget_used_usd=None if budget is None else round(used, 2),
            budget_period="" if budget is None else "1d",
            budget_resets_at=None if budget is None else resets_at,
            exhausted_at=exhausted_at,
        )
