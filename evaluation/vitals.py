"""What the rivals see: the same readings and answers, as one number for each thing that may go wrong with an object."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

from console.domain.answers import Answers, Finish
from console.domain.board import Board
from console.domain.readings import (
    AnyReading,
    Deployment,
    Latency,
    Provider,
    Queue,
    Route,
    Service,
    Spend,
    SpendScope,
    Traffic,
)

ANSWERS_S = 300.0
"""Answers are counted together over this long: a minute of them says little."""


class Vital(NamedTuple):
    """One number of one object; higher is worse."""

    what: str
    """`deployment/chat-azure ttft`."""
    value: float
    floor: float
    """Below this nobody would set a threshold."""
    of: float = 0.0
    """For a part (errors, refusals): how many it is a part of, in this minute; 0 where it is no part."""


@dataclass(slots=True)
class _Counts:
    """What answers of one object add up to."""

    calls: float = 0.0
    failed: float = 0.0
    finished: float = 0.0
    refused: float = 0.0
    empty: float = 0.0
    cut: float = 0.0
    structured: float = 0.0
    unparsed: float = 0.0
    with_text: float = 0.0
    strange: float = 0.0
    tokens: float = 0.0
    chars: float = 0.0
    searches: float = 0.0
    nothing: float = 0.0
    overflows: float = 0.0
    usd: float = 0.0

    def add(self, row: Answers) -> None:
        """Count one row in."""
        self.calls += row.calls
        self.failed += row.failed
        self.finished += sum(row.finish.values())
        self.refused += row.finish.get(Finish.REFUSAL, 0)
        self.empty += row.finish.get(Finish.EMPTY, 0)
        self.cut += row.finish.get(Finish.LENGTH, 0)
        self.structured += row.structured
        self.unparsed += row.unparsed
        self.with_text += row.with_text
        self.strange += row.strange_script
        self.tokens += row.tokens_of_chars
        self.chars += row.chars_in
        self.searches += row.retrievals
        self.nothing += row.empty_retrievals
        self.overflows += row.overflows
        self.usd += row.usd or 0.0

    def vitals(self, name: str) -> Iterator[Vital]:
        """The parts that can be told."""
        parts = (
            ("failed", self.failed, self.calls),
            ("refused", self.refused, self.finished),
            ("empty", self.empty, self.finished),
            ("cut", self.cut, self.finished),
            ("unparsed", self.unparsed, self.structured),
            ("strange", self.strange, self.with_text),
            ("nothing found", self.nothing, self.searches),
            ("overflows", self.overflows, self.calls),
        )
        for what, bad, of in parts:
            if of >= 20:
                yield Vital(f"{name} {what}", bad / of, 0.01, of)
        if self.chars:
            yield Vital(f"{name} tokens a character", self.tokens / self.chars, 0.01)


class Vitals:
    """Reads one board; hears the answers of each minute."""

    def __init__(self) -> None:
        self._minutes: dict[str, deque[tuple[float, _Counts]]] = defaultdict(deque)
        self._most: dict[str, tuple[float, float, float]] = {}
        """By service: (calls of a request at the most, the same call again, 1 / the best score) of the last minute."""

    def hear(self, rows: Iterable[Answers]) -> None:
        """Take in whole minutes."""
        for row in rows:
            for name in _names(row):
                minutes = self._minutes[name]
                if not minutes or minutes[-1][0] != row.at:
                    minutes.append((row.at, _Counts()))
                minutes[-1][1].add(row)
            if row.group.service:
                score = 1.0 / row.top_score_p50 if row.top_score_p50 else 0.0
                name = f"service/{row.group.service}"
                self._most[name] = (float(row.calls_most), float(row.repeats_most), score)

    def now(self, board: Board, now: float) -> list[Vital]:
        """Every number at this moment."""
        found: list[Vital] = []
        for reading in board.readings.values():
            found += _of_reading(reading)
        for name, minutes in self._minutes.items():
            while minutes and minutes[0][0] <= now - ANSWERS_S:
                minutes.popleft()
            found += _together(counts for _, counts in minutes).vitals(name)
        for name, (calls, again, score) in self._most.items():
            found.append(Vital(f"{name} calls of one request", calls, 5.0))
            found.append(Vital(f"{name} the same call again", again, 3.0))
            if score:
                found.append(Vital(f"{name} worst score", score, 1.0))
        return found


def _names(row: Answers) -> Iterator[str]:
    group = row.group
    for kind, name in (("deployment", group.deployment), ("tenant", group.tenant), ("service", group.service)):
        if name:
            yield f"{kind}/{name}"


def _together(minutes: Iterable[_Counts]) -> _Counts:
    total = _Counts()
    for counts in minutes:
        for name in _COUNTED:
            setattr(total, name, getattr(total, name) + getattr(counts, name))
    return total


_COUNTED = tuple(field.name for field in fields(_Counts))


def _of_reading(reading: AnyReading) -> Iterator[Vital]:
    name = f"{reading.ref.kind}/{reading.ref.name}"
    match reading:
        case Deployment() | Provider() | Route():
            yield from _of_traffic(name, reading.traffic)
            yield from _of_latency(name, reading.latency)
        case Service():
            yield from _of_traffic(name, reading.traffic)
            for flow in reading.workflows:
                yield Vital(f"{name} stuck", float(flow.stuck), 2.0)
                yield Vital(f"{name} duplicates", float(flow.duplicates), 2.0)
        case Queue():
            yield Vital(f"{name} depth", float(reading.depth), 10.0)
            yield Vital(f"{name} age", reading.oldest_age_s or 0.0, 30.0)
        case Spend(scope=SpendScope.KEY):
            yield Vital(f"tenant/{reading.subject} spend", reading.usd_per_h or 0.0, 1.0)
        case Spend() if reading.disagreement is not None:
            yield Vital(f"{reading.scope}/{reading.subject} disagreement", reading.disagreement, 1.1)
        case _:
            return


def _of_traffic(name: str, traffic: Traffic | None) -> Iterator[Vital]:
    if traffic is None or (ratio := traffic.error_ratio) is None:
        return
    yield Vital(f"{name} errors", ratio, 0.01, traffic.requests_per_min)
    if traffic.attempts_per_request is not None:
        yield Vital(f"{name} attempts", traffic.attempts_per_request, 1.05)


def _of_latency(name: str, latency: Latency | None) -> Iterator[Vital]:
    if latency is None:
        return
    if latency.ttft_p50_s is not None:
        yield Vital(f"{name} ttft", latency.ttft_p50_s, 0.1)
    if latency.s_per_token_p50 is not None:
        yield Vital(f"{name} token", latency.s_per_token_p50, 0.001)
    if latency.p95_s is not None:
        yield Vital(f"{name} p95", latency.p95_s, 0.5)
