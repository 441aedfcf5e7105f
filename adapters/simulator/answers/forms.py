"""The JSON forms of a route's structured answers: several of them, some common and some rare."""

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2s
from typing import Any, Final
from zlib import crc32

FORMS: Final = (4, 7)
"""How many forms a route has: least, most."""

PROMPT_SPREAD: Final = 0.08
"""Standard deviation, in logarithms, of a form's weight from one version of the prompt to the next."""

TENANT_SPREAD: Final = 0.3
"""The same from tenant to tenant."""

DAY_SWING: Final = 0.08
"""How far the time of the day moves a form's weight."""

_DAY_S: Final = 86_400.0

_FIELDS: Final[Mapping[str, Any]] = {
    "sources": ["doc-1"],
    "confidence": 0.8,
    "topic": "orders",
    "next_step": "none",
    "order_id": 4711,
    "resolved": True,
    "language": "en",
    "items": [{"name": "order", "count": 1}],
    "follow_up": None,
}
"""What an answer may hold besides its text, with a value of the right type."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an answer: an object whose field `text` holds the words."""

    name: str
    """A short hash of its sorted key paths and types, by which answers are counted."""
    text: str
    others: tuple[tuple[str, Any], ...]

    def filled(self, words: str) -> str:
        """An answer of this form, as JSON."""
        return json.dumps({self.text: words, **dict(self.others)}, ensure_ascii=False)


PROSE: Final = "text"
"""How answers are counted that have no form."""


def _form(text: str, others: tuple[tuple[str, Any], ...]) -> Form:
    paths = sorted(_paths({text: "", **dict(others)}, ""))
    return Form(blake2s(" ".join(paths).encode(), digest_size=4).hexdigest(), text, others)


def _paths(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _paths(inner, f"{path}.{key}")]
    if isinstance(value, list):
        return [found for inner in value[:1] for found in _paths(inner, f"{path}[]")]
    return [f"{path}:{type(value).__name__}"]


@cache
def forms_of(route: str) -> tuple[Form, ...]:
    """A route's forms, the commonest first."""
    chance = random.Random(f"forms {route}")  # noqa: S311 - a game, not a secret
    made: dict[str, Form] = {}
    wanted = chance.randint(*FORMS)
    while len(made) < wanted:
        keys = chance.sample(sorted(_FIELDS), chance.randint(2, 5))
        form = _form("answer", tuple((key, _FIELDS[key]) for key in keys))
        made.setdefault(form.name, form)
    return tuple(made.values())


@cache
def new_form_of(route: str) -> Form:
    """The form that nobody has agreed upon: what came as `answer` comes in `response`, and lists come as text."""
    return _form("response", (("refs", "doc-1, doc-2"), ("meta", {"route": route, "schema": "v2"})))


TOOL: Final = _form("query", (("limit", 3),))
"""The arguments that tools take."""

NEW_TOOL: Final = _form("q", (("max_results", "3"), ("filters", {})))
"""Arguments of another schema."""


def weights_of(route: str, prompt: str, tenant: str, at: float) -> tuple[float, ...]:
    """How a tenant's answers are spread over a route's forms; they add up to 1. `at` in unix seconds."""
    day = 2.0 * math.pi * (at % _DAY_S) / _DAY_S
    raw = [
        weight * (1.0 + DAY_SWING * math.sin(day + place))
        for place, weight in enumerate(_tilted(route, prompt, tenant))
    ]
    total = sum(raw)
    return tuple(weight / total for weight in raw)


@lru_cache(maxsize=4096)
def _tilted(route: str, prompt: str, tenant: str) -> tuple[float, ...]:
    """The same whatever the hour, without adding up to anything."""
    return tuple(
        math.exp(PROMPT_SPREAD * deviate(f"{form.name} {prompt}") + TENANT_SPREAD * deviate(f"{form.name} {tenant}"))
        / (1.0 + place)
        for place, form in enumerate(forms_of(route))
    )


def deviate(text: str) -> float:
    """A number for a name, the same each time: over many names its mean is 0 and its standard deviation 1."""
    return (crc32(text.encode()) / 2**32 - 0.5) * math.sqrt(12.0)
