"""What `status` says of incidents, and of transport and answers apart."""

import pytest

from console.cli import status
from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.board import Board
from console.domain.incidents import Advice, Blame, Dimension, Incident
from console.domain.readings import Service
from console.domain.refs import Kind, Ref
from console.domain.wire import Access, AccessLevel, Hello
from tests.unit.domain.things import board, deployment, source

A = deployment("a")
WRONG = Alert(
    rule="unparsed",
    ref=A.ref,
    severity=Severity.PAGE,
    state=AlertState.FIRING,
    since=90.0,
    words="9 % do not parse",
    aspect=Aspect.ANSWERS,
)
INCIDENT = Incident(
    id="unparsed@a~90",
    since=90.0,
    state=AlertState.FIRING,
    severity=Severity.PAGE,
    title="answers that do not parse: a",
    blame=Blame(
        dimension=Dimension.DEPLOYMENT, name="a", score=1.0, because="9 % do not parse", against="nothing\x1b[2J"
    ),
    alerts=(WRONG.id,),
    advice=(Advice(words="switch r to b"), Advice(words="retrying", trap=True)),
)


def _ill() -> Board:
    bot = Service(ref=Ref("gw", Kind.SERVICE, "bot"), observed_at=100.0)
    return board(source(), A, bot, alerts=(WRONG,), incidents=(INCIDENT,))


def test_an_incident_stands_above_everything_with_its_culprit_and_its_traps(capsys: pytest.CaptureFixture[str]) -> None:
    status._print("plant", _ill())
    words = capsys.readouterr().out
    assert words.startswith("plant: bad\ntransport: ok, answers: bad\ntransport is ok, answers are not: deployment a")
    for line in (
        "page: answers that do not parse: a (1 alerts)",
        "  because 9 % do not parse",
        "  may be done: switch r to b",
        "  not: retrying",
    ):
        assert line in words
    assert "\x1b" not in words
    assert words.index("not: retrying") < words.index("SOURCE")
    row = next(line for line in words.splitlines() if line.startswith("bad"))
    assert row.split()[:5] == ["bad", "gw:deployment/a", "unparsed", "ok", "bad"]


def test_the_same_as_json() -> None:
    access = Access(operator="ann", uid=1, level=AccessLevel.READ_ONLY)
    hello = Hello(protocol=4, version="x", environment="plant", pid=1, started_at=0.0, access=access)
    report = status._report("plant", hello, _ill())
    assert (report.level, report.transport, report.answers) == ("bad", "ok", "bad")
    assert report.incidents == (INCIDENT,)
    assert report.disagreement.startswith("transport is ok")
    assert {name: report.findings[0][name] for name in ("transport", "answers", "cost")} == {
        "transport": "ok",
        "answers": "bad",
        "cost": "ok",
    }
