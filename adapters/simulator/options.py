"""The settings of a simulated source."""

from typing import Literal

from pydantic import Field

from console.config import Model


class SimulatorOptions(Model):
    """What kind of world, which incident happens in it, and what this source shows of it."""

    part: Literal["gateway", "queues", "traces"] = "gateway"
    """What this source is: the gateway, the broker with the workers behind it, or the trace store."""
    world: str = ""
    """Sources with the same name here show one world; empty: a world of its own. Their other options are the same."""

    scenario: Literal["calm", "provider-brownout", "outage-with-retries", "split-snapshots"] = "outage-with-retries"
    """The incident that unfolds."""
    seed: int = 1
    """The same seed and the same actions at the same times give the same readings."""
    speed: float = Field(default=20.0, gt=0, le=10_000)
    """How many times faster than life the incident unfolds; traffic, timers and money keep real time."""
    replicas: int = Field(default=2, ge=1, le=9)
    """Gateways that serve the same configuration and hear of a change one after the other."""
    size: int | None = Field(default=None, ge=4, le=20_000)
    """Deployments of a generated world; None takes the small hand-made one."""
