"""How much people have to bear in a world: calls that fail, answers that are wrong or slow, work that waits, money."""

import math
from typing import Final

from adapters.simulator.answers.flows import FRONT
from adapters.simulator.answers.rates import INDEX
from adapters.simulator.faults import Fault
from adapters.simulator.parts import ATTEMPTS, CALLS, CHANCES, FAILED, REFUSED, TOO_LONG, TRIES, USD, Deployment, Route
from adapters.simulator.queues.broker import Broker
from adapters.simulator.world import World
from console.domain.games import Harm

SLOW: Final = 1.5
"""An answer that takes so many times as long as it should is a slow one."""
OF_A_MODEL: Final = (Fault.UNPARSED, Fault.SHAPE, Fault.REFUSALS, Fault.EMPTY, Fault.STRANGE_SCRIPT)
"""Parts of a deployment's answers that are not right."""
OF_A_SERVICE: Final = (Fault.EMPTY_RETRIEVAL, Fault.OLD_SNAPSHOT, Fault.LOST_MEMORY, Fault.STUCK)
"""What makes the answers of a service wrong, whoever the model is."""
_FAILURES: Final = (*CHANCES, TOO_LONG, REFUSED)


class Meter:
    """Adds up the harm in one world; call `look` after every step of it."""

    def __init__(self, world: World, broker: Broker) -> None:
        self._world = world
        self._broker = broker
        self._right: dict[str, float] = {}
        self._tries: dict[str, tuple[float, float]] = {}
        self._failed, self._usd = 0.0, 0.0
        self._done: dict[str, int] = {}
        self._calls: dict[str, float] = {}
        self.look(0.0)

    def look(self, seconds: float) -> Harm:
        """What came up since the look before, `seconds` ago."""
        world = self._world
        failed = sum(route.sums.now[FAILED] for route in world.routes.values())
        usd = sum(item.sums.now[USD] for item in world.deployments.values())
        wrong = slow = 0.0
        for item in world.deployments.values():
            answered = self._answered(item)
            wrong += answered * self._wrong(item)
            slow += answered if item.latency_s > SLOW * item.spec.service_s else 0.0
        found = Harm(
            failed=failed - self._failed,
            wrong=wrong + self._wrong_jobs() + self._wrong_requests(),
            slow=slow + sum(self._tried_again(route) for route in world.routes.values()),
            job_hours=sum(len(queue.backlog) for queue in self._broker.queues.values()) * seconds / 3600.0,
            usd=usd - self._usd,
        )
        self._failed, self._usd = failed, usd
        return found

    def _answered(self, item: Deployment) -> float:
        """Answers of one deployment since the look before."""
        sums = item.sums.now
        right = sums[ATTEMPTS] - sum(sums[index] for index in _FAILURES)
        before = self._right.get(item.spec.name, right)
        self._right[item.spec.name] = right
        return max(0.0, right - before)

    def _tried_again(self, route: Route) -> float:
        """Calls of one route since the look before that took more than one try: each of them was waited for longer."""
        tries, calls = route.sums.now[TRIES], route.sums.now[CALLS]
        was = self._tries.get(route.spec.name, (tries, calls))
        self._tries[route.spec.name] = tries, calls
        return max(0.0, min(tries - was[0] - (calls - was[1]), calls - was[1]))

    def _wrong(self, item: Deployment) -> float:
        right = 1.0
        for fault in OF_A_MODEL:
            if self._world.hits(fault):
                right *= 1.0 - min(1.0, self._world.fault(fault, *item.targets))
        if "retrieval" in self._world.routes[item.route].spec.around:
            right *= 1.0 - min(1.0, self._world.fault(Fault.EMPTY_RETRIEVAL, f"index/{INDEX}"))
        return 1.0 - right

    def _wrong_jobs(self) -> float:
        """Jobs that a service did from what it should not have answered from."""
        wrong = 0.0
        for name, queue in self._broker.queues.items():
            done = queue.done - self._done.get(name, queue.done)
            self._done[name] = queue.done
            targets = (f"service/{queue.spec.service}", f"route/{queue.spec.route}")
            wrong += done * self._astray(*targets) if done else 0.0
        return wrong

    def _wrong_requests(self) -> float:
        """The same of requests that are answered at once, by the service that takes them in."""
        wrong = 0.0
        for name, route in self._world.routes.items():
            calls = route.sums.now[CALLS] - route.sums.now[FAILED]
            made, self._calls[name] = calls - self._calls.get(name, calls), calls
            asked = sum(stream.now for stream in self._world.streams if stream.route is route)
            jobs = sum(one.expected_per_s() for one in self._broker.queues.values() if one.route is route)
            own = max(0.0, 1.0 - jobs / asked) if asked > 0 else 0.0
            wrong += max(0.0, made) * own * self._astray(f"service/{FRONT}", f"route/{name}")
        return wrong

    def _astray(self, *targets: str) -> float:
        """The part of a service's answers that come from what they should not."""
        hit = [fault for fault in OF_A_SERVICE if self._world.hits(fault)]
        return 1.0 - math.prod(1.0 - min(1.0, self._world.fault(fault, *targets)) for fault in hit)


def together(first: Harm, second: Harm) -> Harm:
    """Both harms in one."""
    return Harm(
        failed=first.failed + second.failed,
        wrong=first.wrong + second.wrong,
        slow=first.slow + second.slow,
        job_hours=first.job_hours + second.job_hours,
        usd=first.usd + second.usd,
    )
