"""What a person writes about a RabbitMQ in the config."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from console.config.model import Model, Seconds
from console.config.secrets import SecretRef

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def _url(text: str, schemes: tuple[str, ...], example: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"{parts.scheme or 'this'} is no URL for this; write {example}")
    if parts.username or parts.password or parts.query:
        raise ValueError(
            "credentials do not belong into the URL; `user` and `password` say who and where the secret is"
        )
    return text.rstrip("/")


def _management_url(text: str) -> str:
    return _url(text, ("http", "https"), "http://host:15672")


def _prometheus_url(text: str) -> str:
    return _url(text, ("http", "https"), "http://host:15692")


def _amqp_url(text: str) -> str:
    url = _url(text, ("amqp", "amqps"), "amqp://host:5672")
    if urlsplit(url).path:
        raise ValueError("the virtual host does not belong into the URL; `vhosts` names it")
    return url


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError("a prefix is up to 32 letters, digits, - and _")
    return text


class RabbitMQOptions(Model):
    """The settings of a source with `adapter: rabbitmq`."""

    urls: Annotated[list[Annotated[str, AfterValidator(_management_url)]], Field(min_length=1)]
    """The management API of every node of the cluster, by its own address. One of them is asked, the others are only
    looked after, and asked when that one is down."""
    user: str
    """The user; the tags `policymaker` and `monitoring` are enough, docs/backends/rabbitmq.md lists its permissions."""
    password: SecretRef
    """Where the user's password is."""
    vhosts: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] = Field(default=["/"])
    """The virtual hosts to watch. With more than one, a queue is called `<vhost>/<queue>`, and `/` is written `%2F`."""
    amqp: Annotated[str, AfterValidator(_amqp_url)] | None = None
    """Where the broker takes AMQP, `amqp://host:5672`. Isolate and purge read messages through it, and cannot be done
    without it; the other verbs count through it, exactly and at once."""
    prometheus: list[Annotated[str, AfterValidator(_prometheus_url)]] = Field(default_factory=list)
    """The metrics of every node, `http://host:15692`, without a path. Needed where there are more than 2,000 queues:
    asking the management API for so many would cost the broker a core."""
    replay_per_s: Annotated[float, Field(gt=0, le=100_000)] = 500.0
    """Messages a second that are given back to workers (resume, replay, requeue) unless the operator says otherwise."""
    prefix: Annotated[str, AfterValidator(_prefix)] = "switchgear"
    """How the names of parking queues and shovels begin. All consoles on one broker have to have the same."""
    shape_every: Seconds = 30.0
    """How often queue arguments, policies and bindings are read: they say which queue takes whose dead letters."""
    peek: bool = True
    """Whether dead letters may be looked into to say why they died: a few, once a minute, in classic queues that
    nobody consumes from, and only while somebody looks at the queue. A message that was looked at is marked as
    redelivered."""
