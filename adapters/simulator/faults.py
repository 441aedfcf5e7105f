"""What can go wrong in a world, with whom, and how much of it at which moment: as data."""

import math
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from console.config import Model


class Fault(StrEnum):
    """What can go wrong."""

    # Transport and money.
    ERRORS = "errors"
    """Part of the requests that fail with a 500."""
    TTFT = "ttft"
    """Factor on the time to first token."""
    DECODE = "decode"
    """Factor on the seconds per output token."""
    CAPACITY = "capacity"
    """Factor on a provider's slots."""
    RATE_LIMIT = "rate_limit"
    """Factor on what a provider's rate limit allows."""
    DEMAND = "demand"
    """Factor on what is asked for."""
    CLIENT_RETRIES = "client_retries"
    """Part of the failed requests that applications send again, where that is more than they usually do."""
    PROBES = "probes"
    """Factor on what a half-open breaker lets through."""
    WORKERS = "workers"
    """Factor on a queue's workers."""
    BATCH = "batch"
    """Jobs that are put into a queue at once, when it goes up; 0 in between."""
    PRICE = "price"
    """Factor on what a provider really charges; the gateway knows it."""
    BOOKED = "booked"
    """Factor on what the gateway books beyond tokens × price."""
    LOST = "lost"
    """1: a source does not answer."""

    # Answers.
    UNPARSED = "unparsed"
    """Part of the structured answers that are not of their form."""
    SHAPE = "shape"
    """Part of the answers that have a new shape."""
    REFUSALS = "refusals"
    """Part of the answers that are refusals."""
    EMPTY = "empty"
    """Part of the answers that stop as if done, with nothing in them."""
    STRANGE_SCRIPT = "strange_script"
    """Part of the answers with letters of another script."""
    TOKENIZER = "tokenizer"
    """Factor on tokens per character."""
    FINGERPRINT = "fingerprint"
    """Number of the provider's build; a step is an upstream change."""
    EMPTY_RETRIEVAL = "empty_retrieval"
    """Part of the searches that find nothing."""
    SCORE = "score"
    """Factor on the best document's score."""
    OLD_SNAPSHOT = "old_snapshot"
    """A service answers so many versions behind."""
    LOST_MEMORY = "lost_memory"
    """Part of the memory writes that get lost."""
    LOOP = "loop"
    """Part of the agents' requests that go round in a circle, calling the model again and again."""
    OVERFLOW = "overflow"
    """Part of the requests that are longer than the window, and are sent again every 30 s."""
    STUCK = "stuck"
    """Part of the workflow runs that make no progress."""
    DUPLICATES = "duplicates"
    """Side effects a minute that are done twice."""
    ROLLOUT = "rollout"
    """1: a service moves to a new snapshot, as planned and declared."""


PARTS: Final = frozenset(
    {
        Fault.ERRORS, Fault.UNPARSED, Fault.SHAPE, Fault.REFUSALS, Fault.EMPTY, Fault.STRANGE_SCRIPT,
        Fault.EMPTY_RETRIEVAL, Fault.LOST_MEMORY, Fault.LOOP, Fault.OVERFLOW, Fault.STUCK,
    }
)  # fmt: skip
"""Between 0 and 1; two of them meet as chances that do not know of each other."""

FACTORS: Final = frozenset(
    {
        Fault.TTFT, Fault.DECODE, Fault.CAPACITY, Fault.RATE_LIMIT, Fault.DEMAND, Fault.PROBES, Fault.WORKERS,
        Fault.PRICE, Fault.BOOKED, Fault.TOKENIZER, Fault.SCORE,
    }
)  # fmt: skip
"""1 when nothing is wrong; two of them are multiplied."""

SUMS: Final = frozenset({Fault.BATCH, Fault.FINGERPRINT, Fault.OLD_SNAPSHOT, Fault.DUPLICATES})
"""0 when nothing is wrong; two of them are added. Of all others the greatest holds."""

NEUTRAL: Final = {fault: 1.0 if fault in FACTORS else 0.0 for fault in Fault}
"""Each fault's value when nothing is wrong."""

KINDS: Final = ("provider", "model", "deployment", "route", "tenant", "service", "queue", "index", "gateway", "source")
"""What a target can be; all but the gateway have a name."""

_CALLS: Final = frozenset({"provider", "model", "deployment", "route", "tenant"})
_APPLICATIONS: Final = _CALLS | {"service"}

HITS: Final = {
    Fault.ERRORS: frozenset({"provider", "model", "deployment", "tenant"}),
    Fault.TTFT: frozenset({"provider", "model", "deployment"}),
    Fault.DECODE: frozenset({"provider", "model", "deployment"}),
    Fault.CAPACITY: frozenset({"provider"}),
    Fault.RATE_LIMIT: frozenset({"provider", "model", "deployment"}),
    Fault.DEMAND: frozenset({"route", "tenant"}),
    Fault.CLIENT_RETRIES: frozenset({"route", "gateway"}),
    Fault.PROBES: frozenset({"gateway", "deployment", "provider"}),
    Fault.WORKERS: frozenset({"queue"}),
    Fault.BATCH: frozenset({"queue"}),
    Fault.PRICE: frozenset({"provider", "model", "deployment"}),
    Fault.BOOKED: frozenset({"provider", "model", "deployment", "gateway"}),
    Fault.LOST: frozenset({"source"}),
    Fault.EMPTY_RETRIEVAL: _APPLICATIONS | {"index"},
    Fault.SCORE: _APPLICATIONS | {"index"},
    Fault.OLD_SNAPSHOT: frozenset({"service"}),
    Fault.ROLLOUT: frozenset({"service", "index"}),
    Fault.LOST_MEMORY: frozenset({"service", "route"}),
    Fault.STUCK: frozenset({"service", "queue", "route"}),
    Fault.LOOP: frozenset({"route", "tenant"}),
    Fault.OVERFLOW: frozenset({"route", "tenant"}),
    Fault.DUPLICATES: frozenset({"service", "queue", "route"}),
}
"""What each fault can be about; those that are not here are about any call, or the service that makes it."""

