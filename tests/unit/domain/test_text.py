"""Nothing from a backend reaches a terminal as more than printable characters of one line."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.domain.text import clean

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(max_size=600), st.integers(1, 300))
@example("a\x1b[31m\r\nb", 200)
@example("\ud800", 5)
def test_what_comes_out_is_one_printable_line_within_the_limit(text: str, limit: int) -> None:
    line = clean(text, limit)
    assert len(line) <= limit
    assert not {unicodedata.category(char) for char in line if char != "�"} & HIDDEN
    assert line.splitlines() in ([], [line])


@given(st.text(max_size=600))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=200))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  two   words ", "two words"),
        ("tab\tand\nline", "tab and line"),
        ("a\x1b[2Jb", "a�[2Jb"),
        ("a\x00b", "a�b"),
        ("a\u202eb", "a�b"),
        ("a\u200bb", "a�b"),
        ("a\ufeffb", "a�b"),
        ("\x9b31m", "�31m"),
        ("[bold]x[/]", "[bold]x[/]"),
        ("模型 é", "模型 é"),
        ("e\u0301\u0323x", "e\u0301\u0323x"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("\u0301first", "�first"),
        ("z" + "\u0301" * 6, "z" + "\u0301" * 4 + "�\u0301"),
        ("", ""),
    ],
)
def test_each_danger(text: str, line: str) -> None:
    assert clean(text) == line


def test_names_that_differ_in_hidden_characters_stay_different() -> None:
    assert clean("gpt\u200b-5") != clean("gpt-5")


def test_a_long_text_says_that_it_was_cut() -> None:
    assert clean("x" * 300, 10) == "x" * 9 + "…"


def test_a_megabyte_is_not_walked_through() -> None:
    assert clean(" \x1b" * 500_000, 4) == "� �…"
