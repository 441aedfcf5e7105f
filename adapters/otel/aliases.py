"""Which attribute says what: no convention has names for everything, and no two agree.

A name may point into an attribute that holds a JSON object: `langfuse.observation.usage_details{input}`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import msgspec

DEFAULTS: dict[str, tuple[str, ...]] = {
    "conversation": (
        "gen_ai.conversation.id",
        "session.id",
        "langfuse.session.id",
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.conversation_id",
    ),
    "model": (
        "gen_ai.response.model",
        "gen_ai.request.model",
        "llm.model_name",
        "embedding.model_name",
        "langfuse.observation.model.name",
        "llm.response.model",
        "llm.request.model",
    ),
    "tokens_in": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "langfuse.observation.usage_details{input}",
        "llm.usage.prompt_tokens",
    ),
    "tokens_out": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "langfuse.observation.usage_details{output}",
        "llm.usage.completion_tokens",
    ),
    "usd": (
        "gen_ai.usage.cost",
        "gen_ai.cost.total_cost",
        "llm.cost.total",
        "langfuse.observation.cost_details{total}",
    ),
    "snapshot": ("retrieval.snapshot.version",),
    "route": ("app.route", "litellm.model_group"),
    "deployment": ("app.deployment", "hidden_params{model_id}"),
    "attempts": ("app.attempts",),
    "ttft": (
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.latency.time_to_first_token",
        "app.ttft_ms",
        "langfuse.observation.completion_start_time",
    ),
    "queue_wait": ("app.queue.wait_ms", "gen_ai.latency.time_in_queue"),
}
"""What is looked for, in this order. `ttft` and `queue_wait` are seconds, or milliseconds where the name ends in
`_ms`; `ttft` may also be the moment of the first token as ISO 8601."""

MOST_TEXT = 200
"""Characters of a name that is kept beside a request; a conversation's id is rarely longer than 64."""
MOST_COUNT = 2**53
"""Tokens and attempts beyond this are no counts."""

_INTO = re.compile(r"([^{}]+)\{([^{}]+)\}")


@dataclass(slots=True)
class Facts:
    """What one span says about its request; None (or empty) where it says nothing."""

    conversation: str = ""
    model: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None
    snapshot: str = ""
    """Version of the retrieval snapshot that was answered from."""
    route: str = ""
    deployment: str = ""
    attempts: int | None = None
    ttft_s: float | None = None
    queue_wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one name stands in the table."""

    field: str
    rank: int
    name: str
    key: str
    """Key in a JSON object; empty for the attribute itself."""


class Aliases:
    """The table, turned round so that each attribute is looked up once."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._places: dict[str, tuple[_Place, ...]] = {}
        for field, candidates in names.items():
            for rank, name in enumerate(candidates):
                into = _INTO.fullmatch(name)
                attribute, key = (into[1], into[2]) if into else (name, "")
                place = _Place(field, rank, attribute, key)
                self._places[attribute] = (*self._places.get(attribute, ()), place)

    @classmethod
    def of(cls, more: Mapping[str, Sequence[str]] | None = None) -> Self:
        """The defaults, with `more` names in front of them.

        Raises:
            ValueError: `more` has a field that there is not.
        """
        more = more or {}
        if unknown := sorted(set(more) - set(DEFAULTS)):
            raise ValueError(f"no span has {', '.join(unknown)}; there are {', '.join(DEFAULTS)}")
        return cls({field: (*more.get(field, ()), *names) for field, names in DEFAULTS.items()})

    def facts(self, attributes: Mapping[str, Any], started_at: float) -> Facts:
        """What the attributes of a span that began at `started_at` (unix seconds) say."""
        facts = Facts()
        ranks: dict[str, int] = {}
        places = self._places
        for name in places.keys() & attributes.keys():
            for place in places[name]:
                if place.rank < ranks.get(place.field, 1000):
                    value = attributes[name]
                    if place.key:
                        value = _inside(value, place.key)
                    if _take(facts, place, value, started_at):
                        ranks[place.field] = place.rank
        return facts


def _take(facts: Facts, place: _Place, value: Any, started_at: float) -> bool:
    """Put a value where it belongs, unless it makes no sense there."""
    match place.field:
        case "tokens_in" | "tokens_out" | "attempts":
            number = _number(value)
            if number is None or number > MOST_COUNT:
                return False
            setattr(facts, place.field, int(number))
        case "usd":
            facts.usd = _number(value)
            return facts.usd is not None
        case "ttft" | "queue_wait":
            seconds = _seconds(value, place.name, started_at)
            setattr(facts, f"{place.field}_s", seconds)
            return seconds is not None
        case _:
            text = str(value)[:MOST_TEXT].strip() if isinstance(value, str | int | float) else ""
            if not text:
                return False
            setattr(facts, place.field, text)
    return True


def _number(value: Any) -> float | None:
    """A finite number that is not negative, also written as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < math.inf else None


def _seconds(value: Any, name: str, started_at: float) -> float | None:
    number = _number(value)
    if number is not None:
        return number / 1000 if name.endswith("_ms") else number
    try:
        read = datetime.fromisoformat(str(value).strip('"'))
        moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return moment - started_at if moment >= started_at else None


def _inside(value: Any, key: str) -> Any:
    """What an attribute that is an object, or its JSON, has under `key`."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, RecursionError):
            return None
    return value.get(key) if isinstance(value, dict) else None