_NEXT = re.compile(rf"\+(?=(?:{'|'.join(KINDS)})\b)")


def targets_of(text: str) -> frozenset[str]:
    """The parts of a target: `provider/openai+model/gpt-5` is gpt-5 at openai alone.

    Raises:
        ValueError: one of them is no target.
    """
    parts = _NEXT.split(text)
    for part in parts:
        kind, _, name = part.partition("/")
        if kind not in KINDS or bool(name) == (kind == "gateway"):
            known = ", ".join(f"{one}/NAME" for one in KINDS if one != "gateway")
            raise ValueError(f"{part!r} is no target; there are: {known}, gateway")
    return frozenset(parts)


def _known(value: Any) -> Any:
    """Parameters have been put in by now; a name that is left is none of them."""
    if isinstance(value, str) and "$" in value:
        raise ValueError(f"{value} is no parameter of this file, nor FACTOR*$NAME with one; see `parameters`")
    return value


Number = Annotated[
    float,
    BeforeValidator(_known, json_schema_input_type=float | Annotated[str, Field(pattern=r"^([0-9.]+\*)?\$[a-z_]+$")]),
    Field(allow_inf_nan=False),
]
"""A number, or the name of a parameter: `$part`, `2*$part`."""


class Track(Model):
    """One fault of one target over time: straight lines between points, the last value stays."""

    target: str
    """Whom it hits: `provider/openai`, `deployment/chat-azure`, …, or with `+` what is in all of several:
    `provider/openai+model/gpt-5`, `provider/azure+tenant/web`."""
    fault: Fault
    points: Annotated[tuple[tuple[Number, Number], ...], Field(min_length=1)]
    """(seconds since time 0, in the incident's own time; value), in the order of time. Two at one time are a jump."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        kinds = {part.partition("/")[0] for part in targets_of(self.target)}
        fits = HITS.get(self.fault, _APPLICATIONS)
        if strange := kinds - fits:
            raise ValueError(
                f"{self.fault} is never about a {min(strange)}; it can be about: {', '.join(sorted(fits))}"
            )
        times = [at for at, _ in self.points]
        if times != sorted(times):
            raise ValueError(f"the points of {self.target} {self.fault} have to be in the order of time")
        most = 1.0 if self.fault in PARTS else math.inf
        if not all(0.0 <= value <= most for _, value in self.points):
            raise ValueError(f"{self.fault} is {'a part, 0 to 1' if self.fault in PARTS else 'never below 0'}")
        return self

    def at(self, seconds: float) -> float:
        """The fault's value so many seconds after time 0; neutral before its first point."""
        if seconds < self.points[0][0]:
            return NEUTRAL[self.fault]
        before_at, before = self.points[0]
        for after_at, after in self.points[1:]:
            if seconds < after_at:
                return before + (after - before) * (seconds - before_at) / (after_at - before_at)
            before_at, before = after_at, after
        return before


def together(fault: Fault, values: Iterable[float]) -> float:
    """What several tracks of one fault amount to for somebody whom they all hit."""
    found = tuple(values)
    if len(found) == 1:
        return found[0]
    if fault in PARTS:
        return 1.0 - math.prod(1.0 - value for value in found)
    if fault in FACTORS:
        return math.prod(found)
    return sum(found) if fault in SUMS else max(found, default=0.0)


class Cure(NamedTuple):
    """What somebody did about it: these faults hit nobody any more who is all of `target`."""

    ends: frozenset[Fault]
    target: frozenset[str]


class Acting:
    """The faults of one moment: whom they hit, and how much."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        self._now: dict[Fault, list[tuple[frozenset[str], float]]] = {}
        self.play(tracks)

    def play(self, tracks: Iterable[Track]) -> None:
        """From the next moment on these are what happens; what was cured before may come again."""
        self._tracks = tuple((track, targets_of(track.target)) for track in tracks)
        self._cured: dict[Fault, list[frozenset[str]]] = {}

    def cure(self, cure: Cure) -> None:
        """From now on its faults spare its target."""
        for fault in cure.ends:
            self._cured.setdefault(fault, []).append(cure.target)

    def at(self, seconds: float) -> bool:
        """Go to so many seconds after time 0; returns whether anything is wrong, or was at the moment before."""
        before, self._now = self._now, {}
        for track, targets in self._tracks:
            value = track.at(seconds)
            if value != NEUTRAL[track.fault]:
                self._now.setdefault(track.fault, []).append((targets, value))
        return bool(before or self._now)

    def is_on(self, fault: Fault) -> bool:
        """Whether a fault hits anybody."""
        return fault in self._now

    def value(self, fault: Fault, targets: tuple[str, ...]) -> float:
        """What hits somebody who is all of `targets`; neutral when nothing does."""
        acting = self._now.get(fault)
        if acting is None or any(spared.issubset(targets) for spared in self._cured.get(fault, ())):
            return NEUTRAL[fault]
        return together(fault, (value for wanted, value in acting if wanted.issubset(targets)))
