"""Tempo: requests, services and spans, as the shared normaliser reads them."""

from adapters.tempo.options import TempoOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "TempoOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.spans.adapter import TraceStoreAdapter
    from adapters.tempo.backend import Tempo

    return TraceStoreAdapter(context, Tempo(context))


SPEC = AdapterSpec(
    name="tempo",
    summary="Grafana Tempo: requests, services and spans",
    options=TempoOptions,
    create=_create,
    tested="the documented API, no server",
)
"""What the entry point `tempo` points at."""
