"""The NATS adapter's parts that need no server: names, headers, options, abilities and flow."""

import base64
import itertools

import msgspec
import pytest
from pydantic import ValidationError

from adapters.nats import NatsOptions
from adapters.nats.abilities import Case
from adapters.nats.api import Message, Stream, decode, moment
from adapters.nats.headers import MSG_ID, parse, size_of, to_give_back, to_park, value_of
from adapters.nats.names import OwnNames, Place
from adapters.nats.readings import _Before, _flow
from console.domain.actions import Verb
from console.domain.errors import BackendError, ErrorKind


def message(head: bytes, seq: int = 7) -> Message:
    return Message(seq, "2026-01-02T03:04:05.678901234Z", "jobs.x", base64.b64encode(head).decode(), "")


def block(lines: list[tuple[str, str]]) -> bytes:
    return b"NATS/1.0\r\n" + "".join(f"{key}: {value}\r\n" for key, value in lines).encode() + b"\r\n"


def test_a_parking_subject_is_read_in_one_way_only() -> None:
    names = OwnNames("switchgear")
    parts = ("A", "B", "A_B", "b-c", "模型", "a|b")
    places = [Place(stream, consumer) for stream, consumer in itertools.product(parts, parts)]
    assert [names.parked_of([names.subject(place)]) for place in places] == places
    for subjects in ([], ["x"], ["switchgear.parked.A"], ["switchgear.parked.A.b.c"], ["switchgear.parked.A.b", "x"]):
        assert names.parked_of(subjects) is None


@pytest.mark.parametrize(
    "name", ["", "A", "/b", "A/", "A b/c", "A.b/c", "A/*", "A/>", "A/b/c", "A/\ud800", "A/b\r\nPUB x"]
)
def test_what_no_consumer_can_be_called_never_becomes_a_subject(name: str) -> None:
    assert Place.parse(name) is None


def test_long_names_and_control_characters_do_not_fit() -> None:
    names = OwnNames("switchgear")
    assert names.fits(Place("S" * 100, "c" * 100))
    assert not names.fits(Place("S" * 200, "c" * 100))
    assert not names.fits(Place("S\x1b", "c"))


def test_headers_come_back_as_they_were_but_for_what_the_server_would_obey() -> None:
    lines = [
        ("A", "1"),
        ("A", "2"),
        (MSG_ID, "mine"),
        ("Nats-Expected-Last-Sequence", "6"),
        ("Nats-TTL", "60s"),
        ("b", "x: y"),
    ]
    parked = to_park(message(block(lines)), "created", "S:created:7")
    assert [key for key, _ in parked].count(MSG_ID) == 1
    assert not any(key.startswith(("Nats-Expected", "Nats-TTL")) for key, _ in parked)
    assert size_of(parked) == len(block(parked))
    subject, back = to_give_back(message(block(parked)), "JOBS", "P:9")
    assert subject == "jobs.x"
    assert [line for line in back if not line[0].startswith(("Nats-", "Switchgear-"))] == [
        ("A", "1"),
        ("A", "2"),
        ("b", "x: y"),
    ]
    assert value_of(back, MSG_ID) == "P:9"
    assert value_of(back, "Switchgear-Msg-Id") == "mine"
    assert value_of(back, "Nats-TTL") == "60s"
    assert value_of(back, "Nats-Expected-Last-Sequence") == ""


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1\r\nA: b\r\n\r\n", b"NATS/1.0\r\nA b: c\r\n\r\n", b"NATS/1.0\r\nA: \xff\r\n\r\n"]
)
def test_headers_that_could_not_be_given_back_are_refused(head: bytes) -> None:
    with pytest.raises(BackendError) as caught:
        parse(message(head))
    assert caught.value.kind is ErrorKind.FAILED


def test_a_message_that_we_did_not_park_is_not_given_back() -> None:
    with pytest.raises(BackendError):
        to_give_back(message(block([("A", "1")])), "JOBS", "id")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ErrorKind.MALFORMED),
        (b"<html>", ErrorKind.MALFORMED),
        (b"[1]", ErrorKind.MALFORMED),
        (b'{"config": 1}', ErrorKind.MALFORMED),
        (b'{"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}', ErrorKind.UNSUPPORTED),
        (b'{"error": {"code": 503, "err_code": 10008, "description": "temporarily unavailable"}}', ErrorKind.THROTTLED),
        (b'{"error": {"code": 503, "err_code": 10077, "description": "maximum bytes exceeded"}}', ErrorKind.FAILED),
        (b'{"error": {"code": 503, "err_code": 10039, "description": "not enabled"}}', ErrorKind.UNSUPPORTED),
        (b'{"error": {"code": 400, "err_code": 10047, "description": "no room\\u001b[2J"}}', ErrorKind.FAILED),
    ],
)
def test_every_answer_that_is_none_is_in_the_taxonomy(body: bytes, kind: ErrorKind) -> None:
    with pytest.raises(BackendError) as caught:
        decode(body, Stream, "STREAM.INFO")
    assert caught.value.kind is kind
    assert "\x1b" not in str(caught.value)


def test_times_are_read_to_the_nanosecond_and_none_is_none() -> None:
    assert moment("2026-01-01T00:00:00.123456789Z") == pytest.approx(1767225600.123456)
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("yesterday") is None


def test_a_server_that_cannot_pause_cannot_park_and_says_why() -> None:
    old = Case(can_pause=False, paused=False, parked=True, fits=True)
    assert "2.11" in old.why_not(Verb.PAUSE)
    assert "2.11" in old.why_not(Verb.PARK)
    assert not old.why_not(Verb.REPLAY)
    assert not old.why_not(Verb.FINISH)


BEFORE = _Before("c", 100.0, 50, 5, 100, 1000)


@pytest.mark.parametrize(
    ("now", "whole", "arrived", "left"),
    [
        (_Before("c", 160.0, 80, 5, 130, 1060), True, 60, 30),  # 30 delivered and done, 60 came
        (_Before("c", 160.0, 80, 5, 130, 1060), False, 60, 30),
        (_Before("c", 160.0, 90, 5, 130, 1060), True, 60, 30),  # ten of them were delivered twice
        (_Before("c", 160.0, 50, 5, 0, 1000), True, 0, 0),  # all were parked: nothing was done
        (_Before("new", 160.0, 10, 0, 0, 1000), True, None, None),  # another consumer of the same name
    ],
)
def test_flow_is_told_from_two_looks(now: _Before, whole: bool, arrived: float | None, left: float | None) -> None:
    flow = _flow(BEFORE, now, whole=whole)
    assert (flow.arrived, flow.left) == (arrived, left)


@pytest.mark.parametrize(
    "given",
    [
        {"urls": []},
        {"urls": ["http://host:4222"]},
        {"urls": ["nats://user:secret@host:4222"]},
        {"urls": ["nats://host"], "user": "x"},
        {"urls": ["nats://host"], "user": "x", "password": "env:P", "token": "env:T"},
        {"urls": ["nats://host"], "prefix": "a.b"},
        {"urls": ["nats://host"], "domain": "a.b"},
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NatsOptions(**given)  # type: ignore[arg-type]
    assert msgspec.json.encode(NatsOptions(urls=["nats://host"]).urls) == b'["nats://host:4222"]'
