"""Phoenix on the contract suite's bench: answers of a real server, played back."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from adapters.phoenix import SPEC
from adapters.phoenix.backend import Phoenix
from console.domain.ports import Traces
from console.domain.readings import Request, Service
from tests.contract.bench import Subject
from tests.contract.hostile import NAMES
from tests.contract.record_phoenix import key_of, options
from tests.contract.trace_bench import URL, TraceBench, opening

RECORDING = Path(__file__).parent / "recordings" / "phoenix-20.26.1" / "shop.json"


@cache
def recording() -> dict[str, Any]:
    """The recording: `recorded_at`, `version`, and `answers` by path and query."""
    found: dict[str, Any] = json.loads(RECORDING.read_text())
    return found


class Playback(httpx.AsyncBaseTransport):
    """Gives the recorded answers; what was not recorded is an error of the test."""

    def __init__(self, change: Callable[[str], str] = lambda body: body) -> None:
        """`change` is done to the body of each answer that is JSON."""
        self.answers: dict[str, dict[str, Any]] = dict(recording()["answers"])
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers.get(key_of(request))
        assert answer is not None, f"never recorded: {key_of(request)}"
        body: str = answer["body"]
        headers = {"content-type": answer["content-type"]}
        if "json" in answer["content-type"]:
            body = self._change(body)
        return httpx.Response(answer["status"], headers=headers, content=body.encode())


def bench(change: Callable[[str], str] = lambda body: body, **more: Any) -> TraceBench:
    """The adapter on the recording."""
    return TraceBench(Phoenix, options(URL, **more), Playback(change), float(recording()["recorded_at"]))


def hostile(body: str) -> str:
    """An answer in which every text of a span is a hostile one, the same one each time."""
    found = json.loads(body)
    renamed: dict[str, str] = {}

    def other(text: str) -> str:
        return renamed.setdefault(text, NAMES[len(text) % len(NAMES)])

    for row in found["data"]:
        if "context" in row:
            row["name"], row["status_message"] = other(row["name"]), other(row["status_message"])
            for name, value in row["attributes"].items():
                row["attributes"][name] = other(value) if isinstance(value, str) else value
    return json.dumps(found)


PHOENIX_RECORDED = Subject(
    "phoenix-recorded",
    SPEC,
    opening(bench),
    acts=False,
    hostile=opening(lambda: bench(hostile)),
    ports=(Traces,),
    shows=(Request, Service),
)
