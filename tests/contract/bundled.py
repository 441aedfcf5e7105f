"""Requests out of a file on the contract suite's bench: what a real SDK sent, exported, and a file by an evil hand."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from adapters.bundle import SPEC, BundleOptions
from adapters.bundle.adapter import BundleAdapter
from console.domain.actions import Plan
from console.domain.bundles import Bundle, Shown, encode
from console.domain.ports import AdapterContext, Traces
from console.domain.readings import Request
from console.domain.spans import RequestQuery, Trace
from console.engine.clock import ManualClock
from tests.contract.bench import Bench, Subject
from tests.contract.hostile import NAMES
from tests.contract.recorded_otlp import opened, recorded_at


class BundleBench:
    """The adapter on a file."""

    source = "file"

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(recorded_at() + 86400.0)
        self.path = path
        context = AdapterContext(self.source, self.clock, lambda reference: reference, 4.0, BundleOptions(file=path))
        self.adapter = BundleAdapter(context)

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        self.path.unlink()

    async def disturb(self, plan: Plan) -> None:
        raise NotImplementedError("nothing is planned here")


@cache
def _traces() -> tuple[Trace, ...]:
    """Every request of the SDK's recording."""

    async def read() -> tuple[Trace, ...]:
        async with opened() as store:
            listed = await store.adapter.requests(RequestQuery(source=store.source))
            return tuple([await store.adapter.trace(one.trace_id) for one in listed])

    with asyncio.Runner() as runner:
        return runner.run(read())


def _hostile() -> tuple[Trace, ...]:
    """Every name in it, ids too, is one that no name should be."""
    found = []
    for number, trace in enumerate(_traces()):
        name = NAMES[number % len(NAMES)]
        request = trace.request and replace(trace.request, name=name, service=name, error=name, trace_id=name)
        spans = tuple(replace(span, name=name, service=name, error=name) for span in trace.spans)
        found.append(Trace(trace_id=name, request=request, spans=spans, notes=(name,)))
    return tuple(found)


def _open(traces: Callable[[], tuple[Trace, ...]], environment: str) -> Any:
    @asynccontextmanager
    async def opening() -> AsyncIterator[Bench]:
        bundle = Bundle(
            exported_at=recorded_at(), version="0.1.0", environment=environment, source="traces", shown=Shown.RAW,
            traces=await asyncio.to_thread(traces), notes=(environment,),
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "b.switchgear.json.gz"
            path.write_bytes(encode(bundle))
            yield BundleBench(path)  # type: ignore[misc]  # a bench for what only observes has no verbs

    return opening


BUNDLED = Subject(
    "bundle",
    SPEC,
    _open(_traces, "prod"),
    acts=False,
    hostile=_open(_hostile, NAMES[0]),
    ports=(Traces,),
    shows=(Request,),
)
