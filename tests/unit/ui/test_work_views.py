"""Queues, long actions and requests as rows and lines: what a person reads of them, and what no backend can break."""

import random
import unicodedata
from collections.abc import Iterable

import msgspec
import pytest

from console.domain.actions import Outcome, Replay, Restore, Stage, Verb
from console.domain.board import Board
from console.domain.health import Level
from console.domain.readings import AgeQuality, AnyReading, Queue, Service
from console.domain.refs import Kind, Ref
from console.domain.spans import Span, SpanKind, Trace
from console.domain.wire import Change, History
from console.ui.cells import Line, Row, Sort, width_of
from console.ui.glyphs import ASCII, UNICODE, Glyphs
from console.ui.view import doing, drill, queues, requests, trace, tree, ways_out
from console.ui.view import span as span_view
from console.ui.view.hints import next_step
from console.ui.view.judged import Judgements
from console.ui.view.mimic import QUEUES, Part, layout
from console.ui.view.overview import Overview
from console.ui.widgets.header import Standing, header_lines
from tests.ui import backlog, drifting, recorded, world

KEYS = {"trip": "t", "drill": "Enter", "switch": "s", "undo": "u", "backlog": "d", "hold": "p"}
NASTY = "a\x1b[2Jb\r\nc\u202e[bold red]d[/]\x07\u200b"


def platform(*more: AnyReading) -> Board:
    return world.board([*world.trouble(), *backlog.queues(), *backlog.traced(), *more])


def judged(board: Board) -> Judgements:
    found = Judgements()
    found.refresh(board)
    return found


def text(lines: Iterable[Line]) -> str:
    return "\n".join("".join(cell.text for cell in line.cells) for line in lines)


def cells(rows: Iterable[Row], name: str, columns: Iterable[object]) -> dict[str, str]:
    """One row's texts by column."""
    row = next(row for row in rows if row.cells[0].text == name)
    return {str(getattr(column, "name", "")): cell.text for column, cell in zip(columns, row.cells, strict=True)}


def queue_rows(board: Board) -> dict[str, dict[str, str]]:
    rows = queues.rows(board, judged(board), UNICODE)
    return {row.cells[0].text: cells(rows, row.cells[0].text, queues.COLUMNS) for row in rows}


# Queues


def test_a_queue_says_how_its_age_is_known_and_whether_it_shrinks() -> None:
    rows = queue_rows(platform())
    assert rows["answers"]["age"] == "4 s"
    assert rows["documents"]["age"] == "≈7 min"
    assert rows["reports"]["age"] == "?"
    assert rows["documents"]["drain"] == "+590/min"
    assert rows["mails"]["drain"] == "13 min"
    assert rows["documents"]["depth"] == "12.4k"
    assert rows["billing"]["depth"] == "2050", "a count that has room is not rounded"


def test_the_worst_queue_stands_first_and_of_equals_the_deepest() -> None:
    board = platform(backlog.queue("calm-small", 5), backlog.queue("calm-large", 5_000, in_per_min=1.0))
    names = [row.cells[0].text for row in queues.rows(board, judged(board), UNICODE)]
    assert names[0] == "billing", "nobody works on it"
    assert names.index("calm-large") < names.index("calm-small")


def test_a_paused_queue_is_meant_so_even_while_it_grows() -> None:
    assert queue_rows(platform())["reports"]["state"] == "◆ paused"
    assert queue_rows(platform())["mails"]["state"] == "◆ parked"


def test_an_empty_queue_has_no_age_and_nothing_to_drain() -> None:
    row = queue_rows(platform(backlog.queue("idle", 0)))["idle"]
    assert (row["age"], row["drain"]) == ("–", "empty")


