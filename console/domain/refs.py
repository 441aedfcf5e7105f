"""Names of things: which source says so, what kind of thing it is, and the backend's own name for it."""

from enum import StrEnum
from typing import Self

import msgspec


class Kind(StrEnum):
    """What a reference points at."""

    SOURCE = "source"
    REPLICA = "replica"
    PROVIDER = "provider"
    DEPLOYMENT = "deployment"
    ROUTE = "route"
    SPEND = "spend"
    KEY = "key"
    QUEUE = "queue"
    REQUEST = "request"
    SERVICE = "service"
    CONVERSATION = "conversation"
    """Requests that share a conversation's id; it has no reading, it is asked for."""


class Ref(msgspec.Struct, frozen=True, gc=False, order=True):
    """One thing on the platform.

    Written `source:kind/name`, as in `gateway:deployment/openai-a`. The source's name comes from the
    config (letters, digits, `-`, `_`); `name` is the backend's own and is untrusted: pass it through
    `domain.text.clean` before a person sees it, and never build a shell line or markup from it.
    """

    source: str
    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `source:kind/name`.

        Raises:
            ValueError: the text has not that form, or the kind is not one of `Kind`.
        """
        source, colon, rest = text.partition(":")
        kind, slash, name = rest.partition("/")
        if not (colon and slash and source and name):
            raise ValueError(f"{text!r} is not a reference; write source:kind/name, as in gateway:route/gpt-main")
        try:
            return cls(source, Kind(kind), name)
        except ValueError:
            kinds = ", ".join(Kind)
            raise ValueError(f"{text!r} names the kind {kind!r}; the kinds are {kinds}") from None
