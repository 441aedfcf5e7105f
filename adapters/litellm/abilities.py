"""Which verb works on which object of this LiteLLM, by which way, and why not."""

from dataclasses import dataclass

from adapters.litellm.fleet import Fleet, Model
from adapters.litellm.standing import RouterSettings, Standing
from console.domain.actions import Verb
from console.domain.readings import Ability

API, REDIS = "api", "redis"
"""The two ways to trip: a flag in the database, or a cooldown in Redis."""


@dataclass(frozen=True, slots=True)
class Powers:
    """What can be done here, as far as it is known now."""

    standing: Standing | None
    settings: RouterSettings | None
    redis: str
    """`ok`, or why Redis cannot be used."""

    def trip_way(self, model: Model) -> tuple[str, str]:
        """(API or REDIS, "") or ("", why neither works)."""
        why_not_api = self._why_not_patched(model)
        if not why_not_api:
            return API, ""
        if self.redis == "ok":
            return REDIS, ""
        return "", f"{why_not_api}; through Redis: {self.redis}"

    def weight(self, model: Model, fleet: Fleet) -> str:
        """Why its weight cannot be set; empty when it can."""
        if why := self._why_not_patched(model):
            return why
        siblings = [fleet.models[name] for name in fleet.groups.get(model.group, ())]
        if model.weight is None and not any(sibling.weight for sibling in siblings):
            return "no deployment of this route has a weight: setting one would send everything there, for good"
        return ""

    def order(self, model: Model) -> str:
        """Why its place in the order cannot be set; empty when it can."""
        if why := self._why_not_patched(model):
            return why
        return "it has no order, and LiteLLM could not take one away again" if model.order is None else ""

    def alias(self) -> str:
        """Why aliases cannot be set; empty when they can."""
        if why := self._why_no_change():
            return why
        if self.settings is None:
            return "the router's settings could not be read yet"
        if self.settings.alias_owner == "config":
            return "the aliases are defined in LiteLLM's config file; change them there"
        return ""

    def of_model(self, model: Model, fleet: Fleet) -> tuple[Ability, ...]:
        """The abilities of one deployment."""
        way, why = self.trip_way(model)
        why_no_weight = self.weight(model, fleet)
        return (
            Ability(Verb.TRIP, bool(way), why),
            Ability(Verb.RESET, bool(way), why),
            Ability(Verb.WEIGHT, not why_no_weight, why_no_weight),
        )

    def _why_no_change(self) -> str:
        return "not known yet what the key may do" if self.standing is None else self.standing.why_no_change

    def _why_not_patched(self, model: Model) -> str:
        if why := self._why_no_change():
            return why
        return "" if model.in_database else "it is defined in LiteLLM's config file, which no call can change"
