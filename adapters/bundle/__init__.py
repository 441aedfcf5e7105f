"""Requests out of a file that another console has exported; no backend is reached."""

from pathlib import Path

from console.config import Model
from console.domain.ports import Adapter, AdapterContext, AdapterSpec

__all__ = ["SPEC", "BundleOptions"]


class BundleOptions(Model):
    """The settings of a source with `adapter: bundle`."""

    file: Path
    """The file that `switchgear bundle` wrote."""


def _create(context: AdapterContext) -> Adapter:
    from adapters.bundle.adapter import BundleAdapter

    return BundleAdapter(context)


SPEC = AdapterSpec(
    name="bundle",
    summary="requests in a file that `switchgear bundle` wrote; `switchgear open FILE` needs no config for it",
    options=BundleOptions,
    create=_create,
    tested="its own files",
)
"""What the entry point `bundle` points at."""
