"""The settings of a simulated source."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from console.config import Model

if TYPE_CHECKING:
    from adapters.simulator.scenario import Scenario


class SimulatorOptions(Model):
    """What kind of world, which incident happens in it, and what this source shows of it."""

    part: Literal["gateway", "queues", "traces"] = "gateway"
    """What this source is: the gateway, the broker with the workers behind it, or the trace store."""
    world: str = ""
    """Sources with the same name here show one world; empty: a world of its own. Their other options are the same."""

    scenario: str = "outage-with-retries"
    """The incident that unfolds: a name from `switchgear scenarios`, or the path of a file."""
    parameters: dict[str, float] = Field(default_factory=dict)
    """Values for the scenario's own parameters, in place of those in its file."""
    quiet_s: float | None = Field(default=None, ge=0)
    """Seconds from where the world is first seen to the incident's time 0; None: as the scenario says."""
    traffic: str = ""
    """The path of a file with another shape of traffic; empty: as the scenario says."""
    tick_s: float | None = Field(default=None, gt=0, le=60)
    """Seconds in which the world moves; None: as the platform says, 1 for the small one. Coarser is quicker."""
    told: bool = True
    """Whether its sources say which scenario it is; not on a game day."""
    shown: int = Field(default=100, ge=0)
    """The newest requests that the trace store has on the board; all that it keeps are found by asking."""
    seed: int = 1
    """The same seed and the same actions at the same times give the same readings."""
    speed: float = Field(default=20.0, gt=0, le=10_000)
    """How many times faster than life the incident unfolds; traffic, timers and money keep real time."""
    replicas: int = Field(default=2, ge=1, le=9)
    """Gateways that serve the same configuration and hear of a change one after the other."""
    size: int | None = Field(default=None, ge=4, le=20_000)
    """Deployments of a generated world; None takes the small hand-made one."""

    @field_validator("scenario")
    @classmethod
    def _there(cls, value: str) -> str:
        from adapters.simulator.scenario import is_path, names

        if not is_path(value) and value not in names():
            raise ValueError(f"there is no scenario {value!r}; there are: {', '.join(names())}, or the path of a file")
        return value

    def loaded(self) -> "Scenario":
        """The scenario, with all that is said of it here.

        Raises:
            ConfigError: a file is not there or broken.
        """
        from adapters.simulator.scenario import load_scenario, load_traffic

        scenario = load_scenario(self.scenario, self.parameters)
        changed: dict[str, object] = {}
        if self.quiet_s is not None:
            changed["quiet_s"] = self.quiet_s
        if self.traffic:
            changed["traffic"] = load_traffic(self.traffic)
        return scenario.model_copy(update=changed)
