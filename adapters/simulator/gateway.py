"""The gateway's replicas: what has been set on them, which of them know it, and which of them are there."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.simulator.flow import forget
from adapters.simulator.parts import Deployment, Route
from adapters.simulator.settings import Setting, Settings
from console.domain.circuit import Mode

_RELEASED: Final = {"mode": Mode.AUTO, "until": None}


class Gateway:
    """Some replicas that serve the same configuration."""

    def __init__(
        self, replicas: int, converge_s: float, deployments: Mapping[str, Deployment], routes: Mapping[str, Route]
    ) -> None:
        self.replicas = tuple(f"gw-{number}" for number in range(1, replicas + 1))
        """Their names; everywhere else a replica is its place in this row."""
        self.settings = Settings(replicas, converge_s, self._apply)
        self._deployments = deployments
        self._routes = routes

    def there(self) -> list[int]:
        """The replicas that can be asked."""
        return [replica for replica in range(len(self.replicas)) if not self.is_lost(replica)]

    def lose(self, replica: str) -> None:
        """One gateway replica dies: its requests go to the others, and it hears of nothing."""
        self.settings.lost.add(self.replicas.index(replica))

    def bring_back(self, replica: str) -> None:
        """A lost replica is there again, and hears of what it has missed."""
        self.settings.lost.discard(self.replicas.index(replica))

    def is_lost(self, replica: int) -> bool:
        """Whether a replica (by its place in `replicas`) cannot be asked."""
        return replica in self.settings.lost

    def weight(self, item: Deployment) -> float:
        """A deployment's weight as the gateway has stored it."""
        return float(self.settings.stored(Setting("weight", item.spec.name), item.spec.weight))

    def order(self, item: Deployment) -> int:
        """A deployment's routing order as the gateway has stored it."""
        return int(self.settings.stored(Setting("order", item.spec.name), item.spec.order))

    def alias(self, route: Route) -> str:
        """The route that answers instead, as the gateway has stored it; empty when none does."""
        return str(self.settings.stored(Setting("alias", route.spec.name), ""))

    def mode_setting(self, item: Deployment, now: float) -> dict[str, Any]:
        """How a deployment's breakers are told to be: `mode`, and `until` in unix seconds while it is forced."""
        stored = self.settings.stored(Setting("mode", item.spec.name), _RELEASED)
        if stored["mode"] == Mode.AUTO or (stored["until"] is not None and stored["until"] <= now):
            return {"mode": Mode.AUTO, "until": None}
        return {"mode": stored["mode"], "until": stored["until"]}

    def mode(self, item: Deployment, now: float) -> Mode:
        """What a deployment's breakers are told to do at `now`."""
        return Mode(self.mode_setting(item, now)["mode"])

    def _apply(self, replica: int, setting: Setting, value: Any) -> None:
        """One replica takes in a setting."""
        if setting.field == "alias":
            self._routes[setting.name].alias[replica] = value
            return
        item = self._deployments[setting.name]
        if setting.field == "weight":
            item.weight[replica] = value
        elif setting.field == "order":
            item.order[replica] = value
        else:
            self._turn(item, replica, value)
        forget(self._routes[item.route], replica)

    @staticmethod
    def _turn(item: Deployment, replica: int, value: dict[str, Any]) -> None:
        breaker = item.breakers[replica]
        if value["mode"] == Mode.FORCED_OPEN:
            breaker.force_open(value["until"])
        elif value.get("probe"):
            breaker.half_open()
        else:
            breaker.close()
