"""Jaeger, Tempo and Langfuse as their documentation says that they answer. No server of theirs was asked.

What they hold is real: the spans that the OpenTelemetry SDK sent (`recordings/opentelemetry-sdk-…`), in the form that
each of them writes, found by time, service and id as each of them finds.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from adapters.spans.moments import iso, nanoseconds
from tests.contract.hostile import NAMES
from tests.contract.recorded_otlp import bodies, recorded_at

Attributes = dict[str, Any]


class Sent:
    """One span that the SDK sent."""

    def __init__(self, resource: Any, scope: Any, span: Any) -> None:
        self.service = next(pair.value.string_value for pair in resource.attributes if pair.key == "service.name")
        self.trace_id, self.span_id, self.parent_id = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.name: str = span.name
        self.start_ns: int = span.start_time_unix_nano
        self.end_ns: int = span.end_time_unix_nano
        self.failed = span.status.code == 2
        self.message: str = span.status.message
        self.attributes: Attributes = {pair.key: _value(pair.value) for pair in span.attributes}
        self.resource = MessageToDict(resource)
        self.scope = MessageToDict(scope)
        self.otlp = MessageToDict(span) | {"traceId": self.trace_id, "spanId": self.span_id}
        if self.parent_id:
            self.otlp["parentSpanId"] = self.parent_id


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


@cache
def sent() -> tuple[Sent, ...]:
    """Every span of the recording."""
    return tuple(
        Sent(group.resource, scope.scope, span)
        for body in bodies()
        for group in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    )


def _groups(spans: list[Sent]) -> dict[str, Any]:
    """As OTLP's JSON; each span a group of its own, which is allowed."""
    return {
        "resourceSpans": [
            {"resource": one.resource, "scopeSpans": [{"scope": one.scope, "spans": [one.otlp]}]} for one in spans
        ]
    }


def _renamed(text: str) -> str:
    return NAMES[len(text) % len(NAMES)]


def hostile(found: Any) -> Any:
    """An answer with every name and text of a span replaced by a hostile one; ids, times and kinds stay."""
    if isinstance(found, list):
        return [hostile(one) for one in found]
    if not isinstance(found, dict):
        return found
    texts = ("name", "stringValue", "message", "statusMessage", "service.name")
    return {
        key: _renamed(value) if key in texts and isinstance(value, str) else hostile(value)
        for key, value in found.items()
    }


class Documented(httpx.AsyncBaseTransport):
    """A store that answers by `paths`: each takes the path's rest and the parameters, and gives status and JSON."""

    def __init__(self, change: Callable[[Any], Any] = lambda found: found) -> None:
        self.asked: list[tuple[str, httpx.QueryParams]] = []
        self.spans = list(sent())
        """May be changed by a test."""
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.url.path, request.url.params))
        status, body = self.answer(request.url.path, request.url.params)
        return httpx.Response(status, headers={"content-type": "application/json"}, content=body.encode())

    def answer(self, path: str, asked: httpx.QueryParams) -> tuple[int, str]:
        """Status and body."""
        raise NotImplementedError

    def say(self, found: Any) -> str:
        """An object as JSON."""
        return json.dumps(self._change(found))

    def traces(self, chosen: Callable[[Sent], bool]) -> list[list[Sent]]:
        """Whole requests of which a span is chosen, the newest first."""
        ids = {one.trace_id: one.start_ns for one in self.spans if chosen(one)}
        newest = sorted(ids, key=lambda trace: -ids[trace])
        return [[one for one in self.spans if one.trace_id == trace] for trace in newest]


class DocumentedJaeger(Documented):
    """API v3: `/services`, `/traces`, `/traces/{id}`; nothing found is 404."""

    chunks = False
    """Whether each request comes as a document of its own, one a line, as newer ones stream them."""

    def answer(self, path: str, asked: httpx.QueryParams) -> tuple[int, str]:
        if path == "/api/v3/services":
            return 200, self.say({"services": [one for one in ("shop-api", "search") if self.spans]})
        if path != "/api/v3/traces":
            return self._found([[one for one in self.spans if path == f"/api/v3/traces/{one.trace_id}"]])
        first, last = nanoseconds(asked["query.startTimeMin"]), nanoseconds(asked["query.startTimeMax"])
        name = asked.get("query.operationName")
        found = self.traces(
            lambda one: (
                first <= one.start_ns < last
                and one.service == asked["query.serviceName"]
                and (name is None or one.name == name)
                and one.end_ns - one.start_ns >= float(asked.get("query.durationMin", "0s")[:-1]) * 1e9
            )
        )
        return self._found(found[: int(asked["query.searchDepth"])])

    def _found(self, traces: list[list[Sent]]) -> tuple[int, str]:
        if not any(traces):
            return 404, json.dumps({"error": {"httpCode": 404, "message": "No traces found"}})
        parts = traces if self.chunks else [[one for trace in traces for one in trace]]
        return 200, "\n".join(self.say({"result": _groups(part)}) for part in parts)


