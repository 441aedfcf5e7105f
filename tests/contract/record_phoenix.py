"""Record a real Phoenix's answers for the contract suite.

    python -m tests.contract.record_phoenix FOLDER

It starts a Phoenix of its own, lets the instrumented application tell it of a dozen requests, and lets the adapter ask
everything that the suite asks through a transport that writes down what was asked and answered. Nothing is changed.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from adapters.http_wire import Network
from adapters.phoenix import PhoenixOptions
from adapters.phoenix.backend import Phoenix
from adapters.spans.adapter import TraceStoreAdapter
from console.domain.conversations import MarkQuery
from console.domain.errors import BackendError
from console.domain.ports import AdapterContext
from console.domain.spans import LaneFilter, LaneKind, RequestQuery
from console.engine.clock import ManualClock
from tests.contract.instrumented import SPANS_A_REQUEST, one_request, telling
from tests.real.stack.phoenix import OPT_IN, PHOENIX_VERSION, PhoenixServer, start_phoenix
from tests.real.stack.processes import Nursery

REQUESTS = 12
NOWHERE = "nowhere"
"""A project that is not there."""
QUERIES: tuple[tuple[dict[str, Any], int], ...] = (
    ({}, 12),
    ({"limit": 5}, 5),
    ({"failed": True}, 1),
    ({"good": True}, 11),
    ({"name": "POST /chat"}, 12),
    ({"name": "POST /nothing"}, 0),
    ({"service": "shop-api"}, 12),
    ({"service": "search"}, 0),
    ({"conversation": "conv-2"}, 3),
    ({"conversation": "conv-2", "failed": True}, 1),
    ({"min_duration_s": 60.0}, 0),
    ({"lanes": (LaneFilter(lane=LaneKind.RETRIEVAL, value="@2026-11-19"),)}, 3),
    ({"lanes": (LaneFilter(lane=LaneKind.TOKENS, value="gpt-4o", at_least=500.0),)}, 10),
    ({"lanes": (LaneFilter(lane=LaneKind.DEPENDENCIES, value="weather"), LaneFilter(lane=LaneKind.WORKERS))}, 0),
)
"""What is asked of requests, and how many there are of them in the recording."""


class Recorder(httpx.AsyncBaseTransport):
    """Passes everything on and keeps it."""

    def __init__(self, url: str) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self._network = Network(url, 5.0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._network.handle_async_request(request)
        body = await answer.aread()
        headers = {"content-type": answer.headers.get("content-type", "")}
        self.answers[key_of(request)] = {"status": answer.status_code, **headers, "body": body.decode()}
        return httpx.Response(answer.status_code, headers=headers, content=body)

    async def aclose(self) -> None:
        await self._network.aclose()


def key_of(request: httpx.Request) -> str:
    """Path and query."""
    return request.url.raw_path.decode()


def tell(server: PhoenixServer) -> None:
    """Let the application make a dozen requests, and wait until Phoenix shows their spans."""
    ours, theirs = (OTLPSpanExporter(server.traces) for _ in range(2))
    with telling(ours, "shop-api", named=True) as shop, telling(theirs, "search", named=True) as search:
        for number in range(1, REQUESTS + 1):
            one_request(shop, search, number)
            time.sleep(0.01)
    while server.spans("default") < REQUESTS * SPANS_A_REQUEST:
        time.sleep(0.2)


async def ask_everything(adapter: TraceStoreAdapter) -> None:
    """Everything that the suite asks: the addresses that this gives are those that can be played back."""
    with suppress(BackendError):  # a project that is not there
        for _ in range(3):
            await adapter.observe()
    for query, _ in QUERIES:
        with suppress(BackendError):
            await adapter.requests(RequestQuery(source="traces", **query))
    with suppress(BackendError):
        before = None
        while page := await adapter.requests(RequestQuery(source="traces", limit=5, before=before)):
            before = page[-1].started_at
            for one in page:
                await adapter.trace(one.trace_id)
    for trace_id in ("00" * 16, "f" * 32):
        with suppress(BackendError):
            await adapter.trace(trace_id)
    with suppress(BackendError):
        await adapter.marks(MarkQuery(source="traces", since=0.0, conversation="conv-2"))
    await adapter.check()


def options(url: str, **more: Any) -> PhoenixOptions:
    """The settings under which the recording was made and is played."""
    return PhoenixOptions(url=url, **more)


async def record(server: PhoenixServer) -> dict[str, Any]:
    """Ask, and give everything that was answered."""
    recorder = Recorder(server.url)
    recorded_at = time.time()
    for project in ("default", NOWHERE):
        context = AdapterContext(
            "traces", ManualClock(recorded_at), lambda _: "", 10.0, options(server.url, project=project)
        )
        adapter = TraceStoreAdapter(context, Phoenix(context, recorder))
        await ask_everything(adapter)
        await adapter.close()
    return {"recorded_at": recorded_at, "version": PHOENIX_VERSION, "answers": recorder.answers}


def main(folder: Path) -> None:
    """Write one recording."""
    os.environ[OPT_IN] = "1"
    nursery = Nursery()
    try:
        server = start_phoenix(nursery)
        tell(server)
        found = asyncio.run(record(server))
    finally:
        nursery.close()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "shop.json"
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"Phoenix {found['version']}: {len(found['answers'])} answers in {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
