"""Which index each service searches and which memory it uses, as its marks say: counted answers do not name them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from console.domain.conversations import Mark, MarkKind


class Knowledge(NamedTuple):
    """What the services of one trace store answer from; of each the one that it touched most."""

    indexes: Mapping[str, str]
    """By service; a service that searched nothing is in none."""
    memories: Mapping[str, str]
    """Likewise."""


NO_KNOWLEDGE = Knowledge({}, {})

Knowing = Callable[[str], Knowledge]
"""From a trace store's name to what its services answer from."""


def knowledge_of(marks: Iterable[Mark]) -> Knowledge:
    """Count the marks of one trace store."""
    counted: dict[MarkKind, dict[str, Counter[str]]] = {MarkKind.RETRIEVAL: {}, MarkKind.MEMORY: {}}
    for mark in marks:
        if mark.source and (services := counted.get(mark.kind)) is not None:
            services.setdefault(mark.service, Counter())[mark.source] += 1
    indexes, memories = (
        {service: names.most_common(1)[0][0] for service, names in services.items()} for services in counted.values()
    )
    return Knowledge(indexes, memories)