def test_rows_sort_and_search_without_being_made() -> None:
    board = world.board([backlog.queue(f"q-{at}", at, oldest_age_s=None if at % 5 == 0 else at) for at in range(40)])
    made: list[Ref] = []
    rows = queues.rows(board, judged(board), UNICODE)
    whole = rows._make
    rows._make = lambda at: made.append(rows.keys[at]) or whole(at)  # type: ignore[func-returns-value, arg-type]
    deepest = rows.sorted(Sort("depth", descending=True))
    assert [ref.name for ref in deepest.keys[:2]] == ["q-39", "q-38"]  # type: ignore[union-attr]
    oldest = rows.sorted(Sort("age"))
    assert [ref.name for ref in oldest.keys[:2]] == ["q-1", "q-2"]  # type: ignore[union-attr]
    assert {ref.name for ref in oldest.keys[-8:]} == {f"q-{at}" for at in range(0, 40, 5)}, "unknown ages sort last"  # type: ignore[union-attr]
    assert [ref.name for ref in rows.containing("Q-7").keys] == ["q-7"]  # type: ignore[union-attr]
    assert not made
    assert deepest[0].cells[0].text == "q-39"


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_cell_fits_the_column_that_is_made_for_it(glyphs: Glyphs) -> None:
    huge = backlog.queue(
        "huge",
        10**12,
        in_flight=10**9,
        consumers=10**6,
        oldest_age_s=1e9,
        in_per_min=1e9,
        out_per_min=1.0,
        redelivered_per_min=1e12,
        dead_letters=10**15,
        parked=99_999,
    )
    board = world.board([huge])
    (row,) = queues.rows(board, judged(board), glyphs)
    for column, cell in zip(queues.COLUMNS, row.cells, strict=True):
        assert column.flex or width_of(cell.text) <= max(column.width, 10), (column.name, cell.text)


# Long actions


def moving(*receipts: object) -> Board:
    board = platform()
    board.apply(Change(seq=2, at=world.NOW, receipts=receipts))  # type: ignore[arg-type]
    return board


def test_a_long_action_is_told_in_the_row_in_the_drill_and_in_one_line() -> None:
    board = moving(backlog.receipt(43_210, progress_words="a worker takes messages too"))
    assert queue_rows(board)["documents"]["state"] == "▶ park 43%"
    line = doing.line(board, UNICODE, 120)
    assert line is not None
    said = text([line])
    for words in ("park documents", "█████░", "43%", "43.2k of 100k", "6.1k/s", "9 s left", "a worker takes messages"):
        assert words in said
    page = text(drill.drill(board, judged(board), UNICODE, backlog.queue_ref("documents"), None, 100, {}))
    assert "Under way" in page
    assert "ana: azure is down" in page


def test_nothing_is_done_before_all_of_it_is() -> None:
    almost = backlog.receipt(99_999)
    assert almost.progress is not None
    assert doing.percent(almost.progress) == "99%"


def test_without_a_total_the_count_is_told() -> None:
    board = moving(backlog.receipt(1_200, None))
    assert queue_rows(board)["documents"]["state"] == "▶ park 1200"
    line = doing.line(board, UNICODE, 80)
    assert line is not None
    assert "%" not in text([line])
    assert "left" not in text([line])


def test_several_are_counted_and_the_newest_is_told() -> None:
    older = backlog.receipt(10)
    newer = msgspec.structs.replace(
        backlog.receipt(20, name="mails", action=Replay()), started_at=world.NOW, operator="bo"
    )
    line = doing.line(moving(older, newer), UNICODE, 100)
    assert line is not None
    assert "replay mails" in text([line])
    assert "and 1 more" in text([line])


def test_one_that_ended_says_its_outcome_for_a_while() -> None:
    done = backlog.receipt(
        100_000, stage=Stage.DONE, outcome=Outcome.VERIFIED, words="100,000 parked, seen on the broker"
    )
    board = moving(done)
    line = doing.line(board, UNICODE, 100)
    assert line is not None
    assert "✔ park documents: verified, 100k of 100k moved. 100,000 parked" in text([line])
    assert queue_rows(board)["documents"]["state"] == "▲ old", "it no longer moves"
    assert doing.told_for_s(board) == doing.TOLD_FOR_S
    board.at = world.NOW + doing.TOLD_FOR_S
    assert doing.line(board, UNICODE, 100) is None
    assert doing.told_for_s(board) is None


