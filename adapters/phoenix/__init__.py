"""Arize Phoenix: the requests of one project, its spans as the shared normaliser reads them."""

from adapters.phoenix.options import PhoenixOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "PhoenixOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.phoenix.backend import Phoenix
    from adapters.spans.adapter import TraceStoreAdapter

    return TraceStoreAdapter(context, Phoenix(context))


SPEC = AdapterSpec(
    name="phoenix",
    summary="Arize Phoenix: requests, services and spans of one project",
    options=PhoenixOptions,
    create=_create,
    tested="Phoenix 20.26.1, real server",
)
"""What the entry point `phoenix` points at."""
