"""The frame around every screen: attach, lose, find again; keys, prompt and palette; what survives a restart."""

from pathlib import Path

from textual.pilot import Pilot

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.errors import EngineLost
from console.domain.refs import Kind, Ref
from console.domain.wire import PROTOCOL, AccessLevel, Heartbeat, Hello
from tests.ui.scripted import READER, PlainApp, ScriptedEngine, bottom, deployment, screen_text
from tests.ui.seeing import until


def engine(count: int = 3) -> ScriptedEngine:
    return ScriptedEngine(*(deployment(f"dep-{n}", 100.0 + n) for n in range(count)))


async def attached(pilot: Pilot[int], app: PlainApp, rows: int = 3) -> None:
    await until(pilot, lambda: len(app.table.rows) == rows)


async def test_it_attaches_and_follows_changes() -> None:
    api = engine()
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        assert "READ-ONLY" in screen_text(app)[0]
        assert "gateway fresh" in screen_text(app)[1]
        api.change(deployment("dep-1", 777.0))
        await until(pilot, lambda: any("777" in line for line in screen_text(app)))


async def test_many_changes_are_one_paint() -> None:
    api = engine()
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        before = app.plain.shown
        for n in range(200):
            api.change(deployment("dep-1", float(n)))
        await until(pilot, lambda: any("199" in line for line in screen_text(app)))
        assert app.plain.shown - before <= 3


async def test_a_newer_look_at_the_same_values_paints_nothing() -> None:
    api = engine()
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        before = app.plain.shown
        api.change(observed={"gateway": 99.0})
        api.queue.put_nowait(Heartbeat(seq=9, at=100.0, observed={"gateway": 100.0}))
        await until(pilot, lambda: app.board.seq == 9)
        await pilot.pause(0.7)
        assert app.plain.shown == before


async def test_a_lost_engine_is_said_everything_fades_and_it_is_found_again() -> None:
    api = engine()
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        api.refusing = EngineLost("no engine listens on the socket; start one with `switchgear engine prod`")
        api.queue.put_nowait(EngineLost("the connection was cut"))
        await until(pilot, lambda: "ENGINE LOST" in screen_text(app)[1] and "switchgear engine" in app.lost)
        assert app.table.stale
        assert any("dep-1" in line for line in screen_text(app)), "the last values stand"
        await pilot.press("t")
        await pilot.pause()
        assert "no engine listens" in bottom(app)
        api.refusing = None
        await until(pilot, lambda: not app.lost and not app.table.stale)


async def test_another_protocol_is_said_with_the_way_out() -> None:
    hello = Hello(protocol=PROTOCOL + 1, version="9", environment="prod", pid=1, started_at=0.0, access=READER)
    app = PlainApp(ScriptedEngine(hello=hello), "prod")
    async with app.run_test(size=(200, 24)) as pilot:
        await until(pilot, lambda: "this console is the older one" in screen_text(app)[1])
        assert "switchgear stop prod" in screen_text(app)[1]


async def test_a_fault_in_the_client_is_said_and_the_screen_stays() -> None:
    api = engine()
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        api.queue.put_nowait(ZeroDivisionError("a fault"))
        await until(pilot, lambda: "ZeroDivisionError" in app.lost or not app.lost)
        await attached(pilot, app)
        assert app.is_running


async def test_what_cannot_work_says_why() -> None:
    api = ScriptedEngine(deployment("fixed", 1.0, trips=False))
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app, 1)
        await pilot.press("t")
        assert "defined in the config file" in bottom(app)
        await pilot.press("u")
        assert "no override is standing" in bottom(app)


async def test_the_filter_narrows_while_it_is_typed_and_escape_brings_all_back() -> None:
    app = PlainApp(engine(30), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app, 30)
        await pilot.press("slash", *"dep-2")
        await until(pilot, lambda: len(app.table.lines) == 11)
        await pilot.press("enter")
        assert "/dep-2" in bottom(app)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.table.lines) == 30)


async def test_the_prompt_completes_runs_and_explains() -> None:
    app = PlainApp(engine(), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        await pilot.press("colon", *"sor", "tab", *" rate", "enter")
        await until(pilot, lambda: app.table.sort.column == "rate")
        assert app.table.sort.descending, "numbers begin with the largest"
        await pilot.press("colon", *"nonsense", "enter")
        await until(pilot, lambda: "no command 'nonsense'" in bottom(app))
        await pilot.press("colon", "escape")
        await until(pilot, lambda: "Trip" in bottom(app))
        assert app.focused is app.table, "the table has the keys again"


async def test_typed_letters_reach_the_prompt_and_no_command() -> None:
    app = PlainApp(engine(), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        await pilot.press("slash", *"q4u")
        await pilot.pause()
        assert app.is_running
        assert app.current_mode == "overview"
        assert app.plain.filter_words == "q4u"


async def test_the_palette_goes_through_the_same_door() -> None:
    api = ScriptedEngine(deployment("fixed", 1.0, trips=False))
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app, 1)
        await pilot.press("ctrl+p", *"trip")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: "defined in the config file" in bottom(app))


async def test_digits_change_the_screen() -> None:
    app = PlainApp(engine(), "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        await pilot.press("4")
        await until(pilot, lambda: app.plain.NAME == "log" and len(app.table.rows) == 3)


async def test_alerts_are_acknowledged() -> None:
    api = engine()
    app = PlainApp(api, "prod")
    alert = Alert(
        rule="burn",
        ref=Ref("gateway", Kind.DEPLOYMENT, "dep-0"),
        severity=Severity.PAGE,
        state=AlertState.FIRING,
        since=1.0,
        words="too many errors",
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        api.change(alerts=(alert,))
        await until(pilot, lambda: "1 alert" in screen_text(app)[0])
        await pilot.press("a")
        await until(pilot, lambda: [mark.alert_id for mark in api.marked] == [alert.id])


async def test_operate_is_asked_for_at_the_start_and_shown() -> None:
    api = engine()
    app = PlainApp(api, "prod", operate="incident 7")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "OPERATE" in screen_text(app)[0])
        assert [(ask.level, ask.reason) for ask in api.asked] == [(AccessLevel.OPERATE, "incident 7")]


async def test_sort_columns_filter_and_theme_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "config" / "screen.json"
    app = PlainApp(engine(), "prod", path)
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        for line in ("sort rate", "column note", "filter dep", "theme ansi-light"):
            app.obey(line)
        await pilot.pause()
    again = PlainApp(engine(), "prod", path)
    async with again.run_test(size=(80, 24)) as pilot:
        await attached(pilot, again)
        assert (again.table.sort.column, again.table.sort.descending) == ("rate", True)
        assert again.table.hidden == {"note"}
        assert again.table.filter == "dep"
        assert again.theme == "ansi-light"
        assert not any("note" in line for line in screen_text(again))


async def test_a_broken_preferences_file_is_set_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    path.write_text("{not json")
    app = PlainApp(engine(), "prod", path)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: "preferences not read" in bottom(app))
    assert (tmp_path / "screen.json.broken").read_text() == "{not json"


async def test_keys_follow_the_operators_own_keymap(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    path.write_text('{"keymap": {"log": "L"}}')
    app = PlainApp(engine(), "prod", path)
    async with app.run_test(size=(80, 24)) as pilot:
        await attached(pilot, app)
        await pilot.press("4")
        await pilot.pause()
        assert app.plain.NAME == "overview"
        await pilot.press("L")
        await until(pilot, lambda: app.plain.NAME == "log")
