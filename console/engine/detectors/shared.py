"""What the calls that are ill have in common, and the calls beside them have not."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from console.domain.answers import Group

DIMENSIONS = (
    "deployment", "provider", "model", "region", "route", "service", "tenant", "prompt", "response_model",
    "fingerprint",
)  # fmt: skip
"""The fields of a `Group`, each of which may be what they have in common."""
OURS = ("region", "route", "service", "tenant", "prompt")
"""What says nothing when all calls have it, ill or well."""
COVERS = 0.8
"""A value that they have in common holds at least this part of all that is too much."""
COVERS_SURELY = 0.65
"""… or this much, when what is left may be chance."""
SHARPER = 1.25
"""A value says more than none when what is too much is denser in it by this factor."""
ALIKE = 0.7
"""Another value says the same when what is too much is nearly as dense in it."""
APART = 2.0
"""One of several faults is denser than all beside it by this factor."""
SIGMAS = 3.5
"""… and holds more of the hits than chance would bring it, by so many standard deviations."""
SIGMAS_COVERING = 2.0
"""… and of a value that holds nearly all, by so many."""
DEEPEST = 3
"""Values that have to come together: this provider's, for that tenant, with this prompt."""


class Count(NamedTuple):
    """One group's calls of the last minutes."""

    group: Group
    hits: float
    """How many were ill …"""
    trials: float
    """… of how many …"""
    expected: float
    """… and how many would be as usual."""


class _Sum:
    __slots__ = ("excess", "hits", "trials")

    def __init__(self) -> None:
        self.excess = 0.0
        self.hits = 0.0
        self.trials = 0.0

    def add(self, one: Count) -> None:
        self.excess += one.hits - one.expected
        self.hits += one.hits
        self.trials += one.trials

    @property
    def density(self) -> float:
        return self.excess / self.trials if self.trials else 0.0


def shared(counts: Sequence[Count], dimensions: Sequence[str] = DIMENSIONS) -> Group:
    """The values that ill calls have in common; an empty `Group` when all calls are ill alike.

    What is too much (hits beyond the expected ones) is looked for where it is densest: in the value that holds nearly
    all of it in the fewest calls, then in a second value within the first, and so on. All values that are as dense say
    the same and are named together: the only deployment of a provider, its model, the build that it answers with.

    Args:
        counts: every group with its calls.
        dimensions: where to look.
    """
    inside, total = list(counts), _sum(counts)
    found: dict[str, str] = {}
    for _ in range(DEEPEST):
        part = _sum(inside)
        free = [name for name in dimensions if name not in found]
        best = _densest(inside, total, free) or (None if found else _strongest(inside, free))
        if best is None:
            break
        name, value, density = best
        if density < SHARPER * part.density:
            break
        found[name] = value
        inside = [one for one in inside if getattr(one.group, name) == value]
        total = _sum(inside)
    core = _sum(inside)
    for name in dimensions:
        if name not in found and (value := _common(counts, inside, name, core)):
            found[name] = value
    if "deployment" not in found and ("fingerprint" in found or "response_model" in found):
        found.update(_of_build(inside, core))
    return Group(**found)


def _of_build(inside: Sequence[Count], core: _Sum) -> dict[str, str]:
    """Where a build answers: that its deployment was well before it came does not speak for the deployment."""
    for name in ("deployment", "provider"):
        for value, part in _values(inside, name).items():
            if part.trials >= COVERS * core.trials:
                return {name: value}
    return {}


def within(group: Group, about: Group) -> bool:
    """Whether a group is among those that `about` names."""
    return all(not (value := getattr(about, name)) or getattr(group, name) == value for name in DIMENSIONS)


def _sum(counts: Iterable[Count]) -> _Sum:
    total = _Sum()
    for one in counts:
        total.add(one)
    return total


def _values(counts: Iterable[Count], name: str) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for one in counts:
        value = getattr(one.group, name)
        if value:
            into = sums.get(value)
            if into is None:
                into = sums[value] = _Sum()
            into.add(one)
    return sums


def _densest(counts: Sequence[Count], total: _Sum, dimensions: Sequence[str]) -> tuple[str, str, float] | None:
    """The value that holds nearly all of the excess most densely; of two as dense, the one that holds more."""
    best: tuple[float, float, str, str] | None = None
    all_ = _sum(counts)
    for name in dimensions:
        for value, part in _values(counts, name).items():
            if _covers(part, total) and _apart(part, all_) and (best is None or (part.density, part.excess) > best[:2]):
                best = (part.density, part.excess, name, value)
    return None if best is None else (best[2], best[3], best[0])


def _covers(part: _Sum, total: _Sum) -> bool:
    """Whether a value holds nearly all of what is too much."""
    if part.excess >= COVERS * total.excess:
        return True
    by_chance = max(0.0, (total.hits - total.excess) - (part.hits - part.excess)) ** 0.5
    return part.excess >= COVERS_SURELY * total.excess and total.excess - part.excess <= by_chance


def _apart(part: _Sum, all_: _Sum, sigmas: float = SIGMAS_COVERING) -> bool:
    """Whether a value has more of what is too much than its calls would bring it by chance; all calls are so too."""
    share = part.trials / all_.trials if all_.trials else 1.0
    if share > 0.999:
        return True
    scatter = max(1.0, all_.hits * share * (1.0 - share)) ** 0.5
    return bool(part.excess - all_.excess * share >= sigmas * scatter)


def _strongest(counts: Sequence[Count], dimensions: Sequence[str]) -> tuple[str, str, float] | None:
    """The value that stands out most while none holds nearly all: one of several faults. None when all are alike."""
    best: tuple[float, float, str, str] | None = None
    all_ = _sum(counts)
    for name in dimensions:
        for value, part in _values(counts, name).items():
            strength = part.density * max(0.0, part.excess)
            rest = all_.trials - part.trials
            if rest <= 0 or part.density < APART * (all_.excess - part.excess) / rest:
                continue
            if not _apart(part, all_, SIGMAS):
                continue
            if best is None or strength > best[0]:
                best = (strength, part.density, name, value)
    return None if best is None else (best[2], best[3], best[1])


def _common(counts: Sequence[Count], inside: Sequence[Count], name: str, core: _Sum) -> str:
    """The value of one more dimension that nearly all ill calls have, and hardly any well one; empty when none."""
    for value, part in _values(inside, name).items():
        if part.excess >= COVERS * core.excess and part.trials >= COVERS * core.trials:
            everywhere = _values(counts, name)[value]
            if name in OURS and everywhere.trials >= sum(one.trials for one in counts):
                return ""
            return value if everywhere.density >= ALIKE * core.density else ""
    return ""
