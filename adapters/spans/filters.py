"""Whether a request is one that was asked for. Pure."""

from collections.abc import Iterable, Sequence

from adapters.spans.row import RequestRow
from console.domain.lanes import lane_values
from console.domain.spans import LaneFilter, RequestQuery, Span


def matches(row: RequestRow, spans: Sequence[Span], query: RequestQuery) -> bool:
    """Whether everything holds that `query` says; the spans are all of the request, their facts filled."""
    return _row_matches(row, query) and all(_in_lane(one, spans) for one in query.lanes)


def _row_matches(row: RequestRow, query: RequestQuery) -> bool:
    wanted = (
        (query.before is None or row.start_us < round(query.before * 1e6)),
        (not query.failed or bool(row.failed)),
        (not query.good or bool(row.rooted and not row.failed)),
        (not query.name or row.name == query.name),
        (not query.service or row.service == query.service),
        (not query.conversation or row.conversation == query.conversation),
        (query.min_duration_s is None or (row.duration_us or 0) >= round(query.min_duration_s * 1e6)),
    )
    return all(wanted)


def _in_lane(wanted: LaneFilter, spans: Iterable[Span]) -> bool:
    return any(
        one.lane is wanted.lane
        and (not wanted.value or one.value == wanted.value)
        and (wanted.at_least is None or (one.measure is not None and one.measure >= wanted.at_least))
        for span in spans
        for one in lane_values(span)
    )
