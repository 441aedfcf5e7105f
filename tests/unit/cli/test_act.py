"""Which object is meant, and what counts as a yes."""

import argparse

import msgspec
import pytest

from console.cli import act
from console.cli.follow import progress_line
from console.cli.preview import print_proposal
from console.cli.targets import action_of, target_of
from console.domain.actions import (
    Check,
    CheckResult,
    Effect,
    ExpiryHome,
    Intent,
    OnExpiry,
    Outcome,
    Override,
    OverrideState,
    Park,
    Plan,
    Progress,
    Proposal,
    Receipt,
    Replay,
    Requeue,
    SetWeight,
    Stage,
    Step,
    Switch,
    Trip,
    Verb,
    Verdict,
)
from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.forecasts import Course, Forecast, Foreseen, Quantity
from console.domain.readings import Deployment, Queue, Route
from console.domain.refs import Kind, Ref

NAMES = (("gw", "openai-a"), ("gw", "azure-b"), ("two", "azure-b"))


def override(name: str, at: float) -> Override:
    target = Ref("gw", Kind.DEPLOYMENT, "openai-a")
    return Override(
        id=name, target=target, action=Trip(), owner="o", reason="r", created_at=at, expires_at=None,
        on_expiry=OnExpiry.HOLD, expiry_home=ExpiryHome.NOBODY, state=OverrideState.ACTIVE,
        plan=Plan(target=target, verb=Verb.TRIP, steps=(), expects=()),
    )  # fmt: skip


@pytest.fixture
def board() -> Board:
    it = Board()
    for source, name in NAMES:
        ref = Ref(source, Kind.DEPLOYMENT, name)
        it.readings[ref] = Deployment(ref=ref, observed_at=0, provider="p", model="m")
    route = Ref("gw", Kind.ROUTE, "openai-a")
    it.readings[route] = Route(ref=route, observed_at=0)
    it.overrides = {item.id: item for item in (override("one", 1), override("two", 2))}
    return it


def test_a_name_means_the_kind_that_the_verb_acts_on(board: Board) -> None:
    assert target_of(board, Verb.TRIP, "openai-a")[0].kind is Kind.DEPLOYMENT
    assert target_of(board, Verb.SWITCH, "openai-a")[0].kind is Kind.ROUTE
    assert target_of(board, Verb.RESET, "two:deployment/azure-b")[0].source == "two"


def test_what_is_meant_must_be_clear(board: Board) -> None:
    with pytest.raises(Refusal, match="gw:deployment/azure-b, two:deployment/azure-b"):
        target_of(board, Verb.WEIGHT, "azure-b")
    with pytest.raises(Refusal, match="did you mean openai-a"):
        target_of(board, Verb.TRIP, "openai")
    with pytest.raises(Refusal, match=r"no active override.*active are: one"):
        target_of(board, Verb.RESTORE, "azure-b")


def test_a_restore_takes_an_overrides_id_or_the_newest_of_its_object(board: Board) -> None:
    assert target_of(board, Verb.RESTORE, "one") == (Ref("gw", Kind.DEPLOYMENT, "openai-a"), "one")
    assert target_of(board, Verb.RESTORE, "openai-a")[1] == "two"


def test_arguments_become_actions() -> None:
    assert action_of(Verb.WEIGHT, "2.5", "") == SetWeight(2.5)
    assert action_of(Verb.SWITCH, "backup", "alias") == Switch("backup", "alias")
    with pytest.raises(Refusal, match="takes a number"):
        action_of(Verb.WEIGHT, "", "")
    with pytest.raises(argparse.ArgumentTypeError, match="no duration"):
        act._duration("later")


def proposal(result: CheckResult, name: str = "openai-a") -> Proposal:
    target = Ref("gw", Kind.DEPLOYMENT, name)
    steps = (Step(op="x", words="POST /block"),)
    return Proposal(
        id="p", intent=Intent(target=target, action=Trip()), operator="o",
        plan=Plan(target=target, verb=Verb.TRIP, steps=steps, expects=(), words="keep away", notes=("all at once",)),
        effects=(Effect(label="azure-b", before=1e-15, after=None, unit="req/min", bad=True),),
        verdict=Verdict((Check("guard", result, "because"),)), created_at=0, valid_until=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("result", "typed", "answer"),
    [
        (CheckResult.PASS, "y", ""),
        (CheckResult.PASS, "YES", ""),
        (CheckResult.PASS, "", None),
        (CheckResult.PASS, "yeah", None),
        (CheckResult.TYPE_NAME, "openai-a", "openai-a"),
        (CheckResult.TYPE_NAME, "y", None),
    ],
)
def test_only_a_plain_yes_or_the_name_is_a_yes(
    monkeypatch: pytest.MonkeyPatch, result: CheckResult, typed: str, answer: str | None
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: typed)
    assert act._ask(proposal(result)) == answer


def test_without_a_terminal_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert act._ask(proposal(CheckResult.TYPE_NAME)) is None
    assert "--name openai-a" in capsys.readouterr().err


def test_a_preview_shows_everything_and_lets_no_escape_through(capsys: pytest.CaptureFixture[str]) -> None:
    print_proposal(proposal(CheckResult.REFUSE, "evil\x1b[2J[red]"))
    words = capsys.readouterr().out
    for part in ("plan: keep away", "POST /block", "way back: none", "note: all at once", "REFUSED", "because"):
        assert part in words
    assert "azure-b  0    ?" in words
    assert "\x1b" not in words


