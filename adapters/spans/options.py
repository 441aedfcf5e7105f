"""What a person writes about any trace store in the config."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from adapters.otel import Aliases
from console.config.model import Model, Seconds


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{parts.scheme or 'this'} is no URL of a trace store; write http://host:port")
    if parts.username or parts.password or parts.query:
        raise ValueError("credentials do not belong into the URL; another setting says where they are")
    return text.rstrip("/")


def _aliases(more: dict[str, list[str]]) -> dict[str, list[str]]:
    Aliases.of(more)
    return more


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An address without credentials, and without a slash at its end."""


class TraceOptions(Model):
    """The settings that every trace store has."""

    requests: int = Field(default=100, ge=1, le=500)
    """How many of the newest requests are on the board; the screen asks for older ones itself."""
    window: Annotated[Seconds, Field(ge=10)] = 300.0
    """Over how long a service's rates, latencies and conversations are taken."""
    aliases: Annotated[dict[str, list[str]], AfterValidator(_aliases)] = Field(default_factory=dict)
    """Attributes of your own for what a span says, before those that are known: `{conversation: [chat.id]}`."""


class TraceStoreOptions(TraceOptions):
    """The settings of every trace store that is asked over HTTP."""

    url: HttpUrl
    """Where its API is, without its own path: a proxy's path may stay."""
