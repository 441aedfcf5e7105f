"""One look at one source, put on the board as the poller of the engine would put it, without its waiting."""

from console.domain.errors import BackendError, Failure
from console.domain.freshness import Freshness, freshness, stale_after_s
from console.domain.ports import Adapter, Clock
from console.domain.readings import Observation, Source
from console.domain.refs import Kind, Ref
from console.engine.store import Store


class Looks:
    """Looks at one source whenever it is told to, every `interval_s` seconds."""

    def __init__(self, name: str, adapter: Adapter, store: Store, clock: Clock, interval_s: float) -> None:
        self._ref = Ref(name, Kind.SOURCE, name)
        self._adapter = adapter
        self._store = store
        self._clock = clock
        self._interval_s = interval_s
        self._last_ok: float | None = None
        self._freshness = Freshness.MISSING
        self._since = clock.now()

    async def look(self) -> None:
        """Observe once; what fails leaves the last values where they are, to grow stale."""
        observation: Observation | None = None
        failure: Failure | None = None
        try:
            observation = await self._adapter.observe()
        except BackendError as error:
            failure = error.failure
        now = self._clock.now()
        if observation is not None:
            self._last_ok = min(observation.observed_at, now)
        judged = freshness(self._last_ok, now, self._interval_s)
        if judged is not self._freshness:
            self._freshness, self._since = judged, now
        self._store.observe(self._source(now, failure, observation), observation)

    def _source(self, now: float, failure: Failure | None, observation: Observation | None) -> Source:
        return Source(
            ref=self._ref,
            observed_at=now,
            adapter="simulator",
            freshness=self._freshness,
            interval_s=self._interval_s,
            last_ok_at=self._last_ok,
            since=self._since,
            failure=failure,
            replicas=observation.replicas if observation else (),
            stale_after_s=stale_after_s(self._interval_s),
        )
