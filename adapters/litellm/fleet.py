"""What one replica's router has in memory, out of its `/model/info`.

`/router/settings` would be the obvious place for aliases, but it overlays the router with the database, so that every
replica shows a new alias seconds before its router has it. `/model/info` is built from the router alone: the rows of
an alias are the target's rows once more, under the alias's name.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from adapters.http import safe_url

MOST_NAME = 100
"""Characters of a region's name."""


class _Params(msgspec.Struct):
    model: str = ""
    api_base: str | None = None
    custom_llm_provider: str | None = None
    weight: Any = None
    order: Any = None
    rpm: Any = None
    tpm: Any = None
    region_name: Any = None
    aws_region_name: Any = None
    vertex_location: Any = None
    watsonx_region_name: Any = None


class _Info(msgspec.Struct):
    id: str
    db_model: bool | None = None
    blocked: bool | None = None
    litellm_provider: str | None = None
    order: Any = None
    pricing_overrides: list[str] | None = None
    input_cost_per_token: Any = None
    output_cost_per_token: Any = None


class Row(msgspec.Struct):
    """One row of `/model/info`; the hundred other fields of a row are skipped."""

    model_name: str
    litellm_params: _Params
    model_info: _Info


class ModelPage(msgspec.Struct):
    """The body of `/model/info`."""

    data: list[Row]


@dataclass(frozen=True, slots=True)
class Model:
    """One deployment as one replica's router has it."""

    id: str
    group: str
    """The route (LiteLLM: model group) that it serves."""
    provider: str
    model: str
    """LiteLLM's name for it, without the provider's prefix."""
    called: str
    """The same with its prefix, as it stands in the config and in LiteLLM's books: `openai/gpt-4o`."""
    endpoint: str
    weight: float | None
    order: int | None
    blocked: bool
    in_database: bool
    """False for a model of the config file, which no call can change."""
    rpm: float | None = None
    tpm: float | None = None
    region: str = ""
    """Empty where the config does not say one."""
    own_price: tuple[float, float] | None = None
    """US dollars per token in and out, where the operator has set them."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """All deployments of one replica."""

    models: dict[str, Model] = field(default_factory=dict)
    """By id, in the router's order."""
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Route → ids."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Name → the route that answers; hidden aliases and those that lead nowhere are not listed by LiteLLM."""


def parse_fleet(page: ModelPage, names: dict[str, str]) -> Fleet:
    """Sort the rows into deployments and aliases; `names` are the config's globs for provider names."""
    models: dict[str, Model] = {}
    groups: dict[str, list[str]] = {}
    aliases: dict[str, str] = {}
    for row in page.data:
        known = models.get(row.model_info.id)
        if known is None:
            models[row.model_info.id] = _model(row, names)
            groups.setdefault(row.model_name, []).append(row.model_info.id)
        elif row.model_name != known.group:
            aliases[row.model_name] = known.group
    return Fleet(models, {group: tuple(ids) for group, ids in groups.items()}, aliases)


def _model(row: Row, names: dict[str, str]) -> Model:
    params, info = row.litellm_params, row.model_info
    prefix, slash, rest = params.model.partition("/")
    endpoint = safe_url(params.api_base) if params.api_base else ""
    provider = params.custom_llm_provider or info.litellm_provider or (prefix if slash else "") or "unknown"
    for glob, name in names.items():
        if fnmatchcase(info.id, glob) or fnmatchcase(endpoint, glob):
            provider = name
            break
    order = params.order if params.order is not None else info.order
    return Model(
        id=info.id,
        group=row.model_name,
        provider=provider,
        model=rest if slash else params.model,
        called=params.model,
        endpoint=endpoint,
        weight=_number(params.weight),
        order=order if isinstance(order, int) and not isinstance(order, bool) and abs(order) < 2**53 else None,
        blocked=bool(info.blocked),
        in_database=bool(info.db_model),
        rpm=_number(params.rpm),
        tpm=_number(params.tpm),
        region=_region(params),
        own_price=_own_price(info),
    )


def _region(params: _Params) -> str:
    named = (params.region_name, params.aws_region_name, params.vertex_location, params.watsonx_region_name)
    return next((one[:MOST_NAME] for one in named if isinstance(one, str) and one), "")


def _own_price(info: _Info) -> tuple[float, float] | None:
    if not any("cost_per_token" in name for name in info.pricing_overrides or ()):
        return None
    price_in, price_out = _number(info.input_cost_per_token), _number(info.output_cost_per_token)
    return None if price_in is None or price_out is None else (price_in, price_out)


def _number(value: Any) -> float | None:
    """A finite, non-negative number, or None: weights and orders are whatever somebody has written."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e15 else None
