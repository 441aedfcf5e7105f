"""Memory that somebody outside a conversation wrote between two of its touches."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from console.domain.conversations import Divergence, DivergenceKind, Mark
from console.traces.split_touches import Touch
from console.traces.split_words import foreign, jumped

GAP_MOST = 1000
"""Versions between two touches that are looked at one by one; who jumps further does not count."""
JUMPS_BELIEVED = 4
"""A store whose versions jumped more often than this, and more often than they went up by one, does not count."""


def foreign_writes(lives: Sequence[Sequence[Touch]]) -> list[Divergence]:
    """Every foreign write into the keys of one store, each told once for each conversation that met it.

    That keys are handed from one conversation to the next is none: a conversation has to touch the key before and
    after. Where versions are counted, one that no span wrote was somebody's too, if this store counts by one.
    """
    counts = _counts_by_one(lives)
    return [found for life in lives for found in _in_life(life, counts=counts)]


def _counts_by_one(lives: Sequence[Sequence[Touch]]) -> bool:
    steps = jumps = 0
    for life in lives:
        numbers = sorted({touch.number for touch in life if touch.writes and touch.number is not None})
        ups = [later - earlier for earlier, later in pairwise(numbers)]
        steps += ups.count(1)
        jumps += len(ups) - ups.count(1)
    return jumps <= max(JUMPS_BELIEVED, steps)


def _in_life(life: Sequence[Touch], *, counts: bool) -> Iterator[Divergence]:
    writers = {touch.name: touch for touch in reversed(life) if touch.writes}
    last: dict[str, Touch] = {}
    """By conversation: the touch that showed its newest version."""
    newest: Touch | None = None
    """Of the writes so far, the one that ended last."""
    told: set[tuple[str, str]] = set()
    for touch in life:
        conversation = touch.mark.conversation
        before = last.get(conversation) if conversation else None
        if before is not None and before.mark.version != touch.mark.version:
            found = _between(before, touch, writers, newest, counts=counts)
            if found is not None and (identity := (conversation, found.against.span_id)) not in told:
                told.add(identity)
                yield found
        if before is None or before.number is None or touch.number is None or touch.number >= before.number:
            last[conversation] = touch
        if touch.writes and (newest is None or touch.ended_at >= newest.ended_at):
            newest = touch


def _between(
    before: Touch, touch: Touch, writers: dict[int | str, Touch], newest: Touch | None, *, counts: bool
) -> Divergence | None:
    """What somebody else wrote between two touches of a conversation that differ; None where nobody did."""
    if before.number is None or touch.number is None:
        return _named_between(before, touch, writers, newest)
    end = touch.number if touch.writes else touch.number + 1
    if end - before.number > GAP_MOST:
        writer = writers.get(touch.name)
        return _told(touch.mark, writer.mark) if _outside(writer, touch) and writer else None
    missing: int | None = None
    for version in range(before.number + 1, end):
        writer = writers.get(version)
        if writer is None:
            missing = version if missing is None else missing
        elif _outside(writer, touch):
            return _told(touch.mark, writer.mark)
    return _unwritten(touch.mark, before.mark, missing) if missing is not None and counts else None


def _named_between(
    before: Touch, touch: Touch, writers: dict[int | str, Touch], newest: Touch | None
) -> Divergence | None:
    """The same for versions that are no numbers: who made the one that was found, or that was written upon."""
    writer = newest if touch.writes else writers.get(touch.name)
    if writer is None or not _outside(writer, touch) or writer.mark.at <= before.mark.at:
        return None
    if touch.writes and writer.ended_at >= touch.mark.at:
        return None
    return _told(touch.mark, writer.mark)


def _outside(writer: Touch | None, touch: Touch) -> bool:
    """Whether a write is known to be another conversation's."""
    return writer is not None and writer.mark.conversation not in ("", touch.mark.conversation)


def _told(first: Mark, write: Mark) -> Divergence:
    return _divergence(first, write, foreign(first, write))


def _unwritten(first: Mark, before: Mark, missing: int) -> Divergence:
    return _divergence(first, before, jumped(first, before, missing))


def _divergence(first: Mark, against: Mark, words: str) -> Divergence:
    return Divergence(
        kind=DivergenceKind.FOREIGN_WRITE,
        conversation=first.conversation,
        about=first.key,
        first=first,
        against=against,
        services=tuple(dict.fromkeys((against.service, first.service))),
        versions=tuple(dict.fromkeys((against.version, first.version))),
        last_at=first.at,
        words=words,
    )
