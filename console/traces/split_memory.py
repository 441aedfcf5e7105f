"""Memory writes that were lost, and writes from outside a conversation, for each key of each store."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

from console.domain.conversations import Divergence, DivergenceKind, Mark, MarkKind
from console.traces.split_foreign import foreign_writes
from console.traces.split_touches import Touch
from console.traces.split_words import collided, lost


def memory_splits(marks: Sequence[Mark]) -> list[Divergence]:
    """Every lost and every foreign write, told at its first span; see `split.divergences`.

    A key is one thing for every conversation that uses it, until two of them create it one after the other: then it is
    a name that each conversation has for something of its own.
    """
    keys: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    memory = MarkKind.MEMORY
    for mark in marks:
        if mark.kind is memory and mark.key and (mark.version or mark.op == "delete"):
            keys[mark.source, mark.key].append(mark)
    stores: dict[str, list[list[Touch]]] = defaultdict(list)
    for (store, _), touched in keys.items():
        if len(touched) > 1:
            unique = {(mark.trace_id, mark.span_id): mark for mark in touched}
            ordered = [Touch.of(mark) for mark in sorted(unique.values(), key=lambda mark: (mark.at, mark.span_id))]
            stores[store] += [life for scope in _scopes(ordered) for life in _lives(scope)]
    found: list[Divergence] = []
    for lives in stores.values():
        for life in lives:
            found += _lost_writes(life)
        found += foreign_writes(lives)
    return found


def _scopes(touched: list[Touch]) -> list[list[Touch]]:
    """The touches of a key as one scope, or one for each conversation that has something of its own by that name."""
    created: dict[str, Touch] = {}
    for touch in touched:
        if touch.mark.op == "delete":
            return [touched]
        if touch.mark.op == "create" and touch.mark.conversation:
            created.setdefault(touch.mark.conversation, touch)
    ordered = list(created.values())
    if not any(one.ended_at < other.mark.at for one, other in pairwise(ordered)):
        return [touched]
    scopes: dict[str, list[Touch]] = defaultdict(list)
    for touch in touched:
        scopes[touch.mark.conversation].append(touch)
    return list(scopes.values())


def _lives(touched: list[Touch]) -> Iterator[list[Touch]]:
    """The touches between one delete and the next. What went on beside a delete belongs to no life."""
    life: list[Touch] = []
    gone_until = float("-inf")
    for touch in touched:
        if touch.mark.op == "delete":
            yield [one for one in life if one.ended_at < touch.mark.at]
            life = []
            gone_until = max(gone_until, touch.ended_at)
        elif touch.mark.at > gone_until:
            life.append(touch)
    yield life


@dataclass(slots=True)
class _Loss:
    """A write that was lost, while it is seen again and again."""

    first: Mark
    write: Mark
    words: str
    last_at: float

    def told(self) -> Divergence:
        """As it is shown."""
        return Divergence(
            kind=DivergenceKind.LOST_WRITE,
            conversation=self.first.conversation,
            about=self.first.key,
            first=self.first,
            against=self.write,
            services=tuple(dict.fromkeys((self.write.service, self.first.service))),
            versions=tuple(dict.fromkeys((self.write.version, self.first.version))),
            last_at=self.last_at,
            words=self.words,
        )


def _lost_writes(life: Sequence[Touch]) -> list[Divergence]:
    """Writes that a later touch did not find, and writes that made a version that another had made."""
    losses: dict[str, _Loss] = {}
    written: dict[int | str, Touch] = {}
    known: dict[str, float] = {}
    pending: list[tuple[float, int, Touch]] = []
    newest: Touch | None = None
    """The write that has ended and that whatever begins now has to find."""
    for order, touch in enumerate(life):
        while pending and pending[0][0] < touch.mark.at:
            done = heappop(pending)[2]
            newest = done if newest is None or _replaces(done, newest) else newest
        twin = written.get(touch.name) if touch.writes else None
        if twin is not None and not _same_write(twin, touch):
            _lose(losses, twin.mark, touch.mark, collided(touch.mark, twin.mark))
        elif newest is not None and _older(touch, newest, known):
            _lose(losses, newest.mark, touch.mark, lost(touch.mark, newest.mark))
        if touch.writes:
            written.setdefault(touch.name, touch)
            heappush(pending, (touch.ended_at, order, touch))
        known[touch.mark.version] = min(touch.ended_at, known.get(touch.mark.version, touch.ended_at))
    return [loss.told() for loss in losses.values()]


def _lose(losses: dict[str, _Loss], write: Mark, seen: Mark, words: str) -> None:
    loss = losses.setdefault(write.span_id, _Loss(seen, write, words, seen.at))
    loss.last_at = max(loss.last_at, seen.at)


def _replaces(done: Touch, newest: Touch) -> bool:
    """Whether a write that has ended is newer than the newest before: by number, else it ended later."""
    if done.number is not None and newest.number is not None:
        return done.number > newest.number
    return True


def _older(touch: Touch, newest: Touch, known: dict[str, float]) -> bool:
    """Whether a touch shows a version from before a write that had ended."""
    if touch.number is not None and newest.number is not None:
        return touch.number < newest.number
    version = touch.mark.version
    return version != newest.mark.version and known.get(version, float("inf")) < newest.mark.at


def _same_write(one: Touch, other: Touch) -> bool:
    """Whether two spans tell of one write: the caller's, and inside it the store's own."""
    if one.mark.trace_id != other.mark.trace_id or (one.mark.at, one.ended_at) == (other.mark.at, other.ended_at):
        return False
    inside = one.mark.at <= other.mark.at and other.ended_at <= one.ended_at
    return inside or (other.mark.at <= one.mark.at and one.ended_at <= other.ended_at)
