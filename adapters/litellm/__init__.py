"""LiteLLM proxy: several replicas, with a database or without, and optionally the Redis that they share."""

from adapters.litellm.options import LiteLLMOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "LiteLLMOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.litellm.adapter import LiteLLMAdapter

    return LiteLLMAdapter(context)


SPEC = AdapterSpec(
    name="litellm",
    summary="LiteLLM proxy: breakers, weights, order, aliases, latency, failures, spend and budgets",
    options=LiteLLMOptions,
    create=_create,
    tested="LiteLLM 1.106.2, real server",
)
"""What the entry point `litellm` points at."""
