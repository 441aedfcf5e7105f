"""The settings of a source with `adapter: tempo`."""

from adapters.spans.options import TraceStoreOptions
from console.config.secrets import SecretRef


class TempoOptions(TraceStoreOptions):
    """Which Tempo, and whose traces."""

    token: SecretRef | None = None
    """Where a bearer token is, for a proxy before it; Tempo itself asks for none."""
    tenant: str = ""
    """The tenant (`X-Scope-OrgID`), where Tempo has several."""
