"""The wiring: one engine on a state folder, everything closed again, and errors with their place."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from adapters.simulator.adapter import SimulatorAdapter
from console.config import Environment
from console.domain.errors import ConfigError
from console.domain.ports import Adapter
from console.domain.readings import Deployment
from console.domain.wire import AuditQuery
from console.engine.clock import ManualClock
from console.runtime import AlreadyRuns, Lock, build, find
from console.runtime.wiring import _warner
from runbooks.keeping import Keeping
from tests.unit.runbooks.session.books import UID, begun, book

WORLD = {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": {"scenario": "calm", "replicas": 1}}


def plant() -> Environment:
    return Environment.model_validate({"sources": {"one": WORLD, "two": WORLD}})


async def test_two_sources_are_watched_and_closed_with_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Adapter] = []
    close = SimulatorAdapter.close

    async def noted(adapter: SimulatorAdapter) -> None:
        closed.append(adapter)
        await close(adapter)

    monkeypatch.setattr(SimulatorAdapter, "close", noted)
    clock = ManualClock()
    async with build("plant", plant(), clock, tmp_path / "state", seed=1) as runtime:
        made = list(runtime.adapters.values())
        running = asyncio.create_task(runtime.run())
        for _ in range(30):
            await clock.advance(0.1)
            await asyncio.sleep(0.002)
        assert {reading.ref.source for reading in runtime.store.board.of(Deployment)} == {"one", "two"}
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert closed == made[::-1]
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    async with build("plant", plant(), clock, tmp_path / "state"):
        pass


async def test_a_state_folder_has_one_engine_at_a_time(tmp_path: Path) -> None:
    clock = ManualClock(1_800_000_000.0)
    async with build("plant", plant(), clock, tmp_path / "state"):
        with pytest.raises(AlreadyRuns, match=r"pid \d+, since 2027-01-15 08:00:00 UTC"):
            async with build("plant", plant(), clock, tmp_path / "state"):
                pass
    with Lock(tmp_path / "state" / "engine.lock", 0.0):
        pass


async def test_a_demo_forgets_what_was_in_another_world(tmp_path: Path) -> None:
    for fresh, kept in ((False, 2), (True, 1)):
        async with build("demo", plant(), ManualClock(), tmp_path / "state", fresh=fresh) as runtime:
            await runtime.audit.append("a", "", "", {})
        async with build("demo", plant(), ManualClock(), tmp_path / "state", fresh=fresh) as runtime:
            await runtime.audit.append("b", "", "", {})
            assert len(await runtime.audit.page(AuditQuery())) == kept
            assert (await runtime.audit.verify()).holds


async def test_a_demo_goes_on_with_no_run_of_another_world(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with build("demo", plant(), ManualClock(), state):
        pass
    for fresh, kept in ((False, 1), (True, 0)):
        keeping = Keeping(state / "runs.sqlite")
        await keeping.open()
        if not fresh:
            await keeping.begin(begun(book({"id": "one", "check": "a"})), UID, "text", "")
        await keeping.close()
        async with build("demo", plant(), ManualClock(), state, fresh=fresh):
            keeping = Keeping(state / "runs.sqlite")
            await keeping.open()
            assert len(await keeping.at_start(0.0)) == kept
            await keeping.close()


async def test_a_warning_from_another_thread_reaches_the_timeline(tmp_path: Path) -> None:
    async with build("plant", plant(), ManualClock(), tmp_path / "state") as runtime:
        await asyncio.to_thread(_warner(runtime.store), "others may read it\x1b[2J")
        await asyncio.sleep(0)
        assert [entry.words for entry in runtime.store.board.log] == ["others may read it�[2J"]


def test_an_environment_is_found_with_its_adapters_options_judged(tmp_path: Path) -> None:
    assert find("demo", tmp_path / "none.yaml").sources["gateway"].adapter == "simulator"
    with pytest.raises(ConfigError, match=r"demo-clam: scenario: there is no scenario 'clam'; there are: .*calm"):
        find("demo-clam", tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"there is no environment 'prod'.*switchgear init"):
        find("prod", tmp_path / "none.yaml")
    path = tmp_path / "config.yaml"
    path.write_text(
        "schemaVersion: 1\nenvironments:\n  prod:\n    sources:\n"
        "      a: {adapter: simulator, options: {speeed: 3}}\n      b: {adapter: simulater}\n"
    )
    with pytest.raises(ConfigError) as caught:
        find("prod", path)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}:5: environments.prod.sources.a.options.speeed: unknown key; did you mean speed?")
    assert second.startswith(f"{path}:6: environments.prod.sources.b.adapter: there is no adapter 'simulater'")
