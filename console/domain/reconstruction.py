"""One request, put together again: seven stages, eight lanes, and where its time went."""

from enum import StrEnum

import msgspec

from console.domain.spans import Document, LaneFilter, LaneKind, Message, Trace


class StageKind(StrEnum):
    """What every request goes through, in this order; not every request through all of it."""

    INCOMING = "incoming request"
    CONTEXT = "context injection"
    RETRIEVAL = "retrieval"
    MODEL_INPUT = "model input"
    MODEL_RESPONSE = "model response"
    TOOLS = "tool execution"
    RESULT = "final result"


class Piece(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What one span contributed to a stage. Every text is the application's."""

    span_id: str
    service: str = ""
    name: str = ""
    at: float
    """Unix seconds."""
    took_s: float | None = None
    failed: bool = False
    text: str = ""
    """What came in, was injected, searched for, given back or answered; empty where it is in the fields below."""
    messages: tuple[Message, ...] = ()
    documents: tuple[Document, ...] = ()
    arguments: str = ""
    """Of a tool, or the variables of a prompt's template, as JSON."""
    facts: tuple[tuple[str, str], ...] = ()
    """(name, value) worth saying beside it: model, prompt and its version, snapshot, finish reason, parameters."""
    tokens_in: int | None = None
    tokens_out: int | None = None
    missing: str = ""
    """Why its content, or part of it, is not there; empty when all of it is."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One of the seven."""

    kind: StageKind
    pieces: tuple[Piece, ...] = ()
    """By time."""
    at: float | None = None
    took_s: float | None = None
    """In which at least one of its spans ran; None for stages that have no time of their own (what came in, what went
    out, what a model was sent)."""
    tokens_in: int | None = None
    tokens_out: int | None = None
    missing: str = ""
    """`not recorded: ` and why; empty when it was recorded. Pieces may stand beside it: spans without content, tools
    that a model asked for and that no span ran, a model's answer in the place of the request's own."""


class LaneEntry(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One thing in a lane."""

    span_id: str
    service: str = ""
    at: float
    took_s: float | None = None
    value: str
    """What it is filtered by: see `LaneKind`."""
    measure: float | None = None
    """In the lane's unit: tokens or seconds."""
    words: str = ""
    """What stands beside it."""
    failed: bool = False


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One of the eight, by time."""

    kind: LaneKind
    entries: tuple[LaneEntry, ...] = ()
    missing: str = ""
    """`not recorded: ` and why; empty when there are entries."""

    def filter(self, entry: LaneEntry) -> LaneFilter:
        """Requests that have the same."""
        return LaneFilter(lane=self.kind, value=entry.value)


class Critical(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A span on the critical path: without it the request would have ended sooner."""

    span_id: str
    """Empty for time that no span tells of, in a request whose own span has not arrived."""
    at: float
    """Where its own part of the path begins, unix seconds."""
    own_s: float
    """How long the path went through this span itself, not what it called; together they are the request's time."""


class Reconstruction(msgspec.Struct, frozen=True, kw_only=True):
    """A request, whole."""

    trace: Trace
    """On its way to a console its spans are without their `content`: the stages' pieces have it."""
    stages: tuple[Stage, ...]
    """Seven, in order."""
    lanes: tuple[Lane, ...]
    """Eight, in order."""
    critical: tuple[Critical, ...] = ()
    """By time; several of one span where it waited in between."""
    replayable: str = ""
    """Why its model calls cannot be sent again; empty when one can."""
    notes: tuple[str, ...] = ()
    brief: bool = False
    """Whether there is more of it to ask for: its lanes, and the spans that neither failed nor are on the critical path
    nor came first."""
