"""Incidents as lines: which stand on top, what the cursor can do on them, and what the engine's analysis adds."""

import msgspec
import pytest

from console.domain.alerts import AlertState
from console.domain.board import Board
from console.domain.health import Finding, Health, Level
from console.domain.incidents import Advice, Incident
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.domain.wire import Change
from console.ui.cells import Line
from console.ui.glyphs import ASCII, UNICODE
from console.ui.view import detectors, incident
from console.ui.view.incidents import about, belonging_to_none, going_on, is_new, what, who, worst_or
from console.ui.view.judged import Judgements
from console.ui.view.mimic import Part, Spot
from console.ui.view.overview import Overview
from tests.ui import drifting, world

UNPARSED, COSTLY = drifting.INCIDENTS


def board() -> Board:
    made = Board()
    made.apply(drifting.DriftingEngine().snapshot())
    return made


def text(lines: list[Line]) -> str:
    return "\n".join("".join(cell.text for cell in line.cells) for line in lines)


def page(item: Incident = UNPARSED, width: int = 100) -> list[Line]:
    return incident.page(board(), item, drifting.ANALYSIS, width, UNICODE, {"trip": "t", "switch": "s"})


def test_a_page_before_a_ticket_and_what_is_new_before_what_is_known() -> None:
    assert [one.id for one in going_on(board())] == [UNPARSED.id, COSTLY.id]
    assert (is_new(board(), UNPARSED), is_new(board(), COSTLY)) == (True, False)
    assert worst_or(board(), None) == UNPARSED
    assert worst_or(board(), COSTLY.id) == COSTLY


def test_what_is_over_or_silenced_is_no_longer_on_top() -> None:
    made = board()
    over = msgspec.structs.replace(UNPARSED, state=AlertState.RESOLVED, until=drifting.NOW)
    silent = msgspec.structs.replace(drifting.ALERTS[2], silenced_until=drifting.NOW + 900)
    made.apply(Change(seq=2, at=drifting.NOW + 1, incidents=(over,), alerts=(silent,)))
    assert going_on(made) == []
    assert worst_or(made, None) == over, "the page of the last one can still be opened"


def test_keys_act_on_the_culprit_and_without_one_on_what_is_advised() -> None:
    assert about(board(), UNPARSED) == drifting.AZURE
    assert about(board(), COSTLY) == drifting.CHAT
    assert who(board(), UNPARSED, 24) == "deployment azure-b"
    assert who(board(), UNPARSED, 12) == "azure-b"
    assert who(board(), COSTLY, 12) == "chat"


def test_findings_that_an_incident_tells_of_are_not_said_twice() -> None:
    wrong = Health(Level.WARN, "errors")
    embed = world.ref(Kind.DEPLOYMENT, "openai-embed")
    found = [Finding(drifting.AZURE, wrong), Finding(drifting.CHAT, wrong), Finding(embed, wrong)]
    assert belonging_to_none(board(), found, going_on(board())) == [found[2]]


@pytest.mark.parametrize("width", [80, 140])
def test_the_overview_begins_with_incidents_and_the_key_that_helps(width: int) -> None:
    made, judged = board(), Judgements()
    judged.refresh(made)
    keys = {"trip": "t", "drill": "Enter"}
    worst = Overview(ASCII).page(made, judged, width, (width, 30), keys).worst
    assert "2 incidents" in text(worst[:1])
    assert "X answers" in text(worst[1:2])
    assert "t trips it" in text(worst[1:2])
    assert worst[1].key == Spot(Part.INCIDENT, drifting.AZURE, text=UNPARSED.id)
    assert "Enter what to do" in text(worst[2:3]), "advice without a verb is no key"


def test_a_key_is_only_named_where_it_works_on_the_line() -> None:
    made, judged = board(), Judgements()
    elsewhere = msgspec.structs.replace(UNPARSED.advice[0], target=world.ref(Kind.DEPLOYMENT, "claude"))
    made.apply(
        Change(seq=2, at=drifting.NOW, incidents=(msgspec.structs.replace(UNPARSED, advice=(elsewhere,)),)),
    )
    judged.refresh(made)
    worst = Overview(UNICODE).page(made, judged, 140, (140, 30), {"trip": "t", "drill": "Enter"}).worst
    assert "Enter what to do" in text(worst[1:2])


def test_the_page_says_who_why_what_to_do_and_what_not() -> None:
    said = text(page())
    for words in (
        "deployment azure-b",
        "explains 91%",
        "all 98 answers that do not parse",
        "only one tenant",
        "t trip",
        "do not         Sending failed answers again",
        "request 4bf92f3577b34da",
        "prompt answer@12",
        "fingerprint changed",
    ):
        assert words in said, words
    assert said.index("What may be done") < said.index("What was seen") < said.index("Less likely")


def test_the_cursor_begins_on_what_may_be_done_and_every_line_can_be_reached() -> None:
    lines = page()
    keys = [line.key for line in lines]
    assert None not in keys
    assert len(set(keys)) == len(keys), "the cursor stops at each line once"
    at = incident.begin_at(board(), UNPARSED)
    assert at in keys
    assert at is not None
    assert UNPARSED.advice[int(at.name)].verb is Verb.TRIP


def test_examples_lead_to_requests_of_the_trace_store() -> None:
    refs = [line.key.ref for line in page() if isinstance(line.key, incident.Entry) and line.key.part == "example"]
    assert [(ref.source, ref.kind, ref.name) for ref in refs if ref is not None] == [
        ("traces", Kind.REQUEST, name) for name in drifting.EXAMPLES
    ]


def test_the_analysis_shows_what_belongs_to_the_incident() -> None:
    said, costly = text(page()), text(page(COSTLY))
    assert "Retries of chat: 1.4× calls for one request" in said
    assert "without azure" in said
    assert "Cost:" not in said
    assert "Cost: $24.10/h, +$6.70 against the usual" in costly
    assert "31 % more tokens in" in costly
    assert "without azure" not in costly


def test_detectors_that_cannot_judge_everything_come_first_and_say_why() -> None:
    said = text(detectors.page(drifting.DETECTORS, 100, UNICODE))
    assert "2 of 3 cannot judge everything yet" in said
    assert said.index("unparsed") < said.index("latency")
    assert "claude: 210 of 500 structured answers seen" in said
    assert "◌ nothing" in said, "what watches nothing is not green"


def test_where_nothing_can_be_done_here_the_cursor_begins_on_the_conversation_that_shows_it() -> None:
    made = board()
    talk = msgspec.structs.replace(drifting.ALERTS[0], ref=Ref("traces", Kind.CONVERSATION, "conv-1"))
    split = msgspec.structs.replace(UNPARSED, alerts=(talk.id,), advice=(Advice(words="restart it"),))
    made.apply(Change(seq=2, at=drifting.NOW, alerts=(talk,), incidents=(split,)))
    assert incident.begin_at(made, split) == incident.Entry(incident.Part.ALERT, talk.id, talk.ref)


def test_the_culprit_is_not_said_twice_in_one_line() -> None:
    named = msgspec.structs.replace(UNPARSED, title="answers that do not parse: deployment azure-b, since 07:46 UTC")
    assert what(named) == "answers that do not parse, since 07:46 UTC"
    assert what(COSTLY) == COSTLY.title
