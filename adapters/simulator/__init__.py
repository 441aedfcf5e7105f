"""A small reactive platform inside the process: a gateway, queues with workers, and traces, that answer to actions."""

from adapters.simulator.options import SimulatorOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "SimulatorOptions"]


def _create(context: AdapterContext) -> Adapter:
    options: SimulatorOptions = context.options
    match options.part:
        case "gateway":
            from adapters.simulator.adapter import SimulatorAdapter

            return SimulatorAdapter(context)
        case "queues":
            from adapters.simulator.queues.adapter import SimulatedQueues

            return SimulatedQueues(context)
        case "traces":
            from adapters.simulator.traces.adapter import SimulatedTraces

            return SimulatedTraces(context)


SPEC = AdapterSpec(
    name="simulator",
    summary="a simulated platform with incidents, for demos, drills and tests; needs no server",
    options=SimulatorOptions,
    create=_create,
    tested="its own world, live",
)
"""What the entry point `simulator` points at."""
