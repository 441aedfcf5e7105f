"""The real app on a terminal emulator: what it shows through the memory is what it would show without."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size
from textual.pilot import Pilot

from console.domain.wire import Heartbeat
from console.ui.output import ScreenMemory
from tests.ui.backlog import receipt
from tests.ui.scripted import PlainApp, ScriptedEngine, deployment
from tests.unit.ui.test_output import Terminal


class TwoTerminals(HeadlessDriver):
    """A driver with two terminals: one gets everything, the other what the memory lets through."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        width, height = self._get_terminal_size()
        self.memory = ScreenMemory()
        self.resized(width, height)
        self.sent = 0
        app.output_opened(self)  # type: ignore[attr-defined]

    @property
    def is_headless(self) -> bool:
        return False

    class _Idle:
        waiting = 0
        busy_s = 0.0

    meter = _Idle()

    def resized(self, width: int, height: int) -> None:
        self.full, self.less = Terminal(width, height), Terminal(width, height)
        self.memory.resize(width, height)
        self.memory.forget()

    def forget(self) -> None:
        self.memory.forget()

    def write(self, data: str) -> None:
        reduced = self.memory.reduce(data)
        self.sent += len(reduced)
        self.full.stream.feed(data)
        self.less.stream.feed(reduced)

    def same(self) -> bool:
        return self.full.seen() == self.less.seen()


Script = Callable[[Pilot[object], TwoTerminals], Awaitable[None]]


async def run(app: PlainApp, script: Script, size: tuple[int, int] = (80, 24)) -> None:
    """Run the app on two terminals while `script(pilot, driver)` drives it; a script that fails fails here."""
    passed: list[bool] = []

    async def drive(pilot: Pilot[object]) -> None:
        driver = app._driver
        assert isinstance(driver, TwoTerminals)
        try:
            async with asyncio.timeout(60):
                await script(pilot, driver)
            passed.append(True)
        finally:
            app.exit(0)

    app.driver_class = TwoTerminals
    await app.run_async(size=size, auto_pilot=drive)
    assert passed, "the script did not reach its end"


async def attached(pilot: Pilot[object], app: PlainApp) -> None:
    while not app.table.rows:
        await pilot.pause(0.05)
    await pilot.pause(0.2)


async def test_data_keys_dialogs_screens_themes_and_resize() -> None:
    api = ScriptedEngine(*(deployment(f"dep-{n} 日本 ●", 100.0 + n) for n in range(60)))
    app = PlainApp(api, "prod")

    async def script(pilot: Pilot[object], driver: TwoTerminals) -> None:
        await attached(pilot, app)
        assert driver.same()
        assert "dep-3" in "\n".join(driver.less.screen.display)
        for step in range(4):
            api.change(*(deployment(f"dep-{n} 日本 ●", float(step * n)) for n in range(0, 60, 7)))
            await pilot.press("j", "j", "pagedown", "k")
            await pilot.pause(0.1)
            assert driver.same()
        for keys in (
            ("ctrl+p", "t", "r"),
            ("escape",),
            ("colon", "s"),
            ("escape",),
            ("slash", "1"),
            ("enter",),
            ("4",),
        ):
            await pilot.press(*keys)
            await pilot.pause(0.2)
            assert driver.same(), keys
        app.obey("theme ansi-dark")
        await pilot.pause(0.2)
        assert driver.same()
        for width, height in ((100, 30), (60, 20), (80, 24)):
            driver.resized(width, height)
            size = Size(width, height)
            app.post_message(events.Resize(size, size))
            await pilot.pause(0.4)
            assert driver.same(), (width, height)
            assert "READ-ONLY" in driver.less.screen.display[0]
        app.redraw()
        await pilot.pause(0.2)
        assert driver.same()

    await run(app, script)


async def test_nothing_changed_sends_nothing() -> None:
    api = ScriptedEngine(*(deployment(f"dep-{n}", 100.0 + n) for n in range(10)))
    app = PlainApp(api, "prod")

    async def script(pilot: Pilot[object], driver: TwoTerminals) -> None:
        await attached(pilot, app)
        await pilot.pause(1.0)
        before = driver.sent
        for seq in range(20):
            api.change(observed={"gateway": float(seq)})
            api.queue.put_nowait(Heartbeat(seq=100 + seq, at=float(seq)))
            await pilot.pause(0.05)
        assert driver.sent == before

    await run(app, script)


async def test_one_changed_number_sends_little() -> None:
    api = ScriptedEngine(*(deployment(f"dep-{n}", 100.0 + n) for n in range(10)))
    app = PlainApp(api, "prod")

    async def script(pilot: Pilot[object], driver: TwoTerminals) -> None:
        await attached(pilot, app)
        await pilot.pause(0.6)
        before = driver.sent
        api.change(deployment("dep-4", 105.0))
        await pilot.pause(0.8)
        assert "105" in driver.less.screen.display[7]
        assert driver.sent - before < 60

    await run(app, script)


async def test_a_long_action_that_goes_on_sends_its_line_only() -> None:
    api = ScriptedEngine(*(deployment(f"dep-{n}", 100.0 + n) for n in range(10)))
    app = PlainApp(api, "prod")

    async def script(pilot: Pilot[object], driver: TwoTerminals) -> None:
        await attached(pilot, app)
        api.change(receipts=(receipt(43_210),))
        await pilot.pause(0.8)
        assert "43.2k of 100k" in driver.less.screen.display[2]
        before = driver.sent
        for _ in range(5):
            api.change(receipts=(receipt(43_210),))
            await pilot.pause(0.1)
        await pilot.pause(0.8)
        assert driver.sent == before, "the same news are none"
        api.change(receipts=(receipt(50_000),))
        await pilot.pause(0.8)
        assert "50%" in driver.less.screen.display[2]
        assert driver.sent - before < 160
        assert driver.same()

    await run(app, script)
