"""Acting from the keyboard, on the real engine and its simulator: what is confirmed is what was shown, and is seen."""

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.domain.actions import Outcome, Stage
from console.domain.circuit import Mode
from console.domain.readings import Deployment, Route
from console.ui.app import SwitchgearApp
from console.ui.screens.confirm import ConfirmScreen
from tests.ui.live import Live, deployment, engine
from tests.ui.scripted import screen_text
from tests.ui.seeing import shows, until

READ_ONLY = {"access": "read-only"}


def dialog(app: SwitchgearApp) -> ConfirmScreen | None:
    return app.screen if isinstance(app.screen, ConfirmScreen) else None


def confirm_button(app: SwitchgearApp) -> Button:
    return app.screen.query_one("#confirm", Button)


async def on_deployment(pilot: Pilot[int], app: SwitchgearApp, name: str) -> None:
    """Put the cursor on a deployment, by keys alone."""
    await until(pilot, lambda: shows(app, name))
    for _ in range(40):
        if app.selected() == deployment(name):
            return
        await pilot.press("down")
    raise AssertionError(f"the cursor never came to {name}:\n" + "\n".join(screen_text(app)))


async def open_trip(pilot: Pilot[int], app: SwitchgearApp, name: str = "chat-openai") -> None:
    await on_deployment(pilot, app, name)
    await pilot.press("t")
    await until(pilot, lambda: dialog(app) and shows(app, "What changes"))


async def give_reason(pilot: Pilot[int], app: SwitchgearApp, words: str = "brownout") -> None:
    entry = app.screen.query_one("#reason", Input)
    entry.focus()
    entry.value = words
    await pilot.press("enter")


async def test_a_trip_from_the_keyboard_ends_in_verified(tmp_path: Path) -> None:
    async with engine(tmp_path) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(80, 24)) as pilot:
            await open_trip(pilot, app)
            assert app.focused is app.screen.query_one("#cancel")
            assert confirm_button(app).disabled, "without a reason nothing can be confirmed"
            await pilot.press("tab", *"slow", "enter")
            await until(pilot, lambda: not confirm_button(app).disabled)
            assert app.focused is app.screen.query_one("#cancel"), "a second Enter must do nothing"
            await pilot.press("tab", "enter")
            await until(pilot, lambda: shows(app, "verified", "2/2 replicas"))
            tripped = live.board.readings[deployment("chat-openai")]
            assert isinstance(tripped, Deployment)
            assert tripped.circuit.mode is Mode.FORCED_OPEN
            await pilot.press("enter")
            await until(pilot, lambda: not dialog(app))
            assert [item.owner for item in app.board.overrides.values()]
            assert shows(app, "until")


async def test_undo_puts_the_last_override_back(tmp_path: Path) -> None:
    async with engine(tmp_path) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(120, 40)) as pilot:
            await open_trip(pilot, app)
            await give_reason(pilot, app)
            await until(pilot, lambda: not confirm_button(app).disabled)
            await pilot.press("tab", "enter")
            await until(pilot, lambda: shows(app, "verified"))
            await pilot.press("escape", "u")
            await until(pilot, lambda: dialog(app) and shows(app, "Undo the override of"))
            await give_reason(pilot, app, "over")
            await until(pilot, lambda: not confirm_button(app).disabled)
            await pilot.press("tab", "enter")
            await until(pilot, lambda: not live.board.overrides)
            back = live.board.readings[deployment("chat-openai")]
            assert isinstance(back, Deployment)
            assert back.circuit.mode is Mode.AUTO


async def test_escape_and_cancel_change_nothing(tmp_path: Path) -> None:
    async with engine(tmp_path) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(80, 24)) as pilot:
            await open_trip(pilot, app)
            await pilot.press("escape")
            await until(pilot, lambda: not dialog(app))
            await open_trip(pilot, app)
            await pilot.press("enter")
            await until(pilot, lambda: not dialog(app))
            assert not live.board.receipts
            assert not live.board.overrides


async def test_read_only_says_why_and_leads_to_operate(tmp_path: Path) -> None:
    async with engine(tmp_path, access="read-only") as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(80, 24)) as pilot:
            await open_trip(pilot, app)
            assert shows(app, "read-only", "Ask for operate")
            await give_reason(pilot, app)
            await pilot.pause(0.2)
            assert confirm_button(app).disabled
            await pilot.press("o")
            await until(pilot, lambda: shows(app, "Ask for operate", "minutes"))
            await pilot.press(*"ticket 7", "enter", "enter")
            await until(pilot, lambda: dialog(app) and not confirm_button(app).disabled)
            assert not shows(app, "Not now")
            assert app.operating


