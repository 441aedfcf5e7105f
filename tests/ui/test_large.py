"""A large board: keys are answered while it is being looked at, and nothing half looked at is shown."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, ClassVar

from console.domain.board import Board
from console.domain.wire import Change
from console.ui.app import SwitchgearApp
from console.ui.room import PAINTED_AT_ONCE
from console.ui.view.judged import AT_ONCE, Judgements
from tests.ui.scripted import PlainApp, PlainRoom, ScriptedEngine, deployment, screen_text
from tests.ui.seeing import until

MANY = 3 * AT_ONCE


class Slow(PlainRoom):
    """A screen that takes its time with one board, until a key that came meanwhile has been answered."""

    answered_after: int | None = None
    shown_meanwhile = -1

    def prepare(self, board: Board, judged: Judgements) -> Iterator[None]:
        if board.seq < 2 or self.answered_after is not None:
            return
        assert self.table is not None
        before, shown = self.table.cursor, self.shown
        self.app.simulate_key("j")
        for step in range(2000):
            yield
            if self.table.cursor != before:
                self.answered_after, self.shown_meanwhile = step, self.shown - shown
                return


class LargeApp(PlainApp):
    MODES: ClassVar[Any] = {**PlainApp.MODES, "overview": Slow}


async def test_keys_are_answered_between_the_steps_and_the_former_moment_stands() -> None:
    api = ScriptedEngine(*(deployment(f"dep-{n}", 1.0) for n in range(MANY)))
    app = LargeApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app.table.rows) == MANY)
        room = app.plain
        assert isinstance(room, Slow)
        api.change(*(deployment(f"dep-{n}", 2.0) for n in range(MANY)))
        await until(pilot, lambda: room.answered_after is not None)
        assert room.shown_meanwhile == 0
        await until(pilot, lambda: app.sight.board.seq == 2)
        await until(pilot, lambda: room.table is not None and room.table.rows[0].cells[1].text == "2")


async def test_what_differs_is_painted_a_few_lines_at_a_time_and_in_the_end_all_of_it() -> None:
    app = PlainApp(ScriptedEngine(*(deployment(f"dep-{n}", 1.0) for n in range(MANY))), "prod")
    async with app.run_test(size=(80, 60)) as pilot:
        await until(pilot, lambda: len(app.table.rows) == MANY)
        app.board.apply(Change(seq=2, at=2.0, readings=tuple(deployment(f"dep-{n}", 2.0) for n in range(MANY))))
        app.sight.look()
        painted = [0]
        for _ in app.plain.updating():
            await pilot.pause()
            painted.append(_new_lines(app))
        await pilot.pause()
        painted.append(_new_lines(app))
        assert painted[-1] == app.table.size.height - 1
        assert max(after - before for before, after in pairwise(painted)) == PAINTED_AT_ONCE


def _new_lines(app: SwitchgearApp) -> int:
    return sum(line.split()[1:2] == ["2"] for line in screen_text(app) if "dep-" in line)


async def test_what_comes_during_a_look_is_shown_after_it() -> None:
    api = ScriptedEngine(*(deployment(f"dep-{n}", 1.0) for n in range(MANY)))
    app = PlainApp(api, "prod")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(app.table.rows) == MANY)
        for rate in range(2, 12):
            api.change(*(deployment(f"dep-{n}", float(rate)) for n in range(MANY)))
            await pilot.pause(0.01)
        await until(pilot, lambda: {row.cells[1].text for row in app.table.rows} == {"11"})
