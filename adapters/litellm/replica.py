"""One replica of the proxy: its two doors, what its router had at the last look, and what its metrics added."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from adapters.http import Credential, Server, decode
from adapters.http_wire import Transport
from adapters.litellm.fleet import Fleet, ModelPage, parse_fleet
from adapters.litellm.metrics import PageNews, ReplicaMetrics
from adapters.litellm.standing import explain
from adapters.prometheus_text import MalformedPage
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import Clock
from console.domain.readings import ReplicaStatus

CHANGED_BY = {"litellm-changed-by": "switchgear"}
MODELS_SHARE = 0.05
"""The part of a replica's time that listing its deployments may take: a proxy with thousands needs seconds for it."""
MAX_LISTING_BYTES = 32 * 1024 * 1024
"""8 kB for each deployment: 4,000 of them."""
_LARGE_PAGE = 256 * 1024
_SILENCE_S = 60.0
LONGEST_CALL_S = 120.0
"""A model call that takes longer counts as lost."""


@dataclass(slots=True)
class Look:
    """What one look at one replica brought."""

    up: bool
    failure: Failure | None = None
    problems: list[Failure] = field(default_factory=list)
    news: PageNews | None = None


class Replica:
    """One replica; it is looked at by one task at a time."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        timeout_s: float,
        reader: Credential,
        actor: Credential,
        transport: Transport | None = None,
    ) -> None:
        self.name = name
        self.reader = Server(
            url, timeout_s=timeout_s, credential=reader, explain=explain, headers=CHANGED_BY, transport=transport
        )
        self.actor = Server(
            url,
            timeout_s=max(timeout_s, 5.0),
            credential=actor,
            explain=explain,
            headers=CHANGED_BY,
            transport=transport,
        )
        self.patient = Server(
            url, timeout_s=20.0, credential=reader, explain=explain, headers=CHANGED_BY, transport=transport
        )
        """For questions that its database has to think about."""
        self.caller = Server(
            url, timeout_s=LONGEST_CALL_S, credential=actor, explain=explain, headers=CHANGED_BY, transport=transport
        )
        """For a model call, which takes as long as its answer is."""
        self.fleet: Fleet | None = None
        """What its router had at the last good look; None when that is not known."""
        self.version = ""
        self.in_cooldown: dict[str, tuple[float, str]] = {}
        """Deployment → (seen to begin at, unix seconds; status): as far as the metrics tell."""
        self.up = False
        self.redis_trouble = ""
        """Why a cooldown in Redis would not reach it, as far as its metrics tell: `has no Redis`."""
        self._metrics = ReplicaMetrics()
        self._body = b""
        self._models_at = float("-inf")
        self._models_took_s = 0.0
        self._metrics_at = float("-inf")
        self._failure: Failure | None = None

    @property
    def url(self) -> str:
        """Its address, fit to be shown."""
        return self.reader.url

    @property
    def requests(self) -> int:
        """How many requests it was sent so far."""
        return self.reader.requests + self.actor.requests + self.patient.requests + self.caller.requests

    def status(self) -> ReplicaStatus:
        """How the last look met it."""
        return ReplicaStatus(
            name=self.name, url=self.url, up=self.up, failure=None if self.up else self._failure, version=self.version
        )

    async def look(self, clock: Clock, models_every_s: float, names: dict[str, str]) -> Look:
        """Read its metrics, and its deployments when they are due. Never raises BackendError."""
        look, now = Look(up=True), clock.now()
        every = max(models_every_s, self._models_took_s / MODELS_SHARE)
        models_due = self.fleet is None or now - self._models_at >= every
        try:
            await self._look_at_metrics(now, look)
            if models_due:
                began = clock.monotonic()
                await self.read_fleet(names)
                self._models_at, self._models_took_s = now, clock.monotonic() - began
            elif look.problems:  # no metrics: something else has to show that it lives
                await self.reader.body("/health/liveliness", ("json",))
        except BackendError as error:
            return self._lost(error.failure)
        self.up, self._failure = True, None
        return look

    def _lost(self, failure: Failure) -> Look:
        self.up, self._failure, self.fleet, self._body = False, failure, None, b""
        self._models_at = float("-inf")
        return Look(up=False, failure=failure)

    async def _look_at_metrics(self, now: float, look: Look) -> None:
        """Read the metrics page. One that is not there or not readable is a problem; a silent replica is an error."""
        try:
            await self._read_metrics(now, look)
        except BackendError as error:
            if error.kind in (ErrorKind.UNREACHABLE, ErrorKind.TIMEOUT):
                raise
            absent = error.kind is ErrorKind.UNSUPPORTED
            way_out = 'set litellm_settings.callbacks to ["prometheus"]' if absent else error.failure.way_out
            look.problems.append(msgspec.structs.replace(error.failure, way_out=way_out))

    async def _read_metrics(self, now: float, look: Look) -> None:
        where = f"GET {self.url}/metrics/"
        page = await self.reader.body("/metrics/", ("text/plain", "openmetrics"))
        if now - self._metrics_at > _SILENCE_S:
            self._metrics.forget()
        try:
            if len(page) > _LARGE_PAGE:  # so that a cold page of a large platform does not hold everybody up
                news = await asyncio.to_thread(self._metrics.read, page)
            else:
                news = self._metrics.read(page)
        except MalformedPage as error:
            raise BackendError(ErrorKind.MALFORMED, str(error), where=where) from None
        self._metrics_at = now
        look.news = news
        states = {name for what, name in news.gauges if what == "redis"}
        self.redis_trouble = "" if "closed" in states else "has lost its Redis" if states else "has no Redis"
        for key in news.grown:
            if key.what == "cooled":
                self.in_cooldown[key.name] = (now, key.sort)
            elif key.what == "ok" and self.in_cooldown.get(key.name, (now, ""))[0] < now:
                self.in_cooldown.pop(key.name, None)

    async def read_fleet(self, names: dict[str, str]) -> Fleet:
        """Read what its router has in memory now; an unchanged answer costs no parsing.

        Raises:
            BackendError: what the read met.
        """
        body = await self.reader.body("/model/info", ("json",), max_body=MAX_LISTING_BYTES)
        if self.fleet is None or body != self._body:
            page = decode(body, ModelPage, f"GET {self.url}/model/info")
            self.fleet, self._body = parse_fleet(page, names), body
        return self.fleet

    def models_changed(self) -> None:
        """Read the deployments at the next look, due or not."""
        self._models_at = float("-inf")

    async def nudge(self) -> None:
        """Let it take in now what the database holds, instead of within 30 s.

        An empty `/config/update` writes nothing, and LiteLLM reloads models and settings at its end.

        Raises:
            BackendError: what the call met; nothing depends on it, the replica comes to it by itself.
        """
        await self.actor.write("POST", "/config/update", {})

    async def close(self) -> None:
        """Give the connections back."""
        await self.reader.close()
        await self.actor.close()
        await self.patient.close()
        await self.caller.close()


def replica_names(urls: list[str]) -> list[str]:
    """Short names that differ: `host:port`, and with the path where that alone is not enough."""
    short = [url.partition("://")[2].partition("/")[0] for url in urls]
    long = [url.partition("://")[2] for url in urls]
    names = [brief if short.count(brief) == 1 else full for brief, full in zip(short, long, strict=True)]
    return [name if names.count(name) == 1 else f"{name}#{number}" for number, name in enumerate(names, 1)]
