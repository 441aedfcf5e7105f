"""A conversation, put together from a line for each request and the marks of its spans: no span tree is read. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from console.domain.conversations import Conversation, ConversationQuery, Divergence, Mark, MarkKind, Turn
from console.domain.readings import Request

ENTRIES_MOST = 32
"""Services, snapshots, prompts or touches of memory that one turn shows."""


def conversation(
    query: ConversationQuery,
    requests: Sequence[Request],
    marks: Iterable[Mark],
    found: Iterable[Divergence],
    notes: tuple[str, ...] = (),
) -> Conversation:
    """The newest requests of a conversation, oldest first, with what its marks say of each.

    Args:
        query: which conversation, and how many of its requests.
        requests: all that are known of it, in any order.
        marks: of these requests; others are left out.
        found: disagreements; those that this conversation has no part in are left out.
        notes: what this backend does not record.
    """
    ordered = sorted(requests, key=lambda request: (request.started_at, request.trace_id))
    kept = ordered[max(0, len(ordered) - query.limit) :]
    of_request: dict[str, list[Mark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda mark: (mark.at, mark.span_id)):
        of_request[mark.trace_id].append(mark)
    own = tuple(one for one in found if query.conversation in (one.conversation, one.against.conversation))
    first: dict[str, str] = {}
    for one in own:
        first.setdefault(one.first.trace_id, one.first.span_id)
    return Conversation(
        source=query.source,
        conversation=query.conversation,
        turns=tuple(_turn(one, of_request[one.trace_id], first.get(one.trace_id, "")) for one in kept),
        divergences=own,
        cut=len(ordered) - len(kept),
        notes=notes,
    )


def _turn(request: Request, marks: Sequence[Mark], first_difference: str) -> Turn:
    began = [mark for mark in marks if mark.kind is MarkKind.SERVICE] or marks
    services = [mark.service for mark in began] or [request.service]
    return Turn(
        request=request,
        services=_few(service for service in services if service),
        snapshots=_snapshots([mark for mark in marks if mark.kind is MarkKind.RETRIEVAL and mark.version]),
        prompts=_few(_at(mark.key, mark.version) for mark in marks if mark.kind is MarkKind.PROMPT),
        memory=_few(
            f"{mark.op} {_at(mark.key, mark.version)}".strip() for mark in marks if mark.kind is MarkKind.MEMORY
        ),
        first_difference=first_difference,
    )


def _snapshots(reads: Sequence[Mark]) -> tuple[str, ...]:
    """`source@version`, with the service before it where services differ on that source."""
    versions: dict[str, set[str]] = defaultdict(set)
    services: dict[str, set[str]] = defaultdict(set)
    for mark in reads:
        versions[mark.source].add(mark.version)
        services[mark.source].add(mark.service)
    split = {source for source in versions if len(versions[source]) > 1 and len(services[source]) > 1}
    return _few(
        f"{mark.service}: {_at(mark.source, mark.version)}" if mark.source in split else _at(mark.source, mark.version)
        for mark in reads
    )


def _at(name: str, version: str) -> str:
    return f"{name}@{version}" if version else name


def _few(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text once, in its order; the last says how many more there are where there are too many."""
    known = list(dict.fromkeys(texts))
    if len(known) > ENTRIES_MOST:
        known[ENTRIES_MOST - 1 :] = [f"and {len(known) - ENTRIES_MOST + 1} more"]
    return tuple(known)
