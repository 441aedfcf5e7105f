"""How fast each objective's error budget burns, by the SRE workbook's pairs of windows.

Readings carry rates; a rate times the time since the look before is what happened. That is kept as counts in
buckets of a minute (six hours) and of half an hour (three days), so memory does not grow with time. Time that was not
seen (the engine was off, the source was stale) counts as traffic without a single error: a window that is only
partly known can fire only on what was surely seen, and the words say how much that is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from console.config import Objective
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.objectives import BURN_RULES, BurnRule, burn
from console.domain.readings import AnyReading, Deployment, Provider, Route, Source, Traffic
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Change, History
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.counts import Counts

JUDGE_EVERY_S = 10.0
"""Burn moves slowly: it is worked out this often, and what was found stands meanwhile."""
KEEPS = 0.9
"""A firing alert stays until its burn is under this part of the threshold."""
WHOLE = 0.95
"""A window counts as fully known when this part of it was seen."""


@dataclass(slots=True)
class _Flow:
    """One object's traffic as it is now, and its counts."""

    counts: Counts
    objectives: tuple[Objective, ...]
    requests_per_s: float = 0.0
    errors_per_s: float = 0.0
    at: float = 0.0
    """Until when it is counted."""
    found: list[Condition] = field(default_factory=list)


class BurnRate:
    """Watches every route, provider and deployment that an objective names."""

    name = "burn-rate"
    patience = Patience(resolve_after_s=60.0)

    def __init__(self, objectives: Iterable[Objective]) -> None:
        self._objectives = tuple(objectives)
        self._flows: dict[str, dict[Ref, _Flow]] = {}
        self._longest_gap_s: dict[str, float] = {}
        self._judged_at = 0.0
        self._new: list[Ref] = []

    def feed(self, change: Change) -> None:
        """Take the new rates, and count what they say of the time since the look before."""
        if not self._objectives:
            return
        for reading in change.readings:
            if isinstance(reading, Source):
                self._longest_gap_s[reading.ref.name] = reading.stale_after_s
                continue
            self._take(reading)
        for ref in change.removed:
            self._flows.get(ref.source, {}).pop(ref, None)
        for source, at in change.observed.items():
            for flow in self._flows.get(source, {}).values():
                self._count(flow, source, at)

    def _count(self, flow: _Flow, source: str, at: float) -> None:
        seconds = at - flow.at
        if 0 < seconds <= self._longest_gap_s.get(source, JUDGE_EVERY_S):
            flow.counts.add(at, seconds, flow.requests_per_s * seconds, flow.errors_per_s * seconds)
        flow.at = max(flow.at, at)

    def _take(self, reading: AnyReading) -> None:
        if not isinstance(reading, (Deployment, Route, Provider)):
            return
        flows = self._flows.setdefault(reading.ref.source, {})
        flow = flows.get(reading.ref)
        if flow is None:
            name = str(reading.ref)
            watched = tuple(o for o in self._objectives if fnmatchcase(name, o.match))
            if not watched:
                return
            flow = flows[reading.ref] = _Flow(Counts(reading.observed_at), watched, at=reading.observed_at)
            self._new.append(reading.ref)
        traffic = reading.traffic or Traffic(window_s=0.0)
        flow.requests_per_s = traffic.requests_per_min / 60.0
        flow.errors_per_s = min(traffic.errors_per_min, traffic.requests_per_min) / 60.0

    def newly_watched(self) -> list[Ref]:
        """The objects that an objective has begun to watch since the last call; their past can be given back."""
        new, self._new = self._new, []
        return new

    def recall(self, past: History) -> None:
        """Take over what a journal knows of one object from before it was watched here."""
        flow = self._flows.get(past.ref.source, {}).get(past.ref)
        if flow is None:
            return
        requests = past.series.get("requests_per_min", ())
        errors = past.series.get("errors_per_min", (None,) * len(requests))
        per_slot = past.step_s / 60.0
        for slot, (asked, failed) in enumerate(zip(requests, errors, strict=False)):
            at = past.start + (slot + 1) * past.step_s
            if asked is not None:
                flow.counts.add_past(at, past.step_s, asked * per_slot, min(failed or 0.0, asked) * per_slot)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """The worst rule that fires, one condition an objective and object; while a source is stale, as it was."""
        if now - self._judged_at >= JUDGE_EVERY_S:
            self._judged_at = now
            for ref, flow in self._all():
                if board.freshness(ref) is Freshness.FRESH:
                    flow.found = [c for o in flow.objectives if (c := _judge(o, ref, flow.counts, now))]
        for _, flow in self._all():
            yield from flow.found

    def _all(self) -> Iterator[tuple[Ref, _Flow]]:
        for flows in self._flows.values():
            yield from flows.items()

    def unknown(self, now: float) -> list[str]:
        """What cannot be judged fully yet: one line an objective with the windows of which not all was seen."""
        lines = []
        for objective in self._objectives:
            flows = [flow for _, flow in self._all() if objective in flow.objectives]
            if not flows:
                lines.append(
                    f"objective {clean(objective.name)}: nothing on the board matches {clean(objective.match)}"
                )
                continue
            seen = {r.long_s: min(f.counts.over(r.long_s, now).seen_part for f in flows) for r in BURN_RULES}
            windows = ", ".join(f"{_span(long)} ({part:.0%} seen)" for long, part in seen.items() if part < WHOLE)
            if windows:
                known = f"objective {clean(objective.name)}: not fully known yet: {windows}"
                lines.append(f"{known}; what was not seen counts as good")
        return lines

    def state(self, now: float) -> DetectorState:
        """How many objects the objectives watch, and which windows are not fully known yet."""
        return DetectorState(
            name=self.name,
            summary="error budgets of objectives that burn too fast",
            watching=sum(1 for _ in self._all()),
            unknown=tuple(self.unknown(now)[:10]),
        )


def _judge(objective: Objective, ref: Ref, counts: Counts, now: float) -> Condition | None:
    """The worst rule of an objective; one that is just under its threshold keeps an alert, but begins none."""
    kept: Condition | None = None
    for rule in BURN_RULES:
        long, short = counts.over(rule.long_s, now), counts.over(rule.short_s, now)
        if long.errors < objective.min_errors:
            continue
        burning = burn(long.errors, long.requests_at_least, objective.target)
        lately = burn(short.errors, short.requests_at_least, objective.target)
        lesser = min(burning, lately)
        threshold = rule.threshold(objective.period)
        if lesser < KEEPS * threshold:
            continue
        words = _words(objective, rule, burning, long.seen_part)
        found = Condition(
            f"{BurnRate.name}/{objective.name}", ref, rule.severity, words, burning, begins=lesser >= threshold
        )
        if found.begins:
            return found
        kept = kept or found
    return kept


def _words(objective: Objective, rule: BurnRule, burning: float, seen_part: float) -> str:
    left = objective.period / burning if burning > 0 else 0.0
    words = (
        f"{clean(objective.name)}: error budget burns {burning:.3g}x too fast over {_span(rule.long_s)} "
        f"(and over {_span(rule.short_s)}); at this rate a whole budget lasts {_span(left)}"
    )
    return words if seen_part >= WHOLE else f"{words}; only {seen_part:.0%} of {_span(rule.long_s)} was seen"


def _span(seconds: float) -> str:
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"
