"""Judgements that are kept: always what a judgement from nothing would be, in steps, and of one moment of the board."""

import random
import sys
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import pytest

from console.domain.actions import OverrideState
from console.domain.alerts import Alert, AlertState
from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.freshness import Freshness
from console.domain.health import Health, Level, all_columns, judge
from console.domain.readings import AnyReading, Deployment, Source
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.ui.sight import FREED_AT_ONCE, Sight
from console.ui.view.judged import AT_ONCE, Judgements
from tests.ui import world

OPEN = world.circuit(Observed.OPEN, Observed.OPEN)


def fresh(board: Board) -> Judgements:
    found = Judgements()
    found.refresh(board)
    return found


def nothing(board: Board, judged: Judgements) -> Iterator[None]:
    return iter(())


def large(count: int = 500) -> Board:
    names = [f"dep-{n}" for n in range(count)]
    return world.board([world.source(), *(world.deployment(name, "openai", "chat") for name in names)])


def test_what_is_kept_is_what_a_judgement_from_nothing_would_be() -> None:
    rng = random.Random(4)
    board = world.board(world.trouble(), busy=True)
    kept = fresh(board)
    whole = list(board.readings.values())
    levels: set[Level] = set()
    for seq in range(2, 400):
        board.apply(_news(rng, seq, whole, board))
        kept.refresh(board)
        anew = fresh(board)
        assert kept.health == anew.health
        assert kept.findings == anew.findings
        assert kept.columns == anew.columns == all_columns(board)
        assert kept.disagreement == anew.disagreement
        levels.update(health.level for health in anew.health.values())
    assert levels == set(Level), "the walk has been everywhere"


def _news(rng: random.Random, seq: int, whole: list[AnyReading], board: Board) -> Change:
    """One change of any kind."""
    reading = rng.choice(whole)
    match rng.randrange(6):
        case 0:
            return Change(seq=seq, at=world.NOW + seq, removed=(reading.ref,))
        case 1:
            state = rng.choice((AlertState.FIRING, AlertState.RESOLVED))
            alert = msgspec.structs.replace(rng.choice(world.alerts()), ref=reading.ref, state=state, since=world.NOW)
            until = rng.choice((None, world.NOW + seq + 5))
            return Change(seq=seq, at=world.NOW + seq, alerts=(msgspec.structs.replace(alert, silenced_until=until),))
        case 2:
            state_ = rng.choice((OverrideState.ACTIVE, OverrideState.STUCK, OverrideState.ENDED))
            item = msgspec.structs.replace(world.override(), target=reading.ref, state=state_)
            return Change(seq=seq, at=world.NOW + seq, overrides=(item,))
        case 3 if isinstance(reading, Source):
            aged = msgspec.structs.replace(reading, freshness=rng.choice(list(Freshness)))
            return Change(seq=seq, at=world.NOW + seq, readings=(aged,))
        case 4 if isinstance(reading, Deployment):
            shut = msgspec.structs.replace(reading, circuit=rng.choice((OPEN, world.CLOSED)))
            return Change(seq=seq, at=world.NOW + seq, readings=(shut,))
        case _:
            return Change(seq=seq, at=world.NOW + seq, readings=(reading,))


def test_a_large_board_is_judged_in_steps_and_the_former_judgement_stands_until_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board, kept = large(), Judgements()
    judged: list[AnyReading] = []

    def counted(on: Board, reading: AnyReading, firing: Mapping[Ref, Sequence[Alert]]) -> Health:
        judged.append(reading)
        return judge(on, reading, firing)

    monkeypatch.setattr("console.ui.view.judged.judge", counted)
    steps, before = kept.steps(board), 0
    for _ in steps:
        assert not kept.health
        assert len(judged) - before <= AT_ONCE
        before = len(judged)
    assert before == len(judged) == len(board.readings), "each is judged once, and none in the last step"
    assert len(kept.health) == len(board.readings)


def test_quiet_objects_are_not_judged_again() -> None:
    board = large()
    kept = fresh(board)
    before = kept.findings
    assert list(kept.steps(board)) == []
    assert kept.findings is before


def test_a_sight_is_of_one_moment() -> None:
    live = large()
    sight = Sight(live, nothing)
    sight.look()
    ill = world.deployment("dep-7", "openai", "chat", errors=0.5)
    live.apply(Change(seq=2, at=world.NOW + 2, readings=(ill,)))
    ref = world.ref(Kind.DEPLOYMENT, "dep-7")
    assert sight.board.readings[ref] != ill
    assert sight.judged.of(ref).level is Level.OK
    sight.look()
    assert sight.board.readings[ref] is ill
    assert sight.judged.of(ref).level is Level.BAD


def test_what_comes_during_a_look_is_for_the_next_one_and_a_look_at_once_has_it() -> None:
    live = large()
    sight = Sight(live, nothing)
    assert not sight.step()
    ill = world.deployment("dep-7", "openai", "chat", errors=0.5)
    live.apply(Change(seq=2, at=world.NOW + 2, readings=(ill,)))
    while not sight.step():
        assert not sight.board.readings, "nothing half looked at is shown"
    assert sight.board.seq == 1
    assert not sight.judged.findings
    sight.step()
    sight.look()
    assert [item.ref.name for item in sight.judged.findings] == ["dep-7"]


def test_the_moment_before_is_let_go_little_by_little_and_not_kept() -> None:
    live = large(3 * FREED_AT_ONCE)
    sight = Sight(live, nothing)
    sight.look()
    names = [f"dep-{n}" for n in range(3 * FREED_AT_ONCE)]
    for seq in (2, 3):
        news = tuple(world.deployment(name, "openai", "chat", errors=seq / 100) for name in names)
        live.apply(Change(seq=seq, at=world.NOW + seq, readings=news))
    former, ref = sight.board, world.ref(Kind.DEPLOYMENT, "dep-7")
    sight.look()
    held = [sys.getrefcount(former.readings[ref])]
    while not sight.step():
        held.append(sys.getrefcount(former.readings[ref]))
    assert held[-1] == held[0] - 1, "nobody but this test holds it"
    assert held.index(held[-1]) > 1, "the last to be seen was not the first to be let go"


def test_a_copy_of_a_board_shares_nothing_that_can_be_written_to() -> None:
    board = world.board(world.trouble(), busy=True)
    copied = board.copy()
    assert vars(copied) == vars(board)
    for name, value in vars(board).items():
        assert not isinstance(value, (dict, list, set)) or vars(copied)[name] is not value, name
