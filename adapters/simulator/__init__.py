"""A small reactive platform inside the process: providers, routes, breakers and money that answer to actions."""

from adapters.simulator.options import SimulatorOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "SimulatorOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.simulator.adapter import SimulatorAdapter

    return SimulatorAdapter(context)


SPEC = AdapterSpec(
    name="simulator",
    summary="a simulated platform with incidents, for demos, drills and tests; needs no server",
    options=SimulatorOptions,
    create=_create,
    tested="its own world, live",
)
"""What the entry point `simulator` points at."""
