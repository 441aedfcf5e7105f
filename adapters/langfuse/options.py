"""The settings of a source with `adapter: langfuse`."""

from typing import Annotated

from pydantic import Field

from adapters.spans.options import TraceStoreOptions
from console.config.secrets import SecretRef


class LangfuseOptions(TraceStoreOptions):
    """Which Langfuse, and the keys of the project that is looked at."""

    public_key: Annotated[str, Field(min_length=1)]
    """The project's public key (`pk-lf-…`), which is the user's name."""
    secret_key: SecretRef
    """Where its secret key is (`sk-lf-…`)."""
