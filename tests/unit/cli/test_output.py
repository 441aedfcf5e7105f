"""No byte of the data reaches a terminal as anything but a sign, in words and in JSON, whatever the encoding."""

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cli.main import main
from console.cli.output import any_encoding, note, say, say_json, table
from console.domain.text import printable

HOSTILE = "a\x1b]0;owned\x07b\x9b31mc\u202ed\u2028e\x7ff\r\U000e0041"
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def hidden(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in HIDDEN and char != "\n"}


def test_words_and_notes_keep_their_lines_and_lose_what_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"  one {HOSTILE}\ntwo")
    note(HOSTILE)
    table(("HEAD",), [(HOSTILE,)])
    printed = capsys.readouterr()
    assert not hidden(printed.out + printed.err)
    assert printed.out.startswith("  one a�]0;owned�b�31mc")
    assert "\ntwo\n" in printed.out
    assert printed.err.startswith("switchgear: a�]0;owned�b")


def test_json_is_ascii_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    thing = {"name": HOSTILE, "wide": "模型 🔥"}
    say_json(thing)
    line = capsys.readouterr().out
    assert line.isascii()
    assert line.removesuffix("\n").isprintable()
    assert json.loads(line) == thing


@given(st.text(max_size=200))
def test_any_text_is_printable_and_keeps_its_length(text: str) -> None:
    shown = printable(text)
    assert not hidden(shown)
    assert len(shown) == len(text)
    assert printable(shown) == shown


def test_a_terminal_that_knows_only_ascii_gets_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    any_encoding()
    say("2 – 3 → 模")
    table(("WHAT",), [("é",)])
    assert raw.getvalue() == b"2 ? 3 ? ?\nWHAT\n?\n"


def test_a_mistyped_command_in_a_pipe_hears_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    main(["statsu"])
    assert "did you mean status?" in capsys.readouterr().err