class DocumentedTempo(Documented):
    """`/api/search` and `/api/v2/traces/{id}`; ids lose their leading zeros in a search's answer."""

    def answer(self, path: str, asked: httpx.QueryParams) -> tuple[int, str]:
        if path == "/api/search":
            first, last = int(asked["start"]) * 10**9, int(asked["end"]) * 10**9
            found = self.traces(lambda one: first <= one.start_ns < last)[: int(asked["limit"])]
            return 200, self.say({"traces": [self._line(trace) for trace in found], "metrics": {"totalBlocks": 1}})
        spans = [one for one in self.spans if path == f"/api/v2/traces/{one.trace_id}"]
        if not spans:
            return 404, ""
        return 200, self.say({"trace": _groups(spans), "metrics": {}})

    def _line(self, spans: list[Sent]) -> dict[str, Any]:
        rooted = any(not one.parent_id for one in spans)
        root = min(spans, key=lambda one: (bool(one.parent_id), one.start_ns))
        return {
            "traceID": root.trace_id.lstrip("0"),
            "rootServiceName": root.service if rooted else "<root span not yet received>",
            "rootTraceName": root.name if rooted else "",
            "startTimeUnixNano": str(root.start_ns),
            "durationMs": (root.end_ns - root.start_ns) // 10**6,
            "spanSets": [{"matched": len(spans), "spans": []}],
        }


TYPES = {"chat": "GENERATION", "execute_tool": "TOOL", "retrieval": "RETRIEVER"}
"""What Langfuse calls what an OpenTelemetry span is about."""


class DocumentedLangfuse(Documented):
    """`/api/public/v2/observations` with cursors, `/health` and `/projects`."""

    def answer(self, path: str, asked: httpx.QueryParams) -> tuple[int, str]:
        match path:
            case "/api/public/health":
                return 200, json.dumps({"status": "OK", "version": "4.35.0"})
            case "/api/public/projects":
                return 200, json.dumps({"data": [{"id": "p", "name": "shop", "metadata": {}}]})
            case "/api/public/v2/observations":
                return 200, self._page(asked)
        return 404, json.dumps({"message": "Not Found"})

    def _page(self, asked: httpx.QueryParams) -> str:
        chosen = sorted((one for one in self.spans if self._wanted(one, asked)), key=lambda one: -one.start_ns)
        begin, size = int(asked.get("cursor", "0")), int(asked.get("limit", "50"))
        meta = {"cursor": str(begin + size)} if begin + size < len(chosen) else {}
        page = [self.observation(one) for one in chosen[begin : begin + size]]
        return self.say({"data": page, "meta": meta})

    def _wanted(self, one: Sent, asked: httpx.QueryParams) -> bool:
        wanted: Iterator[bool] = iter(
            (
                asked.get("traceId", one.trace_id) == one.trace_id,
                asked.get("name", one.name) == one.name,
                asked.get("sessionId", self._session(one)) == self._session(one),
                asked.get("level") != "ERROR" or one.failed,
                asked.get("isRootObservation") != "true" or not one.parent_id,
                one.start_ns >= nanoseconds(asked.get("fromStartTime")),
                "toStartTime" not in asked or one.start_ns < nanoseconds(asked["toStartTime"]),
            )
        )
        return all(wanted)

    def _session(self, one: Sent) -> str:
        root = next(span for span in sent() if span.trace_id == one.trace_id and not span.parent_id)
        return str(root.attributes["gen_ai.conversation.id"])

    def observation(self, one: Sent) -> dict[str, Any]:
        """One span as Langfuse tells of it, every group of fields."""
        kind = TYPES.get(str(one.attributes.get("gen_ai.operation.name")), "SPAN")
        usage = {
            "input": one.attributes.get("gen_ai.usage.input_tokens"),
            "output": one.attributes.get("gen_ai.usage.output_tokens"),
        }
        return {
            "id": one.span_id,
            "traceId": one.trace_id,
            "startTime": iso(one.start_ns / 1e9),
            "endTime": iso(one.end_ns / 1e9),
            "projectId": "p",
            "parentObservationId": one.parent_id or None,
            "type": kind,
            "isRootObservation": not one.parent_id,
            "name": one.name,
            "level": "ERROR" if one.failed else "DEFAULT",
            "statusMessage": one.message,
            "version": None,
            "environment": "default",
            "bookmarked": False,
            "public": False,
            "userId": None,
            "sessionId": self._session(one),
            "completionStartTime": iso(one.start_ns / 1e9 + 0.25) if usage["output"] else None,
            "createdAt": iso(one.end_ns / 1e9),
            "updatedAt": iso(one.end_ns / 1e9),
            "input": None,
            "output": one.attributes.get("gen_ai.output.messages"),
            "metadata": {
                "attributes": {key: value for key, value in one.attributes.items() if not key.startswith("gen_ai.")},
                "resourceAttributes": {"service.name": one.service},
                "scope": {"name": "shop"},
            },
            "model": one.attributes.get("gen_ai.request.model"),
            "internalModelId": None,
            "modelParameters": {},
            "usageDetails": {name: count for name, count in usage.items() if count is not None},
            "costDetails": {},
            "totalCost": 0.001 if usage["output"] else None,
            "usagePricingTierName": None,
            "promptId": None,
            "promptName": "greeting" if kind == "GENERATION" else None,
            "promptVersion": 7 if kind == "GENERATION" else None,
            "latency": (one.end_ns - one.start_ns) / 1e9,
            "timeToFirstToken": None,
            "modelId": None,
            "inputPrice": None,
            "outputPrice": None,
            "totalPrice": None,
            "traceName": "POST /chat",
            "tags": [],
            "release": None,
        }


def now() -> float:
    """Unix seconds, just after everything was sent."""
    return recorded_at() + 1.0
