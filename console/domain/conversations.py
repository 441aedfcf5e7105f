"""Requests of one conversation, side by side, and where its services did not answer from the same knowledge."""

from enum import StrEnum

import msgspec

from console.domain.readings import Request


class MarkKind(StrEnum):
    """What a mark is about."""

    RETRIEVAL = "retrieval"
    MEMORY = "memory"
    PROMPT = "prompt"
    """A prompt was used: `key` is its name."""
    SERVICE = "service"
    """A service took part: its first span of a request."""


class Mark(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One moment at which a service read from a retrieval snapshot, touched memory, or used a prompt."""

    trace_id: str
    span_id: str
    at: float
    """Unix seconds: when the span began."""
    ended_at: float | None = None
    """Of memory, where two touches may overlap; None where no end is known, and of every other kind."""
    service: str = ""
    conversation: str = ""
    """Of the whole request; empty where none is known."""
    kind: MarkKind
    source: str = ""
    """The index or data source that was searched; of memory, the store's name where one is said."""
    key: str = ""
    """Of memory, or the prompt's name."""
    op: str = ""
    """Of memory, as in `Facts.memory_op`."""
    version: str = ""
    """Of the snapshot, of the memory that was written or found, or of the prompt."""


class MarkQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a trace store for marks, oldest first."""

    source: str
    since: float
    """Unix seconds."""
    until: float | None = None
    conversation: str = ""
    kinds: tuple[MarkKind, ...] = ()
    """Only these; empty for all."""
    limit: int = 20_000
    """The newest of them, where there are more."""


class DivergenceKind(StrEnum):
    """How a conversation's services disagree."""

    SNAPSHOTS = "snapshots"
    """They answered from different retrieval snapshots."""
    LOST_WRITE = "lost write"
    """What was written to memory was not there afterwards."""
    FOREIGN_WRITE = "foreign write"
    """Somebody outside the conversation wrote its memory in between."""


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """One disagreement, told at the first span that differs."""

    kind: DivergenceKind
    conversation: str
    about: str
    """The retrieval source, or the memory's key."""
    first: Mark
    """The first that differs."""
    against: Mark
    """What it differs from."""
    services: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    last_at: float = 0.0
    """Unix seconds: the last span that showed it."""
    words: str = ""
    """In a sentence, with names and times."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a conversation."""

    request: Request
    services: tuple[str, ...] = ()
    """All that took part, in the order in which they began."""
    snapshots: tuple[str, ...] = ()
    """`source@version`, in order; a service's own where it differs: `service: source@version`."""
    prompts: tuple[str, ...] = ()
    """`name@version`."""
    memory: tuple[str, ...] = ()
    """`op key@version`."""
    first_difference: str = ""
    """The span at which a divergence shows first; empty where none does."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of one conversation, oldest first."""

    source: str
    conversation: str
    turns: tuple[Turn, ...] = ()
    divergences: tuple[Divergence, ...] = ()
    cut: int = 0
    """Older requests that were left out because there are too many."""
    notes: tuple[str, ...] = ()
    """What this backend does not record, and the like."""


class ConversationQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a trace store for one conversation."""

    source: str
    conversation: str
    limit: int = 200
    """Requests, the newest of them."""
