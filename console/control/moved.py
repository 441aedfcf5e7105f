"""How far a lasting step has come, in words."""

from collections.abc import Mapping

from console.domain.actions import Progress, Verb
from console.domain.durations import words_of
from console.domain.text import clean

_MOVED: Mapping[Verb, str] = {
    Verb.PAUSE: "held",
    Verb.RESUME: "given back",
    Verb.PARK: "parked",
    Verb.REPLAY: "replayed",
    Verb.FINISH: "finished",
    Verb.REQUEUE: "requeued",
    Verb.ISOLATE: "set aside",
    Verb.PURGE: "written and taken away",
    Verb.RESTORE: "put back",
}


def so_far(verb: Verb, progress: Progress) -> str:
    """`34,211 of 100,000 parked, 6,200/s, 11 s left; a worker takes messages too`."""
    words = _counted(verb, progress)
    if progress.per_s:
        words += f", {progress.per_s:,.0f}/s"
    if progress.left_s is not None:
        words += f", {words_of(progress.left_s)} left"
    return f"{words}; {clean(progress.words)}" if progress.words else words


def in_the_end(verb: Verb, progress: Progress) -> str:
    """`34,211 of 100,000 parked, 65,789 left`."""
    words = _counted(verb, progress)
    if progress.total is not None:
        words += f", {max(0, progress.total - progress.done):,} left"
    return f"{words}; {clean(progress.words)}" if progress.words else words


def _counted(verb: Verb, progress: Progress) -> str:
    whole = "" if progress.total is None else f" of {progress.total:,}"
    return f"{progress.done:,}{whole} {_MOVED.get(verb, 'done')}"