async def test_another_time_is_judged_before_it_can_be_confirmed(tmp_path: Path) -> None:
    async with engine(tmp_path) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(120, 40)) as pilot:
            await open_trip(pilot, app)
            await give_reason(pilot, app)
            await until(pilot, lambda: not confirm_button(app).disabled)
            ttl = app.screen.query_one("#ttl", Input)
            ttl.focus()
            await pilot.press(*"30x")
            assert confirm_button(app).disabled
            await pilot.press("enter")
            await until(pilot, lambda: shows(app, "is no duration"))
            assert confirm_button(app).disabled
            ttl.focus()
            await pilot.press(*"20m", "enter")
            await until(pilot, lambda: not confirm_button(app).disabled)


async def test_a_protected_target_takes_its_name_typed(tmp_path: Path) -> None:
    protect = [{"match": "*:deployment/chat-openai", "rule": "type-name", "why": "the main one"}]
    async with engine(tmp_path, protect=protect) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(80, 24)) as pilot:
            await open_trip(pilot, app)
            await give_reason(pilot, app)
            await until(pilot, lambda: app.focused is app.screen.query_one("#typed"))
            await pilot.press(*"chat-opena")
            assert confirm_button(app).disabled
            await pilot.press("i")
            await until(pilot, lambda: not confirm_button(app).disabled)
            await pilot.press("enter")
            assert not live.board.receipts, "Enter in the field goes to Cancel and confirms nothing"
            await pilot.press("tab", "enter")
            await until(pilot, lambda: any(r.outcome is Outcome.VERIFIED for r in live.board.receipts.values()))


async def test_a_route_is_switched_to_one_of_its_options(tmp_path: Path) -> None:
    async with engine(tmp_path) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(120, 40)) as pilot:
            await on_deployment(pilot, app, "chat-openai")
            await pilot.press("s")
            await until(pilot, lambda: shows(app, "Switch chat to"))
            await pilot.press("enter")
            await until(pilot, lambda: dialog(app) and shows(app, "What is done"))
            await give_reason(pilot, app)
            await until(pilot, lambda: not confirm_button(app).disabled)
            await pilot.press("tab", "enter")
            await until(pilot, lambda: any(r.stage is Stage.DONE for r in live.board.receipts.values()))
            (receipt,) = live.board.receipts.values()
            assert receipt.outcome is Outcome.VERIFIED
            assert any(isinstance(item, Route) for item in live.board.readings.values())


async def test_a_weight_is_asked_for_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    async with engine(tmp_path) as live:
        app = SwitchgearApp(live.api, "stage")
        async with app.run_test(size=(80, 24)) as pilot:
            await on_deployment(pilot, app, "chat-openai")
            await pilot.press("w")
            await until(pilot, lambda: shows(app, "Weight of chat-openai", "It is"))
            entry = app.screen.query_one("#field-0", Input)
            entry.value = "-1"
            await pilot.press("enter")
            assert shows(app, "a weight is 0 or more")
            entry.value = "7"
            await pilot.press("enter")
            await until(pilot, lambda: dialog(app) and shows(app, "Change the weight of"))
            await give_reason(pilot, app)
            await until(pilot, lambda: not confirm_button(app).disabled)
            await pilot.press("tab", "enter")
            await until(pilot, lambda: shows(app, "verified"))
            weighed = live.board.readings[deployment("chat-openai")]
            assert isinstance(weighed, Deployment)
            assert weighed.weight == 7


async def test_two_consoles_see_each_others_actions(tmp_path: Path) -> None:
    async with engine(tmp_path) as live:
        one = SwitchgearApp(live.api, "stage")
        async with one.run_test(size=(80, 24)) as pilot:
            await open_trip(pilot, one)
            await give_reason(pilot, one)
            await until(pilot, lambda: not confirm_button(one).disabled)
            await pilot.press("tab", "enter")
            await until(pilot, lambda: shows(one, "verified"))
        await _sees(live, "chat-openai")


async def _sees(live: Live, name: str) -> None:
    other = SwitchgearApp(live.api, "stage")
    async with other.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(other, "forced open", name))
