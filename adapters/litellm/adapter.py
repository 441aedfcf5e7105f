"""The LiteLLM adapter: looks at every replica and puts together what they say; acting is in plans, steps and proofs."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from adapters.counters import RollingSums
from adapters.http_wire import Transport
from adapters.litellm import plans, proofs, reissue, steps
from adapters.litellm.checks import check_rows
from adapters.litellm.cooldowns import Cooldown, Cooldowns
from adapters.litellm.flow import Sorter
from adapters.litellm.metrics import Key
from adapters.litellm.money import spend_readings
from adapters.litellm.platform import Platform
from adapters.litellm.readings import Scene, deployments, providers, routes, union
from adapters.litellm.replica import Look, Replica
from adapters.litellm.spend import Books, read_books
from adapters.reissuing import OP, Calls
from console.domain.actions import Plan, Proof, Step
from console.domain.errors import BackendError, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import AnyReading, Observation
from console.domain.refs import Ref
from console.domain.reissues import RecordedCall
from console.domain.spans import Span
from console.domain.verbs import Reissue, Verb
from console.domain.wire import CheckRow

STANDING_EVERY_S = 60.0
"""How often it is found out anew what the key may do."""
DEFAULT_COOLDOWN_S = 60.0
"""Used where the settings cannot be read: a cooldown that is shown too long is the safer error."""
RETRY_S = 15.0
"""How soon a question that was not answered is asked again: a proxy in trouble is not asked more than a well one."""
_EARLY_S = 0.5
"""A poll that comes a moment early is still that poll."""
_NEVER = float("-inf")


class LiteLLMAdapter:
    """One LiteLLM platform: its replicas, and what it was found to be."""

    def __init__(self, context: AdapterContext, transport: Transport | None = None) -> None:
        """`transport` replaces the network for every replica; tests play recordings through it."""
        self.platform = Platform(context, transport)
        self._options = self.platform.options
        self._clock = context.clock
        self._books: Books | None = None
        self._books_task: asyncio.Task[Books] | None = None
        self._books_failure: Failure | None = None
        self._due = {"standing": _NEVER, "settings": _NEVER, "books": _NEVER}
        self._unread: dict[str, Failure] = {}
        """What could not be found out at its last try."""
        self._sums = RollingSums[Key](self._options.window)
        self._sorter = Sorter()
        self._requests = 0
        self._first_wait_s = context.timeout_s / 5
        self._calls = Calls()

    async def observe(self) -> Observation:
        """Look at every replica; see `ports.Adapter`."""
        platform, now = self.platform, self._clock.now()
        every = self._options.models_every - _EARLY_S
        looks = await _together([r.look(self._clock, every, self._options.providers) for r in platform.replicas])
        up = [replica for replica in platform.replicas if replica.up]
        if not up:
            raise _as_error(next(look.failure for look in looks if look.failure))
        platform.fleet = union([replica.fleet for replica in up if replica.fleet])
        gauges = self._count(looks)
        problems = [problem for look in looks for problem in look.problems]
        cooldowns = await self._look_beside(up[0], problems)
        await self._look_at_books(up[0], provider_budgets=any(what == "budget left" for what, _ in gauges))
        if self._books_failure:
            problems.append(self._books_failure)
        span_s = self._sums.span_s(self._clock.monotonic())
        settings = platform.settings
        scene = Scene(
            source=platform.source,
            now=now,
            replicas=platform.replicas,
            fleet=platform.fleet,
            flows=self._sorter.sort(self._sums.sums, span_s, self._options.window),
            gauges=gauges,
            cooldowns=cooldowns,
            powers=platform.powers(),
            cooldown_s=(settings.cooldown_s if settings else None) or DEFAULT_COOLDOWN_S,
        )
        return Observation(
            observed_at=now,
            readings=self._readings(scene),
            replicas=tuple(replica.status() for replica in platform.replicas),
            problems=tuple(problems),
            notes=self._notes(),
            requests=self._requests_since(),
        )

    async def plan_trip(self, target: Ref, ttl_s: float) -> Plan:
        """See `ports.Breakers`."""
        return await plans.plan_trip(self.platform, target, ttl_s)

    async def plan_reset(self, target: Ref) -> Plan:
        """See `ports.Breakers`."""
        return await plans.plan_reset(self.platform, target)

    async def plan_weight(self, target: Ref, weight: float) -> Plan:
        """See `ports.Routing`."""
        return await plans.plan_weight(self.platform, target, weight)

    async def plan_switch(self, target: Ref, to: str, mechanism: str) -> Plan:
        """See `ports.Routing`."""
        return await plans.plan_switch(self.platform, target, to, mechanism)

    async def plan_reissue(self, target: Ref, call: RecordedCall, action: Reissue) -> Plan:
        """See `ports.Reissues`."""
        return await reissue.plan_reissue(self.platform, self._calls, target, call, action)

    def answer(self, target: Ref, action: Reissue) -> Span | None:
        """See `ports.Reissues`."""
        return self._calls.answer(target, action)

    async def execute(self, step: Step) -> None:
        """See `ports.Actuator`."""
        if step.op == OP:
            await reissue.execute(self.platform, self._calls, step)
        else:
            await steps.execute(self.platform, step)

    async def generation(self, plan: Plan) -> str:
        """See `ports.Actuator`."""
        if plan.verb is Verb.REISSUE:
            return await reissue.generation(self.platform, plan)
        return await proofs.generation(self.platform, plan)

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        """See `ports.Actuator`."""
        if plan.verb is Verb.REISSUE:
            return self._calls.prove(plan, self._clock.now())
        return await proofs.prove(self.platform, plan, undone=undone)

    async def check(self) -> tuple[CheckRow, ...]:
        """Try what can be tried without any side effect; see `ports.Adapter`."""
        return await check_rows(self.platform)

    async def close(self) -> None:
        """Give every connection back."""
        if self._books_task is not None:
            self._books_task.cancel()
            await asyncio.gather(self._books_task, return_exceptions=True)
            self._books_task = None
        await self.platform.close()

    def _readings(self, scene: Scene) -> tuple[AnyReading, ...]:
        books = self._books
        spend = spend_readings(scene.source, scene.now, books, scene.flows, scene.fleet) if books else []
        return (*providers(scene), *deployments(scene), *routes(scene), *spend)

    def _count(self, looks: list[Look]) -> dict[tuple[str, str], float]:
        """Add what the pages brought to the window; returns the gauges."""
        grown: dict[Key, float] = {}
        gauges: dict[tuple[str, str], float] = {}
        news_of = [look.news for look in looks if look.news is not None]
        for news in news_of:
            for key, delta in news.grown.items():
                grown[key] = grown.get(key, 0.0) + delta
            for place, value in news.gauges.items():
                gauges[place] = min(value, gauges.get(place, value))
        if any(news.counts for news in news_of):
            self._sums.add(self._clock.monotonic(), grown)
        elif news_of:
            self._sums.begin(self._clock.monotonic())
        return gauges

    async def _look_beside(self, replica: Replica, problems: list[Failure]) -> dict[str, Cooldown] | None:
        """Settings and cooldowns at once; without a Redis there is nothing to be asked beside the settings."""
        if self.platform.cooldowns is None:
            await self._look_at_settings(replica, problems)
            return None
        async with asyncio.TaskGroup() as group:
            cooldowns = group.create_task(self._look_at_cooldowns(self.platform.cooldowns, problems))
            await self._look_at_settings(replica, problems)
        return cooldowns.result()

    async def _look_at_settings(self, replica: Replica, problems: list[Failure]) -> None:
        """Find out what the key may do, and read the settings, each when it is due."""
        platform = self.platform
        if platform.standing is None and "standing" not in self._unread:
            self._due["standing"] = _NEVER  # somebody else met a refusal
        await self._ask("standing", STANDING_EVERY_S, platform.find_out, replica)
        if platform.standing is not None and platform.standing.sees_all:
            await self._ask("settings", self._options.settings_every, platform.read_settings, replica)
        else:
            self._unread.pop("settings", None)
        problems += self._unread.values()

    async def _ask(
        self, what: str, every_s: float, question: Callable[[Replica], Awaitable[object]], replica: Replica
    ) -> None:
        """Ask when it is due. A failure stands until a later answer, and is asked about again after `RETRY_S`."""
        now = self._clock.now()
        if now < self._due[what]:
            return
        try:
            await question(replica)
        except BackendError as error:
            self._unread[what] = error.failure
            self._due["standing"] = now  # a refusal may mean another role: looked into at once
            self._due[what] = now + RETRY_S
        else:
            self._unread.pop(what, None)
            self._due[what] = now + every_s - _EARLY_S

    async def _look_at_cooldowns(self, shared: Cooldowns, problems: list[Failure]) -> dict[str, Cooldown] | None:
        platform = self.platform
        try:
            found = await shared.read(platform.fleet.models)
        except BackendError as error:
            platform.redis_state = f"{error.kind}: {error.failure.message}"
            problems.append(error.failure)
            return None
        platform.redis_state = "ok"
        return found

    async def _look_at_books(self, replica: Replica, *, provider_budgets: bool) -> None:
        """Read the books beside the looks, not in one: a large database answers later than a look may last.

        Only the first look waits a little, so that a new screen begins with money where that is quick.
        """
        standing, now = self.platform.standing, self._clock.now()
        self._take_books()
        if standing is None or not (standing.database and standing.sees_all):
            self._books, self._books_failure = None, None
        elif self._books_task is None and now >= self._due["books"]:
            self._due["books"] = now + self._options.spend_every - _EARLY_S
            reading = read_books(replica.patient, now, provider_budgets=provider_budgets)
            self._books_task = asyncio.create_task(reading)
            if self._books is None:
                await asyncio.wait({self._books_task}, timeout=self._first_wait_s)
                self._take_books()

    def _take_books(self) -> None:
        task = self._books_task
        if task is None or not task.done():
            return
        self._books_task = None
        try:
            self._books, self._books_failure = task.result(), None
        except BackendError as error:
            self._books_failure = error.failure

    def _notes(self) -> tuple[str, ...]:
        platform, notes = self.platform, list[str]()
        standing = platform.standing
        if standing is not None and not standing.database:
            way = (
                "trips go through Redis" if platform.cooldowns else "no Redis is configured, so nothing can be changed"
            )
            notes.append(f"no database: no spend, no budgets; {way}")
        elif standing is not None and standing.why_no_change:
            notes.append(standing.why_no_change)
        if standing is not None and not standing.sees_all:
            notes.append("the key may not read settings and spend: no fallbacks, no cooldown time, no money")
        if platform.cooldowns is None:
            notes.append("no Redis is configured: cooldowns are guessed from the metrics")
        notes += [
            f"{replica.name} {replica.redis_trouble}: it shares no cooldowns"
            for replica in platform.replicas
            if platform.cooldowns and replica.redis_trouble
        ]
        if self._books is not None:
            notes += [str(problem) for problem in self._books.problems]
            notes += ["there are more keys than the 500 that are shown"] if self._books.more_keys else []
        return tuple(notes)

    def _requests_since(self) -> int:
        total = self.platform.requests
        since, self._requests = total - self._requests, total
        return since


async def _together(looks: Sequence[Coroutine[Any, Any, Look]]) -> list[Look]:
    """Every replica's look, all at once; a single one needs no task of its own."""
    if len(looks) == 1:
        return [await looks[0]]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(look) for look in looks]
    return [task.result() for task in tasks]


def _as_error(failure: Failure) -> BackendError:
    return BackendError(
        failure.kind,
        failure.message,
        where=failure.where,
        way_out=failure.way_out,
        retry_after_s=failure.retry_after_s,
    )
