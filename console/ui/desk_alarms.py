"""The app's half that commands on alerts and incidents use: opening one, acknowledging, silencing, what is watched."""

from collections.abc import Sequence

from console.domain.alerts import Alert
from console.domain.durations import words_of
from console.domain.wire import AlertMark
from console.ui import format as fmt
from console.ui.desk_traces import TracesDesk
from console.ui.view.incidents import firing_of


class AlarmsDesk(TracesDesk):
    """What commands may use on alerts and incidents."""

    def incident(self) -> str | None:
        """The id of the incident under the cursor, or of the one whose page is open; None elsewhere."""
        return self.room.incident() if self.room is not None else None

    def alarms(self) -> Sequence[str]:
        """Ids of the alerts that the cursor's line is about, an incident's or an object's; those that are firing."""
        return [alert.id for alert in self._alarms()]

    def _alarms(self) -> Sequence[Alert]:
        return self.room.alarms(self.board) if self.room is not None else ()

    def acknowledge(self) -> None:
        """Acknowledge what `alarms` names."""
        self.perform(self._mark([alert for alert in self._alarms() if not alert.acknowledged_by], 0.0))

    def silence(self, time: str) -> None:
        """Silence what `alarms` names for a while, as in `15m`; an empty one asks for how long."""
        self.perform(self._silence(self._alarms(), time))

    async def _silence(self, alerts: Sequence[Alert], time: str) -> None:
        from console.ui.screens import alarm_flows

        seconds = await alarm_flows.how_long(self._console, alerts, time)
        if seconds is not None:
            await self._mark(alerts, seconds)

    async def _mark(self, alerts: Sequence[Alert], silence_s: float) -> None:
        incident = self.board.incidents.get(self.incident() or "")
        marked = [alert.id for alert in alerts]
        if incident is not None and set(marked) >= {alert.id for alert in firing_of(self.board, incident)}:
            marked = [incident.id]  # all of them: that is one mark, and one line on the timeline
        for name in marked:
            await self.api.mark(AlertMark(alert_id=name, silence_s=silence_s))
        done = f"silent for {words_of(silence_s)}" if silence_s else "acknowledged"
        self.say(f"{fmt.plural(len(alerts), 'alert')} {done}")

    def open_incident(self, incident: str) -> None:
        """Show one incident."""
        from console.ui.screens import alarm_flows

        self.perform(alarm_flows.incident(self._console, incident))

    def detectors(self) -> None:
        """Show what is watched, and what cannot be judged yet."""
        from console.ui.screens import alarm_flows

        self.perform(alarm_flows.detectors(self._console))

    @property
    def simulated(self) -> bool:
        """Whether this is the demo, which can begin anew with another incident."""
        return self._console.staging is not None

    @property
    def scenarios(self) -> Sequence[str]:
        """Names of those incidents, as far as they are known by now."""
        staging = self._console.staging
        return [item.name for item in staging.known] if staging is not None else ()

    def pick_scenario(self, name: str) -> None:
        """Begin the simulated world anew with an incident; without a name, ask for one."""
        from console.ui.screens import alarm_flows

        self.perform(alarm_flows.pick_scenario(self._console, name))
