"""A recorded request as lines: stages, lanes, playback, conversation, comparison; long and hostile texts."""

import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
import pytest

from console.domain.conversations import Conversation
from console.domain.difference import Change, Comparison, Difference, PieceDifference, Run
from console.domain.reconstruction import Critical, Piece, Reconstruction, Stage, StageKind
from console.domain.spans import Document, LaneFilter, LaneKind, Message, SpanKind, ToolCall, Trace
from console.ui.cells import Cell, Line, width_of
from console.ui.glyphs import ASCII, UNICODE, Glyphs
from console.ui.view import changes, compare, conversation, lanes, piece, playback, stages, trace
from console.ui.view.folding import STRETCH, Folds, Rest, Within
from console.ui.view.wrapped import Piece as Part
from console.ui.view.wrapped import flowed, wrapped
from tests.ui import backlog, recorded
from tests.unit.ui.test_work_views import NASTY, span

WIDTHS = pytest.mark.parametrize("width", [78, 118])
GLYPHS = pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["utf-8", "ascii"])


def text(lines: Iterable[Line]) -> str:
    return "\n".join("".join(cell.text for cell in line.cells) for line in lines)


def everything(whole: Reconstruction, width: int, glyphs: Glyphs) -> list[Line]:
    """Every view of a request, with all of it unfolded."""
    folds = Folds({stages.StageKey(kind) for kind in StageKind} | {lanes.LaneKey(kind) for kind in LaneKind})
    folds.unfolded |= {stages.PieceKey(kind, at) for kind in StageKind for at in range(5)}
    played = [
        line for at in range(len(playback.steps(whole))) for line in playback.page(whole, at, folds, width, glyphs)
    ]
    return [*stages.page(whole, folds, width, glyphs), *lanes.page(whole, folds, width, glyphs), *played]


def difference(found: Comparison, width: int, glyphs: Glyphs) -> list[Line]:
    folds = Folds(set(compare.unfolded_at_first(found)))
    return [*compare.head(found, width, glyphs), *compare.page(found, folds, width, glyphs)]


# Long texts


def test_whole_words_stand_on_lines_that_fit_and_the_texts_own_lines_are_kept() -> None:
    assert list(wrapped("one two three\n\n    four", 9)) == ["one two", "three", "", "    four"]
    assert list(wrapped("x" * 20, 9)) == ["x" * 9, "x" * 9, "xx"]
    assert list(wrapped("", 20)) == [""]


@pytest.mark.parametrize("said", ["漢字" * 40, "a" * 7 + "漢" * 30, "e\u0301" * 60, "\t\x1b[31mred " * 9])
def test_no_line_is_wider_than_its_room_and_no_character_is_lost(said: str) -> None:
    found = list(wrapped(said, 17))
    assert all(width_of(line) <= 17 for line in found)
    kept = sum(char in "漢字ae" for line in found for char in line)
    assert kept == sum(char in "漢字ae" for char in said)


def test_of_a_text_of_a_million_characters_only_what_is_looked_at_is_wrapped() -> None:
    asked: list[slice] = []

    class Watched(str):
        def __getitem__(self, key: Any) -> str:
            asked.append(key)
            return super().__getitem__(key)

    said = Watched("word " * 200_000 + "\n" + "end " * 200_000)
    assert len(list(islice(wrapped(said, 80), 3))) == 3
    assert len(asked) == 1, "its second paragraph is not touched"


def test_styled_words_flow_and_a_word_longer_than_a_line_is_parted() -> None:
    found = flowed([Part("one two"), Part("[-three-]", "bad"), Part("x" * 25, "ok")], 12, 99)
    assert [[(part.text, part.style) for part in line] for line in found] == [
        [("one two", "")],
        [("[-three-]", "bad")],
        [("x" * 12, "ok")],
        [("x" * 12, "ok")],
        [("x", "ok")],
    ]
    assert len(flowed([Part("word " * 900)], 12, 5)) == 5


