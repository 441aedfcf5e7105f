"""The commands on alerts and incidents: open one, acknowledge, silence; what is watched; another simulated incident."""

from console.ui.command import Command
from console.ui.desk import Desk
from console.ui.view.incidents import worst_or


def _unalerted(desk: Desk) -> str:
    if desk.lost:
        return desk.lost
    if not desk.alarms():
        return "select an incident, or an object with an alert"
    return "" if _new(desk) else "no alert here waits to be acknowledged"


def _new(desk: Desk) -> bool:
    found = (desk.board.alerts.get(name) for name in desk.alarms())
    return any(alert is not None and not alert.acknowledged_by for alert in found)


def _unsilenced(desk: Desk) -> str:
    return desk.lost or ("" if desk.alarms() else "select an incident, or an object with an alert")


def _silence(desk: Desk, text: str) -> None:
    desk.silence(text)


def _no_incident(desk: Desk) -> str:
    return "" if worst_or(desk.board, desk.incident()) is not None else "no incident is known; the Log has the past"


def _incident(desk: Desk, _: str) -> None:
    found = worst_or(desk.board, desk.incident())
    if found is not None:
        desk.open_incident(found.id)


ALARM_ACTS: tuple[Command, ...] = (
    Command(
        "acknowledge",
        "Ack",
        "Acknowledge the incident, or the alerts of the object, under the cursor.",
        lambda desk, _: desk.acknowledge(),
        "a",
        why_not=_unalerted,
        group="Act",
        bar=True,
    ),
    Command(
        "silence",
        "Silence",
        "Silence the incident, or the alerts of the object, under the cursor for a while.",
        _silence,
        "z",
        argument="[TIME]",
        why_not=_unsilenced,
        choices=lambda _: ("15m", "1h", "4h"),
        group="Act",
    ),
)

ALARM_LOOKS: tuple[Command, ...] = (
    Command(
        "incident",
        "Incident",
        "Show the incident under the cursor, otherwise the worst one: who is to blame, and what may be done.",
        _incident,
        "exclamation_mark",
        why_not=_no_incident,
        group="Look",
        bar=True,
    ),
    Command(
        "detectors",
        "Detectors",
        "List what is watched for, and what cannot be judged yet and why.",
        lambda desk, _: desk.detectors(),
        why_not=lambda desk: desk.lost,
        group="Look",
    ),
    Command(
        "scenario",
        "Scenario",
        "Begin the simulated platform anew, with another incident.",
        lambda desk, name: desk.pick_scenario(name),
        argument="[NAME]",
        why_not=lambda desk: "" if desk.simulated else "only in a simulated environment: `switchgear demo`",
        choices=lambda desk: desk.scenarios,
        group="Look",
    ),
)
