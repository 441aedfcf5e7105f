"""Asking an adapter for every plan that its readings speak of."""

from collections.abc import Iterator
from dataclasses import dataclass

from console.domain.actions import (
    Finish,
    Isolate,
    Park,
    Pause,
    Plan,
    Purge,
    QueueAction,
    Replay,
    Requeue,
    Resume,
    Verb,
)
from console.domain.ports import Breakers, Queues, Routing
from console.domain.readings import Ability, Deployment, Observation, Queue, Route
from console.domain.refs import Ref
from tests.contract.bench import ActingAdapter, Bench, MovingAdapter
from tests.contract.rules import VERBS_OF, faults_of

QUEUE_ACTIONS: dict[Verb, QueueAction] = {
    action.verb: action for action in (Pause(), Resume(), Park(), Replay(), Finish(), Requeue(), Isolate(), Purge())
}
"""How each queue verb is asked for."""


async def look(bench: Bench) -> Observation:
    """An observation in which the contract finds no fault."""
    asked_at = bench.clock.now()
    observation = await bench.adapter.observe()
    assert faults_of(observation, bench.source, asked_at, bench.clock.now()) == []
    return observation


@dataclass(frozen=True)
class Question:
    """One verb on one object, with what the reading says about it."""

    target: Ref
    ability: Ability
    argument: tuple[str, str] | float | None = None
    """A weight, or where to switch and how."""

    def __str__(self) -> str:
        return f"{self.ability.verb} {self.target} {self.argument or ''}"

    async def ask(self, adapter: ActingAdapter | MovingAdapter) -> Plan:
        """The plan.

        Raises:
            BackendError: what the adapter says instead.
        """
        if action := QUEUE_ACTIONS.get(self.ability.verb):
            assert isinstance(adapter, Queues)
            return await adapter.plan_queue(self.target, action, 600.0)
        assert isinstance(adapter, Breakers)
        assert isinstance(adapter, Routing)
        match self.ability.verb, self.argument:
            case Verb.TRIP, _:
                return await adapter.plan_trip(self.target, 600.0)
            case Verb.RESET, _:
                return await adapter.plan_reset(self.target)
            case Verb.WEIGHT, float(weight):
                return await adapter.plan_weight(self.target, weight)
            case Verb.SWITCH, (str(to), str(mechanism)):
                return await adapter.plan_switch(self.target, to, mechanism)
        raise AssertionError(f"the suite cannot ask {self}")


def questions(observation: Observation) -> Iterator[Question]:
    """Every verb of every object, able or not; each switch option is a question of its own."""
    for reading in observation.readings:
        for verb in VERBS_OF.get(reading.ref.kind, ()):
            ability = reading.ability(verb)
            if isinstance(reading, Route):
                options = reading.switch_options
                if ability.able:
                    for one in options:
                        yield Question(reading.ref, ability, (one.to, one.mechanism))
                else:
                    yield Question(reading.ref, ability, ("elsewhere", ""))
            elif isinstance(reading, Deployment):
                yield Question(reading.ref, ability, (reading.weight or 0.0) + 3.0 if verb is Verb.WEIGHT else None)
            elif isinstance(reading, Queue):
                yield Question(reading.ref, ability)


def one_of_each(observation: Observation) -> list[Question]:
    """For each verb (and each mechanism of switching) the first object that is able."""
    found: dict[tuple[Verb, str], Question] = {}
    for question in questions(observation):
        mechanism = question.argument[1] if isinstance(question.argument, tuple) else ""
        if question.ability.able:
            found.setdefault((question.ability.verb, mechanism), question)
    return list(found.values())
