"""The small parts of the frame: header, pace, preferences, themes, signs, what is imported before the first paint."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console.domain.actions import Outcome
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.freshness import Freshness
from console.domain.health import Level
from console.domain.readings import Source
from console.domain.refs import Kind, Ref
from console.domain.wire import Access, AccessLevel, Snapshot
from console.ui import preferences, themes
from console.ui.cells import STYLES, Line, fit, width_of
from console.ui.glyphs import ASCII, UNICODE, Glyphs, ascii_only, plain
from console.ui.pace import LONGEST_S, SHORTEST_S, Pace
from console.ui.preferences import Preferences, RoomPreferences
from console.ui.view.judged import Judgements
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.header import Standing, header_lines

READER = Access(operator="ann", uid=1, level=AccessLevel.READ_ONLY)


def source(name: str, freshness: Freshness = Freshness.FRESH) -> Source:
    return Source(
        ref=Ref(name, Kind.SOURCE, name),
        observed_at=1.0,
        adapter="litellm",
        freshness=freshness,
        interval_s=2.0,
        last_ok_at=1_800_000_000.0,
    )


def judged(board: Board) -> Judgements:
    found = Judgements()
    found.refresh(board)
    return found


def header(*sources: Source, lost: str = "", width: int = 120, access: Access = READER, **more: object) -> list[str]:
    board = Board()
    snapshot = Snapshot(seq=1, at=1.0, environment="prod", readings=sources, **more)  # type: ignore[arg-type]
    board.apply(snapshot)
    lines = header_lines(board, judged(board), Standing("prod", "overview", access, lost), UNICODE, width)
    return [text(line) for line in lines]


def text(line: Line) -> str:
    return "".join(cell.text for cell in line.cells)


def test_the_header_names_stale_sources_with_their_time_and_counts_the_fresh() -> None:
    second = header(source("gw"), source("redis", Freshness.STALE))[1]
    assert "redis stale since" in second
    assert "gw fresh" in second
    many = header(*(source(f"gw-{n}") for n in range(40)))[1]
    assert "40 sources fresh" in many


def test_the_header_says_who_else_operates_and_until_when_i_do() -> None:
    until = 1_800_000_000.0
    me = Access(operator="ann", uid=1, level=AccessLevel.OPERATE, until=until)
    bob = Access(operator="bob", uid=2, level=AccessLevel.OPERATE, until=until)
    first = header(source("gw"), access=me)[0]
    assert "OPERATE until" in first
    board = Board()
    board.apply(Snapshot(seq=1, at=1.0, environment="prod", readings=(source("gw"),), access=(me, bob)))
    first = text(header_lines(board, judged(board), Standing("prod", "overview", me, ""), UNICODE, 120)[0])
    assert "bob in operate" in first
    assert "ann in operate" not in first


@pytest.mark.parametrize("width", [40, 80, 109, 110, 160])
def test_both_lines_fit_at_any_width(width: int) -> None:
    alert = Alert(
        rule="burn",
        ref=Ref("gw", Kind.ROUTE, "chat"),
        severity=Severity.PAGE,
        state=AlertState.FIRING,
        since=1.0,
        words="w",
    )
    names = [source(f"gateway-{n}", Freshness.STALE) for n in range(9)]
    for line in header(*names, width=width, alerts=(alert,)):
        assert width_of(line) <= width
    if width >= 80:
        assert "1 alert" in header(*names, width=width, alerts=(alert,))[0]


def test_a_lost_engine_takes_the_whole_second_line() -> None:
    assert "ENGINE LOST" in header(source("gw"), lost="start one with `switchgear engine prod`", width=80)[1]


def test_a_slow_line_gets_fewer_paints_and_a_quick_one_one_a_second() -> None:
    pace = Pace()
    for _ in range(20):
        pace.sent(0.001)
    assert pace.interval_s == SHORTEST_S
    for _ in range(20):
        pace.sent(0.4)
    assert 1.5 < pace.interval_s < 1.7
    for _ in range(20):
        pace.sent(10.0)
    assert pace.interval_s == LONGEST_S


def test_a_board_that_is_slow_to_show_is_shown_less_often_so_that_keys_find_a_gap() -> None:
    pace = Pace()
    for _ in range(20):
        pace.made(0.3)
    assert 2.9 < pace.interval_s < 3.1


def test_preferences_are_written_whole_private_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "screen.json"
    chosen = Preferences(theme="ansi-dark").with_room(
        "log", RoomPreferences(sort="at", descending=True, filter="azure")
    )
    assert preferences.save(path, chosen) == ""
    assert preferences.load(path) == (chosen, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["screen.json"], "nothing half-written is left"


@pytest.mark.parametrize("broken", ["", "[]", '{"rooms": 3}', "\x00\xff", '{"theme": '])
def test_a_broken_file_is_set_aside_not_lost(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "screen.json"
    path.write_text(broken)
    found, words = preferences.load(path)
    assert found == Preferences()
    assert "screen.json.broken" in words
    assert (tmp_path / "screen.json.broken").read_text() == broken


def test_preferences_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not saved" in preferences.save(tmp_path / "file" / "screen.json", Preferences())


@pytest.mark.parametrize(
    ("preferred", "environ", "theme"),
    [
        ("", {"COLORTERM": "truecolor"}, "switchgear-dark"),
        ("", {"COLORTERM": "truecolor", "COLORFGBG": "0;15"}, "switchgear-light"),
        ("", {"COLORTERM": "truecolor", "SSH_CONNECTION": "1"}, "ansi-dark"),
        ("", {"TERM": "xterm"}, "ansi-dark"),
        ("", {"COLORFGBG": "0;default;15"}, "ansi-light"),
        ("switchgear-light", {"SSH_TTY": "/dev/pts/1"}, "switchgear-light"),
        ("switchgear-light", {"NO_COLOR": "1", "COLORTERM": "truecolor"}, "ansi-dark"),
        ("no-such-theme", {}, "ansi-dark"),
    ],
)
def test_the_theme_fits_the_terminal(preferred: str, environ: dict[str, str], theme: str) -> None:
    assert themes.choose(preferred, environ) == theme


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_state_has_a_sign_of_its_own(glyphs: Glyphs) -> None:
    assert set(glyphs.level) == set(Level)
    assert set(glyphs.circuit) == set(glyphs.breaker) == set(Observed)
    assert set(glyphs.outcome) == set(Outcome)
    assert set(glyphs.severity) == set(Severity)
    for signs in (glyphs.level, glyphs.circuit, glyphs.breaker):
        assert len(set(signs.values())) == len(signs), "no two states look the same without colour"
    assert all(width_of(sign) == 1 for sign in (*glyphs.level.values(), *glyphs.circuit.values(), *glyphs.spark))
    assert all(width_of(sign) == 3 for sign in glyphs.breaker.values())


def test_the_ascii_set_is_ascii() -> None:
    signs = [*ASCII.level.values(), *ASCII.circuit.values(), *ASCII.breaker.values(), *ASCII.outcome.values()]
    signs += [*ASCII.severity.values(), ASCII.spark, ASCII.line, ASCII.arrow, ASCII.full, ASCII.empty, ASCII.cursor]
    assert all(sign.isascii() for sign in signs)


def test_ascii_is_chosen_by_locale_and_by_variable() -> None:
    assert not ascii_only({}, "UTF-8")
    assert ascii_only({}, "ANSI_X3.4-1968")
    assert ascii_only({"SWITCHGEAR_ASCII": "1"}, "UTF-8")
    assert not ascii_only({"SWITCHGEAR_ASCII": "0"}, "ISO-8859-1")


def test_plain_keeps_the_width() -> None:
    for words in ("● ok │ 日本 … ×", "plain", "é"):
        assert plain(words).isascii()
        assert len(plain(words)) == width_of(words)


def test_every_style_has_a_component_class() -> None:
    assert {f"canvas--{style}" for style in STYLES} <= Canvas.COMPONENT_CLASSES


@pytest.mark.parametrize(
    ("words", "width", "right", "fitted"),
    [("abc", 5, False, "abc  "), ("abc", 5, True, "  abc"), ("abcdef", 4, False, "abc…"), ("日本語", 4, False, "日… ")],
)
def test_text_is_fitted_to_columns(words: str, width: int, right: bool, fitted: str) -> None:
    assert fit(words, width, right=right) == fitted


def test_before_the_first_paint_only_textual_msgspec_and_the_domain_are_imported() -> None:
    heavy = ["pydantic", "httpx", "aiohttp", "sqlite_utils", "prometheus_client", "redis", "ruamel", "genai_prices"]
    show = f"print(json.dumps([name for name in {heavy!r} if name in sys.modules]))"
    code = f"import sys, json; import console.ui.app, console.ui.screens.overview; {show}"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert json.loads(done.stdout) == []


def test_paints_that_somebody_waits_for_follow_each_other_as_quickly_as_the_console_can_bear() -> None:
    pace = Pace()
    assert pace.urgent_s == 0.0, "a receipt is shown at once"
    for _ in range(30):
        pace.made(0.04)
    assert 0.12 < pace.urgent_s < 0.2, "a storm of alerts leaves the keys three quarters of the time"
    assert pace.urgent_s < pace.interval_s
