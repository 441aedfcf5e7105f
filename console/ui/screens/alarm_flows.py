"""What commands on alerts and incidents open: an incident's page, for how long to be silent, the page of detectors."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.domain.alerts import Alert
from console.domain.durations import parse_duration
from console.domain.errors import Refusal
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit
from console.ui.view.wrapped import wrapped

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp

SILENCES = (("15m", "15 minutes", "while you look"), ("1h", "1 hour", "while it is mended"), ("4h", "4 hours", "known"))
"""For how long alerts can be silenced, offered when no time is given: as it is written, as it is said, when."""


async def incident(app: "SwitchgearApp", incident_id: str) -> None:
    """Show one incident."""
    from console.ui.screens.incident import IncidentScreen

    if not (isinstance(app.screen, IncidentScreen) and app.screen.incident_id == incident_id):
        await app.push_screen(IncidentScreen(incident_id))


async def detectors(app: "SwitchgearApp") -> None:
    """Show what is watched, and what cannot be judged yet."""
    from console.ui.screens.detectors import DetectorsScreen

    if not isinstance(app.screen, DetectorsScreen):
        await app.push_screen(DetectorsScreen())


async def how_long(app: "SwitchgearApp", alerts: Sequence[Alert], time: str) -> float | None:
    """Seconds for which alerts are to be silent, from the command or asked for; None after Esc.

    Raises:
        Refusal: the time is none.
    """
    from console.ui.screens.forms import ChoiceScreen

    if not time:
        what = fmt.name(alerts[0].rule, 40) if len(alerts) == 1 else fmt.plural(len(alerts), "alert")
        lines = [
            Line((Cell(f" {fit(said, 14)}", "strong"), Cell(when, "muted")), key=key) for key, said, when in SILENCES
        ]
        title = f"Silence {what} for (:silence 30m takes any time)"
        heading = Line((Cell(" for how long", "title"),))
        chosen = await app.push_screen_wait(
            ChoiceScreen(title, heading, lines, {}, hint="Enter silences; Esc goes back")
        )
        if chosen is None:
            return None
        time = chosen
    try:
        seconds = parse_duration(time)
    except ValueError as error:
        raise Refusal(str(error)) from None
    if seconds <= 0:
        raise Refusal("silence for how long? as in :silence 15m")
    return seconds


async def pick_scenario(app: "SwitchgearApp", name: str) -> None:
    """Leave the screen with the wish to begin anew with an incident; without a name, ask for one.

    Raises:
        Refusal: there is none of that name, or they cannot be listed.
    """
    from console.ui.screens.forms import ChoiceScreen

    staging = app.staging
    if staging is None:
        raise Refusal("only in a simulated environment: `switchgear demo`")
    if not staging.known:
        staging.known = await asyncio.to_thread(staging.ask)
    names = [item.name for item in staging.known]
    if name and name not in names:
        raise Refusal(f"no scenario {name!r}: {', '.join(names)}")
    if not name:
        lines = [
            Line(
                (Cell(f" {fit(item.name, 24)}", "strong"), Cell(fit(next(wrapped(item.summary, 70)), 70))),
                key=item.name,
            )
            for item in staging.known
        ]
        notes = {item.name: f"{item.kind}: {item.summary}" for item in staging.known}
        heading = Line((Cell(f" {fit('scenario', 24)}what happens", "title"),))
        hint = "Enter begins it; Esc stays with this one"
        chosen = await app.push_screen_wait(ChoiceScreen("Which incident?", heading, lines, notes, hint=hint))
        if chosen is None:
            return
        name = chosen
    staging.wanted = name
    app.exit(0)
