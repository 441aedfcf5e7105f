"""Parts of the trace stores' adapters that need no server: ids, moments, options."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.jaeger import JaegerOptions
from adapters.otel import Aliases
from adapters.phoenix import PhoenixOptions
from adapters.phoenix.pages import cursor_at, number_of
from adapters.spans.answers import documents
from adapters.spans.moments import iso, nanoseconds, stretches
from adapters.spans.paging import PageSize
from adapters.spans.tree import shown
from adapters.tempo.questions import trace_ql
from console.domain.errors import BackendError, ErrorKind
from console.domain.spans import RequestQuery
from tests.unit.adapters.test_spans_recent import NOW, span


@given(st.integers(0, 10**17))
def test_a_row_s_number_survives_phoenix_s_way_of_writing_it(number: int) -> None:
    assert number_of(cursor_at(number)) == number


@pytest.mark.parametrize("identifier", ["", "x", "U3Bhbg==", "VHJhY2U6MQ==", "U3Bhbjo=", "U3BhbjoteA==", "é"])
def test_an_id_of_another_kind_has_no_number(identifier: str) -> None:
    assert number_of(identifier) is None


@given(st.integers(0, 2**61))
def test_a_moment_survives_to_the_microsecond(microseconds: int) -> None:
    seconds = microseconds / 1e6
    told = nanoseconds(iso(seconds))
    assert told == pytest.approx(min(seconds, 2e11) * 1e9, abs=1_000 + seconds * 1e-6)


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-01T00:00:00Z", "1969-01-01T00:00:00Z", "\x1b"])
def test_what_is_no_moment_is_none(text: str | None) -> None:
    assert nanoseconds(text) == 0


def test_stretches_meet_and_reach_back_a_week() -> None:
    found = list(stretches(NOW))
    assert found[0][1] == NOW
    assert [begin for begin, _ in found[:-1]] == [end for _, end in found[1:]]
    assert found[-1][0] == NOW - 7 * 86_400.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ftp://x"}, "no URL"),
        ({"url": "http://me:secret@x"}, "credentials"),
        ({"url": "http://x", "project": "a/b"}, "no project"),
        ({"url": "http://x", "project": ""}, "no project"),
        ({"url": "http://x", "aliases": {"snapsot": ["a"]}}, "snapsot"),
        ({"url": "http://x", "requests": 0}, "greater"),
        ({"url": "http://x", "key": "sk-plain"}, "env:"),
    ],
)
def test_wrong_settings_are_told_with_the_right_ones(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PhoenixOptions(**given)


def test_a_path_of_a_proxy_stays_and_its_last_slash_goes() -> None:
    assert JaegerOptions(url="http://x/jaeger/").url == "http://x/jaeger"


async def test_a_page_that_is_too_large_is_asked_for_with_less_from_then_on() -> None:
    asked: list[int] = []

    async def question(size: int) -> str:
        asked.append(size)
        if size > 20:
            raise BackendError(ErrorKind.MALFORMED, "the answer is larger than 8 MB")
        return "read"

    size = PageSize(1_000)
    assert await size.ask(question, 1_000) == "read"
    assert await size.ask(question, 1_000) == "read"
    assert await size.ask(question, 3) == "read"
    assert asked == [1_000, 125, 15, 15, 3]


@pytest.mark.parametrize("words", ["the answer is larger than 8 MB", "cut or broken JSON"])
async def test_one_span_that_is_too_large_and_any_other_fault_are_told(words: str) -> None:
    async def question(size: int) -> str:
        raise BackendError(ErrorKind.MALFORMED, words)

    with pytest.raises(BackendError, match=words):
        await PageSize(1_000).ask(question, 1_000)


def test_an_answer_may_be_one_document_or_one_a_line() -> None:
    assert documents(b'{"a": 1}', "here") == [{"a": 1}]
    assert documents(b'{"a": 1}\n{"b": 2}\n', "here") == [{"a": 1}, {"b": 2}]
    for body in (b"", b'{"a": 1}\n{"b', b"[]", b'{"a": 1}\n[]', b"\xff"):
        with pytest.raises(BackendError):
            documents(body, "here")


def test_nothing_in_a_question_to_tempo_can_leave_its_quotes() -> None:
    asked = trace_ql(RequestQuery(source="s", name='" } || { true', service="a\\"), {})
    assert asked == '{ rootName = "\\" } || { true" } && { rootServiceName = "a\\\\" }'


def test_a_request_without_end_is_shown_within_bounds() -> None:
    steps = (span(1, number, 1, "shop", text="x" * 60_000) for number in range(2, 202))
    arrivals = [span(1, 1, service="shop"), *steps]
    found = shown("s", arrivals, NOW, Aliases.of(), cut=True, notes=("first",))
    assert len(found.spans) == 201
    assert sum(bool(one.attributes) for one in found.spans) < 150
    assert found.notes[0] == "first"
    assert any("more spans than the 201" in note for note in found.notes)
    assert any("without attributes and content are shown the last" in note for note in found.notes)


def test_spans_that_are_each_other_s_parents_are_shown() -> None:
    found = shown("s", [span(1, 1, 2), span(1, 2, 1)], NOW, Aliases.of(), cut=False, notes=())
    assert [one.parent_id for one in found.spans].count("") == 1
    assert found.request is None
    assert any("root has not arrived" in note for note in found.notes)
