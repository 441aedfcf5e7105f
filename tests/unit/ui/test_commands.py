"""One registry: every key resolves, the README's table is current, and a command that cannot work says why."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from console.domain.actions import Verb
from console.domain.board import Board
from console.domain.readings import Ability, Deployment, Provider, Queue, Route, SwitchOption
from console.domain.refs import Kind, Ref
from console.domain.wire import Snapshot
from console.ui import keymap
from console.ui.commands import BY_NAME, COMMANDS, UnknownCommand, completions, parse
from console.ui.targets import target_of

README = Path(__file__).parents[3] / "README.md"


def ref(kind: Kind, name: str) -> Ref:
    return Ref("gateway", kind, name)


def queue(name: str, *, paused: bool = False) -> Queue:
    able = tuple(Ability(verb, able=True) for verb in (Verb.PAUSE, Verb.RESUME, Verb.PARK))
    no = Ability(Verb.FINISH, able=False, reason="new work cannot be held back")
    feeds = ("gateway:route/chat",) if name == "jobs" else ()
    made = Queue(ref=ref(Kind.QUEUE, name), observed_at=1.0, depth=9, paused=paused, feeds=feeds, can=(*able, no))
    return made


def board() -> Board:
    trip = (Ability(Verb.TRIP, able=True), Ability(Verb.WEIGHT, able=False, reason="defined in the config file"))
    made = Board()
    made.apply(
        Snapshot(
            seq=1,
            at=1.0,
            environment="prod",
            readings=(
                Deployment(
                    ref=ref(Kind.DEPLOYMENT, "azure-b"),
                    observed_at=1.0,
                    provider="azure",
                    model="gpt",
                    routes=("chat",),
                    weight=3.0,
                    can=trip,
                ),
                Deployment(
                    ref=ref(Kind.DEPLOYMENT, "azure-c"), observed_at=1.0, provider="azure", model="gpt", can=trip
                ),
                queue("jobs"),
                queue("held", paused=True),
                Provider(ref=ref(Kind.PROVIDER, "azure"), observed_at=1.0, deployments=("azure-b", "azure-c")),
                Provider(ref=ref(Kind.PROVIDER, "single"), observed_at=1.0, deployments=("azure-b",)),
                Route(
                    ref=ref(Kind.ROUTE, "chat"),
                    observed_at=1.0,
                    switch_options=(SwitchOption(to="chat-eu", mechanism="alias", words="chat-eu answers"),),
                    can=(Ability(Verb.SWITCH, able=True),),
                ),
            ),
        )
    )
    return made


def desk(selected: Ref | None = None, **fields: Any) -> mock.Mock:
    """A desk that records what commands do with it; its state is real."""
    made = mock.Mock(lost="", operating=False, board=board())
    made.selected.return_value = selected
    made.has.return_value = True
    made.marked = made.conversation.return_value = None
    made.followed.return_value = made.foremost.return_value = None
    made.incident.return_value, made.alarms.return_value = None, ()
    made.simulated, made.scenarios = False, ()
    made.columns.return_value = ("name", "errors")
    made.themes.return_value = ("switchgear-dark", "ansi-dark")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_names_and_keys_are_unique() -> None:
    assert len(BY_NAME) == len(COMMANDS)
    assert keymap.problems({}) == []


def test_every_command_can_be_judged_with_nothing_selected() -> None:
    for command in COMMANDS:
        assert isinstance(command.why_not(desk()), str), command.name
        assert list(command.choices(desk())) == list(command.choices(desk()))


def test_the_readmes_key_table_is_current() -> None:
    text = README.read_text()
    assert keymap.BEGIN in text, "the README has lost its key table; `python -m console.ui.keymap README.md` fills it"
    assert keymap.fill(text) == text, "run `python -m console.ui.keymap README.md`"


def test_own_keys_that_clash_or_miss_are_said() -> None:
    assert keymap.problems({"trip": "r"}) == ["r is given to trip and to reset"]
    assert keymap.problems({"tripp": "x"}) == ["no command 'tripp'"]


@pytest.mark.parametrize(
    ("verb", "selected", "found"),
    [
        (Verb.TRIP, ref(Kind.DEPLOYMENT, "azure-b"), ref(Kind.DEPLOYMENT, "azure-b")),
        (Verb.TRIP, ref(Kind.PROVIDER, "single"), ref(Kind.DEPLOYMENT, "azure-b")),
        (Verb.SWITCH, ref(Kind.DEPLOYMENT, "azure-b"), ref(Kind.ROUTE, "chat")),
        (Verb.PARK, ref(Kind.QUEUE, "jobs"), ref(Kind.QUEUE, "jobs")),
        (Verb.PARK, ref(Kind.ROUTE, "chat"), ref(Kind.QUEUE, "jobs")),
    ],
)
def test_a_verb_finds_its_object_near_the_cursor(verb: Verb, selected: Ref, found: Ref) -> None:
    assert target_of(board(), selected, verb).ref == found


@pytest.mark.parametrize(
    ("verb", "selected", "words"),
    [
        (Verb.TRIP, None, "select a deployment"),
        (Verb.TRIP, ref(Kind.PROVIDER, "azure"), "one of 2"),
        (Verb.WEIGHT, ref(Kind.DEPLOYMENT, "azure-b"), "defined in the config file"),
        (Verb.RESET, ref(Kind.DEPLOYMENT, "azure-b"), "has no reset"),
        (Verb.TRIP, ref(Kind.DEPLOYMENT, "gone"), "no longer on the board"),
        (Verb.SWITCH, ref(Kind.DEPLOYMENT, "azure-c"), "select one"),
        (Verb.PARK, ref(Kind.DEPLOYMENT, "azure-b"), "works on one queue"),
        (Verb.FINISH, ref(Kind.QUEUE, "jobs"), "new work cannot be held back"),
        (Verb.REQUEUE, ref(Kind.QUEUE, "jobs"), "has no requeue"),
    ],
)
def test_a_verb_that_finds_none_says_why(verb: Verb, selected: Ref | None, words: str) -> None:
    target = target_of(board(), selected, verb)
    assert target.ref is None
    assert words in target.why_not


def test_a_lost_engine_is_the_reason_for_everything_that_acts() -> None:
    lost = desk(ref(Kind.DEPLOYMENT, "azure-b"), lost="the engine is gone")
    for command in COMMANDS:
        if command.group in ("Act", "Queues"):
            assert command.why_not(lost) == "the engine is gone", command.name


def test_the_prompt_takes_names_beginnings_and_arguments() -> None:
    assert parse(":trip") == (BY_NAME["trip"], "")
    assert parse("weight 20") == (BY_NAME["weight"], "20")
    assert parse("filter azure b ") == (BY_NAME["filter"], "azure b")
    assert parse("ack")[0] is BY_NAME["acknowledge"]
    with pytest.raises(UnknownCommand, match="which one"):
        parse("s")
    with pytest.raises(UnknownCommand, match="no command 'xyz'"):
        parse("xyz")


def test_completion_offers_what_works_first_then_arguments() -> None:
    here = desk(ref(Kind.DEPLOYMENT, "azure-b"))
    assert completions("t", here)[0] in ("trip", "theme")
    assert completions("switch ", here) == ["switch chat-eu"]
    assert completions("sort e", here) == ["sort errors"]
    assert "filter azure-b" in completions("filter AZURE", here)
    assert completions("nonsense x", here) == []


def test_acting_commands_open_the_dialog_on_the_right_object() -> None:
    here = desk(ref(Kind.PROVIDER, "single"))
    BY_NAME["trip"].run(here, "")
    here.act.assert_called_once_with(ref(Kind.DEPLOYMENT, "azure-b"), Verb.TRIP, "")


def test_p_pauses_what_runs_and_resumes_what_is_paused() -> None:
    for name, verb in (("jobs", Verb.PAUSE), ("held", Verb.RESUME)):
        here = desk(ref(Kind.QUEUE, name))
        assert not BY_NAME["hold"].why_not(here)
        BY_NAME["hold"].run(here, "")
        here.act.assert_called_once_with(ref(Kind.QUEUE, name), verb, "")


def test_d_offers_a_choice_and_does_nothing_by_itself() -> None:
    here = desk(ref(Kind.QUEUE, "jobs"))
    BY_NAME["backlog"].run(here, "")
    here.choose.assert_called_once_with(ref(Kind.QUEUE, "jobs"))
    here.act.assert_not_called()


def test_nothing_is_called_a_drain_and_a_purge_has_no_key() -> None:
    assert not [command for command in COMMANDS if "drain" in command.name + command.title + command.help.casefold()]
    assert not BY_NAME["purge"].key
    assert not BY_NAME["purge"].bar


def test_each_queue_verb_has_a_command_of_its_own() -> None:
    for verb in (Verb.PAUSE, Verb.RESUME, Verb.PARK, Verb.REPLAY, Verb.FINISH, Verb.REQUEUE, Verb.ISOLATE, Verb.PURGE):
        assert str(verb) in BY_NAME
    assert completions("replay ", desk(ref(Kind.QUEUE, "jobs")))[0] == "replay 100"


def test_keys_are_written_as_people_read_them() -> None:
    assert [keymap.spell(key) for key in ("slash", "ctrl+p", "question_mark", "t", "enter", "f1,x")] == [
        "/",
        "Ctrl+P",
        "?",
        "t",
        "Enter",
        "f1 x",
    ]