def test_what_can_be_stopped_is_the_selected_ones_first() -> None:
    mine = backlog.receipt(10)
    newest = msgspec.structs.replace(backlog.receipt(10, name="mails"), started_at=world.NOW)
    board = moving(mine, newest)
    assert doing.stoppable(board, backlog.queue_ref("documents")) == mine
    assert doing.stoppable(board, None) == newest
    assert doing.stoppable(moving(backlog.receipt(9, stage=Stage.DONE)), None) is None


def test_a_way_back_is_called_so() -> None:
    back = msgspec.structs.replace(
        backlog.receipt(10), intent=msgspec.structs.replace(backlog.receipt(10).intent, action=Restore("act-1"))
    )
    assert queue_rows(moving(back))["documents"]["state"] == "▶ undo 0%"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_line_fits_the_screen(width: int) -> None:
    long = backlog.receipt(43_210, name="x" * 200, progress_words="y" * 300)
    for receipt in (long, msgspec.structs.replace(long, stage=Stage.DONE, words="z" * 300)):
        line = doing.line(moving(receipt), UNICODE, width)
        assert line is not None
        assert sum(width_of(cell.text) for cell in line.cells) <= width


def header(board: Board, lost: str = "") -> tuple[Line, ...]:
    return header_lines(board, judged(board), Standing("prod", "queues", None, lost), UNICODE, 80)


def test_the_header_has_another_line_only_while_something_moves() -> None:
    quiet, busy = header(platform()), header(moving(backlog.receipt(1)))
    assert len(busy) == len(quiet) + 1
    assert "park documents" in text(busy[-1:])


def test_a_banner_says_where_transport_and_answers_disagree() -> None:
    drifted = Board()
    drifted.apply(drifting.DriftingEngine().snapshot())
    (line,) = header(drifted)[2:]
    assert "Transport is ok, answers are not: deployment azure-b" in text([line])
    assert line.cells[0].style == "alarm"
    (failing,) = header(platform())[2:]
    assert "Requests fail at deployment azure-b" in text([failing])
    assert len(header(world.board(world.calm()))) == 2
    assert len(header(drifted, lost="it went away")) == 2, "nobody knows whether it is still so"


def test_the_screens_names_give_way_to_the_sources_and_keep_their_digits() -> None:
    def second(*sources: str) -> str:
        board = world.board([backlog.source(name, "x") for name in sources])
        standing = Standing("prod", "queues", None, "")
        return text(header_lines(board, judged(board), standing, UNICODE, 80)[1:2])

    assert "5 Queues  6 Requests" in second("a")
    assert "5 Queue 6 Req" in second("gateway", "broker", "traces")
    crowded = second("gateway-in-the-east", "gateway-in-the-west")
    assert "gateway-in-the-east gateway-in-the-west fresh" in crowded or "2 sources fresh" in crowded
    assert "Queue" in crowded
    for line in (second("a"), crowded):
        assert all(digit in line for digit in "123456")


# What can become of a backlog


def offered(queue: Queue, running: bool = False) -> str:
    return text(ways_out.ways(queue, backlog.receipt(43_210) if running else None, UNICODE))


def test_finish_and_park_are_offered_each_with_its_effect_and_never_a_drain() -> None:
    said = offered(backlog.queue("q", 12_400))
    assert "finish   workers finish the 12.4k waiting, new work is held back" in said
    assert "park     the 12.4k waiting are set aside, workers go on with new work" in said
    assert "drain" not in said
    assert "purge" not in said


def test_the_rest_is_offered_where_it_makes_sense() -> None:
    plain, full = backlog.queue("q", 9), backlog.queue("q", 9, dead_letters=3, parked=5)
    assert "requeue" not in offered(plain)
    assert "replay" not in offered(plain)
    assert "3 dead letters go back" in offered(full)
    assert "5 set aside come back" in offered(full)
    assert "stop     park ends at 43%; what was moved stays where it is" in offered(full, running=True)


def test_a_verb_that_does_not_work_says_why_and_the_cursor_passes_it() -> None:
    queue = backlog.queue("q", 9, can=backlog.abilities(finish=backlog.NO_FINISH, isolate="no headers"))
    lines = ways_out.ways(queue, None, UNICODE)
    assert [line.key for line in lines] == [None, "park"]
    assert "no: new work cannot be held back" in text(lines)


