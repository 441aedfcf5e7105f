"""What LiteLLM has booked today, by provider, model and key, and its budgets: its database pays, so read seldom."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from adapters.http import Server
from console.domain.errors import BackendError, Failure

LONGEST_PERIOD_S = 400 * 86400.0
"""A reset later than this is not believed: LiteLLM 1.106 says 2083 for providers."""
KEY_PAGES = 5
KEYS_A_PAGE = 100


class _Sums(msgspec.Struct):
    spend: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    cache_read_input_tokens: float = 0.0
    api_requests: float = 0.0
    failed_requests: float = 0.0


class _KeyNames(msgspec.Struct):
    key_alias: str | None = None


class _KeyPart(msgspec.Struct):
    metrics: _Sums
    metadata: _KeyNames = msgspec.field(default_factory=_KeyNames)


class _Part(msgspec.Struct):
    metrics: _Sums
    metadata: _KeyNames = msgspec.field(default_factory=_KeyNames)
    api_key_breakdown: dict[str, _KeyPart] = {}


class _Breakdown(msgspec.Struct):
    models: dict[str, _Part] = {}
    providers: dict[str, _Part] = {}
    api_keys: dict[str, _Part] = {}


class _Day(msgspec.Struct):
    metrics: _Sums
    breakdown: _Breakdown = msgspec.field(default_factory=_Breakdown)


class _Activity(msgspec.Struct):
    results: list[_Day] = []


class _ApiKey(msgspec.Struct):
    token: str = ""
    key_alias: str | None = None
    spend: float | None = None
    max_budget: float | None = None
    budget_duration: str | None = None
    budget_reset_at: str | None = None
    blocked: bool | None = None


class _KeyPage(msgspec.Struct):
    keys: list[_ApiKey] = []
    total_pages: int = 0


class _Limit(msgspec.Struct):
    budget_limit: float | None = None
    time_period: str | None = None
    spend: float | None = None
    budget_reset_at: str | None = None


class _ProviderBudgets(msgspec.Struct):
    providers: dict[str, _Limit] = {}


@dataclass(frozen=True, slots=True)
class Booked:
    """Sums of one subject today."""

    usd: float = 0.0
    requests: float = 0.0
    failed: float = 0.0
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    cached_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit and how much of it is gone."""

    limit_usd: float
    used_usd: float
    period: str
    resets_at: float | None


@dataclass(frozen=True, slots=True)
class KeyBook:
    """One key: `name` is its alias, or the beginning of its hash."""

    name: str
    booked: Booked
    budget: Budget | None
    blocked: bool
    by_model: dict[str, Booked]


@dataclass(frozen=True, slots=True)
class Books:
    """Everything about money that one reading of the books brought."""

    read_at: float
    total: Booked
    models: dict[str, Booked]
    """By LiteLLM's name with its prefix: `openai/gpt-4o`."""
    providers: dict[str, Booked]
    keys: dict[str, KeyBook]
    """By the key's hash, as it stands in the metrics too."""
    provider_budgets: dict[str, Budget] = field(default_factory=dict)
    problems: tuple[Failure, ...] = ()
    more_keys: bool = False
    """Whether there are more keys than were read."""


async def read_books(server: Server, now: float, *, provider_budgets: bool) -> Books:
    """Read today's books (since 00:00 UTC).

    Args:
        server: one replica, with a key that may read everything.
        now: unix seconds.
        provider_budgets: whether to ask for them; LiteLLM answers 500 when there are none.

    Raises:
        BackendError: today's activity could not be read.
    """
    today = time.strftime("%Y-%m-%d", time.gmtime(now))
    activity = await server.json(
        "/user/daily/activity/aggregated", _Activity, {"start_date": today, "end_date": today, "timezone": "0"}
    )
    problems: list[Failure] = []
    keys: list[_ApiKey] = []
    more_keys = False
    try:
        keys, more_keys = await _read_keys(server)
    except BackendError as error:
        problems.append(error.failure)
    limits: dict[str, _Limit] = {}
    if provider_budgets:
        try:
            limits = (await server.json("/provider/budgets", _ProviderBudgets)).providers
        except BackendError as error:
            problems.append(error.failure)
    day = activity.results[0] if activity.results else _Day(_Sums())
    return Books(
        read_at=now,
        total=_booked(day.metrics),
        models={name: _booked(part.metrics) for name, part in day.breakdown.models.items()},
        providers={
            name: _booked(part.metrics)
            for name, part in day.breakdown.providers.items()
            if name != "unknown" or part.metrics.spend
        },
        keys=_key_books(day.breakdown, keys, now),
        provider_budgets={name: found for name, limit in limits.items() if (found := _limit(limit, now))},
        problems=tuple(problems),
        more_keys=more_keys,
    )


async def _read_keys(server: Server) -> tuple[list[_ApiKey], bool]:
    keys: list[_ApiKey] = []
    for number in range(1, KEY_PAGES + 1):
        params = {"return_full_object": "true", "size": str(KEYS_A_PAGE), "page": str(number)}
        page = await server.json("/key/list", _KeyPage, params)
        keys += page.keys
        if number >= page.total_pages:
            return keys, False
    return keys, True


def _key_books(breakdown: _Breakdown, keys: list[_ApiKey], now: float) -> dict[str, KeyBook]:
    listed = {key.token: key for key in keys if key.token}
    names: dict[str, str] = {}
    for hashed, part in breakdown.api_keys.items():
        if hashed in listed or part.metrics.spend:  # a wrong key that somebody tried is no key
            names[hashed] = part.metadata.key_alias or ""
    for hashed, key in listed.items():
        names[hashed] = key.key_alias or names.get(hashed, "")
    books: dict[str, KeyBook] = {}
    taken: set[str] = set()
    for hashed, alias in names.items():
        known = listed.get(hashed)
        name = alias or (hashed if hashed.startswith("litellm_") else f"key {hashed[:8]}")
        name = name if name not in taken else f"{name} {hashed[:8]}"
        taken.add(name)
        own = breakdown.api_keys.get(hashed)
        books[hashed] = KeyBook(
            name=name,
            booked=_booked(own.metrics) if own else Booked(),
            budget=_budget(known, now) if known else None,
            blocked=bool(known and known.blocked),
            by_model={
                model: _booked(each.api_key_breakdown[hashed].metrics)
                for model, each in breakdown.models.items()
                if hashed in each.api_key_breakdown
            },
        )
    return books


def _booked(sums: _Sums) -> Booked:
    return Booked(
        usd=max(0.0, sums.spend),
        requests=sums.api_requests,
        failed=sums.failed_requests,
        tokens_in=sums.prompt_tokens,
        tokens_out=sums.completion_tokens,
        cached_in=sums.cache_read_input_tokens,
    )


def _budget(key: _ApiKey, now: float) -> Budget | None:
    if key.max_budget is None:
        return None
    return Budget(
        key.max_budget, max(0.0, key.spend or 0.0), key.budget_duration or "", _moment(key.budget_reset_at, now)
    )


def _limit(limit: _Limit, now: float) -> Budget | None:
    if limit.budget_limit is None:
        return None
    used = max(0.0, limit.spend or 0.0)
    return Budget(limit.budget_limit, used, limit.time_period or "", _moment(limit.budget_reset_at, now))


def _moment(text: str | None, now: float) -> float | None:
    """An ISO moment as unix seconds; without a zone it is UTC. None when it cannot be the end of a budget's period."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None:
        return None
    at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return at if at - now <= LONGEST_PERIOD_S else None
