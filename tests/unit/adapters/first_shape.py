"""Requests that are in every lane, and the trace store's file as its first version wrote it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from adapters.otel import Aliases, Limits, from_protobuf
from adapters.otlp import schema
from adapters.otlp.bodies import pack
from adapters.spans.row import COLUMNS, RequestRow, by_trace, values
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body

NOW_NS = BEGIN_NS + 3600 * 10**9


def chat(number: int, *, version: str = "7", tokens: int = 100, wait_ms: int = 20, **root: Any) -> list[Sent]:
    """One request that is in every lane; its root comes last."""
    base = number * 100
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": tokens}
    prompt = {"gen_ai.provider.name": "openai", "gen_ai.prompt.name": "answer", "gen_ai.prompt.version": "3"}
    read = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "docs",
        "retrieval.snapshot.version": version,
    }
    memory = {"gen_ai.operation.name": "upsert_memory", "app.memory.key": "tone", "app.memory.version": str(number)}
    taken = {"messaging.destination.name": "chats", "app.queue.wait_ms": wait_ms, "app.worker": "w1"}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}
    step = {"openinference.span.kind": "CHAIN"}
    at = 1_000.0 * number
    return [
        Sent(base + 2, base + 1, number, "read", start_ms=at + 2, attributes=read),
        Sent(base + 3, base + 1, number, "chat m", start_ms=at + 3, attributes={**call, **prompt}),
        Sent(base + 4, base + 1, number, "remember", start_ms=at + 4, attributes=memory),
        Sent(base + 5, base + 1, number, "take", start_ms=at + 1, attributes=taken),
        Sent(base + 6, base + 1, number, "weather", start_ms=at + 6, attributes=tool),
        Sent(base + 7, base + 1, number, "plan", start_ms=at + 7, attributes=step),
        Sent(base + 1, 0, number, **{"name": "POST /chat", "kind": 2, "start_ms": at, "ms": 50.0, **root}),
    ]


def first_shape(path: Path, spans: Sequence[Sent]) -> None:
    """A file as the first version wrote it, with these spans in it."""
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrations().apply(Database(connection, execute_plugins=False), stop_before="m002_lanes_and_marks")
    grouped = by_trace(from_protobuf(body(*spans), Aliases.of(), Limits()).arrivals)
    for number, (trace, found) in enumerate(grouped.items(), 1):
        row = RequestRow(number, trace, NOW_NS // 10**9)
        row.add(list(found.values()), NOW_NS)
        connection.execute(f"INSERT INTO requests VALUES ({', '.join('?' * len(COLUMNS))})", values(row))
        for one in found.values():
            kept = (row.id, one.span_id, one.start_ns, 1, one.span.service, one.entry, "", "", pack(one.span))
            connection.execute("INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", kept)
    connection.execute("UPDATE totals SET last_request = ?, requests = ?", (len(grouped), len(grouped)))
    connection.close()