def test_a_long_part_is_made_a_stretch_at_a_time() -> None:
    said = "\n".join(f"line {at}" for at in range(3 * STRETCH))
    whole = one_piece(StageKind.INCOMING, Piece(span_id="a", at=recorded.START, text=said))
    key = stages.StageKey(StageKind.INCOMING)
    folds = Folds({key})
    lines = stages.page(whole, folds, 100, UNICODE)
    assert Rest(key) in lines.keys
    assert f"line {STRETCH - 1}" in text(lines)
    assert f"line {STRETCH}" not in text(lines)
    assert folds.turn(Rest(key)) == Within(key, STRETCH), "the cursor goes on with the first new line"
    folds.more(Rest(key))
    lines = stages.page(whole, folds, 100, UNICODE)
    assert f"line {3 * STRETCH - 1}" in text(lines)
    assert Rest(key) not in lines.keys
    assert folds.turn(Within(key, 7)) == key, "Enter inside a part folds it"
    assert "line 7" not in text(stages.page(whole, folds, 100, UNICODE)).replace("line 7…", "")


# Stages


def one_piece(kind: StageKind, *pieces: Piece) -> Reconstruction:
    whole = recorded.plain(backlog.trace())
    found = tuple(
        Stage(kind=stage.kind, pieces=pieces, at=pieces[0].at) if stage.kind is kind else stage
        for stage in whole.stages
    )
    return msgspec.structs.replace(whole, stages=found)


def test_seven_stages_stand_in_order_each_with_its_state_in_a_word() -> None:
    lines = text(stages.page(recorded.reconstruction(), Folds(), 118, UNICODE)).splitlines()
    assert len(lines) == 7
    for line, kind in zip(lines, StageKind, strict=True):
        assert str(kind) in line
    assert "◌ missing" in lines[1]
    assert "no span says which context was injected" in lines[1]
    assert "● ok" in lines[2]
    assert "+50 ms" in lines[2]
    assert "✖ failed" in lines[3]
    assert "1 of 2 failed: 429: rate limit reached" in lines[3]
    assert "1.2k/–" in lines[3]
    assert "◌ no words" in lines[6]
    assert "content capture is off in web" in lines[6]


def test_an_unfolded_stage_tells_its_spans_and_these_their_words() -> None:
    folds = Folds({stages.StageKey(StageKind.MODEL_INPUT), stages.PieceKey(StageKind.MODEL_INPUT, 1)})
    said = text(stages.page(recorded.reconstruction(), folds, 100, UNICODE))
    for words in ("chat openai-a", "model gpt-5 • prompt chat@3", "system     Answer in two sentences.",
                  "Name your source.", "→ calls weather (call-1)", '"place": "Tunis"',
                  "answers call call-1"):  # fmt: skip
        assert words in said, words
    template = Piece(span_id="a", at=recorded.START, text="Answer {q}", arguments='{"q":"why"}')
    injected = one_piece(StageKind.CONTEXT, template)
    said = text(stages.page(injected, Folds({stages.StageKey(StageKind.CONTEXT)}), 100, UNICODE))
    assert "variables  {" in said
    assert "template   Answer {q}" in said
    single = Folds({stages.StageKey(StageKind.RETRIEVAL)})
    said = text(stages.page(recorded.reconstruction(), single, 100, UNICODE))
    for words in ("source kb • snapshot kb-21", "searched   sky blue dust", "doc-1  score 0.86  of kb-21"):
        assert words in said, words
    lost = text(stages.page(recorded.reconstruction(), Folds({stages.StageKey(StageKind.CONTEXT)}), 100, UNICODE))
    assert "not recorded: no span says which context was injected" in lost


def test_a_stage_that_was_borrowed_says_so_and_shows_what_there_is() -> None:
    whole = one_piece(StageKind.RESULT, Piece(span_id="a", at=recorded.START, text="It scatters."))
    result = msgspec.structs.replace(whole.stages[6], missing="not recorded: this is the last answer of a model")
    whole = msgspec.structs.replace(whole, stages=(*whole.stages[:6], result))
    said = text(stages.page(whole, Folds({stages.StageKey(StageKind.RESULT)}), 100, UNICODE))
    assert "◌ missing  final result" in said
    assert "not recorded: this is the last answer of a model" in said
    assert "went out   It scatters." in said


def test_the_first_stage_that_failed_is_found_by_time() -> None:
    assert stages.first_wrong(recorded.reconstruction()) == stages.StageKey(StageKind.MODEL_INPUT)
    assert stages.first_wrong(recorded.plain(backlog.trace())) is None


