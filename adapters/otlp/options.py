"""The settings of a source with `adapter: otlp`."""

from typing import Annotated

from pydantic import Field

from console.config import Model
from console.config.model import Seconds


class OtlpOptions(Model):
    """Which file is read, and how much of it is shown."""

    file: str | None = None
    """The file that `switchgear collect` writes; left out, the one that it writes when nobody says otherwise."""
    requests: int = Field(default=100, ge=1, le=500)
    """How many of the newest requests are on the board; the screen asks for older ones itself."""
    window: Annotated[Seconds, Field(ge=10)] = 300.0
    """Over how long a service's rates, latencies and conversations are taken."""
