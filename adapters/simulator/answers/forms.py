"""The JSON forms of a route's structured answers: several of them, some common and some rare."""

import json
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final
from zlib import crc32

from adapters.spans.answering.shapes import of_calls, of_text
from console.domain.spans import ToolCall

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


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One form of an answer: an object whose field `text` holds the words."""

    text: str
    others: tuple[tuple[str, Any], ...]

    def filled(self, words: str) -> str:
        """An answer of this form, as JSON."""
        return json.dumps({self.text: words, **dict(self.others)}, ensure_ascii=False)


@cache
def name_of(form: Form) -> str:
    """What any trace store counts such answers under."""
    return of_text(form.filled(""), json_asked=True).shape


@cache
def forms_of(route: str) -> tuple[Form, ...]:
    """A route's forms, the commonest first."""
    chance = random.Random(f"forms {route}")  # noqa: S311 - a game, not a secret
    made: dict[str, Form] = {}
    wanted = chance.randint(*FORMS)
    while len(made) < wanted:
        keys = chance.sample(sorted(_FIELDS), chance.randint(2, 5))
        form = Form("answer", tuple((key, _FIELDS[key]) for key in keys))
        made.setdefault(name_of(form), form)
    return tuple(made.values())


@cache
def new_form_of(route: str) -> Form:
    """The form that nobody has agreed upon: what came as `answer` comes in `response`, and lists come as text."""
    return Form("response", (("refs", "doc-1, doc-2"), ("meta", {"route": route, "schema": "v2"})))


TOOL: Final = Form("query", (("limit", 3),))
"""The arguments that tools take."""

NEW_TOOL: Final = Form("q", (("max_results", "3"), ("filters", {})))
"""Arguments of another schema."""

TOOLS: Final = ("search_orders", "read_calendar", "send_draft", "query_warehouse")
"""The tools of agents, one as good as the other."""


@cache
def called_shapes(form: Form) -> tuple[str, ...]:
    """What any trace store counts calls of each tool with arguments of this form under."""
    return tuple(of_calls((ToolCall(name=name, arguments=form.filled("")),), "").shape for name in TOOLS)


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
        math.exp(
            PROMPT_SPREAD * deviate(f"{name_of(form)} {prompt}") + TENANT_SPREAD * deviate(f"{name_of(form)} {tenant}")
        )
        / (1.0 + place)
        for place, form in enumerate(forms_of(route))
    )


def deviate(text: str) -> float:
    """A number for a name, the same each time: over many names its mean is 0 and its standard deviation 1."""
    return (crc32(text.encode()) / 2**32 - 0.5) * math.sqrt(12.0)