def test_a_stage_of_5000_spans_makes_only_the_lines_that_are_looked_at() -> None:
    whole = recorded.with_spans(backlog.trace(), 5_000)
    folds = Folds({stages.StageKey(StageKind.TOOLS)})
    lines = stages.page(whole, folds, 100, UNICODE)
    assert len(lines) == 7 + 5_000
    assert "step 4999" in text(lines[5_004:5_006])
    shown = lanes.page(whole, Folds(), 100, UNICODE)
    assert "4,995 more" in text(shown)
    assert len(lanes.page(whole, Folds({lanes.LaneKey(LaneKind.PATH)}), 100, UNICODE)) > 5_000


# Where the time went


def test_bars_are_full_only_where_the_critical_path_went_through_the_span_itself() -> None:
    spans = (span("whole", duration_s=4.0), span("part", "whole", 1.0, duration_s=2.0))
    path = [Critical(span_id="whole", at=spans[0].started_at, own_s=1.0)]
    bar = list(trace.Axis.of(spans).parts(spans[0], path, 20, UNICODE))
    assert bar == [("█" * 5, True), ("▒" * 15, False)]
    drawn = trace.tree(Trace(trace_id="t", spans=spans), 100, UNICODE, path)
    lines = text(drawn.lines).splitlines()
    assert lines[0].startswith("»")
    assert lines[1].startswith(" "), "it is not on the path"
    assert "▒" not in text(trace.tree(Trace(trace_id="t", spans=spans), 100, UNICODE).lines), "nobody knows the path"


def test_where_the_time_went_is_told_by_name_the_most_first() -> None:
    whole = recorded.reconstruction()
    said = text(trace.summary(backlog_board(), recorded.request_ref(), None, whole, 118, UNICODE))
    assert "the time went into chat openai-a 1.0 s 40%, chat azure-b 500 ms 20%, " in said


def backlog_board() -> Any:
    from tests.ui import world

    return world.board(backlog.traced())


# Lanes


def test_eight_lanes_stand_in_order_and_equal_values_are_told_once() -> None:
    lines = text(lanes.page(recorded.reconstruction(), Folds(), 100, UNICODE)).splitlines()
    titles = [title for title in lanes.TITLES.values() if any(line.startswith(f" {title}") for line in lines)]
    assert titles == list(lanes.TITLES.values())
    (tokens,) = (line for line in lines if "gpt-5" in line)
    assert "2×  2.6k tokens  1 failed" in tokens
    assert "✖ gpt-5" in tokens
    (queue,) = (line for line in lines if "queue state" in line)
    assert "not recorded: no span waited" in queue
    assert "▶ 3 more" in "\n".join(lines)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("prompts=chat@3", LaneFilter(lane=LaneKind.PROMPTS, value="chat@3")),
        ("tokens=gpt-5>=2000", LaneFilter(lane=LaneKind.TOKENS, value="gpt-5", at_least=2000.0)),
        ("queues>=5", LaneFilter(lane=LaneKind.QUEUES, at_least=5.0)),
        ("memory=upsert profile@7", LaneFilter(lane=LaneKind.MEMORY, value="upsert profile@7")),
        ("path=a=b", LaneFilter(lane=LaneKind.PATH, value="a=b")),
    ],
)
def test_a_lanes_filter_is_read_as_it_is_written(words: str, found: LaneFilter) -> None:
    assert lanes.parse(words) == found
    assert lanes.words_of([found]) == words


