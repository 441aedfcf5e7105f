"""Which routes' work waits in a queue, as the config says."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache

from console.domain.refs import Kind, Ref


def feeds_of(feeds: Mapping[str, Sequence[str]], source: str) -> Callable[[str], tuple[str, ...]]:
    """For the queues of one source: from a queue's name to the references of its routes, in the config's order."""

    @cache
    def routes(queue: str) -> tuple[str, ...]:
        ref = str(Ref(source, Kind.QUEUE, queue))
        return tuple(dict.fromkeys(route for glob, found in feeds.items() if fnmatchcase(ref, glob) for route in found))

    return routes
