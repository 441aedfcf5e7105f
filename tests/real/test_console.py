"""A person at the keyboard, on a real platform: the effect of each key is seen by other means."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Callable

from console.domain.actions import SetWeight
from tests.real.operator import Operator, deployment, operating
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed
from tests.real.stack.traffic import run_traffic
from tests.real.terminal import Terminal
from tests.real.truth import alias, blocked, on, weight

ENTER, TAB, ESCAPE, DOWN = "\r", "\t", "\x1b", "\x1b[B"


def console(home: Home, *, columns: int = 120, lines: int = 40) -> Terminal:
    return Terminal([*home.command(), home.name], home.environment(), columns=columns, lines=lines)


def select(terminal: Terminal, name: str) -> None:
    """Put the cursor on one object of the Providers screen."""
    terminal.press("2")
    terminal.wait_for("circuit", name)
    terminal.press("/", *name, ENTER)
    terminal.wait_for(f"/{name}")
    terminal.press(DOWN)


def confirm(terminal: Terminal, button: str) -> None:
    """From an open dialog: say why, have it checked, then say yes."""
    terminal.wait_for("Cancel", "Tab to the reason")
    terminal.press(TAB, *"drill", ENTER)
    terminal.wait_for(f"Tab to {button}")
    terminal.press(TAB, ENTER)
    terminal.wait_for("What came of it")


def eventually(shows: Callable[[], bool], limit_s: float = 20.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not shows():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


async def test_trip_and_undo_from_the_keyboard(testbed: Testbed) -> None:
    home = Home(testbed, "keys")
    async with operating(home):
        with console(home) as terminal:
            select(terminal, "azure-b")
            terminal.press("t")
            confirm(terminal, "Trip")
            terminal.wait_for("verified")
            assert on(testbed.replicas, blocked("azure-b")) == [True, True]
            terminal.press(ESCAPE)
            terminal.wait_for("forced op")
            terminal.press("u")
            confirm(terminal, "Restore")
            terminal.wait_for("verified")
            assert on(testbed.replicas, blocked("azure-b")) == [False, False]


async def test_reset_from_the_keyboard(testbed: Testbed) -> None:
    home = Home(testbed, "keyr")
    async with operating(home):
        testbed.first.call("POST", "/model/block", {"model_id": "azure-b"})
        testbed.on_all(blocked("azure-b"))
        with console(home) as terminal:
            select(terminal, "azure-b")
            terminal.wait_for("forced op")
            terminal.press("r")
            confirm(terminal, "Reset")
            terminal.wait_for("verified")
        assert on(testbed.replicas, blocked("azure-b")) == [False, False]


async def test_weight_from_the_keyboard(testbed: Testbed) -> None:
    home = Home(testbed, "keyw")
    async with operating(home):
        with console(home) as terminal:
            select(terminal, "openai-a")
            terminal.press("w")
            terminal.wait_for("Weight of openai-a")
            terminal.press("\x15", "1", ENTER)
            confirm(terminal, "Weight")
            terminal.wait_for("verified")
            assert on(testbed.replicas, weight("openai-a")) == [1, 1]
            terminal.press(ESCAPE)
            terminal.wait_for("openai-a", "until")
            terminal.press("u")
            confirm(terminal, "Restore")
            terminal.wait_for("verified")
            assert on(testbed.replicas, weight("openai-a")) == [3, 3]


async def test_switch_from_the_keyboard(testbed: Testbed) -> None:
    home = Home(testbed, "keys2")
    async with operating(home):
        with console(home) as terminal:
            terminal.press("1")
            terminal.wait_for("gpt-main", "backup")
            terminal.press("/", *"gpt-main", ENTER)
            terminal.wait_for("/gpt-main")
            terminal.press(DOWN, "s")
            terminal.wait_for("backup")
            terminal.press(ENTER)
            confirm(terminal, "Switch")
            terminal.wait_for("verified")
            assert on(testbed.replicas, alias("gpt-main")) == ["backup", "backup"]


async def test_the_screen_names_the_ill_provider(testbed: Testbed) -> None:
    home = Home(testbed, "ill")
    async with operating(home):
        with console(home) as terminal:
            terminal.wait_for("gpt-main")
            urls = [replica.url for replica in testbed.replicas]
            traffic = asyncio.create_task(run_traffic(urls, per_s=6, seconds=30))
            await asyncio.sleep(4)
            testbed.upstreams.tell("azure-b", "500")
            worst = await asyncio.to_thread(
                terminal.wait_until,
                lambda text: "azure" in _what_is_wrong(text),
                "the ill provider under What is wrong",
                25.0,
            )
            assert "openai-a" not in _what_is_wrong(worst)
            await traffic


def _what_is_wrong(text: str) -> str:
    """The Overview's first part."""
    return text.partition("What is wrong")[2].partition("Routes and breakers")[0]


async def test_a_hang_up_in_the_middle_of_an_action_stops_nothing(testbed: Testbed) -> None:
    await _lost_in_the_middle(testbed, "hup", Terminal.hang_up)


async def test_a_killed_console_in_the_middle_of_an_action_stops_nothing(testbed: Testbed) -> None:
    await _lost_in_the_middle(testbed, "kill9", Terminal.kill)


async def _lost_in_the_middle(testbed: Testbed, name: str, lose: Callable[[Terminal], None]) -> None:
    home, second = Home(testbed, name), testbed.replicas[1].child
    # No engine runs yet: the console starts it, and the engine has to outlive the console all the same.
    terminal = console(home)
    try:
        select(terminal, "azure-b")
        second.signal(signal.SIGSTOP)  # the action cannot end before the console does
        terminal.press("t")
        confirm(terminal, "Trip")
        terminal.wait_for("1/2")
        lose(terminal)
    finally:
        second.signal(signal.SIGCONT)
        terminal.kill()
    operator = Operator(home)
    board = await operator.board(lambda board: bool(board.overrides))
    override = next(iter(board.overrides.values()))
    assert (await operator.settled(override.id)).outcome.value == "verified"
    assert override.expires_at is not None
    assert on(testbed.replicas, blocked("azure-b")) == [True, True]
    with console(home) as again:
        again.press("2")
        again.wait_for("azure-b", "until")
    await operator.restore(deployment("azure-b"))
    await operator.client.stop("test")


async def test_an_expiry_is_kept_without_its_console(testbed: Testbed) -> None:
    home = Home(testbed, "kept")
    with console(home) as terminal:
        terminal.wait_for("gpt-main")
        operator = Operator(home)
        await operator.act(deployment("openai-a"), SetWeight(weight=1.0), 8.0)
        terminal.kill()
    assert await asyncio.to_thread(eventually, lambda: on(testbed.replicas, weight("openai-a")) == [3, 3], 30)
    await operator.board(lambda board: not board.overrides)
    await operator.client.stop("test")


async def test_status_tells_the_worst_by_its_exit_code(testbed: Testbed) -> None:
    home = Home(testbed, "status")
    command = [*home.command(), "status", home.name, "--json"]

    def status() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=home.environment(), capture_output=True, text=True, check=False)

    async with operating(home):
        well = status()
        assert well.returncode == 0, well.stdout + well.stderr
        assert json.loads(well.stdout)
        for replica in testbed.replicas:
            replica.child.signal(signal.SIGSTOP)
        try:
            assert eventually(lambda: status().returncode == 3)
        finally:
            for replica in testbed.replicas:
                replica.child.signal(signal.SIGCONT)
