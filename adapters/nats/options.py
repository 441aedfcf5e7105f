"""What a person writes about a NATS system in the config."""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from console.config.model import Model
from console.config.secrets import SecretRef

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_DOMAIN = re.compile(r"[^\s.*>]*")


def _server_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("nats", "tls") or not parts.hostname:
        raise ValueError(f"{parts.scheme or 'this'} is no URL for this; write nats://host:4222 or tls://host:4222")
    if parts.username or parts.password or parts.query or parts.path.strip("/"):
        raise ValueError("credentials do not belong into the URL; `user` and `password`, `token` or `creds` name them")
    return f"{parts.scheme}://{parts.netloc}" if parts.port else f"{parts.scheme}://{parts.netloc}:4222"


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError("a prefix is up to 32 letters, digits, - and _")
    return text


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise ValueError("a JetStream domain is one word without dots")
    return text


class NatsOptions(Model):
    """The settings of a source with `adapter: nats`."""

    urls: Annotated[list[Annotated[str, AfterValidator(_server_url)]], Field(min_length=1)]
    """Every server of the cluster, by its own address. One of them is asked, the others are looked after, and asked
    when that one is down. `tls://` insists on TLS."""
    user: str | None = None
    """The user, with `password`."""
    password: SecretRef | None = None
    """Where the user's password is."""
    token: SecretRef | None = None
    """Where the token is, instead of user and password."""
    creds: SecretRef | None = None
    """Where the content of a `.creds` file is (`file:…`), instead of both. Needs the extra `nkeys`."""
    domain: Annotated[str, AfterValidator(_domain)] = ""
    """The JetStream domain, where there is one."""
    replay_per_s: Annotated[float, Field(gt=0, le=100_000)] = 300.0
    """Messages a second that are given back to workers (replay) unless the operator says otherwise."""
    prefix: Annotated[str, AfterValidator(_prefix)] = "switchgear"
    """How the names of parking streams and their subjects begin. All consoles on one account have to have the same."""

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` belong together")
        if sum(one is not None for one in (self.user, self.token, self.creds)) > 1:
            raise ValueError("one of user and password, token, or creds; not several")
        return self
