"""Two services that answered one conversation from different retrieval snapshots."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from operator import attrgetter

from console.domain.conversations import Divergence, DivergenceKind, Mark, MarkKind
from console.traces.split_courses import Courses
from console.traces.split_words import snapshots

SERVICES_MOST = 64
"""Services of one conversation that are held against each other: those that answered last."""
NAMED_MOST = 8
"""Services and versions that one divergence names."""

_BY_TIME = attrgetter("at", "span_id")


def snapshot_splits(marks: Sequence[Mark], window_s: float) -> list[Divergence]:
    """Every split of snapshots, told at its first span; see `split.divergences`.

    Within one request any two services that read different snapshots of a source disagree. In a conversation a service
    disagrees with what another one read last, at most `window_s` seconds before, unless it was a clean hand-over (see
    `Courses.handed_over`). What happened at the same moment is in no order.
    """
    found: list[Divergence] = []
    for reads, mixed in _sorted_out(marks):
        talks, alone = _suspects(reads, mixed)
        found += _judged(alone, Courses((), window_s), window_s)
        if talks:
            found += _judged(talks, Courses(reads, window_s), window_s)
    return found


def _sorted_out(marks: Sequence[Mark]) -> Iterable[tuple[list[Mark], set[str]]]:
    """All reads of each source that can be judged, as they came, which is mostly by time; and the conversations (where
    none is known, the requests) that read more than one version of it: most do not, and are looked at no further.
    """
    sources: dict[str, tuple[list[Mark], dict[str, str], set[str]]] = {}
    retrieval, here = MarkKind.RETRIEVAL, None
    for mark in marks:
        version = mark.version
        if not version or mark.kind is not retrieval or not mark.service:
            continue
        if mark.source != here:
            here = mark.source
            reads, versions, mixed = sources.setdefault(here, ([], {}, set()))
        reads.append(mark)
        talk = mark.conversation or mark.trace_id
        if versions.setdefault(talk, version) != version:
            mixed.add(talk)
    return [(reads, mixed) for reads, _, mixed in sources.values()]


def _suspects(reads: Sequence[Mark], mixed: Set[str]) -> tuple[list[list[Mark]], list[list[Mark]]]:
    """The reads of each of these conversations, and of each request without one, that several services answered."""
    talks: dict[str, list[Mark]] = {}
    alone: dict[str, list[Mark]] = {}
    for mark in reads if mixed else ():
        if not (talk := mark.conversation):
            if mark.trace_id in mixed:
                alone.setdefault(mark.trace_id, []).append(mark)
        elif talk in mixed:
            talks.setdefault(talk, []).append(mark)
    return [found for found in talks.values() if _mixed(found)], [found for found in alone.values() if _mixed(found)]


def _mixed(marks: Sequence[Mark]) -> bool:
    """Whether more than one service read, and more than one version."""
    service, version = marks[0].service, marks[0].version
    return any(mark.service != service for mark in marks) and any(mark.version != version for mark in marks)


def _judged(suspects: Iterable[Sequence[Mark]], courses: Courses, window_s: float) -> Iterator[Divergence]:
    for reads in suspects:
        judge = _Judge(courses, window_s)
        judge.read(sorted(reads, key=_BY_TIME))
        yield from (split.told() for split in judge.found)


@dataclass(slots=True)
class _Split:
    """One divergence while it grows."""

    first: Mark
    against: Mark
    services: dict[str, None]
    versions: dict[str, None]
    last_at: float

    def grow(self, mark: Mark, against: Mark) -> None:
        """It was seen again."""
        self.last_at = max(self.last_at, mark.at)
        for one in (against, mark):
            if len(self.services) < NAMED_MOST:
                self.services[one.service] = None
            if len(self.versions) < NAMED_MOST:
                self.versions[one.version] = None

    def told(self) -> Divergence:
        """As it is shown."""
        return Divergence(
            kind=DivergenceKind.SNAPSHOTS,
            conversation=self.first.conversation,
            about=self.first.source,
            first=self.first,
            against=self.against,
            services=tuple(self.services),
            versions=tuple(self.versions),
            last_at=self.last_at,
            words=snapshots(self.first, self.against),
        )


class _Judge:
    """Holds each read of one conversation and source against what other services read last."""

    def __init__(self, courses: Courses, window_s: float) -> None:
        self.found: list[_Split] = []
        self._courses = courses
        self._window_s = window_s
        self._latest: dict[str, Mark] = {}
        """By service; without what was handed over."""
        self._open: dict[tuple[str, str], _Split] = {}
        """What is told already, by its pair of versions; empty again when all agree."""
        self._settled: dict[tuple[str, str, str], _Split] = {}
        """What was told of a single request, which stays as it was."""

    def read(self, marks: Sequence[Mark]) -> None:
        """Judge all reads, given in the order of time."""
        latest, torn = self._latest, _torn(marks)
        common = ""
        """The version that everybody read last; empty while they differ, and at first."""
        before = None
        for mark in marks:
            if before is not None and before.span_id == mark.span_id and before.trace_id == mark.trace_id:
                continue
            before = mark
            within = torn.get(mark.trace_id) if torn else None
            if mark.version != common or within is not None:
                self._judge(mark, () if within is None else within.values())
                if within is not None and len(within) < SERVICES_MOST:
                    within.setdefault((mark.service, mark.version), mark)
            latest[mark.service] = mark
            if mark.version != common:
                common = self._agreed(mark)
                if common:
                    self._open.clear()

    def _judge(self, mark: Mark, within: Iterable[Mark]) -> None:
        """Hold one read against those of its request, and against what others read last."""
        split: _Split | None = None
        for against in within:
            if against.service != mark.service and against.version != mark.version:
                split = self._tell(mark, against, split, within_request=True)
        since = mark.at - self._window_s
        for against in sorted(self._latest.values(), key=_BY_TIME, reverse=True):
            if against.at < since:
                del self._latest[against.service]
            elif (
                against.service != mark.service
                and against.version != mark.version
                and against.trace_id != mark.trace_id
            ):
                if self._differs(mark, against):
                    split = self._tell(mark, against, split)
                elif against.at < mark.at:
                    del self._latest[against.service]
        if len(self._latest) >= SERVICES_MOST:
            del self._latest[min(self._latest.values(), key=_BY_TIME).service]

    def _differs(self, mark: Mark, against: Mark) -> bool:
        if self._courses.handed_over(against, mark):
            return False
        return against.at < mark.at or not self._courses.handed_over(mark, against)

    def _tell(self, mark: Mark, against: Mark, split: _Split | None, *, within_request: bool = False) -> _Split | None:
        """Begin a divergence at this mark, or let the one that holds it already grow."""
        one, other = mark.version, against.version
        pair = (one, other) if one < other else (other, one)
        settled = (mark.trace_id, *pair)
        known = self._open.get(pair) or (self._settled.get(settled) if within_request else None) or split
        if known is None:
            known = _Split(mark, against, {}, {}, mark.at)
            self.found.append(known)
        known.grow(mark, against)
        self._open[pair] = known
        if within_request:
            self._settled[settled] = known
        return known if known.first is mark else split

    def _agreed(self, mark: Mark) -> str:
        """The version that every service that read lately reads; empty when they differ."""
        since = mark.at - self._window_s
        agree = all(other.version == mark.version for other in self._latest.values() if other.at >= since)
        return mark.version if agree else ""


def _torn(marks: Sequence[Mark]) -> dict[str, dict[tuple[str, str], Mark]]:
    """The requests that read more than one snapshot, each with room for the first read of each service and version."""
    versions: dict[str, str] = {}
    return {mark.trace_id: {} for mark in marks if versions.setdefault(mark.trace_id, mark.version) != mark.version}
