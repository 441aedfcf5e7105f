"""What the next quarter of an hour is expected to bring, for an action, its alternatives and for doing nothing; and,
when it is over, whether it did."""

from enum import StrEnum

import msgspec

from console.domain.refs import Ref
from console.domain.verbs import Verb

HORIZON_S = 900.0
"""How far ahead is looked."""


class Quantity(StrEnum):
    """What is forecast."""

    BACKLOG = "backlog"
    """Messages that wait in a queue."""
    ERRORS = "errors"
    """Part of a route's requests that fail, 0 to 1."""
    USD_PER_H = "usd_per_h"
    """What the gateway's calls cost."""
    HEADROOM = "headroom"
    """Part of the tightest limit that is left at who carries the requests, 0 to 1."""


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity of one object."""

    quantity: Quantity
    ref: Ref
    now: float | None = None
    then: float | None = None
    """At the end of the horizon; None when it cannot be said (`words`)."""
    low: float | None = None
    high: float | None = None
    """Between these it was in nine of ten like forecasts before; None before there were enough."""
    words: str = ""
    """What it rests on, or why it cannot be said; clean."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that could be done, and what it would bring."""

    words: str
    """`trip chat-azure`, `do nothing`."""
    verb: Verb | None = None
    """None: nothing is done."""
    target: Ref | None = None
    foreseen: tuple[Foreseen, ...] = ()


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown before a yes."""

    at: float
    horizon_s: float = HORIZON_S
    courses: tuple[Course, ...] = ()
    """The action first, doing nothing second, then what else could be done."""
    words: str = ""
    """How good such forecasts were: `of 12 trips the median was 6 % off`, or that none has been compared yet."""


class Outturn(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity, forecast against actual."""

    quantity: Quantity
    ref: Ref
    expected: float
    actual: float | None
    """None when nobody could see it at the time."""
    error: float | None = None
    """|expected − actual| ÷ the larger of |actual| and the quantity's own grain; 0 is exact."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast when its time has come."""

    due_at: float
    compared_at: float
    rows: tuple[Outturn, ...] = ()
    words: str = ""
    """In a line; also why a forecast does not count, when something else was done in between."""
    counts: bool = True


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How good the forecasts of one kind of action were so far."""

    verb: Verb | None
    """None: of doing nothing."""
    quantity: Quantity
    count: int
    median_error: float
    p90_error: float
