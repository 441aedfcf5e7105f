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
from typing import Any

from adapters.otlp import OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from benchmarks.results import Result, at_least, at_most, beside, middle
from console.domain.ports import AdapterContext
from console.domain.readings import Request
from console.domain.spans import RequestQuery
from console.engine.clock import SystemClock

SDK_SPANS = 60_000
"""Of each of the two instrumented applications."""
RAW_SPANS = 1_000_000
BUSY_SPANS = 100_000
"""Sent while the store is asked."""
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

    def __init__(self, file: Path) -> None:
        self.file = file
        command = [sys.executable, "-m", "adapters.otlp.collect", "--listen", "127.0.0.1:0", "--file", str(file)]
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

    def fed(self, how: str, spans: int, seed: int) -> _Sent:
        """Have senders send `spans` spans each, and wait for them."""
        before = self.processor_s()
        senders = [self.sender(how, spans, seed + number) for number in range(SENDERS)]
        told: list[dict[str, Any]] = [json.loads(sender.communicate()[0]) for sender in senders]
        return _Sent(
            spans=sum(each["spans"] for each in told),
            wall_s=max(each["wall_s"] for each in told),
            sender_s=sum(each["processor_s"] for each in told),
            collector_s=self.processor_s() - before,
        )


@contextmanager
def _collecting() -> Iterator[_Collector]:
    with tempfile.TemporaryDirectory(prefix="sgb") as folder:
        collector = _Collector(Path(folder) / "spans.sqlite")
        try:
            yield collector
        finally:
            collector.process.terminate()
            collector.process.wait()


def measure() -> Iterator[Result]:
    """First the SDK, then bodies made before until there are a million spans, then the questions."""
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

    def listing(**narrowed: Any) -> Callable[[], Awaitable[object]]:
        return lambda: adapter.requests(RequestQuery(source="traces", **narrowed))

    try:
        seen = await adapter.requests(RequestQuery(source="traces", limit=500))
        one: Request = seen[250]
        asked = {
            "newest 100": listing(),
            "failed": listing(failed=True),
            "one service": listing(service=one.service),
            "one service, failed": listing(service=one.service, failed=True),
            "one conversation": listing(conversation=one.conversation),
            "an older page": listing(before=seen[-1].started_at),
            "slow ones, of which there are none": listing(min_duration_s=60.0),
        }
        found = [at_most(f"list at 1M spans, {name}", await _slowest_ms(ask), "ms", 100) for name, ask in asked.items()]
        shown = await _slowest_ms(lambda: adapter.trace(one.trace_id))
        looked = await _slowest_ms(adapter.observe)
        usual = middle([await _once_ms(listing()) for _ in range(ROUNDS)])
        sender = collector.sender("raw", BUSY_SPANS, 20)
        busy = [await _once_ms(listing())]
        while sender.poll() is None:
            await asyncio.sleep(0.1)
            busy.append(await _once_ms(listing()))
        return [
            *found,
            beside("list at 1M spans, newest 100, median", usual, "ms"),
            at_most("list at 1M spans, newest 100, while spans come at full speed, slowest", max(busy), "ms", 100),
            at_most("one request at 1M spans", shown, "ms", 100),
            beside("a whole look at 1M spans", looked, "ms"),
        ]
    finally:
        await adapter.close()


async def _slowest_ms(ask: Callable[[], Awaitable[object]]) -> float:
    return max([await _once_ms(ask) for _ in range(ROUNDS)])


async def _once_ms(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await ask()
    return (time.perf_counter() - begun) * 1000
