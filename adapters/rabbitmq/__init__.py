"""RabbitMQ: queues through the management API, moved by the broker's own shovels."""

from adapters.rabbitmq.options import RabbitMQOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "RabbitMQOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.rabbitmq.adapter import RabbitMQAdapter

    return RabbitMQAdapter(context)


SPEC = AdapterSpec(
    name="rabbitmq",
    summary="RabbitMQ queues: backlog, age, rates, dead letters; pause, park, replay, finish, requeue, isolate, purge",
    options=RabbitMQOptions,
    create=_create,
    tested="RabbitMQ 3.10.8 and 4.0.5, real servers",
)
"""What the entry point `rabbitmq` points at."""
