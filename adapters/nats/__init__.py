"""NATS JetStream: consumers as queues, through the server's own API; parked with deduplication."""

from adapters.nats.options import NatsOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "NatsOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.nats.adapter import NatsAdapter

    return NatsAdapter(context)


SPEC = AdapterSpec(
    name="nats",
    summary="NATS JetStream consumers: backlog, age, rates; pause with the server's own resume, park, replay, finish",
    options=NatsOptions,
    create=_create,
    tested="nats-server 2.15.1, real server",
)
"""What the entry point `nats` points at."""
