"""Requests that are kept because they show what was counted: each really does, span by span."""

from collections.abc import Callable
from typing import Final

from adapters.simulator.answers.flows import FRONT
from adapters.simulator.answers.manner import Flaw, manner_of
from adapters.simulator.answers.minutes import Example
from adapters.simulator.answers.rows import LOOP_S
from adapters.simulator.calls import Attempt, Call
from adapters.simulator.habits import AGAIN_S
from adapters.simulator.parts import FAILURE_NAMES, TOO_LONG
from adapters.simulator.queues.backlog import Delivery
from adapters.simulator.traces.knowledge import Index
from adapters.simulator.traces.sample import Sample, snapshots_of
from console.domain.answers import ANSWERS_STEP_S

SHOWN_MOST: Final = 600
"""So many of them are kept, the newest."""

OWN_S: Final = 0.3
"""Seconds of an application's own work before a call, and after it."""

ENDS_S: Final = 50.0
"""They are over in this last part of their minute."""


class Examples:
    """The requests that rows of counts lead to."""

    def __init__(self, index: Index, queue_of: Callable[[str], str], talk: Callable[[float], str]) -> None:
        """Of one trace store.

        Args:
            index: what is answered from.
            queue_of: from a service to the queue in front of it.
            talk: a conversation that goes on, chosen by a number from 0 to 1.
        """
        self.kept: dict[str, Sample] = {}
        """By trace id, the newest last."""
        self._index = index
        self._queue_of = queue_of
        self._talk = talk
        self._failed: dict[tuple[str, str, str], Sample] = {}
        """By deployment, service and tenant: the newest request with an attempt that failed there."""

    def note(self, sample: Sample) -> None:
        """A request that is kept anyway, for a while."""
        for delivery in sample.deliveries:
            for attempt in delivery.call.attempts:
                if attempt.failure:
                    self._failed[attempt.deployment.spec.name, sample.service, sample.tenant] = sample

    def show(self, example: Example) -> str:
        """Keep a request that shows something strange; returns its trace id, empty when there is none."""
        flow = example.flow
        if example.way.flaw is not Flaw.FAILED:
            return self._keep(self._made(example))
        known = self._failed.get((flow.deployment.spec.name, flow.service, flow.stream.key))
        return self._keep(known) if known is not None and known.end_at >= example.at - ANSWERS_STEP_S else ""

    def _keep(self, sample: Sample) -> str:
        self.kept[sample.trace_id] = sample
        if len(self.kept) > SHOWN_MOST:
            del self.kept[next(iter(self.kept))]
        return sample.trace_id

    def _made(self, example: Example) -> Sample:
        """A request that shows what an example has to show."""
        flow, trace_id = example.flow, example.trace_id
        route, service, tenant = flow.stream.route, flow.service, flow.stream.key
        luck = int(trace_id[-4:], 16) / 65536.0
        end = example.at - ENDS_S * luck
        prompt = self._index.prompt(route.spec.name, end)
        call, after_s = _called(example), OWN_S
        if example.way.flaw is Flaw.LOOP:
            after_s += LOOP_S * (manner_of(trace_id, route.spec, tenant, example.way, prompt, end).rounds - 1)
        delivery = Delivery(0.0, OWN_S, call, 0.0 if call.failure else after_s)
        deliveries = (delivery._replace(at=end - delivery.end_at),)
        return Sample(
            trace_id=trace_id,
            service=service,
            route=route,
            queue=self._queue_of(service),
            began_at=deliveries[0].at - (luck if service != FRONT else 0.0),
            deliveries=deliveries,
            conversation=self._talk(luck) if "retrieval" in route.spec.around else "",
            snapshots=snapshots_of(self._index, service, route, deliveries),
            prompt=prompt,
            memory=None,
            tenant=tenant,
            way=example.way,
        )


def _called(example: Example) -> Call:
    """The first call of a request that shows something, with all that the application tried for it."""
    item = example.flow.deployment
    if example.way.flaw is Flaw.OVERFLOW:
        tries = 2 + int(example.trace_id[:2], 16) % 12
        refused = FAILURE_NAMES[TOO_LONG]
        attempts = tuple(Attempt(item, item.route, AGAIN_S * n, 0.4, None, refused) for n in range(tries))
        return Call(attempts, attempts[-1].begin_s + 0.4, refused)
    answer = Attempt(item, item.route, 0.0, item.latency_s, item.ttft_s, "")
    return Call((answer,), item.latency_s, "")
