"""Marks for tests of disagreements, as short as they can be."""

from itertools import count

from console.domain.conversations import Mark, MarkKind

_numbers = count(1)


def read(
    at: float, service: str, version: str, *, talk: str = "c", trace: str = "", source: str = "kb", span: str = ""
) -> Mark:
    """A retrieval of 0.2 s; a request of its own unless `trace` names one."""
    number = next(_numbers)
    return Mark(
        trace_id=trace or f"t{number}",
        span_id=span or f"r{number:08}",
        at=at,
        ended_at=at + 0.2,
        service=service,
        conversation=talk,
        kind=MarkKind.RETRIEVAL,
        source=source,
        version=version,
    )


def touch(
    at: float,
    op: str,
    version: str,
    *,
    talk: str = "c",
    service: str = "web",
    key: str = "k",
    trace: str = "",
    store: str = "",
    lasts: float = 0.2,
) -> Mark:
    """Memory read or written."""
    number = next(_numbers)
    return Mark(
        trace_id=trace or f"t{number}",
        span_id=f"m{number:08}",
        at=at,
        ended_at=at + lasts,
        service=service,
        conversation=talk,
        kind=MarkKind.MEMORY,
        source=store,
        key=key,
        op=op,
        version=version,
    )
