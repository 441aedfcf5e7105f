"""Whether a request is one that a query asks for: the one rule for every store that cannot be asked itself."""

from collections.abc import Iterable, Sequence

from console.domain.lanes import lane_values
from console.domain.readings import Request
from console.domain.spans import LaneFilter, RequestQuery, Span


def asked_for(request: Request, spans: Sequence[Span], query: RequestQuery) -> bool:
    """Whether everything holds that `query` says, apart from its source and its limit.

    Args:
        request: in a line.
        spans: all of it, with their facts; looked at only where a lane is asked for.
        query: what is asked for.
    """
    return _row_is(request, query) and all(_in_lane(one, spans) for one in query.lanes)


def _row_is(request: Request, query: RequestQuery) -> bool:
    return all(
        (
            query.before is None or request.started_at < query.before,
            not query.failed or request.failed,
            not query.good or (request.status != "" and not request.failed),
            not query.name or request.name == query.name,
            not query.service or request.service == query.service,
            not query.conversation or request.conversation == query.conversation,
            query.min_duration_s is None or (request.duration_s or 0.0) >= query.min_duration_s,
        )
    )


def _in_lane(wanted: LaneFilter, spans: Iterable[Span]) -> bool:
    return any(
        one.lane is wanted.lane
        and (not wanted.value or one.value == wanted.value)
        and (wanted.at_least is None or (one.measure is not None and one.measure >= wanted.at_least))
        for span in spans
        for one in lane_values(span)
    )
