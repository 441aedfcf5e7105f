"""One span before anything is made of it: attributes, events, names and messages go through the rules."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from adapters.otel import Limits, Parts
from adapters.otel.values import CUT
from adapters.otlp.redaction.rules import Rule
from adapters.otlp.redaction.texts import Texts, mark
from console.domain.spans import SpanEvent

BEYOND = 8_192
"""Characters behind the end of what is kept of a text that are searched too: what begins before the end goes whole."""
NAMES_MOST = 10_000
"""Names of attributes for which is remembered what the rules say."""


class Redaction:
    """An `adapters.otel.Screen`. For one thread: it remembers what it has seen."""

    def __init__(self, rules: Sequence[Rule], limits: Limits) -> None:
        """`limits` are those that hold after redaction; `wide` are those to read a body with."""
        self.wide = replace(limits, text=limits.text + BEYOND, name=limits.name + BEYOND)
        self._limits = limits
        self._whole = [(one.name, _folded(one.attributes)) for one in rules if one.pattern is None]
        self._within = [(one.name, one.pattern, _folded(one.attributes)) for one in rules if one.pattern is not None]
        everywhere = tuple((name, pattern) for name, pattern, attributes in self._within if not attributes)
        self._texts = {everywhere: Texts(everywhere)}
        self._everywhere = self._texts[everywhere]
        self._names: dict[str, str | Texts] = {}

    def __call__(self, parts: Parts, service: str) -> tuple[Parts, str]:
        """What may be kept of a span and of its service's name."""
        texts = self._everywhere
        kept = replace(
            parts,
            name=texts.screened(parts.name)[: self._limits.name],
            message=texts.screened(parts.message)[: self._limits.text],
            attributes=self._attributes(parts.attributes),
            events=tuple(self._event(event) for event in parts.events),
        )
        return kept, str(self._value("service.name", service))[: self._limits.name]

    def _event(self, event: SpanEvent) -> SpanEvent:
        name = self._everywhere.screened(event.name)[: self._limits.name]
        return msgspec.structs.replace(event, name=name, attributes=self._attributes(event.attributes))

    def _attributes(self, attributes: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        cut: list[str] = []
        for name, value in attributes.items():
            key = self._everywhere.screened(name)[: self._limits.name]
            inner = self._value(name, value)
            if isinstance(inner, str) and len(inner) > self._limits.text:
                inner = inner[: self._limits.text]
                cut.append(key)
            kept[key] = inner
        if cut:
            before = kept.get(CUT)
            kept[CUT] = [*(before if isinstance(before, list) else ()), *cut]
        return kept

    def _value(self, path: str, value: Any) -> Any:
        """A value, and what lies in it, whose names on the way to it are `path`."""
        if value is None or isinstance(value, bool | float):
            said = self._names.get(path) or self._asked(path)
            return said if isinstance(said, str) else value
        said = self._names.get(path) or self._asked(path)
        if isinstance(said, str):
            return said
        if isinstance(value, str):
            return said.screened(value)
        if isinstance(value, int):
            text = str(value)
            found = said.screened(text)
            return value if found is text else found
        if isinstance(value, dict):
            screened = self._everywhere.screened
            return {screened(key): self._cut(self._value(f"{path}.{key}", inner)) for key, inner in value.items()}
        return [self._cut(self._value(path, inner)) for inner in value]

    def _cut(self, value: Any) -> Any:
        return value[: self._limits.text] if isinstance(value, str) else value

    def _asked(self, name: str) -> str | Texts:
        """What the rules say of an attribute: what is put in its place, or what is looked for in it."""
        folded = name.lower()
        said: str | Texts | None = None
        for rule, globs in self._whole:
            if _any_matches(folded, globs):
                said = mark(rule)
                break
        if said is None:
            patterns = tuple(
                (rule, pattern) for rule, pattern, globs in self._within if not globs or _any_matches(folded, globs)
            )
            said = self._texts.get(patterns)
            if said is None:
                said = self._texts[patterns] = Texts(patterns)
        if len(name) <= self._limits.name:
            if len(self._names) >= NAMES_MOST:
                self._names.clear()
            self._names[name] = said
        return said


def _folded(globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(one.lower() for one in globs)


def _any_matches(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
