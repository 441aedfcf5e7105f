"""Builds everything that one engine is made of, and closes it again in the opposite order."""

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from console.config import Environment
from console.config.feeds import feeds_of
from console.config.secrets import Secrets
from console.control.access import Grants
from console.control.accounts import account_of
from console.control.audit import Audit
from console.control.control import Control
from console.domain.ports import Adapter, AdapterContext, AdapterSpec, Clock, Traces
from console.domain.text import clean
from console.domain.wire import LogKind
from console.engine import plugins
from console.engine.engine import Engine
from console.engine.journal import Journal
from console.engine.looking import Looking
from console.engine.poller import LONGEST_LOOK, Poller
from console.engine.store import Store
from console.places import private_dir
from console.runtime.lock import Lock
from console.runtime.recordings import recordings_of
from runbooks.eyes import Eyes
from runbooks.keeping import Keeping
from runbooks.ramping import Policy
from runbooks.runner import Runner

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Runtime:
    """One environment, wired. It does nothing before `run`."""

    name: str
    config: Environment
    config_path: str
    """The file that the config came from; empty for a built-in environment."""
    clock: Clock
    started_at: float
    """Unix seconds."""
    store: Store
    adapters: dict[str, Adapter]
    engine: Engine
    control: Control
    audit: Audit
    journal: Journal
    grants: Grants
    looking: Looking
    runner: Runner

    async def run(self) -> None:
        """Watch and act until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.engine.run(), name="engine")
            tasks.create_task(self.control.run(), name="control")
            tasks.create_task(self.grants.run(), name="grants")
            tasks.create_task(self.runner.run(), name="runbooks")


@asynccontextmanager
async def build(
    name: str,
    config: Environment,
    clock: Clock,
    state_dir: Path,
    *,
    config_path: str = "",
    owner_uid: int | None = None,
    seed: int | None = None,
    fresh: bool = False,
) -> AsyncIterator[Runtime]:
    """Open an environment's state and wire its parts; leaving closes them.

    Args:
        name: the environment's name.
        config: its settings, valid.
        clock: the time of every part.
        state_dir: the folder of its journal, audit log and lock; made when it is missing.
        config_path: where `config` came from, for `Hello`.
        owner_uid: who `@owner` is; this process's account when None.
        seed: makes the pollers' jitter repeatable.
        fresh: forget all that the engine before wrote down, its runs included: for a demo, whose world is a new one
            at each start.

    Raises:
        AlreadyRuns: another engine of this environment runs on `state_dir`.
        ConfigError: the folder cannot be used, or an adapter cannot be made.
        AuditError: the audit log cannot be opened: nothing could be done, so nothing is started.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(Lock(private_dir(state_dir) / "engine.lock", clock.now()))
        if fresh:
            forget(state_dir)
        journal, audit = await _records(config, clock, state_dir, stack)
        store = Store(name, clock, first_log_id=journal.next_log_id())
        adapters = await _adapters(config, clock, state_dir, Secrets(_warner(store)), stack)
        traces = {source: adapter for source, adapter in adapters.items() if isinstance(adapter, Traces)}
        pollers = _pollers(config, adapters, store, clock, random.Random(seed))  # noqa: S311
        engine = Engine(config, store, pollers, journal, clock, traces)
        grants = Grants(config, clock, audit, store, os.geteuid() if owner_uid is None else owner_uid)
        control = Control(
            name, config, store, adapters, audit, grants, clock, engine.poll_soon, recordings_of(traces),
            past=engine.lately, days=engine.history, forecasts=state_dir / "forecasts.sqlite",
        )  # fmt: skip
        runner = _runner(config, store, clock, state_dir, engine, control, grants, audit, stack)
        yield Runtime(
            name=name, config=config, config_path=config_path, clock=clock, started_at=clock.now(), store=store,
            adapters=adapters, engine=engine, control=control, audit=audit, journal=journal, grants=grants,
            looking=Looking(adapters, clock), runner=runner,
        )  # fmt: skip


def forget(state_dir: Path) -> None:
    """Remove what a former engine wrote down; only under the lock."""
    for pattern in ("journal.sqlite*", "audit.sqlite*", "forecasts.sqlite*", "runs.sqlite*"):
        for path in state_dir.glob(pattern):
            path.unlink()


async def _records(config: Environment, clock: Clock, state_dir: Path, stack: AsyncExitStack) -> tuple[Journal, Audit]:
    """What is written down of what was seen, and of what was done."""
    journal = Journal(state_dir / "journal.sqlite", clock, config.retention)
    await journal.open()
    stack.push_async_callback(journal.close)
    audit = Audit(state_dir / "audit.sqlite", clock)
    await audit.open()
    stack.push_async_callback(audit.close)
    return journal, audit


async def _adapters(
    config: Environment, clock: Clock, state_dir: Path, secrets: Secrets, stack: AsyncExitStack
) -> dict[str, Adapter]:
    specs: dict[str, AdapterSpec] = {}
    made: dict[str, Adapter] = {}
    for source, settings in config.sources.items():
        spec = specs.get(settings.adapter) or plugins.load(settings.adapter)
        specs[settings.adapter] = spec
        adapter = spec.create(
            AdapterContext(
                source=source,
                clock=clock,
                secret=secrets.resolve,
                timeout_s=min(settings.timeout, LONGEST_LOOK * settings.interval),
                options=spec.options.model_validate(settings.options),
                feeds=feeds_of(config.feeds, source),
                exports=state_dir / "exports",
            )
        )
        stack.push_async_callback(adapter.close)
        made[source] = adapter
    return made


def _runner(
    config: Environment,
    store: Store,
    clock: Clock,
    state_dir: Path,
    engine: Engine,
    control: Control,
    grants: Grants,
    audit: Audit,
    stack: AsyncExitStack,
) -> Runner:
    keeping = Keeping(state_dir / "runs.sqlite")
    stack.push_async_callback(keeping.close)
    policy = Policy(headroom=config.overrides.headroom, longest_s=config.overrides.max_ttl)
    eyes = Eyes(lambda: store.board, clock, engine.lately, policy, engine.answered.since)
    folders = [Path(folder).expanduser() for folder in config.runbooks]
    return Runner(store, clock, control, grants, audit, keeping, eyes, account_of, folders, config.retention.events)


def _pollers(
    config: Environment, adapters: dict[str, Adapter], store: Store, clock: Clock, rng: random.Random
) -> dict[str, Poller]:
    return {
        source: Poller(
            source,
            settings.adapter,
            adapters[source],
            store,
            clock,
            interval_s=settings.interval,
            timeout_s=settings.timeout,
            requests_per_minute=settings.requests_per_minute,
            rng=random.Random(rng.random()),  # noqa: S311  jitter, no secret
        )
        for source, settings in config.sources.items()
    }


def _warner(store: Store) -> Callable[[str], None]:
    """Says a warning in the log file and on the timeline, from whatever thread it comes."""
    loop = asyncio.get_running_loop()

    def warn(words: str) -> None:
        log.warning("%s", words)
        loop.call_soon_threadsafe(store.say, LogKind.ENGINE, clean(words))

    return warn
