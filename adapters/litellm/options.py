"""What a person writes about a LiteLLM in the config."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from console.config.model import Model, Seconds
from console.config.secrets import SecretRef, check_reference


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{parts.scheme or 'this'} is no URL of a LiteLLM; write http://host:4000")
    if parts.username or parts.password or parts.query:
        raise ValueError("credentials do not belong into the URL; `key` says where they are")
    return text.rstrip("/")


def _redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        return check_reference(text)
    if urlsplit(text).password:
        raise ValueError("a password does not belong into the config; write where the whole URL is: env:REDIS_URL")
    return text


class LiteLLMOptions(Model):
    """The settings of a source with `adapter: litellm`."""

    replicas: Annotated[list[Annotated[str, AfterValidator(_http_url)]], Field(min_length=1)]
    """Every replica of the proxy, by its own address: a load balancer would hide which one has a change."""
    key: SecretRef
    """The key for changes, and for reading where there is no `read_key`. What it may do is found out."""
    read_key: SecretRef | None = None
    """A key for reading: the role proxy_admin_viewer sees everything and can change nothing."""
    redis: Annotated[str, AfterValidator(_redis_url)] | None = None
    """The Redis that the replicas share (`redis_host` in router_settings): `redis://host:6379/0`, or, when the URL
    holds a password, a reference to it. With it cooldowns are listed, and models of the config file can be tripped."""
    window: Annotated[Seconds, Field(ge=5)] = 30.0
    """Over how long rates and latencies are taken."""
    models_every: Seconds = 5.0
    """How often deployments, weights and blocks are read: 10 ms of the proxy's time for a few, 8 kB each."""
    settings_every: Seconds = 15.0
    """How often aliases, fallbacks and retries are read."""
    spend_every: Seconds = 60.0
    """How often spend and budgets are read: those ask the proxy's database."""
    providers: dict[str, str] = Field(default_factory=dict)
    """Better names for providers: a glob over deployment ids or endpoints → name. LiteLLM says `openai` to
    everything that speaks OpenAI's protocol."""