@pytest.mark.parametrize("depth", [0, 7, 10**12])
def test_each_effect_is_one_line_of_a_small_screen(depth: int) -> None:
    queue = backlog.queue("q", depth, dead_letters=10**12, parked=10**12)
    for line in ways_out.ways(queue, backlog.receipt(1), UNICODE):
        assert sum(width_of(cell.text) for cell in line.cells) <= 75
        assert "…" not in text([line])


# Hints


def hint(queue: Queue, *more: AnyReading) -> str:
    board = world.board([*more, queue])
    known = judged(board)
    finding = next(item for item in known.findings if item.ref == queue.ref)
    return next_step(board, known, finding).command


def test_the_key_fits_what_is_wrong_with_the_queue() -> None:
    grows: dict[str, object] = {"in_per_min": 900.0, "out_per_min": 100.0, "feeds": ("gateway:route/chat",)}
    failing = world.route("chat", flow=100, errors=0.9)
    well = world.route("chat", flow=100, errors=0.0)
    assert hint(backlog.queue("q", 9_000, **grows), failing) == "hold", "each job that the workers take fails"
    assert hint(backlog.queue("q", 9_000, **grows), well) == "backlog"
    assert hint(backlog.queue("q", 9, paused=True)) == "hold"
    assert hint(backlog.queue("q", 9, parked=7)) == "backlog"
    assert hint(backlog.queue("q", 9, redelivered_per_min=90.0)) == "backlog"
    assert hint(backlog.queue("q", 9, consumers=0)) == "drill", "no key brings workers"
    assert hint(backlog.queue("q", 9, dead_letters=4)) == "drill", "why comes before again"
    cannot = backlog.queue("q", 9_000, **grows, can=())
    assert hint(cannot, failing) == "drill"


# The mimic panel


def body(board: Board, width: int = 120) -> str:
    return text(Overview(UNICODE).page(board, judged(board), width, (width - 1, 40), KEYS).body)


@pytest.mark.parametrize("width", [80, 120])
def test_queues_hang_with_their_workers_under_the_routes_that_they_feed(width: int) -> None:
    lines = body(platform(), width).splitlines()
    starts = {name: next(at for at, line in enumerate(lines) if f" {name} ─" in line) for name in ("chat", "embed")}
    answers = next(at for at, line in enumerate(lines) if "answers" in line)
    assert starts["chat"] < answers < starts["embed"]
    fed = [line for line in lines if "documents" in line]
    assert len(fed) == 2, "it feeds two routes"
    assert all("4 workers" in line and "≈7 min old" in line and "12.4k wait ←" in line for line in fed)
    assert "└" in fed[0]


def test_a_queue_feeds_a_route_of_another_source_only_by_its_whole_name() -> None:
    board = world.board([*world.calm(), backlog.queue("q", 3, feeds=("elsewhere:route/chat", "not a reference"))])
    assert "Queues that feed no route" in body(board)


def test_queues_without_a_route_are_a_small_list() -> None:
    many = [backlog.queue(f"q-{at:03d}", at, consumers=0 if at == 7 else 4) for at in range(200)]
    board = world.board([*world.calm(), *many])
    found = [spot for spot in layout(board, judged(board)).spots if spot.part is Part.QUEUE]
    assert len(found) == QUEUES
    assert backlog.queue_ref("q-007") in [spot.ref for spot in found], "the worst one is in sight"
    assert "197 queues more" in body(board)


def test_dead_letters_that_nobody_works_on_are_told_where_they_died_and_not_as_a_queue_without_a_route() -> None:
    dead = backlog.queue("q.dead", 9, consumers=0, holds_dead=True)
    assert "Queues that feed no route" not in body(world.board([*world.calm(), dead]))
    worked_on = backlog.queue("q.dead", 9, consumers=1, holds_dead=True)
    assert "Queues that feed no route" in body(world.board([*world.calm(), worked_on]))


