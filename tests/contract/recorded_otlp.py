"""The trace store on the contract suite's bench: what a real SDK sent, kept by the collector's own writer."""

import base64
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from adapters.otel import Aliases, Limits, from_protobuf
from adapters.otlp import SPEC, OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from adapters.otlp.keeping import Keeper
from adapters.otlp.lock import CollectorLock
from adapters.otlp.retention import Retention, Upkeep
from adapters.otlp.schema import connect
from adapters.spans.row import by_trace
from console.domain.actions import Plan
from console.domain.ports import AdapterContext, Traces
from console.domain.readings import Request, Service
from console.engine.clock import ManualClock
from tests.contract.bench import Bench, Subject
from tests.contract.hostile import NAMES

RECORDING = Path(__file__).parent / "recordings" / "opentelemetry-sdk-1.45.2" / "shop.json"


@cache
def _recording() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDING.read_text())
    return found


def recorded_at() -> float:
    """Unix seconds when the SDK had sent everything."""
    return float(_recording()["recorded_at"])


def bodies() -> list[bytes]:
    """Every body that the SDK sent, in order."""
    return [base64.b64decode(body) for body in _recording()["bodies"]]


class RecordedTraces:
    """A store in a folder of its own, with a collector that has it open until it is lost."""

    source = "traces"

    def __init__(self, folder: Path, sent: Iterable[bytes], options: Mapping[str, Any]) -> None:
        self.clock = ManualClock(recorded_at() + 1.0)
        self.path = folder / "spans.sqlite"
        self._lock = CollectorLock(self.path)
        self._lock.__enter__()
        self._connection = connect(self.path)
        keeper = Keeper(self._connection)
        Upkeep(self._connection, Retention(7 * 86400.0, 2**30))
        for body in sent:
            arrivals = from_protobuf(body, Aliases.of(), Limits()).arrivals
            keeper.write(by_trace(arrivals), int(recorded_at() * 1e9))
        settings = OtlpOptions(file=str(self.path), **options)
        self.adapter = OtlpAdapter(AdapterContext(self.source, self.clock, lambda reference: reference, 4.0, settings))

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        """The collector ends."""
        self._lock.__exit__(None, None, None)

    async def disturb(self, plan: Plan) -> None:
        raise NotImplementedError("nothing is planned here")

    def close(self) -> None:
        """Give the file back."""
        self._lock.__exit__(None, None, None)
        self._connection.close()


@asynccontextmanager
async def opened(sent: Iterable[bytes] | None = None, **options: Any) -> AsyncIterator[RecordedTraces]:
    """The adapter on what the SDK sent, or on other bodies."""
    with tempfile.TemporaryDirectory() as folder:
        bench = RecordedTraces(Path(folder), bodies() if sent is None else sent, options)
        try:
            yield bench
        finally:
            await bench.adapter.close()
            bench.close()


def _open(sent: Callable[[], Iterable[bytes]]) -> Any:
    @asynccontextmanager
    async def opening() -> AsyncIterator[Bench]:
        async with opened(sent()) as bench:
            yield bench  # type: ignore[misc]  # a bench for what only observes has no verbs

    return opening


def _hostile() -> Iterable[bytes]:
    """Every text of the recording replaced by a hostile one, the same one each time."""
    renamed: dict[str, str] = {}

    def other(text: str) -> str:
        return renamed.setdefault(text, NAMES[len(renamed) % len(NAMES)])

    for body in bodies():
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            for pair in group.resource.attributes:
                pair.value.string_value = other(pair.value.string_value)
            for span in (span for scope in group.scope_spans for span in scope.spans):
                span.name = other(span.name)
                span.status.message = other(span.status.message)
                for pair in span.attributes:
                    if pair.value.HasField("string_value"):
                        pair.value.string_value = other(pair.value.string_value)
        yield request.SerializeToString()


OTLP_RECORDED = Subject(
    "otlp-recorded",
    SPEC,
    _open(bodies),
    acts=False,
    hostile=_open(_hostile),
    ports=(Traces,),
    shows=(Request, Service),
)
