"""Model providers on loopback: they answer as OpenAI and Anthropic do, and fail as they are told.

One process plays any number of providers, by the first part of the path: `/openai-a/v1/chat/completions`,
`/azure-b/openai/deployments/gpt-4o/chat/completions`, `/claude-e/v1/messages`.
Control: `GET /control` shows every provider, `POST /control/NAME` changes some fields of one, `POST /control` with a
JSON object {} puts all of them back.
"""

import argparse
import asyncio
import json
import random
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

MODES = ("ok", "500", "429", "401", "slow", "hang", "drop", "malformed", "refuse")
"""What a provider can be told to do; `slow` takes `slow_s` longer, `hang` never answers, `drop` closes the line.
`malformed` answers with the first half of what it would say, and `refuse` with nothing, because of a filter: both as if
all were well.
"""
WORDS = "a short answer"
_ERRORS = {
    "500": ("server_error", "injected server error", {}),
    "429": ("rate_limit_error", "injected rate limit", {"retry-after": "7"}),
    "401": ("invalid_request_error", "injected refusal of the key", {}),
}
_HANG_S = 120.0


@dataclass(slots=True)
class Upstream:
    """One provider: what it is told to do, and what it has seen."""

    mode: str = "ok"
    latency_s: float = 0.02
    slow_s: float = 3.0
    error_rate: float = 1.0
    """The part of requests that `mode` applies to; the others are answered well."""
    jitter: float = 0.0
    """By how much latencies scatter: the standard deviation of their logarithm."""
    words: str = WORDS
    """What it answers."""
    tokens_in: int = 20
    tokens_out: int = 30
    tokens_cached: int = 0
    """Of `tokens_in`; OpenAI's shape says it."""
    requests_limit: int = 5000
    tokens_limit: int = 1_000_000
    hits: dict[str, int] = field(default_factory=dict)
    """Requests by what was done with them."""
    _window: float = field(default=0.0, repr=False)
    _used: int = field(default=0, repr=False)

    def decide(self) -> str:
        """What becomes of the next request; counts it."""
        outcome = self.mode if random.random() < self.error_rate else "ok"
        self.hits[outcome] = self.hits.get(outcome, 0) + 1
        if time.monotonic() - self._window > 60:
            self._window, self._used = time.monotonic(), 0
        self._used += 1
        return outcome

    def takes_s(self, outcome: str) -> float:
        """Seconds until the answer to a request begins."""
        return self.latency_s * random.lognormvariate(0.0, self.jitter) + (self.slow_s if outcome == "slow" else 0.0)

    def said(self, outcome: str) -> tuple[str, bool]:
        """The words of an answer, and whether they are all that a filter let through."""
        if outcome == "refuse":
            return "", True
        return (self.words[: len(self.words) // 2] if outcome == "malformed" else self.words), False

    def shown(self) -> dict[str, Any]:
        """What control answers about it."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}

    def headers(self) -> dict[str, str]:
        """The rate limit, as OpenAI tells it: it counts down within each minute."""
        tokens = self._used * (self.tokens_in + self.tokens_out)
        return {
            "x-ratelimit-limit-requests": str(self.requests_limit),
            "x-ratelimit-remaining-requests": str(max(0, self.requests_limit - self._used)),
            "x-ratelimit-limit-tokens": str(self.tokens_limit),
            "x-ratelimit-remaining-tokens": str(max(0, self.tokens_limit - tokens)),
        }


_TOLD: dict[str, type[str] | type[float] | type[int]] = {
    "mode": str,
    "latency_s": float,
    "slow_s": float,
    "error_rate": float,
    "jitter": float,
    "words": str,
    "tokens_in": int,
    "tokens_out": int,
    "tokens_cached": int,
    "requests_limit": int,
    "tokens_limit": int,
}
"""What control may change, and what it is."""
_UPSTREAMS: web.AppKey[dict[str, Upstream]] = web.AppKey("upstreams", dict)


def _named(request: web.Request) -> Upstream:
    return request.app[_UPSTREAMS].setdefault(request.match_info["name"], Upstream())


async def _show(request: web.Request) -> web.Response:
    return web.json_response({name: upstream.shown() for name, upstream in request.app[_UPSTREAMS].items()})


async def _reset(request: web.Request) -> web.Response:
    request.app[_UPSTREAMS].clear()
    return web.json_response({})


async def _tell(request: web.Request) -> web.Response:
    told = await request.json()
    for name, value in told.items():
        kind = _TOLD.get(name)
        if kind is None or (name == "mode" and value not in MODES):
            raise web.HTTPBadRequest(text=f"{name}={value!r}: fields are {', '.join(_TOLD)}; modes {', '.join(MODES)}")
    upstream = _named(request)
    for name, value in told.items():
        setattr(upstream, name, _TOLD[name](value))
    return web.json_response(upstream.shown())


async def _models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "any", "object": "model"}]})


async def _complete(request: web.Request) -> web.StreamResponse:
    upstream, body = _named(request), await request.json()
    outcome = upstream.decide()
    await asyncio.sleep(upstream.takes_s(outcome))
    if outcome == "hang":
        await asyncio.sleep(_HANG_S)
    if outcome in ("drop", "hang"):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if outcome in _ERRORS:
        kind, message, headers = _ERRORS[outcome]
        error = {"error": {"message": message, "type": kind, "code": outcome}}
        return web.json_response(error, status=int(outcome), headers=headers)
    form = _Anthropic if request.path.endswith("/messages") else _OpenAI
    shape = form(upstream, body, *upstream.said(outcome))
    if not body.get("stream"):
        return web.json_response(shape.whole(), headers=upstream.headers())
    return await _stream(request, shape.events(), upstream.headers())


async def _stream(request: web.Request, events: list[str], headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={**headers, "content-type": "text/event-stream"})
    await response.prepare(request)
    for event in events:
        await response.write(event.encode())
        await asyncio.sleep(0.005)
    await response.write_eof()
    return response


@dataclass(slots=True)
class _OpenAI:
    upstream: Upstream
    body: dict[str, Any]
    words: str
    filtered: bool
    id: str = field(default_factory=lambda: _id("chatcmpl-"))

    @property
    def _usage(self) -> dict[str, Any]:
        into, out = self.upstream.tokens_in, self.upstream.tokens_out
        details = {"prompt_tokens_details": {"cached_tokens": self.upstream.tokens_cached}}
        cached = details if self.upstream.tokens_cached else {}
        return {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out, **cached}

    def _base(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        model = self.body.get("model") or "gpt-4o"
        base = {"id": self.id, "object": kind, "created": int(time.time()), "model": model, "choices": choices}
        return {**base, "service_tier": "default"}  # LiteLLM takes a Groq answer without it for a broken one

    def whole(self) -> dict[str, Any]:
        """The answer in one piece: words, or a call of the first tool that is offered until one has answered."""
        call = self._call()
        message = {"role": "assistant", "content": None if call else self.words, **call}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if call else self._stopped}
        return {**self._base("chat.completion", [choice]), "usage": self._usage}

    @property
    def _stopped(self) -> str:
        return "content_filter" if self.filtered else "stop"

    def _call(self) -> dict[str, Any]:
        offered, messages = self.body.get("tools") or [], self.body.get("messages") or []
        if not offered or any(message.get("role") == "tool" for message in messages):
            return {}
        function = {"name": offered[0]["function"]["name"], "arguments": '{"city": "Oslo"}'}
        return {"tool_calls": [{"id": _id("call_"), "type": "function", "function": function}]}

    def events(self) -> list[str]:
        """The answer in pieces, with the usage in the last one."""
        deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
        deltas += [({"content": f"{word} "}, None) for word in self.words.split()] + [({}, self._stopped)]
        chunks = [
            self._base("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": reason}])
            for delta, reason in deltas
        ]
        chunks.append({**self._base("chat.completion.chunk", []), "usage": self._usage})
        return [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]


@dataclass(slots=True)
class _Anthropic:
    upstream: Upstream
    body: dict[str, Any]
    words: str
    filtered: bool

    @property
    def _stopped(self) -> str:
        return "refusal" if self.filtered else "end_turn"

    def whole(self) -> dict[str, Any]:
        """The answer in one piece."""
        usage = {"input_tokens": self.upstream.tokens_in, "output_tokens": self.upstream.tokens_out}
        content = [{"type": "text", "text": self.words}]
        message = {"id": _id("msg_"), "type": "message", "role": "assistant", "model": self.body.get("model")}
        return {**message, "content": content, "stop_reason": self._stopped, "stop_sequence": None, "usage": usage}

    def events(self) -> list[str]:
        """The answer in pieces: Anthropic names each event."""
        start = {**self.whole(), "content": [], "stop_reason": None}
        text = {"type": "text_delta", "text": self.words}
        done = {"stop_reason": self._stopped, "stop_sequence": None}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": text},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": done, "usage": {"output_tokens": self.upstream.tokens_out}},
            {"type": "message_stop"},
        ]
        return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def _id(prefix: str) -> str:
    return f"{prefix}{random.getrandbits(96):024x}"


def application() -> web.Application:
    """The whole server."""
    app = web.Application()
    app[_UPSTREAMS] = {}
    app.router.add_get("/control", _show)
    app.router.add_post("/control", _reset)
    app.router.add_post("/control/{name}", _tell)
    app.router.add_get("/{name}/{path:.*models}", _models)
    app.router.add_post("/{name}/{path:.*}", _complete)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    web.run_app(application(), host="127.0.0.1", port=parser.parse_args().port, print=None, shutdown_timeout=0.1)