def test_a_queue_in_the_panel_shows_what_moves_in_it() -> None:
    overview, board = Overview(UNICODE), platform()
    known = judged(board)

    def shown() -> str:
        return text(overview.page(board, known, 120, (119, 40), KEYS).body)

    assert "▶" not in shown()
    board.apply(Change(seq=2, at=world.NOW, receipts=(backlog.receipt(43_210),)))
    assert shown().count("▶ park 43%") == 2


def test_applications_stand_in_the_panel_with_their_errors() -> None:
    said = body(platform())
    (line,) = [line for line in said.splitlines() if " web " in line]
    assert "9.0%" in line
    assert "▲ errors" in line
    many: list[AnyReading] = [backlog.service(f"app-{at}", 10, 0, 0.1) for at in range(20)]
    assert "16 more" in body(world.board([*world.calm(), *many]))


@pytest.mark.parametrize("width", [80, 90, 100, 119, 160])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_line_of_the_panel_is_wider_than_its_place(width: int, glyphs: Glyphs) -> None:
    wide = backlog.queue("日本" * 60, 10**12, consumers=10**6, oldest_age_s=1e9, in_per_min=1e9, out_per_min=1e9)
    board = platform(wide)
    page = Overview(glyphs).page(board, judged(board), width, (width - 1, 40), KEYS)
    for line in page.body:
        assert sum(width_of(cell.text) for cell in line.cells) <= width - 1, text([line])


# Drill


def test_the_page_of_a_queue_says_everything() -> None:
    board = platform()
    lines = drill.drill(board, judged(board), UNICODE, backlog.queue_ref("documents"), None, 80, {Verb.PARK: "d"})
    said = text(lines)
    for words in (
        "12,400",
        "grows by 590/min",
        "estimated",
        "priority 9",
        "documents.dead",
        "delivery_limit",
        "degraded",
    ):
        assert words in said, words
    assert world.ref(Kind.ROUTE, "summarise") in [line.key for line in lines], "its route can be gone to"


def test_the_page_of_a_route_lists_the_work_that_waits_for_it() -> None:
    board = platform()
    lines = drill.drill(board, judged(board), UNICODE, world.ref(Kind.ROUTE, "embed"), None, 80, {})
    assert backlog.queue_ref("documents") in [line.key for line in lines]
    assert "12.4k wait, ≈7 min old, 4 workers" in text(lines)


def test_the_past_of_a_queue_begins_with_its_depth() -> None:
    series: dict[str, tuple[float | None, ...]] = {
        "consumers": (4.0,),
        "depth": (1.0, 9.0),
        "oldest_age_s": (3.0,),
        "in_per_min": (1.0,),
    }
    past = History(ref=backlog.queue_ref("documents"), start=0.0, step_s=60.0, series=series)
    board = platform()
    said = text(drill.drill(board, judged(board), UNICODE, past.ref, past, 80, {})).splitlines()
    at = next(at for at, line in enumerate(said) if "Last 2" in line)
    assert [line.split()[0] for line in said[at + 1 : at + 4]] == ["depth", "oldest", "in/min"]


def test_the_page_of_an_application_leads_to_its_requests_that_failed() -> None:
    board = platform()
    ref = Ref(backlog.STORE, Kind.SERVICE, "web")
    lines = drill.drill(board, judged(board), UNICODE, ref, None, 80, {})
    assert "Requests that failed last" in text(lines)
    assert "kb-2026-11-21" in text(lines)
    keys = [line.key for line in lines if isinstance(line.key, Ref) and line.key.kind is Kind.REQUEST]
    assert keys
    assert all(sum(width_of(cell.text) for cell in line.cells) <= 80 for line in lines)


@pytest.mark.parametrize("name", ["answers", "documents", "mails", "reports", "billing"])
def test_every_queue_has_a_page_with_a_key_for_each_line(name: str) -> None:
    board = platform()
    lines = drill.drill(board, judged(board), UNICODE, backlog.queue_ref(name), None, 80, {})
    keys = [line.key for line in lines if line.key is not None]
    assert len(keys) == len(set(keys))
    assert all(sum(width_of(cell.text) for cell in line.cells) <= 80 for line in lines)


# Requests


