"""The settings of a source with `adapter: phoenix`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from adapters.spans.options import TraceStoreOptions
from console.config.secrets import SecretRef


def _project(name: str) -> str:
    if not name or any(sign in name for sign in "/?#"):
        raise ValueError("Phoenix finds no project by a name that is empty or has one of / ? #; write its id instead")
    return name


class PhoenixOptions(TraceStoreOptions):
    """Which Phoenix, and which of its projects."""

    project: Annotated[str, AfterValidator(_project)] = "default"
    """The project's name or id."""
    key: SecretRef | None = None
    """Where an API key is (Settings → API Keys); left out where Phoenix runs without authentication. A system key, or
    one of a viewer, is enough: nothing is written."""
    service: Annotated[str, Field(min_length=1)] = "service.name"
    """The span attribute that names the service: Phoenix drops what only the resource says."""
