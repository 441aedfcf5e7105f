"""Before a game day the detectors have watched some calm hours: an incident a minute later is judged against these."""

from pathlib import Path

import pytest

from console.config.built_in import built_in
from console.domain.games import Game
from console.domain.wire import encode
from console.engine.clock import ManualClock
from console.engine.detectors.base import Judging
from console.engine.detectors.catalogue import detectors
from console.engine.journal import Journal
from console.engine.store import Store
from console.engine.watch import Watch
from console.places import game_path
from console.runtime.rehearsal import rehearse


async def test_what_was_rehearsed_is_known_to_the_engine_of_the_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHGEAR_STATE_DIR", str(tmp_path))
    path = game_path("gameday-0123abcd")
    path.parent.mkdir()
    path.write_bytes(encode(Game(scenario="hard-outage", seed=3, speed=10.0)))
    config = built_in("gameday-0123abcd")
    assert config is not None
    clock = ManualClock()
    await rehearse(config, path.parent, clock, 1200.0)
    journal = Journal(path.parent / "journal.sqlite", clock, config.retention)
    await journal.open()
    kept = await journal.learnt()
    await journal.close()
    found = detectors(config)
    watch = Watch(found, Store("game", clock), clock)
    cold = {state.name: state.watching for state in watch.states()}
    watch.recall(kept)
    warm = {state.name: state.watching for state in watch.states()}
    assert sum(isinstance(one, Judging) for one in found) > 5
    assert not cold["unparsed"]
    assert warm["unparsed"] > 0, "the incident's own faults were not in the rehearsal, but calm was"
