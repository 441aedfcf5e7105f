"""Which snapshots each service has been through, in any conversation: what tells a hand-over from a disagreement."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from math import inf
from operator import attrgetter

import msgspec

from console.domain.conversations import Mark

SETTLES_S = 2.0
"""A new index does not reach everybody at one moment: who read the old one so shortly afterwards had begun before."""
WITNESSES_MOST = 64
"""Services of one source that are asked what followed what."""


@dataclass(slots=True)
class _Run:
    """A stretch of reads of one snapshot by one service."""

    version: str
    begin: float
    end: float
    """When it was read first and last in this stretch."""


class _Course:
    """One service's stretches, by time."""

    __slots__ = ("begins", "first", "left", "runs")

    def __init__(self) -> None:
        self.runs: list[_Run] = []
        self.begins: list[float] = []
        self.first: dict[str, float] = {}
        """When it read each snapshot for the first time."""
        self.left: dict[str, list[float]] = defaultdict(list)
        """When it first read something else after each stretch of reading a snapshot."""

    def turn(self, version: str, at: float) -> None:
        """A new stretch begins."""
        if self.runs:
            self.left[self.runs[-1].version].append(at)
        self.runs.append(_Run(version, at, at))
        self.begins.append(at)
        self.first.setdefault(version, at)

    def left_by(self, version: str, at: float) -> float | None:
        """When it last left a snapshot, up to `at`; None where it had not been there."""
        times = self.left.get(version, ())
        place = bisect_right(times, at)
        return times[place - 1] if place else None

    def place_at(self, at: float) -> int:
        """Which stretch it was in at that time; -1 before the first."""
        return bisect_right(self.begins, at) - 1


class Courses:
    """The courses of all services through the snapshots of one source."""

    def __init__(self, reads: Iterable[Mark], window_s: float) -> None:
        self._window_s = window_s
        self._reads = sorted(reads, key=attrgetter("at"))
        self._courses: dict[str, _Course] = {}
        self._first: dict[str, float] = {}
        """When each snapshot was first read by anybody."""
        self._by_snapshot: dict[tuple[str, str], list[Mark]] = {}
        """The reads of each service and snapshot; made when somebody asks for the first of them."""
        now: dict[str, _Run] = {}
        for mark in self._reads:
            run = now.get(mark.service)
            if run is not None and run.version == mark.version:
                run.end = mark.at
                continue
            course = self._courses.get(mark.service)
            if course is None:
                course = self._courses[mark.service] = _Course()
            course.turn(mark.version, mark.at)
            now[mark.service] = course.runs[-1]
            self._first.setdefault(mark.version, mark.at)
        self._witnesses = dict(islice(self._courses.items(), WITNESSES_MOST))

    def handed_over(self, earlier: Mark, later: Mark) -> bool:
        """Whether a new index explains that `later` read another snapshot than another service's `earlier`.

        The later's service had been at the earlier's snapshot, left it no sooner than that was read (but for a
        moment), and had not read its own one before; or it skipped the earlier's. And the earlier's service is not
        seen at the old one afterwards in another conversation. (Where it is in this one, that span is the first that
        differs.) Going back to a snapshot from before is one only if all do.
        """
        course = self._courses[later.service]
        left = course.left_by(earlier.version, later.at)
        if left is None:
            return self._skipped(earlier, later) and not self._stayed(earlier, later)
        if left < earlier.at - SETTLES_S:
            return False
        if course.first[later.version] < earlier.at - SETTLES_S:
            return self._all_went_back(earlier, later)
        return not self._stayed(earlier, later)

    def _all_went_back(self, earlier: Mark, later: Mark) -> bool:
        """Whether others are at a snapshot from before, too, and nobody reads the one that was left any more."""
        until = later.at + self._window_s
        since = self._first[earlier.version]
        followed = False
        for service, course in self._witnesses.items():
            for run in course.runs[max(0, course.place_at(later.at)) :]:
                if run.begin > until:
                    break
                if run.version == earlier.version and run.end > later.at:
                    return False
                if run.version == later.version and run.end > since and service != later.service:
                    followed = True
        return followed

    def _skipped(self, earlier: Mark, later: Mark) -> bool:
        """Whether a service that is seldom asked went past a snapshot that others went through to the same end."""
        old, new = earlier.version, later.version
        course, since = self._courses[later.service], self._first[old]
        place = bisect_left(course.begins, since)
        if place == 0 or self._first[new] < since:
            return False
        while self._first[course.runs[place].version] < since:
            place += 1
        if course.begins[place] < earlier.at:
            return False
        until = later.at + self._window_s
        return self._since_moved(earlier, later) or any(
            (left := witness.left_by(old, until)) is not None
            and left >= earlier.at
            and left <= witness.first.get(new, inf) <= until
            for witness in self._witnesses.values()
        )

    def _since_moved(self, earlier: Mark, later: Mark) -> bool:
        """Whether the earlier's service has itself moved on elsewhere, to where the later's came from or is."""
        course = self._courses[earlier.service]
        now = course.runs[course.place_at(later.at)]
        if self._first[now.version] <= self._first[earlier.version]:
            return False
        if now.version == later.version:
            return True
        seen = msgspec.structs.replace(earlier, version=now.version, at=min(now.end, later.at))
        return self.handed_over(seen, later)

    def _stayed(self, earlier: Mark, later: Mark) -> bool:
        """Whether the earlier's service reads the old snapshot next, for another conversation."""
        course, until = self._courses[earlier.service], later.at + self._window_s
        settled = later.at + SETTLES_S
        for run in course.runs[course.place_at(later.at) :]:
            if run.version == later.version or run.begin > until:
                return False
            if run.version == earlier.version and run.end > settled:
                return self._next(earlier, settled, until) not in (None, later.conversation)
        return False

    def _next(self, old: Mark, at: float, until: float) -> str | None:
        """The conversation for which a service reads a snapshot next after `at`; None where it does not in time."""
        if not self._by_snapshot:
            for mark in self._reads:
                self._by_snapshot.setdefault((mark.service, mark.version), []).append(mark)
        reads = self._by_snapshot[old.service, old.version]
        place = bisect_right(reads, at, key=attrgetter("at"))
        return reads[place].conversation if place < len(reads) and reads[place].at <= until else None