def test_a_request_is_one_row() -> None:
    board = platform()
    asked = [backlog.request(9, failed=True), backlog.request(4, name="", route="embed"), backlog.request(5, status="")]
    rows = requests.rows(board, requests.newest_first(asked), UNICODE)
    assert [row.key for row in rows] == [asked[1].ref, asked[2].ref, asked[0].ref], "newest first"
    failed = dict(zip([column.name for column in requests.COLUMNS], [cell.text for cell in rows[2].cells], strict=True))
    assert failed["request"] == "POST /answer → chat"
    assert failed["state"] == "✖ error"
    assert failed["tokens"] == "1.2k/–"
    assert failed["attempts"] == "3"
    assert failed["error"] == "azure-b: 429 rate limit reached"
    assert rows[0].cells[2].text == "embed"
    assert rows[1].cells[4].text == "● ok"


def test_the_backends_own_word_is_the_status_of_a_request_that_failed() -> None:
    assert requests.health(backlog.request(1, failed=True, status="cancelled")).word == "cancelled"
    assert requests.health(backlog.request(1, failed=True, status="ok")).level is Level.BAD


# One request


def span(span_id: str, parent: str = "", start: float = 0.0, **fields: object) -> Span:
    known: dict[str, object] = {"name": span_id, "duration_s": 1.0, "started_at": world.NOW + start, **fields}
    return Span(span_id=span_id, parent_id=parent, **known)  # type: ignore[arg-type]


def shape(*spans: Span) -> list[tuple[str, int]]:
    return [(node.span.name, node.depth) for node in tree.nodes(spans)]


def test_parents_stand_before_their_children_and_both_by_start() -> None:
    found = shape(span("late", "root", 2.0), span("early", "root", 1.0), span("leaf", "early", 1.5), span("root"))
    assert found == [("root", 0), ("early", 1), ("leaf", 2), ("late", 1)]


def test_a_span_without_its_parent_is_a_root_and_says_so() -> None:
    (node,) = tree.nodes([span("lost", "never-came")])
    assert node.orphan
    drawn = trace.tree(Trace(trace_id="t", spans=(span("lost", "never-came"),)), 100, UNICODE)
    assert "its parent has not arrived" in text(drawn.lines)


def test_every_span_stands_once_whatever_its_parent_is() -> None:
    rng = random.Random(5)
    for _ in range(50):
        ids = [f"s{rng.randrange(12)}" for _ in range(20)]
        spans = [span(name, rng.choice([*ids, "", "gone"]), rng.random()) for name in ids]
        assert sorted(id(node.span) for node in tree.nodes(spans)) == sorted(id(item) for item in spans)


def test_spans_that_are_each_others_parents_and_a_chain_of_5000_are_shown() -> None:
    assert len(shape(span("a", "b"), span("b", "a", 1.0), span("c", "c", 2.0))) == 3
    chain = [span(str(at), str(at - 1) if at else "", at / 1000) for at in range(5_000)]
    drawn = trace.tree(Trace(trace_id="t", spans=tuple(chain)), 80, UNICODE)
    assert len(drawn.lines) == 5_000
    assert all(width_of(text([drawn.lines[at]])) <= 82 for at in (0, 17, 4_999))


def test_bars_stand_where_their_time_was() -> None:
    spans = (
        span("whole", duration_s=4.0),
        span("half", "whole", 2.0, duration_s=2.0),
        span("dot", "whole", 4.0, duration_s=0.0),
    )
    axis = trace.Axis.of(spans)
    assert axis.length_s == 4.0
    assert axis.bar(spans[0], 20, UNICODE) == ("", "█" * 20)
    assert axis.bar(spans[1], 20, UNICODE) == (" " * 10, "█" * 10)
    before, bar = axis.bar(spans[2], 20, UNICODE)
    assert (len(before), bar) == (19, "█"), "what took no time is seen all the same"
    runs = span("runs", start=1.0, duration_s=None)
    assert axis.bar(runs, 20, UNICODE) == (" " * 5, "░" * 15)


