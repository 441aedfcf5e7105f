"""From an action to the recorded model call that it names: the trace stores of an environment, asked by control."""

from collections.abc import Mapping

from console.control.planner import Recordings, nothing_recorded
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import Traces
from console.domain.reissues import RecordedCall
from console.domain.text import clean
from console.domain.verbs import Reissue
from console.traces.recorded import recorded_call


def recordings_of(stores: Mapping[str, Traces]) -> Recordings:
    """What finds a recorded call in these trace stores, by their sources' names."""

    async def find(action: Reissue) -> RecordedCall:
        store = stores.get(action.source)
        if store is None:
            return await nothing_recorded(action)
        trace = await store.trace(action.trace_id)
        span = next((one for one in trace.spans if one.span_id == action.span_id), None)
        if span is None:
            raise BackendError(
                ErrorKind.UNSUPPORTED, f"request {clean(action.trace_id, 40)} has no span {clean(action.span_id, 20)}"
            )
        call = recorded_call(trace.trace_id, span)
        if call is None:
            raise BackendError(
                ErrorKind.UNSUPPORTED,
                "not replayable: content not recorded",
                way_out="have the application record messages (docs/backends/conventions.md)",
            )
        return call

    return find
