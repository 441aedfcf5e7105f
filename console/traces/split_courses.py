"""Which snapshots each service has been through, in any conversation: what tells a hand-over from a disagreement."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from math import inf

from console.domain.conversations import Mark

WITNESSES_MOST = 64
"""Services of one source that are asked what followed what."""


class _Course:
    """One service's reads of one source, by time."""

    __slots__ = ("first", "left", "reads", "times")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.reads: list[Mark] = []
        self.first: dict[str, float] = {}
        """When it read each snapshot for the first time."""
        self.left: dict[str, list[float]] = defaultdict(list)
        """When it first read something else after each stretch of reading a snapshot."""

    def left_by(self, version: str, at: float) -> float | None:
        """When it last left a snapshot, up to `at`; None where it had not been there."""
        times = self.left.get(version, ())
        place = bisect_right(times, at)
        return times[place - 1] if place else None


class Courses:
    """The courses of all services, from all reads by time."""

    def __init__(self, reads: Sequence[Mark], window_s: float) -> None:
        self._window_s = window_s
        self._courses: dict[tuple[str, str], _Course] = defaultdict(_Course)
        self._first: dict[tuple[str, str], float] = {}
        """When each snapshot of each source was first read by anybody."""
        self._of_source: dict[str, dict[str, _Course]] = defaultdict(dict)
        """The courses of the first `WITNESSES_MOST` services of each source."""
        for mark in reads:
            course = self._courses[mark.service, mark.source]
            if not course.reads:
                witnesses = self._of_source[mark.source]
                if len(witnesses) < WITNESSES_MOST:
                    witnesses[mark.service] = course
            elif (before := course.reads[-1].version) != mark.version:
                course.left[before].append(mark.at)
            course.times.append(mark.at)
            course.reads.append(mark)
            course.first.setdefault(mark.version, mark.at)
            self._first.setdefault((mark.source, mark.version), mark.at)

    def handed_over(self, earlier: Mark, later: Mark) -> bool:
        """Whether a new index explains that `later` read another snapshot than another service's `earlier`.

        The later's service had been at the earlier's snapshot and left it no sooner than that was read, or it skipped
        it; and the earlier's service is not seen at the old one afterwards in another conversation. (Where it is in
        this one, that span is the first that differs.)
        """
        course = self._courses[later.service, later.source]
        left = course.left_by(earlier.version, later.at)
        moved = earlier.at <= left if left is not None else self._skipped(course, earlier, later)
        return moved and not self._stayed(earlier, later)

    def _skipped(self, course: _Course, earlier: Mark, later: Mark) -> bool:
        """Whether a service that is seldom asked went past a snapshot that others went through to the same end."""
        source, old, new = later.source, earlier.version, later.version
        since = self._first[source, old]
        place = bisect_left(course.times, since)
        if place == 0 or self._first[source, new] < since:
            return False
        while self._first[source, course.reads[place].version] < since:
            place += 1
        if course.times[place] < earlier.at:
            return False
        until = later.at + self._window_s
        return self._since_moved(earlier, later) or any(
            (left := witness.left_by(old, until)) is not None
            and left >= earlier.at
            and left <= witness.first.get(new, inf) <= until
            for witness in self._of_source[source].values()
        )

    def _since_moved(self, earlier: Mark, later: Mark) -> bool:
        """Whether the earlier's service has itself moved on elsewhere, to where the later's came from or is."""
        course = self._courses[earlier.service, earlier.source]
        now = course.reads[bisect_right(course.times, later.at) - 1]
        first = self._first
        if first[now.source, now.version] <= first[now.source, earlier.version]:
            return False
        return now.version == later.version or self.handed_over(now, later)

    def _stayed(self, earlier: Mark, later: Mark) -> bool:
        """Whether the earlier's service reads the old snapshot next, for another conversation."""
        course = self._courses[earlier.service, earlier.source]
        for place in range(bisect_right(course.times, later.at), len(course.times)):
            mark = course.reads[place]
            if mark.at > later.at + self._window_s or mark.version == later.version:
                return False
            if mark.version == earlier.version:
                return mark.conversation != later.conversation
        return False
