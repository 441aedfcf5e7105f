"""From an intent to a plan: which adapter, which capability, and what the backend says to it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import msgspec

from console.config import Environment
from console.control.alarm import within
from console.control.ledger import Ledger
from console.control.plans import restore_plan
from console.control.rows import Held
from console.domain.actions import (
    Finish,
    Intent,
    Isolate,
    OverrideState,
    Park,
    Pause,
    Plan,
    Purge,
    Replay,
    Requeue,
    Reset,
    Restore,
    Resume,
    SetWeight,
    Switch,
    Trip,
)
from console.domain.errors import BackendError, ErrorKind, Failure, Refusal
from console.domain.ports import Actuator, Adapter, Breakers, Clock, Queues, Reissues, Routing
from console.domain.redact import redact
from console.domain.reissues import RecordedCall
from console.domain.text import clean
from console.domain.verbs import Reissue

LONGEST_PLANNING_S = 30.0
REASON_LIMIT = 300


Recordings = Callable[[Reissue], Awaitable[RecordedCall]]
"""The model call that an action names, as a trace store has it.

Raises BackendError: UNSUPPORTED when its content was not recorded, or what the read met."""


async def nothing_recorded(action: Reissue) -> RecordedCall:
    """`Recordings` of an environment without a trace store."""
    raise BackendError(ErrorKind.UNSUPPORTED, f"{clean(action.source, 60)} keeps no requests")


class Planned(NamedTuple):
    """A plan, or why there is none."""

    plan: Plan | None
    failure: Failure | None = None


class Planner:
    """Asks adapters for plans. Nothing here has a side effect on a backend."""

    def __init__(
        self,
        config: Environment,
        adapters: Mapping[str, Adapter],
        ledger: Ledger,
        clock: Clock,
        recordings: Recordings,
    ) -> None:
        self._recordings = recordings
        self._config = config
        self._adapters = adapters
        self._ledger = ledger
        self._clock = clock

    def actuator(self, source: str) -> Actuator | None:
        """The adapter of a source when it can act."""
        adapter = self._adapters.get(source)
        return adapter if isinstance(adapter, Actuator) else None

    def normal(self, intent: Intent) -> Intent:
        """The intent with everything said that it leaves open: time to live, which override, a clean reason.

        Raises:
            Refusal: it restores an override that is not there.
        """
        intent = msgspec.structs.replace(intent, reason=clean(redact(intent.reason.strip()), REASON_LIMIT))
        if isinstance(intent.action, Restore):
            held = self.held(intent)
            action = Restore(override_id=held.override.id)
            return msgspec.structs.replace(intent, action=action, target=held.override.target, ttl_s=None)
        if isinstance(intent.action, Park | Isolate):
            return intent  # what is set aside has no end: the guard says so to who wants one
        if not isinstance(intent.action, Trip | SetWeight | Switch | Pause | Finish):
            return msgspec.structs.replace(intent, ttl_s=None)
        ttl = self._config.overrides.default_ttl if intent.ttl_s is None else intent.ttl_s
        return msgspec.structs.replace(intent, ttl_s=ttl)

    def held(self, intent: Intent) -> Held:
        """The override that a restore means: by its id, or the newest of the target when it names none.

        Raises:
            Refusal: there is none.
        """
        assert isinstance(intent.action, Restore)  # noqa: S101  for the type checker
        wanted = intent.action.override_id
        held = self._ledger.held.get(wanted) if wanted else self._ledger.of(intent.target)
        if held is None or held.override.state is OverrideState.ENDED:
            what = f"override {clean(wanted)}" if wanted else f"override on {clean(str(intent.target))}"
            raise Refusal(f"there is no {what} to restore: it has ended, or never was", code=404)
        return held

    def is_current(self, intent: Intent, plan: Plan) -> bool:
        """Whether a plan to restore is still the way back of its override: parts may have come or gone since."""
        try:
            now = restore_plan(self.held(intent))
        except Refusal:
            return False
        return msgspec.structs.replace(now, generation=plan.generation) == plan

    async def plan(self, intent: Intent) -> Planned:
        """What the backend's adapter would do; a refusal comes back as a failure, never as an exception."""
        adapter = self._adapters.get(intent.target.source)
        if adapter is None:
            words = f"no source is called {clean(intent.target.source)}"
            return Planned(None, Failure(kind=ErrorKind.UNSUPPORTED, message=words))
        try:
            return Planned(await within(self._clock, LONGEST_PLANNING_S, self._ask(adapter, intent)))
        except BackendError as error:
            return Planned(None, error.failure)
        except TimeoutError as error:
            return Planned(None, Failure(kind=ErrorKind.TIMEOUT, message=str(error)))
        except Exception as error:  # noqa: BLE001  an adapter's fault is a refusal, not the engine's end
            return Planned(None, Failure(kind=ErrorKind.FAILED, message=clean(f"{type(error).__name__}: {error}")))

    async def _ask(self, adapter: Adapter, intent: Intent) -> Plan:
        ttl = self._config.overrides.default_ttl if intent.ttl_s is None else intent.ttl_s
        match intent.action:
            case Trip() if isinstance(adapter, Breakers):
                return await adapter.plan_trip(intent.target, ttl)
            case Reset() if isinstance(adapter, Breakers):
                return await adapter.plan_reset(intent.target)
            case SetWeight(fault=fault) | Replay(fault=fault) | Requeue(fault=fault) | Reissue(fault=fault) if fault:
                raise BackendError(ErrorKind.UNSUPPORTED, fault)
            case SetWeight(weight=weight) if isinstance(adapter, Routing):
                return await adapter.plan_weight(intent.target, weight)
            case Switch(to=to, mechanism=mechanism) if isinstance(adapter, Routing):
                return await adapter.plan_switch(intent.target, to, mechanism)
            case Pause() | Resume() | Park() | Finish() | Replay() | Requeue() | Isolate() | Purge() as action if (
                isinstance(adapter, Queues)
            ):
                return await adapter.plan_queue(intent.target, action, ttl)
            case Reissue() as action if isinstance(adapter, Reissues):
                return await adapter.plan_reissue(intent.target, await self._recordings(action), action)
            case Restore() if isinstance(adapter, Actuator):
                plan = restore_plan(self.held(intent))
                return msgspec.structs.replace(plan, generation=await adapter.generation(plan))
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"{intent.target.source}'s adapter has no {intent.action.verb}",
            way_out="switchgear adapters says what each can do",
        )  # fmt: skip

    async def generation(self, plan: Plan) -> str:
        """The fingerprint of what a plan replaces, as the backend shows it now.

        Raises:
            BackendError: it cannot be read, or not in time.
        """
        adapter = self.actuator(plan.target.source)
        if adapter is None:
            raise BackendError(ErrorKind.UNSUPPORTED, f"{plan.target.source} cannot act")
        try:
            return await within(self._clock, LONGEST_PLANNING_S, adapter.generation(plan))
        except TimeoutError as error:
            raise BackendError(ErrorKind.TIMEOUT, str(error), where=plan.target.source) from error
