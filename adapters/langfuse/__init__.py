"""Langfuse: requests, services and spans, as the shared normaliser reads them."""

from adapters.langfuse.options import LangfuseOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "LangfuseOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.langfuse.backend import Langfuse
    from adapters.spans.adapter import TraceStoreAdapter

    return TraceStoreAdapter(context, Langfuse(context))


SPEC = AdapterSpec(
    name="langfuse",
    summary="Langfuse 4: requests, services and spans of one project",
    options=LangfuseOptions,
    create=_create,
    tested="the contract of Langfuse 4.35, no server",
)
"""What the entry point `langfuse` points at."""
