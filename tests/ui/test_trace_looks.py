"""How a recorded request, its conversation and its difference look; judged by eye, as the pictures of `test_looks`."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from console.domain.errors import EngineLost
from console.domain.reconstruction import Reconstruction
from console.domain.spans import TraceQuery
from console.ui.app import SwitchgearApp
from tests.ui import backlog, recorded, world
from tests.ui.stage import StillEngine
from tests.ui.test_looks import LARGE, SIZES, SMALL, _plain_terminal, attached, pressing, standing

__all__ = ["_plain_terminal"]

Compare = Callable[..., bool]
COLOURS = pytest.mark.parametrize("theme", ["switchgear-light", "ansi-dark"])
OPEN = ("6", "down", "enter")
VIEWS = pytest.mark.parametrize(
    ("keys", "words"),
    [
        ((*OPEN, "enter", "down", "down", "enter"), "prompt chat@3"),
        ((*OPEN, "e", "down", "down", "down", "down"), "gen_ai.request.model"),
        ((*OPEN, "l"), "prompt versions"),
        ((*OPEN, "n", "n"), "as recorded"),
        (("6", "down", "h"), "two snapshots"),
        (("6", "down", "equals_sign"), "3.1"),
    ],
    ids=["stages", "tree", "lanes", "playback", "conversation", "compare"],
)


class Waiting(StillEngine):
    """Answers a request's page never."""

    async def reconstruct(self, query: TraceQuery) -> Reconstruction:
        await asyncio.Event().wait()
        raise AssertionError


def app_on(theme: str = "", engine: StillEngine | None = None) -> tuple[SwitchgearApp, StillEngine]:
    known = engine or StillEngine([*world.calm(), *backlog.traced()])
    whole = recorded.reconstruction()
    known.reconstructions[whole.trace.trace_id] = whole
    known.conversations["c-2"] = recorded.conversation()
    known.comparisons[whole.trace.trace_id, ""] = recorded.comparison()
    known.stored = [backlog.request(age) for age in (2, 71, 72)]
    app = SwitchgearApp(known, "prod")
    if theme:
        app.theme = theme
    return app, known


@SIZES
@VIEWS
def test_a_request_and_what_belongs_to_it(
    snap_compare: Compare, size: tuple[int, int], keys: tuple[str, ...], words: str
) -> None:
    app, _ = app_on()
    assert snap_compare(app, terminal_size=size, run_before=pressing(*keys, until=words))


@COLOURS
@VIEWS
def test_in_other_colours(snap_compare: Compare, theme: str, keys: tuple[str, ...], words: str) -> None:
    app, _ = app_on(theme)
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing(*keys, until=words))


@VIEWS
def test_in_ascii_without_colours(
    snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], words: str
) -> None:
    monkeypatch.setenv("SWITCHGEAR_ASCII", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = app_on()
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing(*keys, until=words))


@SIZES
def test_the_stages_at_first(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on()
    assert snap_compare(app, terminal_size=size, run_before=pressing(*OPEN, until="final result"))


@SIZES
def test_requests_of_a_lane(snap_compare: Compare, size: tuple[int, int]) -> None:
    app, _ = app_on()
    keys = (*OPEN, "l", "enter")
    assert snap_compare(app, terminal_size=size, run_before=pressing(*keys, until="only requests with"))


def test_while_the_answer_is_waited_for(snap_compare: Compare) -> None:
    app, _ = app_on(engine=Waiting([*world.calm(), *backlog.traced()]))
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing(*OPEN, until="asking for"))


def test_a_refusal(snap_compare: Compare) -> None:
    app, _ = app_on()
    assert snap_compare(app, terminal_size=SMALL, run_before=pressing("6", "equals_sign", until="nothing to compare"))


def test_a_request_when_the_engine_is_lost(snap_compare: Compare) -> None:
    app, engine = app_on()

    async def lose(pilot: Pilot[Any]) -> None:
        await attached(pilot)
        await pressing(*OPEN, until="final result")(pilot)
        lost = EngineLost("nobody listens on the socket; start an engine with `switchgear engine prod`")
        engine.refusing = lost
        engine.queue.put_nowait(lost)
        await standing(pilot, "ENGINE LOST")

    assert snap_compare(app, terminal_size=LARGE, run_before=lose)