@pytest.mark.parametrize("odd", [float("inf"), -1e300, 1e300, 0.0])
def test_no_moment_that_a_backend_sends_breaks_the_axis(odd: float) -> None:
    spans = (span("a"), span("b", "a", duration_s=odd), msgspec.structs.replace(span("c"), started_at=odd))
    lines = trace.tree(Trace(trace_id="t", spans=spans), 100, UNICODE).lines
    assert len(text(lines).splitlines()) == 3
    assert span_view.about(spans[2], trace.Axis.of(spans), 100, UNICODE)


def test_an_error_is_told_in_words_under_its_span() -> None:
    drawn = trace.tree(backlog.trace(), 80, UNICODE)
    lines = text(drawn.lines).splitlines()
    failed = next(at for at, line in enumerate(lines) if "chat azure-b" in line)
    assert "429: rate limit reached" in lines[failed + 1]
    assert drawn.lines.keys[failed + 1] is None, "the cursor passes it"
    assert len(drawn.lines) == len(backlog.trace().spans) + 2


def test_attributes_are_shown_as_they_were_sent_and_no_longer_than_anybody_reads() -> None:
    item = backlog.trace().spans[4]
    axis = trace.Axis.of(backlog.trace().spans)
    said = text(span_view.about(item, axis, 80, UNICODE))
    for words in ("429: rate limit", "gen_ai.usage.input_tokens", "1200", '["\\n\\n","END"]', "RateLimitError"):
        assert words in said, words
    huge = msgspec.structs.replace(
        item, attributes={"prompt": "x" * 10**6, **{f"a{at}": {"deep": [at] * 1000} for at in range(2_000)}}
    )
    lines = span_view.about(huge, axis, 80, UNICODE)
    assert len(lines) < 10_000
    assert "1,701 attributes more" in text(lines)


def test_hostile_texts_stay_in_their_cells() -> None:
    service = Service(ref=Ref(backlog.STORE, Kind.SERVICE, NASTY), observed_at=1.0, snapshots=(NASTY,))
    asked = backlog.request(
        1,
        failed=True,
        name=NASTY,
        service=NASTY,
        model=NASTY,
        error=NASTY,
        conversation=NASTY,
        status=NASTY,
        route=NASTY,
    )
    bad = span(NASTY, NASTY, failed=True, error=NASTY, service=NASTY, attributes={NASTY: NASTY, "l": [NASTY]})
    odd = backlog.queue(NASTY, 5, feeds=(NASTY,), kind=NASTY, dead_letters=1, dead_letter_queue=NASTY)
    board = platform(service, asked, odd)
    whole = Trace(trace_id=NASTY, request=asked, spans=(bad,), notes=(NASTY,))
    receipt = backlog.receipt(5, name=NASTY, progress_words=NASTY)
    board.apply(Change(seq=2, at=world.NOW, receipts=(receipt,)))
    said = [
        body(board),
        *(cell.text for row in queues.rows(board, judged(board), UNICODE) for cell in row.cells),
        *(cell.text for row in requests.rows(board, [asked], UNICODE) for cell in row.cells),
        text(trace.tree(whole, 80, UNICODE).lines),
        text(span_view.about(bad, trace.Axis.of([bad]), 80, UNICODE)),
        text(trace.summary(board, asked.ref, asked, recorded.plain(whole), 80, UNICODE)),
        text(ways_out.ways(odd, receipt, UNICODE)),
        text(drill.drill(board, judged(board), UNICODE, odd.ref, None, 80, {})),
        text(drill.drill(board, judged(board), UNICODE, service.ref, None, 80, {})),
        text([doing.line(board, UNICODE, 80) or Line()]),
    ]
    for part in said:
        assert not [char for char in part if unicodedata.category(char) in ("Cc", "Cf") and char != "\n"], part


def test_ages_of_a_paused_queue_are_no_alarm() -> None:
    old = backlog.queue("q", 9, paused=True, oldest_age_s=9_000.0, age_quality=AgeQuality.EXACT)
    assert queues.age(old, UNICODE).style == ""


def test_kinds_of_spans_have_their_words() -> None:
    lines = text(trace.tree(backlog.trace(), 120, UNICODE).lines)
    assert all(str(kind) in lines for kind in SpanKind if kind not in (SpanKind.TOOL, SpanKind.OTHER))
