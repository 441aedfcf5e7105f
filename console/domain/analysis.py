"""What the engine makes of the whole platform, on request: retries, money, capacity, and whether it will recover."""

from enum import StrEnum

import msgspec

from console.domain.refs import Ref


class RetryLayer(msgspec.Struct, frozen=True, kw_only=True):
    """One place at which calls are multiplied."""

    name: str
    """`application`, `worker`, `gateway`, `provider client`, `fallback`."""
    ref: Ref | None = None
    """The route, queue or deployment at which it is seen."""
    factor: float
    """What goes out ÷ what comes in; 1.0 multiplies nothing."""
    per_min: float
    """What goes out, calls a minute."""
    usual: float | None = None
    """Its usual factor; None while too little of it has been seen."""


class RetryXray(msgspec.Struct, frozen=True, kw_only=True):
    """Which layer multiplies how much, from the original request to the provider, for one route."""

    route: Ref
    layers: tuple[RetryLayer, ...]
    """In the order in which a request passes them; the product of their factors is the amplification."""
    amplification: float
    worst: str = ""
    """The name of the layer that multiplies most; empty when none does."""


class CostStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a waterfall."""

    name: str
    """`volume`, `tokens per request`, `price mix`, `not explained`."""
    usd_per_h: float
    """What it adds (below zero: saves)."""
    words: str


class CostWaterfall(msgspec.Struct, frozen=True, kw_only=True):
    """From what an hour usually costs to what it costs now; the steps add up to the difference."""

    usual_usd_per_h: float
    now_usd_per_h: float
    steps: tuple[CostStep, ...]
    usual_of: str
    """What the usual is: `the same half-hour of the days before`, `the last 24 h`."""


class Recovery(StrEnum):
    """Whether a route gets well by itself."""

    FINE = "fine"
    TRIGGERED = "triggered"
    """Something outside is wrong, and retries are in proportion."""
    METASTABLE = "metastable"
    """What began it is over, and its own retries keep it going: shed them, waiting does not help."""
    UNKNOWN = "unknown"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a route is held down by its own retries."""

    route: Ref
    recovery: Recovery
    retry_part: float | None = None
    """Retries ÷ original requests now."""
    words: str = ""


class Without(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the rest can carry it, should one provider go."""

    provider: Ref
    demand_per_min: float
    """Requests a minute that would have to go elsewhere."""
    room_per_min: float | None = None
    """What the others could take on top; None when no limit of theirs is known."""
    carries: bool | None = None
    """None when it cannot be said."""
    words: str = ""


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, at one moment."""

    at: float
    retries: tuple[RetryXray, ...] = ()
    cost: CostWaterfall | None = None
    recovery: tuple[Verdict, ...] = ()
    without: tuple[Without, ...] = ()
    unknown: tuple[str, ...] = ()
    """What cannot be said yet, and from when on it can."""


class DetectorState(msgspec.Struct, frozen=True, kw_only=True):
    """What one detector watches now, and what it cannot judge yet."""

    name: str
    summary: str
    """What it finds, in one line."""
    watching: int = 0
    """Objects that it judges."""
    learning: int = 0
    """Objects of which it has seen too little."""
    unknown: tuple[str, ...] = ()
    """What it cannot judge and why, one line each; ten at the most."""