@pytest.mark.parametrize(
    ("words", "why"), [("prompt=chat", "one of prompts"), ("tokens=a>=lots", "'lots' is no number")]
)
def test_what_is_no_lane_is_said(words: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        lanes.parse(words)


# Playback


def test_the_recorded_steps_are_played_in_the_order_of_time() -> None:
    whole = recorded.reconstruction()
    order = [(step.stage.kind, step.piece.name) for step in playback.steps(whole)]
    assert order[0] == (StageKind.INCOMING, "POST /answer")
    assert order[2:4] == [(StageKind.MODEL_INPUT, "chat azure-b"), (StageKind.MODEL_RESPONSE, "chat azure-b")]
    assert order[-1] == (StageKind.RESULT, "POST /answer")
    said = text(playback.page(whole, 4, Folds(), 100, UNICODE))
    for words in (
        "tool execution: weather",
        "1.3 s after the start, took 200 ms",
        '"place": "Tunis"',
        "next: model input",
    ):
        assert words in said, words
    assert "this was the last recorded step" in text(playback.page(whole, len(order) - 1, Folds(), 100, UNICODE))


# The conversation


def test_a_conversation_says_what_is_wrong_in_words_and_marks_where_it_shows_first() -> None:
    found = recorded.conversation()
    said = text(conversation.head(found, 118, UNICODE))
    assert "✖ two snapshots: search read kb-22 of kb at 07:59:42" in said
    assert "✖ lost write: web wrote profile@7" in said
    rows = conversation.rows(found, UNICODE)
    marks = ["".join(cell.text for cell in row.cells).count("≠") for row in rows]
    states = [row.cells[1] for row in rows]
    assert [cell.text for cell in states] == ["● ok", "● ok", "✖ differs", "✖ differs"]
    assert marks == [0, 0, 1, 1]
    assert rows[2].cells[4].text == "≠ search: kb-22, answers: kb-21", "the one source of them all is left out"
    assert rows[0].cells[4].text == "kb-21"
    assert rows[1].cells[6].text == "read @5, upsert @6"
    assert rows[2].cells[4].style == "bad"
    assert rows[3].cells[6].style == "bad"
    assert rows[2].cells[5].style == "notice", "another version than in the request before"
    calm = Conversation(source="traces", conversation="c", turns=found.turns[:2])
    assert "● no divergence" in text(conversation.head(calm, 118, UNICODE))


def test_the_request_under_the_cursor_is_told_in_full() -> None:
    found = recorded.conversation()
    long = msgspec.structs.replace(found.divergences[0], words=f"conversation c-2: {found.divergences[0].words}")
    found = msgspec.structs.replace(found, divergences=(long, *found.divergences[1:]))
    said = text(conversation.about(found, found.turns[2], 100, UNICODE))
    assert "conversation c-2" not in said, "the page has it already"
    assert "search: kb@kb-22, answers: kb@kb-21" in said
    assert "Enter shows where it differs" in said
    assert "rate limit reached" in text(conversation.about(found, found.turns[3], 100, UNICODE))


# The comparison


def test_what_is_the_same_is_folded_and_what_changed_is_in_words() -> None:
    said = text(difference(recorded.comparison(), 118, UNICODE))
    for words in ("▶ = same     incoming request", "▼ ≠ changed  retrieval", "130 ms → 400 ms", "3.1× slower",
                  "- kb-21   + kb-22", "- document doc-1  score 0.91  (only in the first)",
                  "+ document doc-9  score 0.95  (only in the second)", "[-Name your source.-]",
                  "{+Never name a source,", "words the same…", '- "Tunis"   + "Tunisia"',
                  "+ $.days[2]  3", "tokens 420/– → 1.2k/–", "+ new      chat azure-b", "- gone     final result",
                  "◌ missing  context injection"):  # fmt: skip
        assert words in said, words
    head = text(compare.head(recorded.comparison(), 118, UNICODE))
    assert "against the last good POST /answer of web, 4 min earlier: it fails, 3.1× slower" in head
    assert "differs in retrieval, model input, tool execution, final" in head


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (1.0, 3.1, "3.1× slower"),
        (3.0, 1.0, "3.0× faster"),
        (1.0, 1.05, ""),
        (None, 2.0, ""),
        (0.0, 2.0, ""),
        (2.0, 0.0, ""),
    ],
)
def test_factors_are_told_from_a_tenth_on(first: float | None, second: float | None, words: str) -> None:
    assert changes.factor(first, second, "slower", "faster") == words


def test_of_a_difference_of_thousands_of_spans_only_the_first_are_unfolded() -> None:
    found = recorded.comparison()
    stage = found.stages[2]
    many = msgspec.structs.replace(stage, pieces=stage.pieces * 3_000)
    found = msgspec.structs.replace(found, stages=(*found.stages[:2], many, *found.stages[3:]))
    keys = compare.unfolded_at_first(found)
    assert sum(isinstance(key, compare.PairKey) for key in keys) == compare.UNFOLDED
    assert len(compare.page(found, Folds(set(keys)), 100, UNICODE)) < 3_000 + 10 * compare.UNFOLDED


def test_a_message_that_only_one_has_says_so_with_its_sign() -> None:
    alone = Difference(change=Change.ONLY_FIRST, what="message 3 (user)", runs=(Run(Change.ONLY_FIRST, "and then?"),))
    lines = [Line(cells) for cells in changes.lines(alone, 80, UNICODE)]
    assert text(lines).splitlines() == ["- message 3 (user)", "  [-and then?-]"]
    assert {cell.style for line in lines for cell in line.cells if cell.text.strip()} == {"bad"}