@pytest.mark.parametrize("argument", ["nan", "inf", "-5", "1e300"])
def test_a_number_that_is_no_weight_is_said_at_once(argument: str) -> None:
    with pytest.raises(Refusal, match="0 or more"):
        action_of(Verb.WEIGHT, argument, "")


def test_queue_verbs_become_actions() -> None:
    assert action_of(Verb.PARK, "", "") == Park()
    assert action_of(Verb.REPLAY, "", "") == Replay()
    assert action_of(Verb.REPLAY, "200", "") == Replay(200.0)
    assert action_of(Verb.REQUEUE, "0.5", "") == Requeue(0.5)
    with pytest.raises(Refusal, match="a rate is more than 0"):
        action_of(Verb.REPLAY, "0", "")
    with pytest.raises(Refusal, match="requeue takes a number"):
        action_of(Verb.REQUEUE, "all", "")
    with pytest.raises(Refusal, match="an object and nothing else"):
        action_of(Verb.PURGE, "now", "")


def test_a_queue_verb_means_a_queue(board: Board) -> None:
    ref = Ref("jobs", Kind.QUEUE, "openai-a")
    board.readings[ref] = Queue(ref=ref, observed_at=0, depth=1)
    assert target_of(board, Verb.PARK, "openai-a") == (ref, "")
    assert target_of(board, Verb.PURGE, "jobs:queue/openai-a") == (ref, "")


def receipt(name: str, stage: Stage, progress: Progress | None) -> Receipt:
    intent = Intent(target=Ref("jobs", Kind.QUEUE, "mail"), action=Park())
    return Receipt(
        id=name, intent=intent, operator="o", stage=stage, outcome=Outcome.PENDING, started_at=0, updated_at=0,
        progress=progress,
    )  # fmt: skip


def test_stop_takes_what_is_under_way(board: Board) -> None:
    going = Progress(done=3, total=10)
    board.receipts = {
        item.id: item
        for item in (
            receipt("over", Stage.DONE, going),
            receipt("short", Stage.EXECUTING, None),
            receipt("long", Stage.EXECUTING, going),
        )
    }
    assert target_of(board, Verb.STOP, "mail")[1] == "long"
    assert target_of(board, Verb.STOP, "long")[1] == "long"
    with pytest.raises(Refusal, match=r"under way: long \(park jobs:queue/mail\)"):
        target_of(board, Verb.STOP, "over")


def test_progress_is_one_line() -> None:
    assert progress_line(Progress(done=5)) == "5"
    line = progress_line(
        Progress(done=34211, total=100000, per_s=6400.4, left_s=10.2, words="a worker\x1b[2J takes too")
    )
    assert line.startswith("34,211 of 100,000 · 6,400/s · 10 s left · a worker")
    assert "\x1b" not in line


def test_a_preview_shows_the_next_quarter_of_an_hour(capsys: pytest.CaptureFixture[str]) -> None:
    queue, purse = Ref("jobs", Kind.QUEUE, "mail"), Ref("gw", Kind.SPEND, "total/all")
    waits = Foreseen(quantity=Quantity.BACKLOG, ref=queue, now=92.0, then=12.0, low=4.0, high=30.0, words="32/min come")
    cost = Foreseen(quantity=Quantity.USD_PER_H, ref=purse, now=14.0, words="the price at a is not known")
    own = Course(words="trip openai-a\x1b[2J", verb=Verb.TRIP, foreseen=(waits, cost))
    nothing = Course(words="do nothing", foreseen=(msgspec.structs.replace(waits, then=338.0, low=None, high=None),))
    forecast = Forecast(at=1.0, courses=(own, nothing), words="of 12 forecasts of trip the median was off by 6%")
    print_proposal(msgspec.structs.replace(proposal(CheckResult.PASS), forecast=forecast))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "backlog of mail 92 12 (4 to 30) 338" in lines
    assert "$/h of gw 14.00 cannot be said cannot be said" in lines
    assert "$/h of gw: the price at a is not known" in lines
    assert "of 12 forecasts of trip the median was off by 6%" in lines
    assert not any("\x1b" in line for line in lines)


def test_a_preview_says_who_ends_what_stays_behind(capsys: pytest.CaptureFixture[str]) -> None:
    target = Ref("jobs", Kind.QUEUE, "mail")
    moving = Step(op="x", words="move")
    for home, undo, words in (
        (ExpiryHome.BACKEND, (moving,), "its end: kept by the backend"),
        (ExpiryHome.NOBODY, (moving,), "its end: it holds until somebody puts it back"),
        (ExpiryHome.NOBODY, (), "its end: it leaves nothing behind"),
    ):
        plan = Plan(target=target, verb=Verb.PARK, steps=(moving,), expects=(), undo=undo, expiry_home=home)
        print_proposal(msgspec.structs.replace(proposal(CheckResult.PASS), plan=plan))
        assert words in capsys.readouterr().out


def test_a_stop_has_no_steps_and_no_way_back_to_speak_of(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(target=Ref("jobs", Kind.QUEUE, "mail"), verb=Verb.STOP, steps=(), expects=(), words="stop park mail")
    print_proposal(msgspec.structs.replace(proposal(CheckResult.PASS), plan=plan))
    said = capsys.readouterr().out
    assert "stop park mail" in said
    assert "way back" not in said
