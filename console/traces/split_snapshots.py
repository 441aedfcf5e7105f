"""Two services that answered one conversation from different retrieval snapshots."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.domain.conversations import Divergence, DivergenceKind, Mark, MarkKind
from console.traces.split_courses import Courses
from console.traces.split_words import snapshots

SERVICES_MOST = 64
"""Services of one conversation that are held against each other: those that answered last."""
NAMED_MOST = 8
"""Services and versions that one divergence names."""

_Talk = tuple[str, str, str]
"""Conversation, source and, where no conversation is known, the request."""


def snapshot_splits(marks: Sequence[Mark], window_s: float) -> list[Divergence]:
    """Every split of snapshots, told at its first span; see `split.divergences`.

    Within one request any two services that read different snapshots of a source disagree. In a conversation a service
    disagrees with what another one read last, at most `window_s` seconds before, unless it was a clean hand-over (see
    `Courses.handed_over`). What happened at the same moment is in no order.
    """
    talks: dict[_Talk, list[Mark]] = {}
    for mark in marks:
        if mark.kind is MarkKind.RETRIEVAL and mark.version and mark.service:
            key = _talk_of(mark)
            known = talks.get(key)
            if known is None:
                talks[key] = [mark]
            else:
                known.append(mark)
    suspects = {key for key, known in talks.items() if len(known) > 1 and _mixed(known)}
    if not suspects:
        return []
    sources = {key[1] for key in suspects}
    reads = {
        (mark.trace_id, mark.span_id, mark.source): mark
        for key, known in talks.items()
        if key[1] in sources
        for mark in known
    }
    return list(_walk(sorted(reads.values(), key=lambda mark: (mark.at, mark.span_id)), suspects, window_s))


def _talk_of(mark: Mark) -> _Talk:
    return (mark.conversation, mark.source, "") if mark.conversation else ("", mark.source, mark.trace_id)


def _mixed(marks: Sequence[Mark]) -> bool:
    """Whether more than one service read, and more than one version."""
    service, version = marks[0].service, marks[0].version
    return any(mark.version != version for mark in marks) and any(mark.service != service for mark in marks)


def _walk(reads: Sequence[Mark], suspects: set[_Talk], window_s: float) -> Iterator[Divergence]:
    courses = Courses(reads, window_s)
    judged = {key: _Judge(courses, window_s) for key in suspects}
    for mark in reads:
        if judge := judged.get(_talk_of(mark)):
            judge.read(mark)
    for judge in judged.values():
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
        self._latest: OrderedDict[str, Mark] = OrderedDict()
        """By service, the one that read last at the end."""
        self._requests: dict[str, dict[tuple[str, str], Mark]] = {}
        """By request: the first read of each service and version."""
        self._open: dict[tuple[str, ...], _Split] = {}
        """What is told already, by its pair of versions; empty again when all agree."""
        self._settled: dict[tuple[str, str, str], _Split] = {}
        """What was told of a single request, which stays as it was."""

    def read(self, mark: Mark) -> None:
        """One more read, in the order of time."""
        within = self._requests.setdefault(mark.trace_id, {})
        split: _Split | None = None
        for against in within.values():
            if against.service != mark.service and against.version != mark.version:
                split = self._tell(mark, against, split, within_request=True)
        for against in reversed(self._latest.values()):
            if mark.at - against.at > self._window_s:
                break
            if self._differs(mark, against):
                split = self._tell(mark, against, split)
        self._latest[mark.service] = mark
        self._latest.move_to_end(mark.service)
        if len(self._latest) > SERVICES_MOST:
            self._latest.popitem(last=False)
        if len(within) < SERVICES_MOST:
            within.setdefault((mark.service, mark.version), mark)
        if self._open and self._agree(mark):
            self._open.clear()

    def _differs(self, mark: Mark, against: Mark) -> bool:
        if against.service == mark.service or against.version == mark.version or against.trace_id == mark.trace_id:
            return False
        if self._courses.handed_over(against, mark):
            return False
        return against.at < mark.at or not self._courses.handed_over(mark, against)

    def _tell(self, mark: Mark, against: Mark, split: _Split | None, *, within_request: bool = False) -> _Split | None:
        """Begin a divergence at this mark, or let the one that holds it already grow."""
        one, other = sorted((mark.version, against.version))
        pair, settled = (one, other), (mark.trace_id, one, other)
        known = self._open.get(pair) or (self._settled.get(settled) if within_request else None) or split
        if known is None:
            known = _Split(mark, against, {}, {}, mark.at)
            self.found.append(known)
        known.grow(mark, against)
        self._open[pair] = known
        if within_request:
            self._settled[settled] = known
        return known if known.first is mark else split

    def _agree(self, mark: Mark) -> bool:
        """Whether every service that read lately reads the same."""
        since = mark.at - self._window_s
        return all(other.version == mark.version for other in self._latest.values() if other.at >= since)
