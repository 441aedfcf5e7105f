"""What detectors would know of a simulated platform had they watched it on a quiet day, learnt in seconds.

A game day begins with an engine that has just been made, and a detector that has seen nothing says nothing. So the same
platform plays some calm hours up to now, as fast as it can, before the engine of the game begins.
"""

from pathlib import Path
from typing import Final

from console.config import Environment
from console.domain.errors import BackendError
from console.domain.freshness import Freshness, stale_after_s
from console.domain.ports import Adapter, AdapterContext, Answering, Clock
from console.domain.readings import Source
from console.domain.refs import Kind, Ref
from console.engine import plugins
from console.engine.answers import AnswersWatch
from console.engine.clock import SteppedClock
from console.engine.detectors.catalogue import detectors
from console.engine.journal import Journal
from console.engine.store import Store
from console.engine.watch import Watch
from console.runtime.wiring import forget

LOOK_S: Final = 30.0
"""Seconds of the rehearsal between two looks."""
TICK_S: Final = 15.0
"""The platform moves in steps of this size."""
ANSWERS_EVERY_S: Final = 60.0
_DONE: Final = "rehearsed"
"""A file of this name says that the journal beside it is of a rehearsal, for the very next engine."""


async def rehearse(config: Environment, folder: Path, clock: Clock, seconds: float) -> None:
    """Let fresh detectors watch `seconds` of calm that end now, and keep what they learnt in the journal in `folder`.

    What a former engine wrote there is forgotten; the caller holds the folder's lock.

    Raises:
        ConfigError: an adapter cannot be made.
    """
    forget(folder)
    hurried = SteppedClock(clock.now() - seconds)
    store = Store("rehearsal", hurried)
    watch = Watch(detectors(config), store, hurried)
    store.listen(watch.feed)
    adapters = {source: _adapter(config, source, hurried) for source in config.sources}
    answers = [
        AnswersWatch(source, adapter, hurried, watch.hear, watch.heard_to, lambda _: None)
        for source, adapter in adapters.items()
        if isinstance(adapter, Answering)
    ]
    heard_at = hurried.now()
    while hurried.now() < clock.now():
        hurried.move_to(hurried.now() + LOOK_S)
        for source, adapter in adapters.items():
            await _look(source, adapter, store, hurried)
        if hurried.now() - heard_at >= ANSWERS_EVERY_S:
            heard_at = hurried.now()
            for one in answers:
                await one.look()
        watch.tick()
    for adapter in adapters.values():
        await adapter.close()
    await _keep(watch, Journal(folder / "journal.sqlite", clock, config.retention))
    (folder / _DONE).touch()


def was_rehearsed(folder: Path) -> bool:
    """Whether the journal in `folder` is of a rehearsal and not of a former engine; True only once."""
    try:
        (folder / _DONE).unlink()
    except FileNotFoundError:
        return False
    return True


def _adapter(config: Environment, source: str, clock: Clock) -> Adapter:
    settings = config.sources[source]
    spec = plugins.load(settings.adapter)
    calm = {"world": "rehearsal", "scenario": "calm", "speed": 1.0, "tick_s": TICK_S}
    return spec.create(
        AdapterContext(
            source=source,
            clock=clock,
            secret=lambda _: "",
            timeout_s=settings.timeout,
            options=spec.options.model_validate({**settings.options, **calm}),
        )
    )


async def _look(source: str, adapter: Adapter, store: Store, clock: Clock) -> None:
    try:
        seen = await adapter.observe()
    except BackendError:
        return
    now = clock.now()
    own = Source(
        ref=Ref(source, Kind.SOURCE, source),
        observed_at=now,
        adapter="simulator",
        freshness=Freshness.FRESH,
        interval_s=LOOK_S,
        last_ok_at=now,
        since=now,
        replicas=seen.replicas,
        stale_after_s=stale_after_s(LOOK_S),
    )
    store.observe(own, seen)


async def _keep(watch: Watch, journal: Journal) -> None:
    await journal.open()
    try:
        for name in watch.learners:
            if (state := watch.remember(name)) is not None:
                journal.keep_learnt(name, state)
    finally:
        await journal.close()
