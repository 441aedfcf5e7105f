"""The embedded trace store: `switchgear collect` receives OpenTelemetry's spans, this adapter reads what it keeps."""

from adapters.otlp.options import OtlpOptions
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "OtlpOptions"]


def _create(context: AdapterContext) -> Adapter:
    from adapters.otlp.adapter import OtlpAdapter

    return OtlpAdapter(context)


SPEC = AdapterSpec(
    name="otlp",
    summary="the embedded trace store: requests, services and spans that `switchgear collect` has received",
    options=OtlpOptions,
    create=_create,
    tested="OpenTelemetry SDK for Python 1.45, real collector",
)
"""What the entry point `otlp` points at."""
