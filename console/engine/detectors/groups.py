"""What is known of the groups of calls of one trace source, and of what is wrong with them."""

from dataclasses import dataclass, field

from console.domain.answers import Group
from console.domain.refs import Ref
from console.engine.detectors.adding import Cell, Lately
from console.engine.detectors.usual import Key, Usual

FLOWS_MOST = 20_000
"""Groups that are known at a time; those that were seen longest ago are forgotten."""
UNSEEN_S = 6 * 3600.0
"""A group that was not seen for so long is forgotten, and what is usual for such calls is not."""
FORGET_S = 1800.0


class Flow:
    """One group's calls."""

    __slots__ = ("all_alike", "cells", "examples", "group", "lately", "own", "seen_at")

    def __init__(self, group: Group, own: Usual, all_alike: Usual, cells: tuple[Cell, ...], at: float) -> None:
        self.group = group
        self.own = own
        self.all_alike = all_alike
        self.cells = cells
        self.lately = Lately(at)
        self.examples: tuple[str, ...] = ()
        self.seen_at = at
        """Unix seconds of its last minute with an answer."""


@dataclass(slots=True)
class Fault:
    """One thing that is wrong: the ill calls, and how ill they are now."""

    source: str
    ref: Ref
    about: Group
    since: float
    """Unix seconds at which it began, as far as can be told."""
    part: float = 0.0
    usual: float = 0.0
    elsewhere: float | None = None
    """The part among all other calls of the same services; None when there are none."""
    examples: tuple[str, ...] = ()
    seen_at: float = 0.0
    """Unix seconds of the last minute with such calls."""
    new_build: str = ""
    """The fingerprint or response model that was first seen when it began."""


@dataclass(slots=True)
class Past:
    """What is known of one trace source."""

    flows: dict[Group, Flow] = field(default_factory=dict)
    usual: dict[Key, Usual] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    first: dict[tuple[str, str], float] = field(default_factory=dict)
    """When each build was first seen."""
    faults: list[Fault] = field(default_factory=list)
    began_at: float = 0.0
    minute: float = 0.0
    forgot_at: float = 0.0
    unclear_since: float = 0.0
    """Since when something adds up that the ill calls do not share."""
    touched: set[Cell] = field(default_factory=set)


def service_of(flows: list[Flow]) -> str:
    """The service with most ill answers."""
    hits: dict[str, float] = {}
    for flow in flows:
        hits[flow.group.service] = hits.get(flow.group.service, 0.0) + flow.lately.hits
    return max(hits, key=lambda service: hits[service], default="")


def new_build(known: Past, about: Group, since: float) -> str:
    """The build that the ill calls share, when it was first seen about when it began."""
    for name in ("fingerprint", "response_model"):
        value = getattr(about, name)
        if value and known.first.get((name, value), 0.0) > max(known.began_at, since - 1800.0):
            return str(value)
    return ""


def forget(known: Past, at: float) -> None:
    """Let go of the groups that were not seen for long, and of what only they needed; what is usual is kept longer."""
    flows = [flow for flow in known.flows.values() if at - flow.seen_at < UNSEEN_S]
    if len(flows) >= FLOWS_MOST:
        flows = sorted(flows, key=lambda flow: flow.seen_at)[FLOWS_MOST // 10 :]
    known.flows = {flow.group: flow for flow in flows}
    cells = {cell for flow in flows for cell in flow.cells}
    known.cells = {key: cell for key, cell in known.cells.items() if cell in cells}
    known.first = {key: first for key, first in known.first.items() if key in known.cells}
    if len(known.usual) > 2 * FLOWS_MOST:
        needed = {id(one) for flow in flows for one in (flow.own, flow.all_alike)}
        known.usual = {key: one for key, one in known.usual.items() if id(one) in needed}
    known.forgot_at = at
