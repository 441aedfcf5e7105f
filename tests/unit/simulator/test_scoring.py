"""A game is scored by playing it again: right actions spare harm, wrong ones bring some, nobody is the measure."""

from pathlib import Path

import msgspec
import pytest

from adapters.simulator.scoring.run import Platform
from adapters.simulator.scoring.score import score
from adapters.simulator.scoring.tape import read
from console.cli.gameday_words import words_of
from console.config.built_in import built_in
from console.control.rows import Confirmed, RowKind, StepRow
from console.domain.actions import Intent, Plan, SetWeight, Switch, Trip
from console.domain.errors import ConfigError
from console.domain.games import Game, Played
from console.domain.refs import Kind, Ref
from console.domain.verbs import Action
from console.domain.wire import AuditRow, LogEntry, LogKind, encode
from console.places import game_path

BEGUN = 1_800_000_000.0
DRIFT = Game(scenario="format-drift", seed=3, speed=10.0)
STORM = Game(scenario="outage-with-retries", seed=3, speed=10.0)
CHAT = Ref("gateway", Kind.ROUTE, "chat")


def row(event: RowKind, action_id: str, at: float, body: object) -> AuditRow:
    return AuditRow(
        seq=1, at=at, operator="ana", action_id=action_id, event=event, body=encode(body).decode(), previous="", hash=""
    )


def rows(plan: Plan, action: Action, at: float, *, via: str = "key", action_id: str = "act-1") -> tuple[AuditRow, ...]:
    """What the audit log says of an action, by the engine's own types."""
    intent = Intent(target=plan.target, action=action, reason="a game", via=via)
    confirmed = row(RowKind.CONFIRMED, action_id, at, Confirmed(intent=intent, plan=plan))
    steps = (
        row(RowKind.STEP_DONE, action_id, at, StepRow(index=index, words=step.words))
        for index, step in enumerate(plan.steps)
    )
    return confirmed, *steps


def played(game: Game, *done: AuditRow, log: tuple[LogEntry, ...] = (), lasted_s: float = 600.0) -> Played:
    return Played(game=game, begun_at=BEGUN, ended_at=BEGUN + lasted_s, rows=done, log=log)


async def test_the_right_thing_early_spares_what_can_be_spared() -> None:
    plan = await Platform(DRIFT, BEGUN).gateway.plan_switch(CHAT, "chat-openai", "")
    acted = rows(plan, Switch("chat-openai"), BEGUN + 50.0)
    told = LogEntry(id=1, at=BEGUN + 40.0, kind=LogKind.ALERT, words="unparsed fires", outcome="firing")
    seen = LogEntry(id=2, at=BEGUN + 45.0, kind=LogKind.ALERT, words="unparsed acknowledged", operator="ana")
    game = played(DRIFT, *acted, log=(told, seen))
    found = await score(game)
    assert found == await score(game), "the same game is worth the same"
    assert (found.told_s, found.noticed_s, found.right_s) == (30.0, 35.0, 40.0)
    assert found.harm.wrong < 0.1 * found.nothing.wrong
    assert found.saved is not None
    assert found.saved > 0.9
    assert [(deed.words, deed.right) for deed in found.deeds] == [("switch chat to chat-openai", True)]
    assert "Well done" in "\n".join(words_of(found))


async def test_what_does_not_help_is_told_with_what_it_cost() -> None:
    plan = await Platform(STORM, BEGUN).gateway.plan_switch(CHAT, "chat-claude", "")
    found = await score(played(STORM, *rows(plan, Switch("chat-claude"), BEGUN + 60.0)))
    (deed,) = found.deeds
    assert (deed.right, deed.trap) == (False, True)
    assert deed.cost == pytest.approx(found.harm.requests - found.nothing.requests)
    assert found.right_s is None
    assert "a trap" in "\n".join(words_of(found))


async def test_nobody_acts_and_the_reference_is_the_measure() -> None:
    found = await score(played(STORM))
    assert found.harm == found.nothing
    assert found.saved == 0.0
    assert found.reference is not None
    assert found.reference.requests < 0.2 * found.nothing.requests
    quiet = await score(played(Game(scenario="traffic-surge", seed=3, speed=10.0), lasted_s=300.0))
    assert quiet.saved is None
    assert quiet.harm.requests < 0.01 * 5 * 1_000, "of a thousand requests a minute a few take two tries"
    elsewhere = await score(played(Game(scenario="split-snapshots", seed=3, speed=10.0), lasted_s=300.0))
    assert elsewhere.reference is None
    assert elsewhere.harm.wrong > 0


async def test_a_tape_knows_what_the_engine_did_by_itself() -> None:
    trip = Ref("gateway", Kind.DEPLOYMENT, "chat-openai")
    plan = await Platform(STORM, BEGUN).gateway.plan_trip(trip, 600.0)
    mine = rows(plan, Trip(), BEGUN + 50.0)
    probe = rows(plan, SetWeight(0.1), BEGUN + 90.0, via="engine", action_id="act-2")
    back = row(RowKind.STEP_DONE, "act-1", BEGUN + 120.0, StepRow(index=0, words="back", back=True))
    tape = read((*mine, *probe, back))
    assert [item.at - BEGUN for item in tape.taken] == [50.0] * len(plan.steps) + [90.0] * len(plan.steps) + [120.0]
    assert tape.taken[-1].step == plan.undo[0]
    assert {item.action_id for item in tape.without("act-1").taken} == {"act-2"}
    found = await score(played(STORM, *mine, *probe, back, lasted_s=200.0))
    assert len(found.deeds) == 1, "a probe is none of the operator's"


async def test_the_environment_of_a_game_does_not_say_what_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHGEAR_STATE_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match="there is no game"):
        built_in("gameday-0123abcd")
    path = game_path("gameday-0123abcd")
    path.parent.mkdir()
    path.write_bytes(encode(DRIFT))
    environment = built_in("gameday-0123abcd")
    assert environment is not None
    options = environment.sources["gateway"].options
    assert (options["scenario"], options["told"]) == ("format-drift", False)
    platform = Platform(msgspec.structs.replace(DRIFT, scenario="calm"), BEGUN)
    seen = await platform.gateway.observe()
    assert "calm" in " ".join(seen.notes), "a demo says it"
