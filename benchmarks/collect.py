"""The collector: spans a second that are on disk when they are acknowledged, and questions to a store of a million.

Senders and collector share the machine's processors. Where the SDK itself is the limit, its own processor time a span
says so: it stands beside the collector's.
"""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from adapters.otlp import OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from adapters.spans.answering.minutes import minute_of
from benchmarks.results import Result, at_least, at_most, beside, middle
from benchmarks.span_senders import LONG_NAME
from console.domain.answers import ANSWERS_STEP_S, AnswersQuery
from console.domain.conversations import MarkKind, MarkQuery
from console.domain.ports import AdapterContext
from console.domain.readings import Request
from console.domain.spans import LaneFilter, LaneKind, RequestQuery
from console.engine.clock import SystemClock
from console.traces.reconstruct import reconstruct
from console.traces.split import divergences

SDK_SPANS = 60_000
"""Of each of the two instrumented applications."""
RAW_SPANS = 1_000_000
BUSY_SPANS = 100_000
"""Sent while the store is asked."""
REDACTED_SPANS = 100_000
LONG_SPANS = 5_120
"""Of one request."""
HOUR_S = 3600.0
HOUR_MARKS = 100_000
"""More than come in an hour of it: none of them is left out of what is judged."""
SENDERS = 2
ROUNDS = 15


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the senders of one run say together."""

    spans: int
    wall_s: float
    sender_s: float
    """Processor seconds of all senders."""
    collector_s: float
    """Processor seconds of the collector."""


class _Collector:
    """A collector process on a file of its own."""

    def __init__(self, file: Path, *more: str) -> None:
        self.file = file
        listen = ["--listen", "127.0.0.1:0", "--file", str(file)]
        command = [sys.executable, "-m", "adapters.otlp.collect", *listen, *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found is not None
        self.url = found[0]

    def processor_s(self) -> float:
        """Seconds of processor so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Resident megabytes."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def spans(self) -> int:
        """How many spans lie in the file, counted."""
        connection = sqlite3.connect(self.file)
        try:
            return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])
        finally:
            connection.close()

    def sender(self, how: str, spans: int, seed: int) -> subprocess.Popen[str]:
        """One process that sends."""
        command = [sys.executable, "-m", "benchmarks.span_senders", how, self.url, str(spans), str(seed)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def fed(self, how: str, spans: int, seed: int, senders_in_all: int = SENDERS) -> _Sent:
        """Have senders send `spans` spans each, and wait for them."""
        before = self.processor_s()
        senders = [self.sender(how, spans, seed + number) for number in range(senders_in_all)]
        told: list[dict[str, Any]] = [json.loads(sender.communicate()[0]) for sender in senders]
        return _Sent(
            spans=sum(each["spans"] for each in told),
            wall_s=max(each["wall_s"] for each in told),
            sender_s=sum(each["processor_s"] for each in told),
            collector_s=self.processor_s() - before,
        )


@contextmanager
def _collecting(*more: str) -> Iterator[_Collector]:
    with tempfile.TemporaryDirectory(prefix="sgb") as folder:
        collector = _Collector(Path(folder) / "spans.sqlite", *more)
        try:
            yield collector
        finally:
            collector.process.terminate()
            collector.process.wait()


def measure() -> Iterator[Result]:
    """First the SDK, then bodies made before until there are a million spans, then the questions."""
    with _collecting("--redact-defaults") as collector:
        redacted = collector.fed("raw", REDACTED_SPANS // SENDERS, 30)
        yield at_least(
            "collect, redacting, bodies made before, spans a second", redacted.spans / redacted.wall_s, "1/s", 8_000
        )
        yield beside("collect, redacting, processor a span", 1e6 * redacted.collector_s / redacted.spans, "us")
    with _collecting() as collector:
        yield beside("collector, memory idle", collector.memory_mb(), "MB")
        sdk = collector.fed("sdk", SDK_SPANS, 1)
        yield at_least(
            "collect, OpenTelemetry SDK in 2 processes, spans a second", sdk.spans / sdk.wall_s, "1/s", 8_000
        )
        yield at_least("collect, acknowledged spans that are in the file", collector.spans() / sdk.spans, "×", 1)
        yield beside("collect, processor a span: the SDK's", 1e6 * sdk.sender_s / sdk.spans, "us")
        yield beside("collect, processor a span: the collector's", 1e6 * sdk.collector_s / sdk.spans, "us")
        raw = collector.fed("raw", RAW_SPANS // SENDERS, 10)
        yield at_least("collect, bodies made before, spans a second", raw.spans / raw.wall_s, "1/s", 8_000)
        yield beside("collect, the same, processor a span", 1e6 * raw.collector_s / raw.spans, "us")
        yield at_least("collect, spans in the file", collector.spans() / (sdk.spans + raw.spans), "×", 1)
        yield beside("collector, memory after it", collector.memory_mb(), "MB")
        yield beside("collect, a span on disk", collector.file.stat().st_size / collector.spans(), "bytes")
        yield from asyncio.run(_questions(collector))


async def _questions(collector: _Collector) -> list[Result]:
    """What the adapter is asked, on a million spans: the slowest of each is the first, with nothing in memory."""
    options = OtlpOptions(file=str(collector.file))
    adapter = OtlpAdapter(AdapterContext("traces", SystemClock(), lambda reference: reference, 60.0, options))
    try:
        found = await _lists(adapter)
        found += await _knowledge(adapter)
        found += await _single(adapter, collector)
        found += await _busy(adapter, collector)
        return found
    finally:
        await adapter.close()


def _listing(adapter: OtlpAdapter, **narrowed: Any) -> Callable[[], Awaitable[object]]:
    return lambda: adapter.requests(RequestQuery(source="traces", **narrowed))


async def _lists(adapter: OtlpAdapter) -> list[Result]:
    """Pages of a hundred requests, narrowed in every way."""
    seen = await adapter.requests(RequestQuery(source="traces", limit=500))
    one: Request = seen[250]
    asked: dict[str, dict[str, Any]] = {
        "newest 100": {},
        "failed": {"failed": True},
        "good ones of one name": {"good": True, "name": one.name},
        "one service": {"service": one.service},
        "one service, failed": {"service": one.service, "failed": True},
        "one conversation": {"conversation": one.conversation},
        "an older page": {"before": seen[-1].started_at},
        "slow ones, of which there are none": {"min_duration_s": 60.0},
    }
    lanes = reconstruct(await adapter.trace(one.trace_id)).lanes
    for lane in lanes:
        asked[f"lane {lane.kind}, one value"] = {"lanes": (lane.filter(lane.entries[0]),)}
        asked[f"lane {lane.kind}, any value"] = {"lanes": (LaneFilter(lane=lane.kind),)}
    asked["lane tokens, more than any has"] = {"lanes": (LaneFilter(lane=LaneKind.TOKENS, at_least=1e9),)}
    two = tuple(LaneFilter(lane=LaneKind.QUEUES, value=f"chats-{number}") for number in range(2))
    asked["two common lane values that never meet"] = {"lanes": two}
    asked["all lanes of one request, failed"] = {
        "lanes": tuple(lane.filter(lane.entries[0]) for lane in lanes if lane.kind is not LaneKind.MEMORY),
        "failed": True,
    }
    return [
        at_most(f"list at 1M spans, {name}", await _slowest_ms(_listing(adapter, **narrowed)), "ms", 100)
        for name, narrowed in asked.items()
    ]


async def _knowledge(adapter: OtlpAdapter) -> list[Result]:
    """Who read which snapshot and touched which memory, and what differs."""
    since = time.time() - HOUR_S
    (one,) = await adapter.requests(RequestQuery(source="traces", limit=1))
    memory = MarkQuery(source="traces", since=since, kinds=(MarkKind.RETRIEVAL, MarkKind.MEMORY))
    snapshots = MarkQuery(source="traces", since=since, kinds=(MarkKind.RETRIEVAL,), limit=HOUR_MARKS)
    talk = MarkQuery(source="traces", since=0.0, conversation=one.conversation)
    busiest = minute_of(one.started_at)
    minute = AnswersQuery(source="traces", since=busiest - ANSWERS_STEP_S, until=busiest)
    seen = await adapter.marks(snapshots)

    async def differing() -> None:
        divergences(await adapter.marks(snapshots))

    read, judged = await _all_ms(lambda: adapter.marks(snapshots)), await _all_ms(differing)
    return [
        beside("marks at 1M spans, retrievals in the last hour, all of them", len(seen), "marks"),
        beside("of these are divergences", len(divergences(seen)), "divergences"),
        at_most("marks at 1M spans, snapshots in one hour", median(read), "ms", 100),
        beside("the same, the slowest", max(read), "ms"),
        at_most(
            "marks at 1M spans, snapshots and memory in one hour, the newest 20,000",
            await _slowest_ms(lambda: adapter.marks(memory)),
            "ms",
            100,
        ),
        at_most("marks at 1M spans, one conversation", await _slowest_ms(lambda: adapter.marks(talk)), "ms", 100),
        at_most("snapshot divergence at 1M spans, one hour", median(judged), "ms", 100),
        beside("the same, the slowest", max(judged), "ms"),
        beside("a minute of answers at 1M spans, counted", await _slowest_ms(lambda: adapter.answers(minute)), "ms"),
    ]


async def _single(adapter: OtlpAdapter, collector: _Collector) -> list[Result]:
    """One request, and one that is very long."""
    one: Request = (await adapter.requests(RequestQuery(source="traces", limit=500)))[250]
    collector.fed("long", LONG_SPANS, 40, senders_in_all=1)
    (long,) = await adapter.requests(RequestQuery(source="traces", name=LONG_NAME))
    assert len((await adapter.trace(long.trace_id)).spans) == LONG_SPANS
    return [
        at_most("one request at 1M spans", await _slowest_ms(lambda: adapter.trace(one.trace_id)), "ms", 100),
        beside(
            "one request of 5,120 spans, facts and content read",
            await _slowest_ms(lambda: adapter.trace(long.trace_id)),
            "ms",
        ),
        beside("a whole look at 1M spans", await _slowest_ms(adapter.observe), "ms"),
    ]


async def _busy(adapter: OtlpAdapter, collector: _Collector) -> list[Result]:
    """The list while spans come as fast as they can."""
    listing = _listing(adapter)
    usual = middle([await _once_ms(listing) for _ in range(ROUNDS)])
    sender = collector.sender("raw", BUSY_SPANS, 20)
    busy = [await _once_ms(listing)]
    while sender.poll() is None:
        await asyncio.sleep(0.1)
        busy.append(await _once_ms(listing))
    return [
        beside("list at 1M spans, newest 100, median", usual, "ms"),
        at_most("list at 1M spans, newest 100, while spans come at full speed, slowest", max(busy), "ms", 100),
    ]


async def _slowest_ms(ask: Callable[[], Awaitable[object]]) -> float:
    return max(await _all_ms(ask))


async def _all_ms(ask: Callable[[], Awaitable[object]]) -> list[float]:
    return [await _once_ms(ask) for _ in range(ROUNDS)]


async def _once_ms(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await ask()
    return (time.perf_counter() - begun) * 1000
