"""RabbitMQ on the contract suite's bench: answers of a real broker, played back."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx

from adapters.rabbitmq import SPEC, RabbitMQOptions
from adapters.rabbitmq.adapter import RabbitMQAdapter
from console.domain.actions import Plan
from console.domain.ports import Actuator, AdapterContext, Focused, Mover, Queues
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.engine.clock import ManualClock
from tests.contract.bench import Bench, Subject
from tests.contract.hostile import NAMES
from tests.contract.record_rabbitmq import LOOKED_AT, key_of

RECORDINGS = Path(__file__).parent / "recordings"
VERSION = "3.10.8"
NODES = ("http://one.test:15672", "http://two.test:15672")
METRICS = "http://one.test:15692"
QUEUES = ("orders", "orders.dead", "mails", "mails.dead", "thumbnails", "reports", "events", "batch")
"""Every queue of the recording that is not one of the console's own."""


@cache
def recording(version: str = VERSION) -> dict[str, Any]:
    """The recording of one version: `recorded_at`, `version` and `answers` by `key_of`."""
    found: dict[str, Any] = json.loads((RECORDINGS / f"rabbitmq-{version}" / "platform.json").read_text())
    return found


OURS = ("switchgear.parked.", "switchgear.paused.", "switchgear.retries.", "switchgear.pause.")
"""How the names of what the console itself makes begin."""


class Replay(httpx.AsyncBaseTransport):
    """Every node gives the recorded answers; what was not recorded is not there, a change is not allowed."""

    def __init__(self, version: str = VERSION, names: Mapping[str, str] | None = None) -> None:
        """`names`: recorded name of a queue → another one to be put in its place."""
        self.down: set[str] = set()
        """Hosts that refuse connections."""
        self.asked: list[str] = []
        """Keys of all requests so far."""
        self.answers: dict[str, dict[str, Any]] = dict(recording(version)["answers"])
        """May be changed by a test."""
        self._names = dict(names or {})
        self._old = {new: old for old, new in self._names.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = self._recorded(key_of(request))
        self.asked.append(key)
        if request.url.host in self.down:
            raise httpx.ConnectError("connection refused", request=request)
        answer = self.answers.get(key)
        if answer is None and request.method != "GET":
            return httpx.Response(401, json={"error": "not_authorised", "reason": "a recording takes no changes"})
        if answer is None:
            return httpx.Response(404, json={"error": "Object Not Found", "reason": "Not Found"})
        body: str = answer["body"]
        if self._names and "json" in answer["content_type"]:
            body = json.dumps(_renamed(json.loads(body), self._names))
        return httpx.Response(answer["status"], headers={"content-type": answer["content_type"]}, content=body.encode())

    def _recorded(self, key: str) -> str:
        """The key under the recorded names."""
        method, _, path = key.partition(" ")
        parts = (unquote(part) for part in path.split("/"))
        return f"{method} " + "/".join(quote(self._before(part), safe="?=&") for part in parts)

    def _before(self, name: str) -> str:
        for ours in OURS:
            if name.startswith(ours):
                return ours + self._old.get(name.removeprefix(ours), name.removeprefix(ours))
        return self._old.get(name, name)


def _renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if not isinstance(value, str):
        return value
    for ours in OURS:
        if value.startswith(ours):
            return ours + names.get(value.removeprefix(ours), value.removeprefix(ours))
    return names.get(value, value)


class RecordedBench:
    """A cluster of two nodes that give the answers of one real broker."""

    source = "rabbit"

    def __init__(self, version: str = VERSION, names: Mapping[str, str] | None = None, **options: Any) -> None:
        self.clock = ManualClock(float(recording(version)["recorded_at"]))
        self.replay = Replay(version, names)
        given = {"urls": list(NODES), "prometheus": [METRICS], "user": "console", "password": "env:PASSWORD"}
        settings = RabbitMQOptions(**{**given, **options})
        context = AdapterContext(self.source, self.clock, lambda reference: "recorded", 4.0, settings)
        self.adapter = RabbitMQAdapter(context, self.replay)

    def look_at(self, *names: str) -> None:
        """Say which queues somebody looks at."""
        self.adapter.focus(tuple(Ref(self.source, Kind.QUEUE, name) for name in names))

    async def queues(self) -> dict[str, Queue]:
        """One look: the queues by name."""
        readings = (await self.adapter.observe()).readings
        return {reading.ref.name: reading for reading in readings if isinstance(reading, Queue)}

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        self.replay.down.add(replica.partition(":")[0])

    async def disturb(self, plan: Plan) -> None:
        raise NotImplementedError("a recording is as it is")


@asynccontextmanager
async def _opened(version: str, names: Mapping[str, str]) -> AsyncIterator[Bench]:
    bench = RecordedBench(version, names)
    bench.look_at(names.get(LOOKED_AT, LOOKED_AT))
    yield bench  # type: ignore[misc]  # its verbs are not those of a gateway
    await bench.adapter.close()


def _subject(name: str, version: str) -> Subject:
    return Subject(
        name, SPEC, lambda: _opened(version, {}), acts=False,
        hostile=lambda: _opened(version, dict(zip(QUEUES, NAMES, strict=False))),
        ports=(Focused, Queues, Mover, Actuator), shows=(Queue,),
        verbs=(Verb.PAUSE, Verb.RESUME, Verb.PARK, Verb.REPLAY, Verb.FINISH, Verb.REQUEUE),
    )  # fmt: skip


RABBITMQ_RECORDED = _subject("rabbitmq-recorded", VERSION)
RABBITMQ_4_RECORDED = _subject("rabbitmq-4-recorded", "4.0.5")
