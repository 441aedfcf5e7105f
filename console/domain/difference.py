"""Two requests, held against each other."""

from enum import StrEnum

import msgspec

from console.domain.readings import Request
from console.domain.reconstruction import StageKind


class Change(StrEnum):
    """How the second differs from the first."""

    SAME = "same"
    ONLY_FIRST = "only in the first"
    ONLY_SECOND = "only in the second"
    CHANGED = "changed"


class Run(msgspec.Struct, frozen=True, gc=False):
    """Words of a text that stand in both, or in one alone."""

    change: Change
    """SAME, ONLY_FIRST or ONLY_SECOND."""
    text: str


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is held against its counterpart."""

    change: Change
    what: str
    """`text`, `message 3 (user)`, `document doc-17`, `arguments`, `$.filters.year`, `model`, `finish reason` …"""
    first: str = ""
    second: str = ""
    """As text, where it is short: a score, a model's name, a JSON value."""
    runs: tuple[Run, ...] = ()
    """Where it is a longer text: word by word, in order."""


class PieceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What a span of a stage did in one and in the other; one of the ids is empty where it has no counterpart."""

    name: str
    first_span: str = ""
    second_span: str = ""
    change: Change
    differences: tuple[Difference, ...] = ()
    """Those that are not the same."""
    first_took_s: float | None = None
    second_took_s: float | None = None


class StageDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One of the seven stages."""

    kind: StageKind
    change: Change
    pieces: tuple[PieceDifference, ...] = ()
    first_missing: str = ""
    """Why there is nothing to compare; see `Stage.missing`."""
    second_missing: str = ""
    first_took_s: float | None = None
    second_took_s: float | None = None
    first_tokens: tuple[int | None, int | None] = (None, None)
    """In and out."""
    second_tokens: tuple[int | None, int | None] = (None, None)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole difference."""

    first: Request
    """The one to compare with: the last good one, or the one that was chosen."""
    second: Request
    stages: tuple[StageDifference, ...]
    """In order: the seven of a request, or those that a call alone has, when one was sent again."""
    chosen: str = ""
    """Why the first was picked, when nobody named it: `the last good chat of web, 4 min earlier`."""
    notes: tuple[str, ...] = ()


class CompareQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Compare two requests of one trace store."""

    source: str
    trace_id: str
    """The second of the comparison: the one that is looked at."""
    against: str = ""
    """The trace id of the first; empty for the last good one like it."""
