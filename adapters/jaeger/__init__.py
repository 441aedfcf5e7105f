"""Jaeger: requests, services and spans, as the shared normaliser reads them."""

from adapters.jaeger.options import JaegerOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "JaegerOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.jaeger.backend import Jaeger
    from adapters.spans.adapter import TraceStoreAdapter

    return TraceStoreAdapter(context, Jaeger(context))


SPEC = AdapterSpec(
    name="jaeger",
    summary="Jaeger v2 (API v3): requests, services and spans",
    options=JaegerOptions,
    create=_create,
    tested="the documented API, no server",
)
"""What the entry point `jaeger` points at."""
