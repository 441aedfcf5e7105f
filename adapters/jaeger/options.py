"""The settings of a source with `adapter: jaeger`."""

from pydantic import Field

from adapters.spans.options import TraceStoreOptions
from console.config.secrets import SecretRef


class JaegerOptions(TraceStoreOptions):
    """Which Jaeger, and which of its services."""

    token: SecretRef | None = None
    """Where a bearer token is, for a proxy before it; Jaeger itself asks for none."""
    services: list[str] = Field(default_factory=list)
    """Services that are looked at; left out, all that Jaeger knows. Jaeger finds nothing without a service's name, so
    each costs one request at every look."""
