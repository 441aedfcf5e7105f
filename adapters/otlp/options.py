"""The settings of a source with `adapter: otlp`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from adapters.otel.aliases import Aliases
from console.config import Model
from console.config.model import Seconds


def _aliases(more: dict[str, list[str]]) -> dict[str, list[str]]:
    Aliases.of(more)
    return more


class OtlpOptions(Model):
    """Which file is read, and how much of it is shown."""

    file: str | None = None
    """The file that `switchgear collect` writes; left out, the one that it writes when nobody says otherwise."""
    requests: int = Field(default=100, ge=1, le=500)
    """How many of the newest requests are on the board; the screen asks for older ones itself."""
    aliases: Annotated[dict[str, list[str]], AfterValidator(_aliases)] = Field(default_factory=dict)
    """Attributes of your own for what a span says, before those that are known: `{conversation: [chat.id]}`; the same
    names as `switchgear collect --alias`, which the collector has to be told too."""
    window: Annotated[Seconds, Field(ge=10)] = 300.0
    """Over how long a service's rates, latencies and conversations are taken."""
