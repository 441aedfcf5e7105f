"""What a command opens: from a verb and an object to an intent, and the dialogs on the way."""

from typing import TYPE_CHECKING

from console.domain.actions import Action, Intent, Reset, Restore, SetWeight, Switch, Trip, Verb
from console.domain.errors import Refusal
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref
from console.domain.wire import AccessLevel, AccessRequest
from console.ui import format as fmt
from console.ui.screens import trace_flows
from console.ui.screens.queue_flows import queue_action
from console.ui.view.choices import choices, heading, notes

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp

LONGEST_OPERATE_MIN = 24 * 60.0


async def act(app: "SwitchgearApp", target: Ref, verb: Verb, argument: str = "") -> None:
    """Ask what is still missing, show what would happen, and do it after a yes.

    Args:
        app: the console.
        target: the object.
        verb: what to do to it.
        argument: a weight, a place to switch to, a rate, or an override's or action's id; empty asks.
    """
    from console.ui.screens.confirm import ConfirmScreen

    action = await _action(app, target, verb, argument)
    if action is None:
        return
    intent = Intent(target=target, action=action, via="key")
    decision = await app.push_screen_wait(ConfirmScreen(intent, _ttl(app)))
    if decision is not None and decision.receipt is not None:
        receipt = app.board.receipts.get(decision.receipt.id, decision.receipt)
        app.say(f"{verb} {fmt.name(target.name)}: {receipt.outcome}. {fmt.name(receipt.words, 200)}")


def _ttl(app: "SwitchgearApp") -> str:
    seconds = app.hello.default_ttl_s if app.hello is not None else 1800.0
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m" if not rest else f"{round(seconds)}s"


async def _action(app: "SwitchgearApp", target: Ref, verb: Verb, argument: str) -> Action | None:
    match verb:
        case Verb.TRIP:
            return Trip()
        case Verb.RESET:
            return Reset()
        case Verb.RESTORE:
            return Restore(argument)
        case Verb.WEIGHT:
            return await _weight(app, target, argument)
        case Verb.SWITCH:
            return await _switch(app, target, argument)
        case _:
            return queue_action(verb, argument)


async def _weight(app: "SwitchgearApp", target: Ref, argument: str) -> Action | None:
    """The weight from the command, or asked for."""
    from console.ui.screens.forms import Field, FormScreen

    if argument:
        wrong = wrong_weight(argument)
        if wrong:
            raise Refusal(wrong)
        return SetWeight(float(argument))
    reading = app.board.readings.get(target)
    now = reading.weight if isinstance(reading, Deployment) else None
    said = [
        f"It is {now:g} now." if now is not None else "Its weight is not known.",
        *_siblings(app, target),
        "What it would change is shown before anything is done.",
    ]
    field = Field("weight", "" if now is None else f"{now:g}", "0 or more", wrong_weight)
    answer = await app.push_screen_wait(FormScreen(f"Weight of {fmt.name(target.name)}", said, [field]))
    return None if answer is None else SetWeight(float(answer[0]))


def _siblings(app: "SwitchgearApp", target: Ref) -> list[str]:
    """The weights that the new one is relative to, a line a route."""
    reading = app.board.readings.get(target)
    routes = [item for item in app.board.of(Route) if item.ref.source == target.source]
    found = []
    for route in routes if isinstance(reading, Deployment) else []:
        if any(item.deployment == target.name for item in route.targets):
            others = [item for item in route.targets if item.deployment != target.name and item.weight is not None]
            weights = ", ".join(f"{fmt.name(item.deployment, 24)} {item.weight:g}" for item in others[:6])
            found.append(f"On {fmt.name(route.ref.name, 24)} beside {weights}." if weights else "")
    return [line for line in found if line]


def wrong_weight(text: str) -> str:
    """Why a text is no weight; empty when it is one."""
    try:
        return SetWeight(float(text)).fault
    except ValueError:
        return f"{fmt.name(text, 20)!r} is no number"


async def _switch(app: "SwitchgearApp", target: Ref, argument: str) -> Action | None:
    """The place from the command, or chosen from the route's own options."""
    from console.ui.screens.forms import ChoiceScreen

    if argument:
        return Switch(argument)
    route = app.board.readings.get(target)
    if not isinstance(route, Route):
        raise Refusal(f"{fmt.name(target.name)} is no route that can be switched")
    if not route.switch_options:
        raise Refusal(f"{fmt.name(target.name)} has nowhere else to go: its source offers no other deployment or route")
    title = f"Switch {fmt.name(target.name)} to"
    lines = choices(app.board, app.sight.judged, route, app.glyphs)
    key = await app.push_screen_wait(ChoiceScreen(title, heading(), lines, notes(route)))
    if key is None:
        return None
    option = route.switch_options[int(key)]
    return Switch(option.to, option.mechanism)


async def operate(app: "SwitchgearApp") -> None:
    """Ask for a reason and a time, and then the engine for `operate`."""
    from console.ui.screens.forms import Field, FormScreen

    if app.access is not None and not app.access.may_operate and not app.operating:
        raise Refusal(app.access.why_not or "this account may not operate here")
    said = ["Operate lets you act on this environment. It ends by itself, and every use of it is in the audit log."]
    fields = [
        Field("reason", "", "why: a ticket, what you see", lambda text: "" if text else "say why: others will read it"),
        Field("minutes", "30", "how long", _wrong_minutes),
    ]
    answer = await app.push_screen_wait(FormScreen("Ask for operate", said, fields))
    if answer is not None:
        request = AccessRequest(level=AccessLevel.OPERATE, reason=answer[0], minutes=float(answer[1]))
        app.access = await app.api.access(request)
        if app.room is not None:
            app.room.update_frame()


def _wrong_minutes(text: str) -> str:
    try:
        minutes = float(text)
    except ValueError:
        return f"{fmt.name(text, 20)!r} is no number of minutes"
    return "" if 0 < minutes <= LONGEST_OPERATE_MIN else "between 1 minute and a day"


async def drill(app: "SwitchgearApp", ref: Ref) -> None:
    """Show everything about one object; of a request its stages, of a conversation its requests."""
    if ref.kind is Kind.REQUEST:
        await trace_flows.request(app, ref)
        return
    if ref.kind is Kind.CONVERSATION:
        await trace_flows.conversation(app, ref)
        return
    from console.ui.screens.drill import DrillScreen

    if isinstance(app.screen, DrillScreen) and app.screen.ref == ref:
        return
    await app.push_screen(DrillScreen(ref))


async def help_page(app: "SwitchgearApp") -> None:
    """Show what works here and what does not, and why."""
    from console.ui.screens.help import HelpScreen

    await app.push_screen(HelpScreen())
