"""What the attributes of a span mean: the table of names (`names`), with the config's own names in front."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from adapters.otel.by_names import ByNames
from adapters.otel.documents import snapshot_of
from adapters.otel.names import DEFAULTS, ONLY
from adapters.otel.taking import Take, inside, taker
from adapters.otel.wording import named
from console.domain.spans import Facts, SpanKind

_IN_SECONDS = {"ttft": "ttft_s", "queue_wait": "queue_wait_s"}
_INTO = re.compile(r"([^{}]+)\{([^{}]+)\}")
_LAST = 1_000
"""Behind every rank."""
_NONE = Facts()
_RETRIEVAL = SpanKind.RETRIEVAL

_Place = tuple[str, int, str, frozenset[SpanKind] | None, Take]
"""Where one name stands in the table: field of `Facts`, rank, key in a JSON object (or empty), kinds of span (or all),
how its value is read."""


class Aliases:
    """The table, turned round so that each attribute is looked up once."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        """`names`: candidates by field, the first first."""
        self._places: dict[str, tuple[_Place, ...]] = {}
        for field, candidates in names.items():
            for rank, name in enumerate(candidates):
                into = _INTO.fullmatch(name)
                attribute, key = (into[1], into[2]) if into else (name, "")
                only = ONLY.get(name) if rank >= len(candidates) - len(DEFAULTS[field]) else None
                place = (_IN_SECONDS.get(field, field), rank, key, only, taker(field, attribute))
                self._places[attribute] = (*self._places.get(attribute, ()), place)
        self._telling = ByNames(self._those_that_tell)

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

    def facts(self, attributes: Mapping[str, Any], started_at: float, kind: SpanKind) -> Facts:
        """What the attributes of a span that began at `started_at` (unix seconds) say."""
        found: dict[str, Any] = {}
        ranks: dict[str, int] = {}
        for name, places in self._telling.of(attributes):
            said = attributes[name]
            keys: dict[str, Any] | None = None
            for field, rank, key, only, take in places:
                if rank >= ranks.get(field, _LAST) or (only is not None and kind not in only):
                    continue
                if key and keys is None:
                    keys = inside(said)
                value = take((_within(keys, key) if keys else None) if key else said, started_at)
                if value is not None:
                    found[field] = value
                    ranks[field] = rank
        if kind is _RETRIEVAL and "snapshot" not in found and (version := snapshot_of(attributes)):
            found["snapshot"] = version
        return Facts(**found) if found else _NONE

    def _those_that_tell(self, names: tuple[str, ...]) -> tuple[tuple[str, tuple[_Place, ...]], ...]:
        return tuple((name, self._places[name]) for name in names if name in self._places)


def _within(keys: Mapping[str, Any], key: str) -> Any:
    """What an object has under `key`, or under the path that its dots are."""
    if key in keys or "." not in key:
        return keys.get(key)
    value: Any = keys
    for step in key.split("."):
        value = named(value, step)
    return value