# Every size, every sign, every text


@WIDTHS
@GLYPHS
def test_no_line_is_wider_than_the_screen(width: int, glyphs: Glyphs) -> None:
    whole, found = recorded.reconstruction(), recorded.conversation()
    lines = [
        *everything(whole, width, glyphs),
        stages.heading(whole, width),
        *trace.summary(backlog_board(), recorded.request_ref(), None, whole, width, glyphs),
        *trace.tree(whole.trace, width, glyphs, whole.critical).lines,
        *difference(recorded.comparison(), width, glyphs),
        *conversation.head(found, width, glyphs),
        *conversation.about(found, found.turns[2], width, glyphs),
    ]
    for line in lines:
        assert sum(width_of(cell.text) for cell in line.cells) <= width, text([line])


@GLYPHS
def test_hostile_texts_stay_in_their_lines(glyphs: Glyphs) -> None:
    call = ToolCall(id=NASTY, name=NASTY, arguments=NASTY)
    bad = Piece(
        span_id=NASTY, service=NASTY, name=NASTY, at=recorded.START, text=NASTY, failed=True, arguments=NASTY,
        messages=(Message(role=NASTY, text=NASTY, answers=NASTY, calls=(call,)),),
        documents=(Document(id=NASTY, text=NASTY, snapshot=NASTY),), facts=((NASTY, NASTY),), missing=NASTY,
    )  # fmt: skip
    base = recorded.reconstruction()
    spans = (span(NASTY, failed=True, error=NASTY, service=NASTY, kind=SpanKind.MODEL),)
    whole = msgspec.structs.replace(
        base,
        trace=Trace(trace_id=NASTY, spans=spans, notes=(NASTY,)),
        stages=tuple(Stage(kind=kind, pieces=(bad, bad), missing=NASTY) for kind in StageKind),
        lanes=tuple(
            msgspec.structs.replace(
                lane,
                missing=NASTY,
                entries=tuple(
                    msgspec.structs.replace(entry, value=NASTY + entry.value, service=NASTY, words=NASTY)
                    for entry in lane.entries
                ),
            )
            for lane in base.lanes
        ),
        critical=(Critical(span_id=NASTY, at=recorded.START, own_s=1.0),),
        notes=(NASTY,),
    )
    found = recorded.conversation()
    turn = msgspec.structs.replace(
        found.turns[2], services=(NASTY,), snapshots=(NASTY,), prompts=(NASTY,), memory=(NASTY,)
    )
    divergence = msgspec.structs.replace(found.divergences[0], words=NASTY, about=NASTY)
    found = msgspec.structs.replace(found, conversation=NASTY, turns=(turn,), divergences=(divergence,), notes=(NASTY,))
    run = (Run(Change.SAME, NASTY), Run(Change.ONLY_FIRST, NASTY), Run(Change.ONLY_SECOND, NASTY))
    pair = PieceDifference(
        name=NASTY, change=Change.CHANGED,
        differences=(
            Difference(change=Change.CHANGED, what=NASTY, runs=run),
            Difference(change=Change.CHANGED, what=NASTY, first=NASTY, second=NASTY * 20),
            Difference(change=Change.ONLY_FIRST, what=NASTY, first=NASTY),
        ),
    )  # fmt: skip
    both = recorded.comparison()
    both = msgspec.structs.replace(
        both,
        chosen=NASTY,
        notes=(NASTY,),
        stages=tuple(
            msgspec.structs.replace(
                stage, change=Change.CHANGED, pieces=(pair,), first_missing=NASTY, second_missing=""
            )
            for stage in both.stages
        ),
    )
    rows = [Line(row.cells) for row in conversation.rows(found, glyphs)]
    lines = [
        *everything(whole, 78, glyphs),
        *trace.summary(backlog_board(), recorded.request_ref(), None, whole, 78, glyphs),
        *conversation.head(found, 78, glyphs),
        *conversation.about(found, turn, 78, glyphs),
        *rows,
        *difference(both, 78, glyphs),
        Line((Cell(lanes.words_of([LaneFilter(lane=LaneKind.PATH, value=NASTY)])),)),
        Line((Cell(piece.preview(bad)),)),
    ]
    for line in lines:
        said = text([line])
        assert not [char for char in said if unicodedata.category(char) in ("Cc", "Cf")], said
