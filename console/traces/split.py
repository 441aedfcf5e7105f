"""Where the services of a conversation did not answer from the same knowledge: found in marks, nothing else. Pure."""

from collections.abc import Iterable

from console.domain.conversations import Divergence, Mark, MarkKind
from console.traces.split_memory import memory_splits
from console.traces.split_snapshots import snapshot_splits

WINDOW_S = 900.0
"""How long ago another service may have answered, so that the two answers are held against each other."""


def divergences(marks: Iterable[Mark], window_s: float = WINDOW_S) -> tuple[Divergence, ...]:
    """Every disagreement, told at the first span that differs, by time.

    Versions are opaque; only times order those of snapshots. Give it the marks of every conversation: that a service
    moved on is often seen elsewhere. Marks may come in any order, and twice.
    """
    known = marks if isinstance(marks, tuple | list) else tuple(marks)
    found = [*snapshot_splits(known, window_s), *memory_splits(known)]
    return tuple(sorted(found, key=lambda one: (one.first.at, one.first.span_id)))


def unjudged(marks: Iterable[Mark]) -> tuple[str, ...]:
    """Why disagreements may be missed: what the spans do not say, a sentence each."""
    silent = {"snapshot": 0, "service": 0, "version": 0, "key": 0}
    for mark in marks:
        if mark.kind is MarkKind.RETRIEVAL:
            silent["snapshot"] += not mark.version
            silent["service"] += not mark.service
        elif mark.kind is MarkKind.MEMORY and mark.op not in ("delete", "search"):
            silent["version"] += not mark.version
            silent["key"] += not mark.key
    return tuple(_SAID[what].format(count) for what, count in silent.items() if count)


_SAID = {
    "snapshot": "{} retrievals name no snapshot: which knowledge they answered from cannot be judged",
    "service": "{} retrievals name no service: whether two services differ cannot be judged",
    "version": "{} touches of memory name no version: lost and foreign writes cannot be judged",
    "key": "{} touches of memory name no key: lost and foreign writes cannot be judged",
}
