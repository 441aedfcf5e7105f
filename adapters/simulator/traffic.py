"""How much is asked for and when: the day, the week, bursts and noise, as data."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from adapters.simulator.faults import Number
from console.config import Model

Factor = Annotated[Number, Field(ge=0)]


class Shape(Model):
    """How one tenant's demand moves around its busiest level."""

    night: Annotated[Number, Field(ge=0, le=1)] | None = None
    """Demand at the quietest time as a part of the busiest; None: as the platform says of each tenant."""
    quietest_h: Annotated[Number, Field(ge=0, lt=24)] = 2.0
    """The hour of the day at which it is asked least: the phase."""
    hours: tuple[Factor, ...] = ()
    """The whole day instead of that one wave: values at equal distances from 0:00 on, straight lines between them."""
    weekdays: Annotated[tuple[Factor, ...], Field(min_length=7, max_length=7)] = (1.0,) * 7
    """Factor for each day from Monday on: the weekly dip."""
    noise: Factor = 0.035
    """Slow random change: standard deviation, in logarithms …"""
    memory_s: Annotated[Number, Field(gt=0)] = 90.0
    """… and the seconds after which it has forgotten 63 % of itself."""
    bursts_per_h: Factor = 0.0
    """How many bursts begin in an hour, at random moments."""
    burst_factor: Annotated[Number, Field(ge=1)] = 2.0
    """Demand in a burst, as a factor; each is between 1 and twice as much above 1 as this."""
    burst_s: Annotated[Number, Field(gt=0)] = 60.0
    """Mean length of a burst, seconds; they are of all lengths."""


class Traffic(Shape):
    """The shape of all tenants' demand, and of some of them in particular."""

    tenants: dict[str, Shape] = Field(default_factory=dict)
    """By key: those that are asked in another way than the others; what is not said here is as for all."""

    @model_validator(mode="before")
    @classmethod
    def _as_for_all(cls, data: Any) -> Any:
        """What a tenant's own shape leaves out."""
        if not isinstance(data, dict) or not isinstance(data.get("tenants"), dict):
            return data
        common = {key: value for key, value in data.items() if key != "tenants"}
        tenants = {key: {**common, **own} if isinstance(own, dict) else own for key, own in data["tenants"].items()}
        return {**data, "tenants": tenants}

    def of(self, key: str) -> Shape:
        """One tenant's shape."""
        return self.tenants.get(key, self)
